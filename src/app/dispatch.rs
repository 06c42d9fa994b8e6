//! Dispatch: commands on their way to nodes - put in under their subject, claimed, and handed out again when a hand-out got lost.

use crate::App;
use crate::ends::failed;
use backupx_core::domain::command::{Command, CommandSpec, CommandState, Lane, Lease, Subject};
use backupx_core::domain::id::{NodeId, RecordId};
use backupx_core::domain::operation::Operation;
use backupx_core::domain::protocol::{Assignments, Poll};
use backupx_core::domain::record::Record;
use backupx_core::domain::report::Failure;
use backupx_core::domain::work::Assignment;
use backupx_core::ports::queue::{NewCommand, Wanted};
use backupx_core::ports::signals::Topic;
use backupx_core::{Error, Result};
use std::time::Duration;
use tokio::time::Instant;

/// Most commands of one answer.
const MAX_AT_ONCE: u32 = 16;
/// How often one answer asks for more when what it got was over.
const MAX_ROUNDS: u32 = 10;
/// A master that holds no question is asked again after so long. Short questions have to be met within their limit (`request_limit`).
const ASK_AGAIN_SECS: u64 = 5;
/// A longest wait below this is none.
const SHORTEST_HOLD: Duration = Duration::from_secs(1);
/// How long a command waits that could not be filled because a store did not answer.
const FILL_AGAIN: chrono::Duration = chrono::Duration::seconds(15);

impl App {
    /// Claims up to `free` commands of a lane for a node, or up to as many of long work and all short questions, waiting for the first one
    /// up to the smaller of the asked and the longest wait.
    /// What is claimed stays claimed when the answer gets lost: the agent's next sign of life releases it (never 8).
    /// Where nothing ticks by itself, polls make the scheduler's passes as well.
    pub async fn poll(&self, node: NodeId, poll: Poll) -> Result<Assignments> {
        // What ticks is done long before a poll that waits, and its room is given back.
        let tick = Box::pin(self.tick_beside());
        let (assignments, ()) = tokio::join!(self.wait_for_work(node, poll), tick);
        assignments
    }

    async fn wait_for_work(&self, node: NodeId, poll: Poll) -> Result<Assignments> {
        self.heard(node).await?;
        let free = poll.free.min(MAX_AT_ONCE);
        let wanted = match poll.lane {
            Some(lane) => Wanted::only(lane, free),
            None => Wanted {
                short: MAX_AT_ONCE,
                work: free,
            },
        };
        // Register interest before looking, or what comes between is missed.
        let mut work = self.ports.signals.subscribe(Topic::Node(node)).await?;
        let wait = Duration::from_secs(poll.wait_secs).min(self.settings.long_poll_max);
        let deadline = Instant::now() + wait.mul_f64(rand::random_range(0.8..=1.0));
        loop {
            // On the heap, so that a poll that waits does not hold the room that a claim takes.
            let commands = Box::pin(self.claim_up_to(node, wanted)).await?;
            if !commands.is_empty() || wait.is_zero() || wanted == Wanted::default() {
                return Ok(self.assigned(commands));
            }
            self.wait_till_due(&mut *work, deadline).await;
            // What came in the last moment is for the poll that follows.
            if Instant::now() >= deadline {
                return Ok(self.assigned(Vec::new()));
            }
        }
    }

    fn assigned(&self, commands: Vec<Assignment>) -> Assignments {
        let holds = self.settings.long_poll_max >= SHORTEST_HOLD;
        Assignments {
            server_time: self.now(),
            retry_after_secs: (commands.is_empty() && !holds).then_some(ASK_AGAIN_SECS),
            commands,
        }
    }

    async fn claim_up_to(&self, node: NodeId, wanted: Wanted) -> Result<Vec<Assignment>> {
        if let Err(error) = self.take_from_pools(node, wanted.work).await {
            // What the node has already must not wait for that.
            tracing::warn!(
                node.id = node.0,
                error = error.chain(),
                "pools could not be looked at"
            );
        }
        let mut assignments: Vec<Assignment> = Vec::new();
        let mut left = wanted;
        // Commands that turn out to be over are closed on the way, but not without end within one answer.
        for _ in 0..MAX_ROUNDS {
            if left == Wanted::default() {
                break;
            }
            let now = self.now();
            let commands = match self.ports.queue.claim_some(node, left, now).await {
                Ok(commands) => commands,
                // What is claimed already must not get lost with this error.
                Err(error) if !assignments.is_empty() => {
                    tracing::warn!(node.id = node.0, error = error.chain(), "a claim failed");
                    break;
                }
                Err(error) => return Err(error),
            };
            let got = count(commands.iter().map(|command| command.lane));
            self.fill(commands, &mut assignments).await?;
            let filled = count(assignments.iter().map(|assignment| assignment.lane));
            for lane in Lane::ALL {
                // A lane that gave less than it was asked for has no more.
                let more = match got.of(lane) < left.of(lane) {
                    true => 0,
                    false => wanted.of(lane).saturating_sub(filled.of(lane)),
                };
                left.set(lane, more);
            }
        }
        Ok(assignments)
    }

    /// Fills claimed commands. What fails does not take the others along; an error when nothing is left.
    async fn fill(&self, commands: Vec<Command>, assignments: &mut Vec<Assignment>) -> Result<()> {
        let mut failure = None;
        for command in commands {
            match self.assign(&command).await {
                Ok(Some(assignment)) => {
                    tracing::info!(
                        node.id = command.node_id.0,
                        command.id = command.id.0,
                        lease.no = command.lease.0,
                        subject = %command.subject,
                        "a command was handed out"
                    );
                    assignments.push(assignment);
                }
                Ok(None) => {}
                Err(error) => {
                    // A command that can be neither filled nor put back is handed out again like one whose hand-out got lost.
                    failure = self
                        .could_not_assign(&command, &error)
                        .await
                        .err()
                        .or(failure);
                }
            }
        }
        match failure {
            Some(failure) if assignments.is_empty() => Err(failure),
            Some(failure) => {
                tracing::warn!(error = failure.chain(), "a command could not be put back");
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// A claimed command that could not be filled: handed out again when a store was only away, failed with the reason otherwise.
    async fn could_not_assign(&self, command: &Command, error: &Error) -> Result<()> {
        tracing::warn!(
            command.id = command.id.0,
            subject = %command.subject,
            error = error.chain(),
            "a command could not be handed out"
        );
        if error.is_retryable() && command.lease.0 < Command::MAX_CLAIMS {
            return self.put_back(command, FILL_AGAIN).await;
        }
        let failure = Failure::new(error.code(), error.message());
        self.end_command(command, &failed(failure)).await
    }

    /// A hand-out that the node never confirmed: back to the queue, later each time, and failed after the third.
    pub(crate) async fn hand_out_lost(&self, command: &Command) -> Result<()> {
        if command.lease.0 < Command::MAX_CLAIMS {
            tracing::warn!(
                command.id = command.id.0,
                lease.no = command.lease.0,
                "a hand-out got lost; the command is handed out again"
            );
            self.put_back(command, Command::hand_out_delay(command.lease.0))
                .await?;
            return match command.subject {
                Subject::Record(id) => self.offer_again(id, command).await,
                Subject::Operation(_) | Subject::Request(_) => Ok(()),
            };
        }
        let failure = Failure::new(
            "hand_out_lost",
            format!(
                "the command was handed to the node {} times and the agent never confirmed it; look at the agent's log",
                command.lease
            ),
        );
        self.end_command(command, &failed(failure)).await
    }

    /// The command goes back first: a crash before the record follows leaves a record that the next claim starts again.
    async fn put_back(&self, command: &Command, delay: chrono::Duration) -> Result<()> {
        self.ports
            .queue
            .release(command.id, command.lease, self.now() + delay)
            .await?;
        match command.subject {
            Subject::Record(id) => {
                self.ports.records.requeue(id, command.lease).await?;
            }
            Subject::Operation(id) => {
                self.ports.operations.requeue(id, command.lease).await?;
            }
            Subject::Request(_) => {}
        }
        self.notify(Topic::Node(command.node_id)).await;
        self.notify(Topic::Subject(command.subject)).await;
        Ok(())
    }

    /// A run of a pool whose hand-out got lost before it began is for whichever node takes it.
    async fn offer_again(&self, id: RecordId, command: &Command) -> Result<()> {
        let Some(record) = self.ports.records.get(id).await? else {
            return Ok(());
        };
        let released = Command {
            state: CommandState::Pending,
            ..command.clone()
        };
        self.back_to_pool(&record, &released).await.map(drop)
    }

    /// Puts the command of a queued record in, or calls the nodes of its pool when none has it. Idempotent.
    pub(crate) async fn enqueue_record(&self, record: &Record) -> Result<()> {
        if record.node_id == NodeId::NONE {
            return self.call_pool(record).await;
        }
        self.enqueue(
            Subject::Record(record.id),
            record.node_id,
            record.lease,
            CommandSpec::Backup,
        )
        .await
    }

    /// Puts the command of a queued operation in. Idempotent. A copy waits until what lay in its place is gone: the sweep asks again.
    /// Answers whether the command is in.
    pub(crate) async fn enqueue_operation(&self, operation: &Operation) -> Result<bool> {
        if !self.place_is_clean(operation).await? {
            return Ok(false);
        }
        self.enqueue(
            Subject::Operation(operation.id),
            operation.node_id,
            operation.lease,
            CommandSpec::Operation,
        )
        .await?;
        Ok(true)
    }

    /// `after` is the lease that the record has: what a queue lost is handed out again under a higher one (never 9).
    async fn enqueue(
        &self,
        subject: Subject,
        node: NodeId,
        after: Lease,
        spec: CommandSpec,
    ) -> Result<()> {
        let now = self.now();
        let command = NewCommand {
            subject,
            node_id: node,
            lane: Lane::Work,
            spec,
            after,
            not_before: now,
            expires_at: None,
        };
        self.ports.queue.enqueue(command, now).await?;
        self.notify(Topic::Node(node)).await;
        self.notify(Topic::Subject(subject)).await;
        Ok(())
    }
}

fn count(lanes: impl Iterator<Item = Lane>) -> Wanted {
    let mut all = Wanted::default();
    for lane in lanes {
        all.set(lane, all.of(lane) + 1);
    }
    all
}
