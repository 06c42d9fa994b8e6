//! The scheduler: a plain pass that writes a queued run for every schedule that fired.

use crate::App;
use backupx_core::domain::id::{RecordId, TaskId};
use backupx_core::{Error, Result};

/// What a pass of the scheduler did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TickReport {
    /// Runs that were queued.
    pub queued: Vec<RecordId>,
    /// Tasks that fired while a run of theirs was still waiting.
    pub waiting: Vec<TaskId>,
    /// Tasks that could not be fired, with the reason; they stop none of the others.
    pub failed: Vec<(TaskId, String)>,
}

impl App {
    /// Fires what is due. Safe on several replicas at once; a schedule that was missed many times fires once.
    pub async fn tick(&self) -> Result<TickReport> {
        Err(Error::internal("not built yet"))
    }
}
