//! Cancelling: always legal. What no node has ends at once, what a node holds is told to stop, what an absent node holds is taken from it.

use crate::App;
use crate::ends::outcome_of;
use backupx_core::Result;
use backupx_core::domain::command::{Lease, Subject};
use backupx_core::domain::id::NodeId;
use backupx_core::domain::node::NodeStatus;
use backupx_core::domain::operation::Operation;
use backupx_core::domain::record::Record;
use backupx_core::domain::report::Outcome;
use backupx_core::ports::queue::Cancelled;
use backupx_core::ports::signals::Topic;

impl App {
    /// Stops a run. False when it was at its end already.
    pub(crate) async fn stop_record(&self, record: &Record) -> Result<bool> {
        let now = self.now();
        if !self.ports.records.request_cancel(record.id, now).await? {
            return Ok(false);
        }
        self.stop_command(Subject::Record(record.id), record.node_id)
            .await?;
        Ok(true)
    }

    /// Stops an operation. False when it was at its end already.
    pub(crate) async fn stop_operation(&self, operation: &Operation) -> Result<bool> {
        let now = self.now();
        let operations = &self.ports.operations;
        if !operations.request_cancel(operation.id, now).await? {
            return Ok(false);
        }
        self.stop_command(Subject::Operation(operation.id), operation.node_id)
            .await?;
        Ok(true)
    }

    /// The request to stop is written; now the command follows. The sweep does the same again for one that was left behind.
    pub(crate) async fn stop_command(&self, subject: Subject, node: NodeId) -> Result<()> {
        let now = self.now();
        let Some(command) = self.ports.queue.find(subject).await? else {
            // Not put in yet: without a command nobody can have it.
            self.end_subject(subject, Lease(i64::MAX), &Outcome::Cancelled)
                .await?;
            return Ok(());
        };
        match self.ports.queue.cancel(command.id, now).await? {
            Cancelled::BeforeStart => {
                self.end_subject(subject, command.lease, &Outcome::Cancelled)
                    .await?;
            }
            Cancelled::Requested if self.node_status(node).await? == NodeStatus::Online => {
                self.notify(Topic::Node(node)).await;
            }
            Cancelled::Requested => {
                // Nobody is there to be told. Should the node come back, its lease is lost and it stops at once.
                self.end_subject(subject, command.lease, &Outcome::Cancelled)
                    .await?;
                self.ports.queue.close(command.id, now).await?;
            }
            Cancelled::TooLate => {
                if let Some(command) = self.ports.queue.get(command.id).await?
                    && command.state.is_final()
                {
                    self.end_subject(subject, command.lease, &outcome_of(&command))
                        .await?;
                }
            }
        }
        self.notify(Topic::Subject(subject)).await;
        Ok(())
    }
}
