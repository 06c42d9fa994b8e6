//! What a restore has done so far, told by any of its threads.

use backupx_core::Error;
use backupx_core::domain::entry::display_bytes;
use rustix::io::Errno;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Warnings that are kept for the report.
const KEPT_WARNINGS: usize = 100;

/// Why an entry is not there as it should be.
#[derive(Debug)]
pub(super) enum Trouble {
    /// This entry alone; the sentence says what and why.
    Entry(String),
    /// No further entry would fare better.
    Fatal(Error),
    /// The archive could not be read; the entry may be had from another copy.
    Reading(Error),
}

impl Trouble {
    /// What `error` means for the entry at `path`.
    pub(super) fn of(path: &[u8], error: Errno) -> Self {
        let path = display_bytes(path);
        let cause = std::io::Error::from(error);
        match error {
            Errno::NOSPC | Errno::DQUOT => Self::Fatal(
                Error::unavailable(
                    "disk_full",
                    format!(
                        "no room is left on the disk to write {path}; free some and restore again"
                    ),
                )
                .with_source(cause),
            ),
            _ => Self::Entry(format!("{path} can't be written: {cause}")),
        }
    }
}

/// What was done.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// Entries written.
    pub(super) restored: AtomicU64,
    /// Bytes of content written.
    pub(super) bytes: AtomicU64,
    /// Entries left as they were.
    pub(super) kept: AtomicU64,
    /// Entries that are not there or not with all their attributes.
    pub(super) failed: AtomicU64,
    /// Entries of which nothing is there.
    pub(super) missing: AtomicU64,
    /// Entries whose owner only root could set.
    pub(super) not_owned: AtomicU64,
    warnings: Mutex<Vec<String>>,
    fatal: Mutex<Option<Error>>,
    is_over: AtomicBool,
}

impl Tally {
    pub(super) fn add(counter: &AtomicU64, count: u64) {
        counter.fetch_add(count, Ordering::Relaxed);
    }

    pub(super) fn get(counter: &AtomicU64) -> u64 {
        counter.load(Ordering::Relaxed)
    }

    /// An entry is in its place: written, or kept as it was.
    pub(super) fn placed(&self, is_written: bool, size: u64) {
        if is_written {
            Self::add(&self.restored, 1);
            Self::add(&self.bytes, size);
        } else {
            Self::add(&self.kept, 1);
        }
    }

    /// An entry is not there at all.
    pub(super) fn miss(&self, trouble: Trouble) {
        match trouble {
            Trouble::Entry(text) => {
                Self::add(&self.missing, 1);
                self.fail(text);
            }
            Trouble::Fatal(error) | Trouble::Reading(error) => {
                lock(&self.fatal).get_or_insert(error);
                self.is_over.store(true, Ordering::Release);
            }
        }
    }

    /// An entry is there, not with all its attributes.
    pub(super) fn fail(&self, text: String) {
        Self::add(&self.failed, 1);
        self.warn(text);
    }

    pub(super) fn warn(&self, text: String) {
        let mut warnings = lock(&self.warnings);
        if warnings.len() < KEPT_WARNINGS {
            tracing::warn!("{text}");
            warnings.push(text);
        }
    }

    pub(super) fn warnings(&self) -> Vec<String> {
        lock(&self.warnings).clone()
    }

    /// True when no further entry would fare better.
    pub(super) fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Acquire)
    }

    /// The error that ends the restore, when there was one.
    pub(super) fn take_fatal(&self) -> Option<Error> {
        lock(&self.fatal).take()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
