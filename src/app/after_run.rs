//! After a run: one path for every event of the outbox, whoever made it and wherever it ran.

use crate::App;
use backupx_core::Result;
use backupx_core::domain::event::{Event, EventKind};
use backupx_core::domain::record::RecordState;

/// Events of one look into the outbox.
const AT_ONCE: u32 = 100;
/// How long an event is leased to whoever handles it; after that another replica takes it.
const HANDLING: chrono::Duration = chrono::Duration::seconds(60);

impl App {
    /// Handles what waits in the outbox: each event at least once, by one replica at a time. One that fails is taken again later and
    /// holds none of the others up. Answers how many were handled.
    pub(crate) async fn empty_outbox(&self) -> Result<u64> {
        let mut handled = 0;
        loop {
            let now = self.now();
            let events = self.ports.events.take(AT_ONCE, now, now + HANDLING).await?;
            let last = events.len() < AT_ONCE as usize;
            for event in events {
                match self.handle(&event).await {
                    Ok(()) => {
                        self.ports.events.handled(event.id, self.now()).await?;
                        handled += 1;
                    }
                    Err(error) => {
                        tracing::warn!(
                            event.id = event.id.0,
                            error = error.chain(),
                            "an event is handled again later"
                        );
                    }
                }
            }
            if last {
                return Ok(handled);
            }
        }
    }

    async fn handle(&self, event: &Event) -> Result<()> {
        match &event.kind {
            EventKind::RecordFinished {
                record_id,
                task_id,
                status,
            } => {
                if *status == RecordState::Success {
                    self.run_followers(event.id, *task_id).await?;
                }
                if status.has_copies() {
                    let retired = self.retire(*task_id).await?;
                    tracing::debug!(
                        record.id = record_id.0,
                        task.id = task_id.0,
                        retired,
                        "retention after a run"
                    );
                } else {
                    tracing::warn!(
                        record.id = record_id.0,
                        task.id = task_id.0,
                        status = status.as_str(),
                        "a run made no backup"
                    );
                }
                Ok(())
            }
            EventKind::RecordSuspicious {
                record_id,
                task_id,
                findings,
            } => {
                tracing::warn!(
                    record.id = record_id.0,
                    task.id = task_id.0,
                    findings = findings.join(", "),
                    "a run is far off the history of its task; retention of the task rests until somebody accepts it"
                );
                Ok(())
            }
            EventKind::OperationFinished { operation_id, .. } => {
                self.apply_operation(*operation_id).await
            }
            EventKind::DrillFailed {
                operation_id,
                record_id,
                task_id,
                pinned,
            } => {
                tracing::warn!(
                    operation.id = operation_id.0,
                    record.id = record_id.0,
                    task.id = task_id.0,
                    pinned = pinned.map(|id| id.0),
                    "a drill did not hold"
                );
                Ok(())
            }
            EventKind::CopyLost {
                record_id,
                task_id,
                target_id,
            } => {
                tracing::warn!(
                    record.id = record_id.0,
                    task.id = task_id.0,
                    target.id = target_id.0,
                    "a copy that was good is not whole in storage any more"
                );
                Ok(())
            }
            EventKind::NodeOffline { node_id } => {
                tracing::warn!(node.id = node_id.0, "a node is not heard any more");
                Ok(())
            }
            EventKind::NodeOnline { .. } => Ok(()),
        }
    }
}
