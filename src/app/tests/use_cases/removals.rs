//! Cases of removals.
