//! A job: one held command, its lease, its figures and its log, and whether it is to stop.

use super::journal::Journal;
use backupx_core::domain::command::{Lane, Lease, Subject};
use backupx_core::domain::id::CommandId;
use backupx_core::domain::log::Level;
use backupx_core::domain::progress::Progress;
use backupx_core::domain::work::Assignment;
use backupx_core::ports::observer::{Counters, Observer};
use backupx_core::ports::source::StopFlag;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, PoisonError};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// Why a job is to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    /// Somebody asked for it.
    Cancelled,
    /// The agent ends.
    Shutdown,
    /// The lease is somebody else's or nobody's: the effect ends at once and nothing is reported (never 9).
    Lost,
}

/// One held command.
pub(crate) struct Job {
    command: CommandId,
    subject: Subject,
    lane: Lane,
    lease: AtomicI64,
    reason: Mutex<Option<Stop>>,
    flag: StopFlag,
    stopping: CancellationToken,
    lost: CancellationToken,
    worked: CancellationToken,
    ended: CancellationToken,
    renewed: Notify,
    former: Option<CancellationToken>,
    counters: Counters,
    pub(super) journal: Journal,
}

impl Job {
    /// A job that begins when `former`, an older run of the same command, has ended.
    pub(super) fn new(assignment: &Assignment, former: Option<CancellationToken>) -> Self {
        Self {
            command: assignment.command_id,
            subject: assignment.subject,
            lane: assignment.lane,
            lease: AtomicI64::new(assignment.lease.0),
            reason: Mutex::default(),
            flag: StopFlag::default(),
            stopping: CancellationToken::new(),
            lost: CancellationToken::new(),
            worked: CancellationToken::new(),
            ended: CancellationToken::new(),
            renewed: Notify::new(),
            former,
            counters: Counters::default(),
            journal: Journal::default(),
        }
    }

    pub(crate) fn command(&self) -> CommandId {
        self.command
    }

    pub(super) fn subject(&self) -> Subject {
        self.subject
    }

    pub(super) fn lane(&self) -> Lane {
        self.lane
    }

    /// The lease under which to speak now.
    pub(crate) fn lease(&self) -> Lease {
        Lease(self.lease.load(Ordering::Acquire))
    }

    /// Goes on under `lease`, unless its own was lost. False when the job can't carry the command any more.
    pub(super) fn renew(&self, lease: Lease) -> bool {
        if self.is_lost() {
            return false;
        }
        let before = self.lease.fetch_max(lease.0, Ordering::AcqRel);
        if before < lease.0 {
            self.renewed.notify_one();
        }
        true
    }

    /// Waits for a newer lease.
    pub(super) async fn renewed(&self) {
        self.renewed.notified().await;
    }

    /// Asks to stop. The first reason stays, but a lost lease outweighs all. True when work was still under way.
    pub(super) fn stop(&self, reason: Stop) -> bool {
        let working = !self.worked.is_cancelled();
        let mut standing = self.reason.lock().unwrap_or_else(PoisonError::into_inner);
        if reason == Stop::Lost {
            *standing = Some(reason);
            self.lost.cancel();
        } else if working {
            standing.get_or_insert(reason);
        } else {
            return false;
        }
        self.flag.stop();
        self.stopping.cancel();
        working
    }

    /// Why it is to stop, if it is.
    pub(super) fn reason(&self) -> Option<Stop> {
        *self.reason.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until it is asked to stop.
    pub(super) async fn stopping(&self) {
        self.stopping.cancelled().await;
    }

    pub(super) fn is_lost(&self) -> bool {
        self.lost.is_cancelled()
    }

    /// Waits until its lease is lost.
    pub(super) async fn lost(&self) {
        self.lost.cancelled().await;
    }

    /// Says that the work is over, whatever came of it.
    pub(super) fn finish_work(&self) {
        self.worked.cancel();
    }

    /// Waits until the work is over.
    pub(super) async fn worked(&self) {
        self.worked.cancelled().await;
    }

    /// Says that nothing of it is left.
    pub(super) fn end(&self) {
        self.ended.cancel();
    }

    /// Cancelled once nothing of it is left.
    pub(super) fn ended(&self) -> CancellationToken {
        self.ended.clone()
    }

    /// Waits for the end of the run that this one takes the place of.
    pub(super) async fn await_former(&self) {
        if let Some(former) = &self.former {
            former.cancelled().await;
        }
    }

    /// The flag that the data path looks at.
    pub(crate) fn stop_flag(&self) -> StopFlag {
        self.flag.clone()
    }

    /// The figures as they are now.
    pub(super) fn progress(&self) -> Progress {
        self.counters.snapshot()
    }
}

impl Observer for Job {
    fn counters(&self) -> &Counters {
        &self.counters
    }

    fn log(&self, level: Level, message: String) {
        tracing::debug!(command.id = self.command.0, subject = %self.subject, level = level.as_str(), "{message}");
        self.journal.push(level, message);
    }
}
