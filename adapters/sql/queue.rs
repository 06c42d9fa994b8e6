//! The command queue on the database: every change is one guarded statement.

use crate::SqlStores;
use crate::connections::Transaction;
use crate::engine::lock;
use crate::error::store;
use crate::row::{Columns, json, micros, optional_micros};
use crate::stores::{commit, returning};
use async_trait::async_trait;
use backupx_core::Result;
use backupx_core::domain::command::{Command, CommandState, Lane, Lease, Subject};
use backupx_core::domain::id::{CommandId, NodeId};
use backupx_core::domain::protocol::HeldLease;
use backupx_core::domain::report::Outcome;
use backupx_core::domain::time::Timestamp;
use backupx_core::ports::queue::{Cancelled, CommandQueue, Guarded, NewCommand, Renewal};
use sqlx::any::{AnyQueryResult, AnyRow};

macro_rules! columns {
    () => {
        "id, subject, node_id, lane, spec, state, lease, created_at, not_before, expires_at, claimed_at, seen_at, acknowledged, cancel_requested_at, outcome, finished_at"
    };
}

const ENQUEUE: &str = "INSERT INTO commands (subject, node_id, lane, spec, state, lease, created_at, not_before, expires_at, acknowledged) VALUES ($1, $2, $3, $4, 'pending', $5, $6, $7, $8, 0) ON CONFLICT (subject) DO NOTHING RETURNING id";
const GET: &str = concat!("SELECT ", columns!(), " FROM commands WHERE id = $1");
const FIND: &str = concat!("SELECT ", columns!(), " FROM commands WHERE subject = $1");
pub(crate) const CLAIM: &str = concat!(
    "UPDATE commands SET state = 'claimed', lease = lease + 1, claimed_at = $3, seen_at = NULL, alive_at = $3, acknowledged = 0 WHERE id = (SELECT id FROM commands WHERE node_id = $1 AND lane = $2 AND state = 'pending' AND not_before <= $3 AND (expires_at IS NULL OR expires_at > $3) ORDER BY id LIMIT 1 ",
    lock!(),
    ") RETURNING ",
    columns!()
);
/// A sign of life that arrives behind a later one does not turn the clock back.
const RENEW: &str = "UPDATE commands SET seen_at = CASE WHEN seen_at > $3 THEN seen_at ELSE $3 END, alive_at = CASE WHEN alive_at > $3 THEN alive_at ELSE $3 END, acknowledged = 1 WHERE id = $1 AND lease = $2 AND state = 'claimed' RETURNING cancel_requested_at";
const RENEW_OF_NODE: &str = "UPDATE commands SET seen_at = CASE WHEN seen_at > $3 THEN seen_at ELSE $3 END, alive_at = CASE WHEN alive_at > $3 THEN alive_at ELSE $3 END, acknowledged = 1 WHERE id = $1 AND lease = $2 AND state = 'claimed' AND node_id = $4 RETURNING cancel_requested_at";
const FINISH: &str = "UPDATE commands SET state = $3, outcome = $4, finished_at = $5 WHERE id = $1 AND lease = $2 AND state = 'claimed'";
const RELEASE: &str = "UPDATE commands SET state = 'pending', not_before = $3, seen_at = NULL, alive_at = NULL, acknowledged = 0 WHERE id = $1 AND lease = $2 AND state = 'claimed'";
const WITHDRAW: &str = "DELETE FROM commands WHERE id = $1 AND lease = $2 AND state = 'pending'";
const CANCEL: &str = "UPDATE commands SET state = CASE WHEN state = 'pending' THEN 'cancelled' ELSE state END, finished_at = CASE WHEN state = 'pending' THEN $2 ELSE finished_at END, cancel_requested_at = COALESCE(cancel_requested_at, $2) WHERE id = $1 AND state IN ('pending', 'claimed') RETURNING state";
const CLOSE: &str = "UPDATE commands SET state = 'cancelled', finished_at = $2 WHERE id = $1 AND state IN ('pending', 'claimed')";
pub(crate) const EXPIRE_SILENT: &str = concat!(
    "WITH picked AS MATERIALIZED (SELECT id FROM commands WHERE state = 'claimed' AND alive_at < $1 ORDER BY alive_at LIMIT $3 ",
    lock!(),
    ") UPDATE commands SET state = 'timeout', finished_at = $2 WHERE id IN (SELECT id FROM picked) RETURNING ",
    columns!()
);
pub(crate) const EXPIRE_WAITING: &str = concat!(
    "WITH picked AS MATERIALIZED (SELECT id FROM commands WHERE state = 'pending' AND expires_at IS NOT NULL AND expires_at <= $1 ORDER BY expires_at LIMIT $2 ",
    lock!(),
    ") UPDATE commands SET state = 'timeout', finished_at = $1 WHERE id IN (SELECT id FROM picked) RETURNING ",
    columns!()
);
pub(crate) const CLAIMED_BY: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM commands WHERE node_id = $1 AND state = 'claimed' ORDER BY id"
);
pub(crate) const PURGE: &str = "DELETE FROM commands WHERE id IN (SELECT id FROM commands WHERE finished_at IS NOT NULL AND finished_at < $1 ORDER BY finished_at LIMIT $2)";
pub(crate) const DEPTH: &str = "SELECT (SELECT COUNT(*) FROM commands WHERE state = 'pending') AS pending, (SELECT COUNT(*) FROM commands WHERE state = 'claimed') AS claimed";

#[async_trait]
impl CommandQueue for SqlStores {
    async fn enqueue(&self, command: NewCommand, now: Timestamp) -> Result<CommandId> {
        let subject = command.subject.to_string();
        let mut transaction = self.begin().await?;
        let statement = sqlx::query(ENQUEUE)
            .bind(subject.as_str())
            .bind(command.node_id.0)
            .bind(command.lane.as_str())
            .bind(json(&command.spec)?)
            .bind(command.after.0)
            .bind(micros(now))
            .bind(micros(command.not_before))
            .bind(optional_micros(command.expires_at));
        let added = returning(statement, &mut *transaction)
            .await
            .map_err(store)?;
        let row = match added {
            Some(row) => row,
            None => sqlx::query("SELECT id FROM commands WHERE subject = $1")
                .bind(subject.as_str())
                .fetch_one(&mut *transaction)
                .await
                .map_err(store)?,
        };
        commit(transaction).await?;
        row.int("id").map(CommandId)
    }

    async fn claim(&self, node: NodeId, lane: Lane, now: Timestamp) -> Result<Option<Command>> {
        let statement = sqlx::query(self.locking(CLAIM))
            .bind(node.0)
            .bind(lane.as_str())
            .bind(micros(now));
        let row = returning(statement, self.writer()).await.map_err(store)?;
        row.as_ref().map(command).transpose()
    }

    async fn renew(&self, id: CommandId, lease: Lease, now: Timestamp) -> Result<Renewal> {
        let statement = sqlx::query(RENEW)
            .bind(id.0)
            .bind(lease.0)
            .bind(micros(now));
        let row = returning(statement, self.writer()).await.map_err(store)?;
        match row {
            Some(row) => Ok(Renewal::Held {
                cancel: row.optional_int("cancel_requested_at")?.is_some(),
            }),
            None => Ok(Renewal::LeaseLost),
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
        let done = sqlx::query(FINISH)
            .bind(id.0)
            .bind(lease.0)
            .bind(state.as_str())
            .bind(json(outcome)?)
            .bind(micros(now))
            .execute(self.writer())
            .await
            .map_err(store)?;
        Ok(guarded(&done))
    }

    async fn release(&self, id: CommandId, lease: Lease, not_before: Timestamp) -> Result<Guarded> {
        let done = sqlx::query(RELEASE)
            .bind(id.0)
            .bind(lease.0)
            .bind(micros(not_before))
            .execute(self.writer())
            .await
            .map_err(store)?;
        Ok(guarded(&done))
    }

    async fn withdraw(&self, id: CommandId, lease: Lease) -> Result<Guarded> {
        let done = sqlx::query(WITHDRAW)
            .bind(id.0)
            .bind(lease.0)
            .execute(self.writer())
            .await
            .map_err(store)?;
        Ok(guarded(&done))
    }

    async fn cancel(&self, id: CommandId, now: Timestamp) -> Result<Cancelled> {
        let statement = sqlx::query(CANCEL).bind(id.0).bind(micros(now));
        let row = returning(statement, self.writer()).await.map_err(store)?;
        let Some(row) = row else {
            return Ok(Cancelled::TooLate);
        };
        if CommandState::parse(&row.text("state")?)?.is_final() {
            Ok(Cancelled::BeforeStart)
        } else {
            Ok(Cancelled::Requested)
        }
    }

    async fn close(&self, id: CommandId, now: Timestamp) -> Result<Guarded> {
        let done = sqlx::query(CLOSE)
            .bind(id.0)
            .bind(micros(now))
            .execute(self.writer())
            .await
            .map_err(store)?;
        Ok(guarded(&done))
    }

    async fn expire(
        &self,
        silent_since: Timestamp,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<Command>> {
        let mut transaction = self.begin().await?;
        let mut rows = sqlx::query(self.locking(EXPIRE_SILENT))
            .bind(micros(silent_since))
            .bind(micros(now))
            .bind(i64::from(limit))
            .fetch_all(&mut *transaction)
            .await
            .map_err(store)?;
        let left = usize::try_from(limit)
            .unwrap_or(usize::MAX)
            .saturating_sub(rows.len());
        let waiting = sqlx::query(self.locking(EXPIRE_WAITING))
            .bind(micros(now))
            .bind(i64::try_from(left).unwrap_or(i64::MAX))
            .fetch_all(&mut *transaction)
            .await
            .map_err(store)?;
        commit(transaction).await?;
        rows.extend(waiting);
        let mut commands = rows.iter().map(command).collect::<Result<Vec<_>>>()?;
        commands.sort_by_key(|command| command.id);
        Ok(commands)
    }

    async fn claimed_by(&self, node: NodeId) -> Result<Vec<Command>> {
        let rows = sqlx::query(CLAIMED_BY)
            .bind(node.0)
            .fetch_all(self.reader())
            .await
            .map_err(store)?;
        rows.iter().map(command).collect()
    }

    async fn get(&self, id: CommandId) -> Result<Option<Command>> {
        let row = sqlx::query(GET)
            .bind(id.0)
            .fetch_optional(self.reader())
            .await
            .map_err(store)?;
        row.as_ref().map(command).transpose()
    }

    async fn find(&self, subject: Subject) -> Result<Option<Command>> {
        let row = sqlx::query(FIND)
            .bind(subject.to_string())
            .fetch_optional(self.reader())
            .await
            .map_err(store)?;
        row.as_ref().map(command).transpose()
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
        let mut transaction = self.begin().await?;
        let mut held = Vec::new();
        for lease in leases {
            if let Some(cancel) = renew_of_node(&mut transaction, node, lease, now).await? {
                held.push((*lease, cancel));
            }
        }
        commit(transaction).await?;
        Ok(held)
    }

    async fn purge(&self, before: Timestamp, limit: u32) -> Result<u64> {
        let done = sqlx::query(PURGE)
            .bind(micros(before))
            .bind(i64::from(limit))
            .execute(self.writer())
            .await
            .map_err(store)?;
        Ok(done.rows_affected())
    }

    async fn depth(&self) -> Result<(u64, u64)> {
        let row = sqlx::query(DEPTH)
            .fetch_one(self.reader())
            .await
            .map_err(store)?;
        Ok((row.count("pending")?, row.count("claimed")?))
    }
}

/// Whether the command was asked to stop; nothing when the lease is not the node's.
async fn renew_of_node(
    transaction: &mut Transaction,
    node: NodeId,
    lease: &HeldLease,
    now: Timestamp,
) -> Result<Option<bool>> {
    let statement = sqlx::query(RENEW_OF_NODE)
        .bind(lease.command_id.0)
        .bind(lease.lease.0)
        .bind(micros(now))
        .bind(node.0);
    let row = returning(statement, &mut **transaction)
        .await
        .map_err(store)?;
    row.map(|row| Ok(row.optional_int("cancel_requested_at")?.is_some()))
        .transpose()
}

fn guarded(done: &AnyQueryResult) -> Guarded {
    if done.rows_affected() > 0 {
        Guarded::Done
    } else {
        Guarded::LeaseLost
    }
}

fn command(row: &AnyRow) -> Result<Command> {
    Ok(Command {
        id: CommandId(row.int("id")?),
        subject: row.text("subject")?.parse()?,
        node_id: NodeId(row.int("node_id")?),
        lane: Lane::parse(&row.text("lane")?)?,
        spec: row.json("spec")?,
        state: CommandState::parse(&row.text("state")?)?,
        lease: Lease(row.int("lease")?),
        created_at: row.time("created_at")?,
        not_before: row.time("not_before")?,
        expires_at: row.optional_time("expires_at")?,
        claimed_at: row.optional_time("claimed_at")?,
        seen_at: row.optional_time("seen_at")?,
        acknowledged: row.flag("acknowledged")?,
        cancel_requested_at: row.optional_time("cancel_requested_at")?,
        outcome: row.optional_json("outcome")?,
        finished_at: row.optional_time("finished_at")?,
    })
}
