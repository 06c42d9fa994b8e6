//! Results: the end of a command, accepted once from its current lease.

use crate::App;
use crate::leases::lease_lost;
use backupx_core::Result;
use backupx_core::domain::command::CommandState;
use backupx_core::domain::id::{CommandId, NodeId};
use backupx_core::domain::protocol::ResultReport;
use backupx_core::ports::queue::Guarded;
use backupx_core::ports::signals::Topic;

impl App {
    /// How a command ended. `Conflict` (`lease_lost`) from a stale lease, which changes nothing; a repeat of an accepted result is accepted.
    pub async fn result(
        &self,
        node: NodeId,
        command: CommandId,
        report: ResultReport,
    ) -> Result<()> {
        let lease = report.lease;
        let lost = || lease_lost(command, lease);
        let command = self.ports.queue.get(command).await?.ok_or_else(lost)?;
        if command.node_id != node || command.lease != lease {
            return Err(lost());
        }
        match command.state {
            CommandState::Claimed => {}
            // The answer to the first time got lost: the same words again are accepted and change nothing.
            CommandState::Succeeded | CommandState::Failed | CommandState::Cancelled
                if command.outcome.as_ref() == Some(&report.outcome) =>
            {
                return Ok(());
            }
            CommandState::Pending
            | CommandState::Succeeded
            | CommandState::Failed
            | CommandState::Timeout
            | CommandState::Cancelled => return Err(lost()),
        }
        self.heard(node).await?;
        self.append_log(command.subject, lease, report.log).await?;
        // The record first: it is the truth. When the process dies between the two, the agent's repeat or the sweep ends the command.
        self.end_subject(command.subject, lease, &report.outcome)
            .await?;
        let ended = self
            .ports
            .queue
            .finish(command.id, lease, &report.outcome, self.now())
            .await?;
        self.notify(Topic::Subject(command.subject)).await;
        match ended {
            Guarded::Done => Ok(()),
            Guarded::LeaseLost => Err(lost()),
        }
    }
}
