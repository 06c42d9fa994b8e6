//! Being stopped: how a run notices that somebody asked for it.

use backupx_core::ports::source::StopFlag;
use backupx_core::{Error, Result};
use std::time::Duration;

/// How often a waiting run looks at the flag.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// What a stopped run answers.
pub(crate) fn cancelled() -> Error {
    Error::conflict("cancelled", "the run was stopped on request")
}

/// Returns once somebody asked to stop.
pub async fn stopped(stop: &StopFlag) {
    while !stop.is_stopped() {
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// Does `work` unless somebody asks to stop before it is done; then it is dropped.
pub(crate) async fn unless_stopped<T>(
    stop: &StopFlag,
    work: impl Future<Output = Result<T>>,
) -> Result<T> {
    tokio::select! {
        // Neither side is polled again after the other one ended.
        outcome = work => outcome,
        () = stopped(stop) => Err(cancelled()),
    }
}

/// What a blocking call answered.
pub(crate) async fn joined<T>(call: tokio::task::JoinHandle<Result<T>>) -> Result<T> {
    call.await.map_err(|error| {
        Error::internal("a thread of the run ended unexpectedly").with_source(error)
    })?
}
