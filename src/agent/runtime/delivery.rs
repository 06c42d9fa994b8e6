//! Delivery: the result of a job, offered until the master takes it or says that the command is not this agent's any more.

use super::backoff::Backoff;
use super::job::Job;
use super::{Shared, reporting};
use backupx_core::domain::protocol::ResultReport;
use backupx_core::domain::report::{Failure, Outcome};
use backupx_core::{Error, ErrorKind, Result};
use std::time::Duration;
use tokio::time::Instant;

/// Limit of one call, for links that have none of their own.
const LIMIT: Duration = Duration::from_secs(60);
/// A master that is away for longer has called the command lost long ago.
const LONGEST: Duration = Duration::from_secs(7 * 24 * 3600);

/// Delivers `outcome`. The master takes it once; repeats after a lost answer change nothing.
pub(super) async fn deliver(shared: &Shared, job: &Job, outcome: Outcome) {
    // Cancel-safe: a dropped call is either taken or was never made; a lost lease ends all of it (never 9).
    tokio::select! {
        () = job.lost() => {}
        () = shared.over.cancelled() => {}
        () = offer(shared, job, outcome) => {}
    }
}

async fn offer(shared: &Shared, job: &Job, mut outcome: Outcome) {
    let began = Instant::now();
    let mut backoff = Backoff::default();
    let mut refused = false;
    while began.elapsed() < LONGEST {
        let error = match send(shared, job, &outcome).await {
            Ok(()) => return,
            Err(error) => error,
        };
        match error.kind() {
            ErrorKind::Conflict | ErrorKind::NotFound => {
                tracing::warn!(
                    command.id = job.command().0,
                    code = error.code(),
                    "the master does not want this result any more"
                );
                return;
            }
            // A result that is refused for what it says would be refused for ever: the failure alone is offered instead.
            ErrorKind::Invalid if !refused => {
                refused = true;
                tracing::error!(command.id = job.command().0, code = error.code(), error = %error.chain(), "the master refused this result");
                outcome = Outcome::Failed {
                    failure: Failure::new(
                        "result_refused",
                        format!("the work was done, but the master refused its result: {error}"),
                    ),
                    report: None,
                };
                continue;
            }
            ErrorKind::Unauthenticated => shared.connection.report_broken(),
            ErrorKind::Invalid
            | ErrorKind::Forbidden
            | ErrorKind::TooManyRequests
            | ErrorKind::Unavailable
            | ErrorKind::Internal => {}
        }
        let pause = backoff.after(&error);
        if backoff.is_news(&error) {
            tracing::warn!(command.id = job.command().0, code = error.code(), error = %error.chain(), "a result did not reach the master, it is kept and sent again");
        }
        // Cancel-safe: both only wait.
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = job.renewed() => {}
        }
    }
    tracing::error!(
        command.id = job.command().0,
        "a result was given up after a week without the master"
    );
}

async fn send(shared: &Shared, job: &Job, outcome: &Outcome) -> Result<()> {
    while job.journal.is_long() {
        reporting::send(shared, job).await?;
    }
    let lease = job.lease();
    let report = ResultReport {
        lease,
        log: job.journal.batch(),
        outcome: outcome.clone(),
    };
    let answer = tokio::time::timeout(LIMIT, shared.link.result(job.command(), report))
        .await
        .unwrap_or_else(|_| {
            Err(Error::unavailable(
                "master_timeout",
                "the master did not answer in time",
            ))
        });
    match answer {
        Err(error) if reporting::is_lost(&error) && job.lease() != lease => Err(
            Error::unavailable("lease_renewed", "the lease was renewed meanwhile"),
        ),
        other => other,
    }
}
