//! How long calls of storage may take.

use std::time::Duration;

/// What ends a call that makes no progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// One question: stat, delete, a page of a list.
    pub call: Duration,
    /// One read or create of up to 64 MiB.
    pub transfer: Duration,
}

/// Of a service: slower than 220 kB/s counts as stalled.
pub(crate) const SERVICE: Limits = Limits {
    call: Duration::from_secs(60),
    transfer: Duration::from_secs(300),
};

/// Of rclone, which tries again by itself and lists in one answer: slower than 110 kB/s counts as stalled.
pub(crate) const RCLONE: Limits = Limits {
    call: Duration::from_secs(300),
    transfer: Duration::from_secs(600),
};
