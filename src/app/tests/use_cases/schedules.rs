//! Cases of schedules.
