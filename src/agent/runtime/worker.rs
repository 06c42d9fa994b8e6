//! The worker: carries one command out from its claim to its result.

use super::Shared;
use super::job::{Job, Stop};
use super::{delivery, reporting};
use backupx_core::domain::log::Level;
use backupx_core::domain::progress::Phase;
use backupx_core::domain::report::{CopyReport, Failure, Outcome, Report};
use backupx_core::domain::work::Work;
use backupx_core::ports::observer::Observer;
use backupx_core::{Error, Result};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::{JoinError, JoinSet};
use tokio::time::Instant;

/// The life of one job.
pub(super) async fn run(
    shared: Arc<Shared>,
    job: Arc<Job>,
    work: Work,
    slots: Arc<Semaphore>,
    slot: Option<OwnedSemaphorePermit>,
) {
    let mut reports = JoinSet::new();
    {
        let (shared, job) = (Arc::clone(&shared), Arc::clone(&job));
        reports.spawn(async move { reporting::run(&shared, &job).await });
    }
    let outcome = carry_out(&shared, &job, work, slots, slot).await;
    job.finish_work();
    if let Some(outcome) = outcome {
        delivery::deliver(&shared, &job, outcome).await;
    }
    reports.shutdown().await;
    shared.roster.remove(&job);
    job.end();
}

/// Does the work, as far as nobody stops it. Nothing when nobody wants to hear of it.
async fn carry_out(
    shared: &Shared,
    job: &Arc<Job>,
    work: Work,
    slots: Arc<Semaphore>,
    slot: Option<OwnedSemaphorePermit>,
) -> Option<Outcome> {
    let _slot = match slot {
        Some(slot) => slot,
        None => {
            // Cancel-safe: a slot that is not taken stays free.
            tokio::select! {
                slot = slots.acquire_owned() => slot.ok()?,
                () = job.stopping() => return ended(job, None),
                () = shared.over.cancelled() => return None,
            }
        }
    };
    job.await_former().await;
    let began = Instant::now();
    tracing::info!(command.id = job.command().0, lease.no = job.lease().0, subject = %job.subject(), lane = job.lane().as_str(), "work begins");
    if let Some(warning) = shared.connection.clock_warning() {
        job.log(Level::Warn, warning);
    }

    let mut task = JoinSet::new();
    let hands = Arc::clone(&shared.hands);
    let its_job = Arc::clone(job);
    task.spawn(async move { hands.carry_out(work, its_job).await });
    // Cancel-safe: `join_next` loses nothing when it is dropped.
    let finished = tokio::select! {
        finished = task.join_next() => finished,
        () = job.stopping() => wind_down(shared, job, &mut task).await,
        () = shared.over.cancelled() => return None,
    };
    let outcome = ended(job, finished);
    let seconds = began.elapsed().as_secs();
    match &outcome {
        None => tracing::warn!(
            command.id = job.command().0,
            seconds,
            "work stopped: the command is not this agent's any more"
        ),
        Some(Outcome::Succeeded { .. }) => {
            tracing::info!(command.id = job.command().0, subject = %job.subject(), seconds, "work done")
        }
        Some(Outcome::Cancelled) => {
            tracing::info!(command.id = job.command().0, seconds, "work cancelled")
        }
        Some(Outcome::Failed { failure, .. }) => {
            tracing::warn!(command.id = job.command().0, seconds, code = %failure.code, error = %failure.message, "work failed");
        }
    }
    outcome
}

type Finished = Option<std::result::Result<Result<Report>, JoinError>>;

/// Gives stopped work some time to clean up behind itself, less when its lease is lost, and then drops it.
async fn wind_down(shared: &Shared, job: &Job, task: &mut JoinSet<Result<Report>>) -> Finished {
    let grace = match job.reason() {
        Some(Stop::Cancelled) | None => Duration::from_secs(30),
        Some(Stop::Shutdown) => shared.config.drain.mul_f64(0.15),
        Some(Stop::Lost) => Duration::from_secs(5),
    };
    // Cancel-safe: see above.
    let finished = tokio::select! {
        finished = task.join_next() => finished,
        () = tokio::time::sleep(grace) => None,
        () = shared.over.cancelled() => None,
    };
    task.shutdown().await;
    finished
}

/// What is reported, if anything. Work that came to its end although it was asked to stop is reported as what it is.
fn ended(job: &Job, finished: Finished) -> Option<Outcome> {
    let done = match finished {
        Some(Ok(result)) => Some(result),
        Some(Err(broken)) => Some(Err(Error::internal(
            "the agent broke down over this work; its log says more",
        )
        .with_source(broken))),
        None => None,
    };
    let outcome = match done {
        Some(Ok(report)) => outcome_of(report),
        Some(Err(error)) => Outcome::Failed {
            failure: Failure::from(&error),
            report: None,
        },
        None => Outcome::Cancelled,
    };
    let outcome = match (job.reason(), outcome) {
        (Some(Stop::Lost), _) => return None,
        (None, outcome) | (_, outcome @ Outcome::Succeeded { .. }) => outcome,
        (Some(Stop::Cancelled), Outcome::Failed { .. } | Outcome::Cancelled) => Outcome::Cancelled,
        (Some(Stop::Shutdown), Outcome::Failed { report, .. }) => stopped(report),
        (Some(Stop::Shutdown), Outcome::Cancelled) => stopped(None),
    };
    // The master writes the end itself into the log.
    if matches!(outcome, Outcome::Succeeded { .. }) {
        job.counters().enter(Phase::Done);
    }
    Some(outcome)
}

fn stopped(report: Option<Report>) -> Outcome {
    Outcome::Failed {
        failure: Failure::new(
            "agent_stopped",
            "the agent was stopped before this was done; start it again and run it once more",
        ),
        report,
    }
}

/// A report in which no target got its copy is a failure.
fn outcome_of(report: Report) -> Outcome {
    let copies: &[CopyReport] = match &report {
        Report::Backup(backup) => &backup.copies,
        Report::Copy { copies } => copies,
        Report::Drill(drill) => match drill.failure() {
            Some(failure) => {
                return Outcome::Failed {
                    failure,
                    report: Some(report),
                };
            }
            None => &[],
        },
        Report::Restore(_)
        | Report::Verify(_)
        | Report::Delete(_)
        | Report::Browse(_)
        | Report::TestTarget(_)
        | Report::TestSource(_)
        | Report::Inventory(_)
        | Report::ListFiles(_) => &[],
    };
    let failures: Vec<_> = copies
        .iter()
        .filter_map(|copy| copy.failure.as_ref())
        .collect();
    match failures.first() {
        Some(first) if failures.len() == copies.len() => {
            let mut failure = (*first).clone();
            if failures.len() > 1 {
                failure.message = format!(
                    "none of the {} targets got a copy; the first: {}",
                    failures.len(),
                    failure.message
                );
            }
            Outcome::Failed {
                failure,
                report: Some(report),
            }
        }
        _ => Outcome::Succeeded { report },
    }
}
