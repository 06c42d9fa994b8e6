//! Leases: who may report on a command, and until when.

use crate::App;
use crate::ends::failed;
use backupx_core::domain::command::{Command, CommandState, Lease, Subject};
use backupx_core::domain::id::{CommandId, NodeId};
use backupx_core::domain::protocol::{
    Heartbeat, HeldLease, Hello, ProgressAnswer, ProgressReport, Pulse, Welcome,
};
use backupx_core::domain::report::Failure;
use backupx_core::ports::queue::Renewal;
use backupx_core::ports::signals::Topic;
use backupx_core::{Error, Result};

/// A hand-out that the node has not confirmed for so long got lost on its way.
const HAND_OUT_LIMIT: chrono::Duration = chrono::Duration::seconds(30);

impl App {
    /// An agent's first words after its start or a reconnect: what it does not name is lost to it.
    pub async fn hello(&self, node: NodeId, hello: Hello) -> Result<Welcome> {
        let known = self.known_node(node).await?;
        if known.facts.as_ref() != Some(&hello.facts) {
            self.ports.nodes.set_facts(node, &hello.facts).await?;
        }
        self.heard(node).await?;
        let (keep, stop, _) = self.renew_named(node, &hello.leases).await?;
        for command in self.ports.queue.claimed_by(node).await? {
            if is_named(&command, &hello.leases) {
                continue;
            }
            if !command.acknowledged {
                self.hand_out_lost(&command).await?;
                continue;
            }
            let failure = Failure::new(
                "agent_restarted",
                format!(
                    "the agent on node {} was restarted while this ran, so it was broken off; run it again",
                    known.name
                ),
            );
            self.end_command(&command, &failed(failure)).await?;
        }
        tracing::info!(
            node.id = node.0,
            version = hello.facts.version,
            kept = keep.len(),
            stopped = stop.len(),
            "an agent said hello"
        );
        Ok(Welcome {
            node_id: node,
            node_name: known.name.into(),
            server_time: self.now(),
            heartbeat_interval_secs: self.settings.heartbeat_interval.as_secs(),
            max_wait_secs: self.settings.long_poll_max.as_secs(),
            keep,
            stop,
        })
    }

    /// A sign of life.
    pub async fn heartbeat(&self, node: NodeId, heartbeat: Heartbeat) -> Result<Pulse> {
        self.heard(node).await?;
        let (_, lost, cancel) = self.renew_named(node, &heartbeat.leases).await?;
        let overdue = self.now() - HAND_OUT_LIMIT;
        let held = match self.may_be_unconfirmed(node, overdue).await? {
            true => self.ports.queue.claimed_by(node).await?,
            false => Vec::new(),
        };
        for command in held {
            let waiting = !command.acknowledged && !is_named(&command, &heartbeat.leases);
            if waiting && command.claimed_at.is_none_or(|claimed| claimed < overdue) {
                self.hand_out_lost(&command).await?;
            }
        }
        Ok(Pulse {
            server_time: self.now(),
            cancel,
            lost,
        })
    }

    /// How far a command is. `Conflict` (`lease_lost`) when the lease is not the current one.
    pub async fn progress(
        &self,
        node: NodeId,
        command: CommandId,
        report: ProgressReport,
    ) -> Result<ProgressAnswer> {
        let lease = report.lease;
        let command = self.held_command(node, command, lease).await?;
        let cancel = match self
            .ports
            .queue
            .renew(command.id, lease, self.now())
            .await?
        {
            Renewal::Held { cancel } => cancel,
            Renewal::LeaseLost => return Err(lease_lost(command.id, lease)),
        };
        self.heard(node).await?;
        let kept = match command.subject {
            Subject::Record(id) => {
                let records = &self.ports.records;
                records.progress(id, lease, &report.progress).await?
            }
            Subject::Operation(id) => {
                let operations = &self.ports.operations;
                operations.progress(id, lease, &report.progress).await?
            }
            Subject::Request(_) => true,
        };
        if !kept {
            // The record is at its end: whatever the queue still says, the effect has to stop.
            return Err(lease_lost(command.id, lease));
        }
        self.append_log(command.subject, lease, report.log).await?;
        self.notify(Topic::Subject(command.subject)).await;
        Ok(ProgressAnswer {
            server_time: self.now(),
            cancel,
        })
    }

    /// The command that `node` holds under `lease`, or `Conflict` (`lease_lost`). A command of another node is answered the same way.
    pub(crate) async fn held_command(
        &self,
        node: NodeId,
        id: CommandId,
        lease: Lease,
    ) -> Result<Command> {
        self.ports
            .queue
            .get(id)
            .await?
            .filter(|command| {
                command.node_id == node
                    && command.state == CommandState::Claimed
                    && command.lease == lease
            })
            .ok_or_else(|| lease_lost(id, lease))
    }

    /// Renews what a node names: (held, lost, held and asked to stop).
    async fn renew_named(
        &self,
        node: NodeId,
        named: &[HeldLease],
    ) -> Result<(Vec<HeldLease>, Vec<HeldLease>, Vec<HeldLease>)> {
        if named.is_empty() {
            return Ok(Default::default());
        }
        let renewed = self.ports.queue.renew_all(node, named, self.now()).await?;
        let held: Vec<_> = renewed.iter().map(|(lease, _)| *lease).collect();
        let lost = named
            .iter()
            .filter(|lease| !held.contains(lease))
            .copied()
            .collect();
        let cancel = renewed
            .into_iter()
            .filter_map(|(lease, cancel)| cancel.then_some(lease))
            .collect();
        Ok((held, lost, cancel))
    }
}

fn is_named(command: &Command, named: &[HeldLease]) -> bool {
    named
        .iter()
        .any(|held| held.command_id == command.id && held.lease == command.lease)
}

/// The answer to whoever reports under a lease that is not the current one.
pub(crate) fn lease_lost(id: CommandId, lease: Lease) -> Error {
    Error::conflict(
        "lease_lost",
        format!("lease {lease} of command {id} does not hold any more; stop it"),
    )
}
