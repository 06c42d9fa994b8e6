//! Time limits: a tool that hangs ends with its run, and the run says why.

use crate::runtime::Job;
use backupx_core::ports::source::StopFlag;
use backupx_core::{Error, Result};
use backupx_engine::stopped;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::task::JoinSet;

/// The time that a piece of work has. Dropped, it counts no more.
pub(super) struct TimeLimit {
    seconds: Option<u64>,
    flag: StopFlag,
    over: Arc<AtomicBool>,
    _clock: JoinSet<()>,
}

impl TimeLimit {
    /// Begins to count. Nothing means that the job's own flag alone stops the work.
    pub(super) fn begin(seconds: Option<u64>, job: &Arc<Job>) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let mut clock = JoinSet::new();
        let flag = match seconds {
            None => job.stop_flag(),
            Some(seconds) => {
                let flag = StopFlag::default();
                clock.spawn(count(
                    seconds,
                    job.stop_flag(),
                    flag.clone(),
                    Arc::clone(&over),
                ));
                flag
            }
        };
        Self {
            seconds,
            flag,
            over,
            _clock: clock,
        }
    }

    /// The flag that is raised when the time is over or the job is asked to stop.
    pub(super) fn flag(&self) -> StopFlag {
        self.flag.clone()
    }

    /// What came of the work. `Invalid` (`time_limit`) when it was stopped because its time was over.
    pub(super) fn judge<T>(&self, done: Result<T>) -> Result<T> {
        match (done, self.seconds) {
            (Err(_), Some(seconds)) if self.over.load(Ordering::Acquire) => Err(Error::invalid(
                "time_limit",
                format!(
                    "it was not done within {seconds} s and was ended; look whether the server hangs, or give it more time"
                ),
            )),
            (done, _) => done,
        }
    }
}

async fn count(seconds: u64, asked: StopFlag, flag: StopFlag, over: Arc<AtomicBool>) {
    let asked = tokio::time::timeout(Duration::from_secs(seconds), stopped(&asked)).await;
    if asked.is_err() {
        over.store(true, Ordering::Release);
    }
    flag.stop();
}
