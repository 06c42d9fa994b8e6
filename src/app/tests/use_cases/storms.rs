//! Cases of storms.
