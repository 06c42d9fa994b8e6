//! Cases of accounts.
