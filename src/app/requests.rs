//! Requests: short questions to a node, and waiting for the answer.

use crate::App;
use crate::app::span;
use backupx_core::domain::command::{Command, CommandSpec, CommandState, Lane, Lease, Subject};
use backupx_core::domain::id::{NodeId, RequestId};
use backupx_core::domain::node::NodeStatus;
use backupx_core::domain::report::{Failure, Outcome, Report};
use backupx_core::ports::queue::NewCommand;
use backupx_core::ports::signals::Topic;
use backupx_core::{Error, Result};
use std::time::Duration;
use tokio::time::Instant;

/// A wake-up may get lost, so the answer is looked for at least this often.
const LOOK_AGAIN: Duration = Duration::from_secs(2);

impl App {
    /// Asks a node something through its short lane and waits up to `limit` for the answer.
    /// `Unavailable`: `node_offline` at once, `node_silent` after the limit.
    pub(crate) async fn ask(
        &self,
        node: NodeId,
        spec: CommandSpec,
        limit: Duration,
    ) -> Result<Report> {
        self.require_online(node).await?;
        // Ids of requests are nobody's row: random, and small enough for every reader of JSON.
        let subject = Subject::Request(RequestId(rand::random::<i64>() & ((1 << 53) - 1)));
        let mut answer = self
            .ports
            .signals
            .subscribe(Topic::Subject(subject))
            .await?;
        let now = self.now();
        let command = NewCommand {
            subject,
            node_id: node,
            lane: Lane::Short,
            spec,
            after: Lease::NONE,
            not_before: now,
            expires_at: Some(now + span(limit)),
        };
        let id = self.ports.queue.enqueue(command, now).await?;
        self.notify(Topic::Node(node)).await;

        let deadline = Instant::now() + limit;
        loop {
            if let Some(command) = self.ports.queue.get(id).await?
                && command.state.is_final()
            {
                return answer_of(command);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                self.ports.queue.cancel(id, self.now()).await?;
                return Err(silent(node));
            }
            answer.wait(left.min(LOOK_AGAIN)).await;
        }
    }

    /// Refuses a node that is not there, in words that say which and since when.
    pub(crate) async fn require_online(&self, id: NodeId) -> Result<()> {
        let node = self.known_node(id).await?;
        let seen_at = self.ports.presence.last_seen(id).await?;
        let message = match NodeStatus::at(seen_at, self.now(), self.offline_after()) {
            NodeStatus::Online => return Ok(()),
            NodeStatus::New => format!("node {} has not connected yet", node.name),
            NodeStatus::Offline => format!(
                "node {} is offline; it was last heard at {}",
                node.name,
                seen_at.unwrap_or_default().format("%Y-%m-%d %H:%M:%S UTC")
            ),
        };
        Err(Error::unavailable("node_offline", message))
    }
}

fn answer_of(command: Command) -> Result<Report> {
    match (command.state, command.outcome) {
        (_, Some(Outcome::Succeeded { report })) => Ok(report),
        (_, Some(Outcome::Failed { failure, .. })) => Err(refused(&failure)),
        (CommandState::Cancelled, _) | (_, Some(Outcome::Cancelled)) => Err(Error::unavailable(
            "request_cancelled",
            "the request was cancelled",
        )),
        (
            CommandState::Pending
            | CommandState::Claimed
            | CommandState::Succeeded
            | CommandState::Failed
            | CommandState::Timeout,
            None,
        ) => Err(silent(command.node_id)),
    }
}

fn silent(node: NodeId) -> Error {
    Error::unavailable(
        "node_silent",
        format!("node {node} did not answer in time; it may be overloaded or just have gone"),
    )
}

/// What a node would not or could not do, as an error of the call. Codes are static, so those that callers act on are named here.
fn refused(failure: &Failure) -> Error {
    let message = failure.message.clone();
    match failure.code.as_str() {
        "path_not_found" | "not_found" | "source_missing" => {
            Error::not_found("path_not_found", message)
        }
        "policy_denied" | "forbidden" => Error::forbidden("policy_denied", message),
        _ => Error::invalid("node_refused", message),
    }
}

/// A node answered something else than it was asked.
pub(crate) fn unexpected(report: &Report) -> Error {
    let kind = match report {
        Report::Backup(_) => "backup",
        Report::Restore(_) => "restore",
        Report::Verify(_) => "verify",
        Report::Drill(_) => "drill",
        Report::Copy { .. } => "copy",
        Report::Delete(_) => "delete",
        Report::Browse(_) => "browse",
        Report::TestTarget(_) => "testTarget",
        Report::TestSource(_) => "testSource",
        Report::Inventory(_) => "inventory",
        Report::ListFiles(_) => "listFiles",
    };
    Error::internal(format!(
        "a node answered with a {kind} report that nobody asked for"
    ))
}
