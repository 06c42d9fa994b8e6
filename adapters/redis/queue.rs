//! The command queue on Redis: every change is one script.

use crate::RedisStores;
use crate::command::{Fields, command, commands, json, micros};
use crate::scripts;
use async_trait::async_trait;
use backupx_core::domain::command::{Command, CommandState, Lease, Subject};
use backupx_core::domain::id::{CommandId, NodeId};
use backupx_core::domain::protocol::HeldLease;
use backupx_core::domain::report::Outcome;
use backupx_core::domain::time::Timestamp;
use backupx_core::ports::queue::{Cancelled, CommandQueue, Guarded, NewCommand, Renewal, Wanted};
use backupx_core::{Error, Result};
use deadpool_redis::redis::{cmd, pipe};
use std::collections::BTreeSet;

/// A command without a limit, as the scripts are told.
const NONE: &str = "";

#[async_trait]
impl CommandQueue for RedisStores {
    async fn enqueue(&self, command: NewCommand, now: Timestamp) -> Result<CommandId> {
        let limit = command
            .expires_at
            .map_or_else(|| NONE.to_owned(), |at| micros(at).to_string());
        let arguments = (
            command.subject.to_string(),
            command.node_id.0,
            command.lane.as_str(),
            json(&command.spec)?,
            command.after.0,
            micros(now),
            micros(command.not_before),
            limit,
        );
        self.run(&scripts::ENQUEUE, arguments).await.map(CommandId)
    }

    async fn claim_some(
        &self,
        node: NodeId,
        wanted: Wanted,
        now: Timestamp,
    ) -> Result<Vec<Command>> {
        let arguments = (node.0, micros(now), wanted.short, wanted.work);
        let all: Vec<Fields> = self.run(&scripts::CLAIM, arguments).await?;
        let mut claimed = commands(&all)?;
        claimed.sort_by_key(|command| command.id);
        Ok(claimed)
    }

    async fn due(&self, now: Timestamp, after: NodeId, limit: u32) -> Result<Vec<NodeId>> {
        let arguments = (micros(now), after.0, limit);
        let nodes: Vec<i64> = self.run(&scripts::DUE, arguments).await?;
        Ok(nodes.into_iter().map(NodeId).collect())
    }

    async fn renew(&self, id: CommandId, lease: Lease, now: Timestamp) -> Result<Renewal> {
        let answers: Vec<String> = self
            .run(&scripts::RENEW, (micros(now), NONE, id.0, lease.0))
            .await?;
        match answers.first() {
            Some(answer) => Ok(match held(answer)? {
                Some(cancel) => Renewal::Held { cancel },
                None => Renewal::LeaseLost,
            }),
            None => Err(unknown("nothing")),
        }
    }

    async fn finish(
        &self,
        id: CommandId,
        lease: Lease,
        outcome: &Outcome,
        now: Timestamp,
    ) -> Result<Guarded> {
        let state = match outcome {
            Outcome::Succeeded { .. } => CommandState::Succeeded,
            Outcome::Failed { .. } => CommandState::Failed,
            Outcome::Cancelled => CommandState::Cancelled,
        };
        let arguments = (id.0, lease.0, state.as_str(), json(outcome)?, micros(now));
        self.run(&scripts::FINISH, arguments).await.map(guarded)
    }

    async fn release(&self, id: CommandId, lease: Lease, not_before: Timestamp) -> Result<Guarded> {
        self.run(&scripts::RELEASE, (id.0, lease.0, micros(not_before)))
            .await
            .map(guarded)
    }

    async fn withdraw(&self, id: CommandId, lease: Lease) -> Result<Guarded> {
        self.run(&scripts::WITHDRAW, (id.0, lease.0))
            .await
            .map(guarded)
    }

    async fn cancel(&self, id: CommandId, now: Timestamp) -> Result<Cancelled> {
        let answer: String = self.run(&scripts::CANCEL, (id.0, micros(now))).await?;
        match answer.as_str() {
            "before_start" => Ok(Cancelled::BeforeStart),
            "requested" => Ok(Cancelled::Requested),
            "too_late" => Ok(Cancelled::TooLate),
            answer => Err(unknown(answer)),
        }
    }

    async fn close(&self, id: CommandId, now: Timestamp) -> Result<Guarded> {
        self.run(&scripts::CLOSE, (id.0, micros(now)))
            .await
            .map(guarded)
    }

    async fn expire(
        &self,
        silent_since: Timestamp,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<Command>> {
        let arguments = (micros(silent_since), micros(now), limit);
        let expired: Vec<Fields> = self.run(&scripts::EXPIRE, arguments).await?;
        let mut expired = commands(&expired)?;
        expired.sort_by_key(|command| command.id);
        Ok(expired)
    }

    async fn claimed_by(&self, node: NodeId) -> Result<Vec<Command>> {
        let claimed: Vec<Fields> = self.run(&scripts::CLAIMED_BY, node.0).await?;
        commands(&claimed)
    }

    async fn claimed(
        &self,
        after: Option<(NodeId, CommandId)>,
        limit: u32,
    ) -> Result<Vec<Command>> {
        let (node, id) = after.unwrap_or((NodeId(-1), CommandId(0)));
        let all: Vec<Fields> = self.run(&scripts::CLAIMED, (node.0, id.0, limit)).await?;
        commands(&all)
    }

    async fn unconfirmed(&self, before: Timestamp) -> Result<Vec<NodeId>> {
        let nodes: BTreeSet<i64> = self.run(&scripts::UNCONFIRMED, micros(before)).await?;
        Ok(nodes.into_iter().map(NodeId).collect())
    }

    async fn get(&self, id: CommandId) -> Result<Option<Command>> {
        let key = self.key(&format!("command:{id}"));
        let fields: Fields = self.ask(cmd("HGETALL").arg(key)).await?;
        command(&fields)
    }

    async fn find(&self, subject: Subject) -> Result<Option<Command>> {
        let fields: Fields = self.run(&scripts::FIND, subject.to_string()).await?;
        command(&fields)
    }

    async fn find_all(&self, subjects: &[Subject]) -> Result<Vec<Command>> {
        let subjects: Vec<_> = subjects.iter().map(Subject::to_string).collect();
        if subjects.is_empty() {
            return Ok(Vec::new());
        }
        let found: Vec<Fields> = self.run(&scripts::FIND_ALL, subjects).await?;
        commands(&found)
    }

    async fn renew_all(
        &self,
        node: NodeId,
        leases: &[HeldLease],
        now: Timestamp,
    ) -> Result<Vec<(HeldLease, bool)>> {
        if leases.is_empty() {
            return Ok(Vec::new());
        }
        let pairs: Vec<(i64, i64)> = leases
            .iter()
            .map(|held| (held.command_id.0, held.lease.0))
            .collect();
        let answers: Vec<String> = self
            .run(&scripts::RENEW, (micros(now), node.0, pairs))
            .await?;
        let mut renewed = Vec::new();
        for (lease, answer) in leases.iter().zip(&answers) {
            if let Some(cancel) = held(answer)? {
                renewed.push((*lease, cancel));
            }
        }
        Ok(renewed)
    }

    async fn purge(&self, before: Timestamp, limit: u32) -> Result<u64> {
        self.run(&scripts::PURGE, (micros(before), limit)).await
    }

    async fn depth(&self) -> Result<(u64, u64)> {
        let mut connection = self.connection().await?;
        pipe()
            .atomic()
            .cmd("ZCARD")
            .arg(self.key("pending"))
            .cmd("ZCARD")
            .arg(self.key("claimed"))
            .query_async(&mut connection)
            .await
            .map_err(|error| self.failed(error))
    }
}

/// Whether a held command was asked to stop; nothing when the lease is lost.
fn held(answer: &str) -> Result<Option<bool>> {
    match answer {
        "held" => Ok(Some(false)),
        "cancel" => Ok(Some(true)),
        "lost" => Ok(None),
        answer => Err(unknown(answer)),
    }
}

fn guarded(done: bool) -> Guarded {
    if done {
        Guarded::Done
    } else {
        Guarded::LeaseLost
    }
}

fn unknown(answer: &str) -> Error {
    Error::internal(format!("a script in Redis answered {answer:?}"))
}
