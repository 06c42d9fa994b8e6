//! Reporting: progress and log lines while the work is under way. A task of its own: it renews the lease however long the data path
//! waits for something (never 10).

use super::Shared;
use super::backoff::Backoff;
use super::job::{Job, Stop};
use backupx_core::domain::command::Lane;
use backupx_core::domain::protocol::{ProgressAnswer, ProgressReport};
use backupx_core::{Error, ErrorKind, Result};
use std::time::Duration;

/// Limit of one report, for links that have none of their own.
const LIMIT: Duration = Duration::from_secs(30);

/// Reports until the work is over or the lease is lost.
pub(super) async fn run(shared: &Shared, job: &Job) {
    // Cancel-safe: lines of a dropped report stay in the journal.
    tokio::select! {
        () = job.worked() => {}
        () = job.lost() => {}
        () = report(shared, job) => {}
    }
}

async fn report(shared: &Shared, job: &Job) {
    let mut backoff = Backoff::default();
    // The first report proves to the master that the command arrived. A short question is mostly answered before that is worth a call.
    match job.lane() {
        Lane::Work => {}
        Lane::Short => tokio::time::sleep(shared.config.progress_interval).await,
    }
    loop {
        let pause = match send(shared, job).await {
            Ok(answer) => {
                backoff.reset();
                shared.connection.compare_clocks(answer.server_time);
                if answer.cancel {
                    job.stop(Stop::Cancelled);
                }
                if job.journal.is_long() {
                    Duration::ZERO
                } else {
                    shared.config.progress_interval
                }
            }
            Err(error) if is_lost(&error) => {
                job.stop(Stop::Lost);
                return;
            }
            Err(error) => {
                if error.kind() == ErrorKind::Unauthenticated {
                    shared.connection.report_broken();
                }
                let pause = backoff.after(&error);
                if backoff.is_news(&error) {
                    tracing::warn!(command.id = job.command().0, code = error.code(), error = %error.chain(), "progress did not reach the master");
                }
                pause
            }
        };
        tokio::time::sleep(pause).await;
    }
}

/// Sends the figures and a batch of lines. A refusal of a lease that was renewed meanwhile is not one of this job.
pub(super) async fn send(shared: &Shared, job: &Job) -> Result<ProgressAnswer> {
    let lease = job.lease();
    let log = job.journal.batch();
    let report = ProgressReport {
        lease,
        progress: job.progress(),
        log: log.clone(),
    };
    let answer = tokio::time::timeout(LIMIT, shared.link.progress(job.command(), report))
        .await
        .unwrap_or_else(|_| {
            Err(Error::unavailable(
                "master_timeout",
                "the master did not answer in time",
            ))
        });
    match answer {
        Ok(answer) => {
            job.journal.acknowledge(&log);
            Ok(answer)
        }
        Err(error) if is_lost(&error) && job.lease() != lease => Err(Error::unavailable(
            "lease_renewed",
            "the lease was renewed meanwhile",
        )),
        Err(error) => Err(error),
    }
}

/// True when the master says that the command is not this agent's any more.
pub(super) fn is_lost(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Conflict | ErrorKind::NotFound)
}
