//! The sweep: a plain pass that brings everything to a true end that a crash, a lost answer or an absent node left behind.

use crate::App;
use backupx_core::{Error, Result};

/// What a pass of the sweep did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SweepReport {
    /// Commands that ended for want of a sign of life.
    pub timed_out: u64,
    /// Runs and operations whose command was missing and was put in again.
    pub enqueued: u64,
    /// Runs and operations that were brought to their end.
    pub finished: u64,
    /// Scheduled runs that no node took in time.
    pub missed: u64,
    /// Copies that retention marked for removal.
    pub retired: u64,
    /// Removals of copies and leftovers that were put in.
    pub removals: u64,
    /// Records whose last copy is gone and whose row went.
    pub removed: u64,
    /// Nodes that went offline.
    pub offline: u64,
    /// Events that were handled.
    pub events: u64,
    /// Old rows that went: commands, sessions, answers, failed sign-ins, events.
    pub purged: u64,
    /// Steps of the pass that failed; each is logged, none stops the others.
    pub failed: u64,
}

impl App {
    /// One pass. Bounded, idempotent, safe on several replicas at once.
    pub async fn sweep(&self) -> Result<SweepReport> {
        Err(Error::internal("not built yet"))
    }
}
