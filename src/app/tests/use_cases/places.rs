//! Cases of places.
