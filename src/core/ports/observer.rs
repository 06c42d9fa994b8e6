//! The observer of a run: told how far it is and what is worth reading. Cheap enough to call for every file.

use crate::domain::log::Level;
use crate::domain::progress::{Phase, Progress};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

/// Counters of a run that any thread may raise and any may read.
#[derive(Debug, Default)]
pub struct Counters {
    phase: Mutex<Phase>,
    /// Entries done.
    pub files: AtomicU64,
    /// Bytes of content done.
    pub bytes: AtomicU64,
    /// Bytes in storage touched.
    pub stored_bytes: AtomicU64,
    /// Entries in all; zero means not known.
    pub total_files: AtomicU64,
    /// Bytes of content in all; zero means not known.
    pub total_bytes: AtomicU64,
}

impl Counters {
    /// Enters a phase.
    pub fn enter(&self, phase: Phase) {
        *self
            .phase
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner) = phase;
    }

    /// The figures as they are now.
    pub fn snapshot(&self) -> Progress {
        let known = |counter: &AtomicU64| Some(counter.load(Ordering::Relaxed)).filter(|n| *n > 0);
        Progress {
            phase: *self
                .phase
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner),
            files: self.files.load(Ordering::Relaxed),
            bytes: self.bytes.load(Ordering::Relaxed),
            stored_bytes: self.stored_bytes.load(Ordering::Relaxed),
            total_files: known(&self.total_files),
            total_bytes: known(&self.total_bytes),
        }
    }
}

/// Who watches a run.
pub trait Observer: Send + Sync {
    /// The counters that the run raises.
    fn counters(&self) -> &Counters;

    /// A line for the run's log. Must not block for long; never a secret.
    fn log(&self, level: Level, message: String);
}
