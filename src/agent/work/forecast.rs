//! The forecast: how much there is to read, looked up beside a backup that takes long enough for somebody to ask.

use crate::runtime::Job;
use backupx_core::domain::source::SourceSpec;
use backupx_core::ports::observer::Observer;
use backupx_core::ports::source::{SourceOpener, StopFlag};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::task::JoinSet;

/// A backup that is over by then needs no forecast, and is not slowed down by one.
const AFTER: Duration = Duration::from_secs(2);

/// A look that is under way. Dropped, it ends.
pub(super) struct Forecast {
    stop: StopFlag,
    _look: JoinSet<()>,
}

impl Forecast {
    /// Looks a little later how much `source` has, and tells the job's counters.
    pub(super) fn begin(sources: Arc<dyn SourceOpener>, source: SourceSpec, job: Arc<Job>) -> Self {
        let stop = StopFlag::default();
        let flag = stop.clone();
        let mut look = JoinSet::new();
        look.spawn(async move {
            tokio::time::sleep(AFTER).await;
            let looked = tokio::task::spawn_blocking(move || {
                sources
                    .open(&source)
                    .and_then(|source| source.measure(&flag))
            });
            match looked.await {
                Ok(Ok(Some(extent))) => {
                    let counters = job.counters();
                    counters
                        .total_files
                        .store(extent.entries, Ordering::Relaxed);
                    counters.total_bytes.store(extent.bytes, Ordering::Relaxed);
                }
                Ok(Ok(None)) => {}
                // The backup meets the same trouble and says so.
                Ok(Err(error)) => tracing::debug!(error = error.chain(), "no forecast"),
                Err(error) => tracing::debug!(%error, "no forecast"),
            }
        });
        Self { stop, _look: look }
    }
}

impl Drop for Forecast {
    fn drop(&mut self) {
        self.stop.stop();
    }
}
