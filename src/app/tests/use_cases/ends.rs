//! Cases of ends.
