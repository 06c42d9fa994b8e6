//! The command queue on the database: every change is one guarded statement.

use crate::SqlStores;
use crate::batch::Change;
use crate::engine::{Engine, lock};
use crate::error::store;
use crate::row::{Columns, json, micros, optional_micros};
use crate::stores::commit;
use async_trait::async_trait;
use backupx_core::Result;
use backupx_core::domain::command::{Command, CommandState, Lane, Lease, Subject};
use backupx_core::domain::id::{CommandId, NodeId};
use backupx_core::domain::protocol::HeldLease;
use backupx_core::domain::report::Outcome;
use backupx_core::domain::time::Timestamp;
use backupx_core::ports::queue::{Cancelled, CommandQueue, Guarded, NewCommand, Renewal, Wanted};
use sqlx::any::AnyRow;

macro_rules! columns {
    () => {
        "id, subject, node_id, lane, spec, state, lease, created_at, not_before, expires_at, claimed_at, seen_at, acknowledged, cancel_requested_at, outcome, finished_at"
    };
}

/// The state where the row is named by its id. An index of the rows in a state must not answer that: an engine that believes it to be empty,
/// because it was so when it counted last, walks it instead of looking the id up.
macro_rules! state {
    () => {
        "state || ''"
    };
}

const ENQUEUE: &str = "INSERT INTO commands (subject, node_id, lane, spec, state, lease, created_at, not_before, expires_at, acknowledged) VALUES ($1, $2, $3, $4, 'pending', $5, $6, $7, $8, 0) ON CONFLICT (subject) DO NOTHING RETURNING id";
const GET: &str = concat!("SELECT ", columns!(), " FROM commands WHERE id = $1");
const FIND: &str = concat!("SELECT ", columns!(), " FROM commands WHERE subject = $1");
/// Of the subjects in a JSON array.
pub(crate) const FIND_ALL_SQLITE: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM commands WHERE subject IN (SELECT value FROM json_each($1))"
);
const FIND_ALL_POSTGRES: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM commands WHERE subject = ANY (ARRAY(SELECT json_array_elements_text(CAST($1 AS JSON))))"
);
pub(crate) const CLAIM: &str = concat!(
    "WITH picked_short AS MATERIALIZED (SELECT id FROM commands WHERE node_id = $1 AND lane = 'short' AND state = 'pending' AND not_before <= $2 AND (expires_at IS NULL OR expires_at > $2) ORDER BY id LIMIT $3 ",
    lock!(),
    "), picked_work AS MATERIALIZED (SELECT id FROM commands WHERE node_id = $1 AND lane = 'work' AND state = 'pending' AND not_before <= $2 AND (expires_at IS NULL OR expires_at > $2) ORDER BY id LIMIT $4 ",
    lock!(),
    ") UPDATE commands SET state = 'claimed', lease = lease + 1, claimed_at = $2, seen_at = NULL, alive_at = $2, acknowledged = 0 WHERE id IN (SELECT id FROM picked_short UNION ALL SELECT id FROM picked_work) RETURNING ",
    columns!()
);
pub(crate) const DUE: &str = "SELECT DISTINCT node_id FROM commands WHERE state = 'pending' AND not_before <= $1 AND (expires_at IS NULL OR expires_at > $1) AND node_id > $2 ORDER BY node_id LIMIT $3";
/// A sign of life that arrives behind a later one does not turn the clock back.
const RENEW: &str = concat!(
    "UPDATE commands SET seen_at = CASE WHEN seen_at > $3 THEN seen_at ELSE $3 END, alive_at = CASE WHEN alive_at > $3 THEN alive_at ELSE $3 END, acknowledged = 1 WHERE id = $1 AND lease = $2 AND ",
    state!(),
    " = 'claimed' RETURNING cancel_requested_at"
);
const RENEW_OF_NODE: &str = concat!(
    "UPDATE commands SET seen_at = CASE WHEN seen_at > $3 THEN seen_at ELSE $3 END, alive_at = CASE WHEN alive_at > $3 THEN alive_at ELSE $3 END, acknowledged = 1 WHERE id = $1 AND lease = $2 AND ",
    state!(),
    " = 'claimed' AND node_id = $4 RETURNING cancel_requested_at"
);
const FINISH: &str = concat!(
    "UPDATE commands SET state = $3, outcome = $4, finished_at = $5 WHERE id = $1 AND lease = $2 AND ",
    state!(),
    " = 'claimed' RETURNING id"
);
const RELEASE: &str = concat!(
    "UPDATE commands SET state = 'pending', not_before = $3, seen_at = NULL, alive_at = NULL, acknowledged = 0 WHERE id = $1 AND lease = $2 AND ",
    state!(),
    " = 'claimed' RETURNING id"
);
const WITHDRAW: &str = concat!(
    "DELETE FROM commands WHERE id = $1 AND lease = $2 AND ",
    state!(),
    " = 'pending' RETURNING id"
);
const CANCEL: &str = "UPDATE commands SET state = CASE WHEN state = 'pending' THEN 'cancelled' ELSE state END, finished_at = CASE WHEN state = 'pending' THEN $2 ELSE finished_at END, cancel_requested_at = COALESCE(cancel_requested_at, $2) WHERE id = $1 AND state IN ('pending', 'claimed') RETURNING state";
const CLOSE: &str = "UPDATE commands SET state = 'cancelled', finished_at = $2 WHERE id = $1 AND state IN ('pending', 'claimed') RETURNING id";
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
pub(crate) const CLAIMED: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM commands WHERE state = 'claimed' AND (node_id, id) > ($1, $2) ORDER BY node_id, id LIMIT $3"
);
pub(crate) const UNCONFIRMED: &str = "SELECT DISTINCT node_id FROM commands WHERE state = 'claimed' AND acknowledged = 0 AND claimed_at < $1 ORDER BY node_id";
pub(crate) const PURGE: &str = "DELETE FROM commands WHERE id IN (SELECT id FROM commands WHERE finished_at IS NOT NULL AND finished_at < $1 ORDER BY finished_at LIMIT $2)";
pub(crate) const DEPTH: &str = "SELECT (SELECT COUNT(*) FROM commands WHERE state = 'pending') AS pending, (SELECT COUNT(*) FROM commands WHERE state = 'claimed') AS claimed";

#[async_trait]
impl CommandQueue for SqlStores {
    async fn enqueue(&self, command: NewCommand, now: Timestamp) -> Result<CommandId> {
        let subject = command.subject.to_string();
        loop {
            let change = Change::new(ENQUEUE)
                .bind(subject.as_str())
                .bind(command.node_id.0)
                .bind(command.lane.as_str())
                .bind(json(&command.spec)?)
                .bind(command.after.0)
                .bind(micros(now))
                .bind(micros(command.not_before))
                .bind(optional_micros(command.expires_at));
            if let Some(row) = self.change(change).await?.first() {
                return row.int("id").map(CommandId);
            }
            let known = sqlx::query("SELECT id FROM commands WHERE subject = $1")
                .bind(subject.as_str())
                .fetch_optional(self.reader())
                .await
                .map_err(store)?;
            // One that was in the way and is gone by now does not stand in for this one.
            if let Some(row) = known {
                return row.int("id").map(CommandId);
            }
        }
    }

    async fn claim_some(
        &self,
        node: NodeId,
        wanted: Wanted,
        now: Timestamp,
    ) -> Result<Vec<Command>> {
        let change = Change::new(self.locking(CLAIM))
            .bind(node.0)
            .bind(micros(now))
            .bind(i64::from(wanted.short))
            .bind(i64::from(wanted.work));
        let rows = self.change(change).await?;
        let mut commands = rows.iter().map(command).collect::<Result<Vec<_>>>()?;
        commands.sort_by_key(|command| command.id);
        Ok(commands)
    }

    async fn due(&self, now: Timestamp, after: NodeId, limit: u32) -> Result<Vec<NodeId>> {
        let rows = sqlx::query(DUE)
            .bind(micros(now))
            .bind(after.0)
            .bind(i64::from(limit))
            .fetch_all(self.reader())
            .await
            .map_err(store)?;
        rows.iter().map(node_id).collect()
    }

    async fn renew(&self, id: CommandId, lease: Lease, now: Timestamp) -> Result<Renewal> {
        let change = Change::new(RENEW)
            .bind(id.0)
            .bind(lease.0)
            .bind(micros(now));
        match self.change(change).await?.first() {
            Some(row) => Ok(Renewal::Held {
                cancel: is_cancelled(row)?,
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
        let change = Change::new(FINISH)
            .bind(id.0)
            .bind(lease.0)
            .bind(state.as_str())
            .bind(json(outcome)?)
            .bind(micros(now));
        self.change(change).await.map(guarded)
    }

    async fn release(&self, id: CommandId, lease: Lease, not_before: Timestamp) -> Result<Guarded> {
        let change = Change::new(RELEASE)
            .bind(id.0)
            .bind(lease.0)
            .bind(micros(not_before));
        self.change(change).await.map(guarded)
    }

    async fn withdraw(&self, id: CommandId, lease: Lease) -> Result<Guarded> {
        let change = Change::new(WITHDRAW).bind(id.0).bind(lease.0);
        self.change(change).await.map(guarded)
    }

    async fn cancel(&self, id: CommandId, now: Timestamp) -> Result<Cancelled> {
        let change = Change::new(CANCEL).bind(id.0).bind(micros(now));
        let rows = self.change(change).await?;
        let Some(row) = rows.first() else {
            return Ok(Cancelled::TooLate);
        };
        if CommandState::parse(&row.text("state")?)?.is_final() {
            Ok(Cancelled::BeforeStart)
        } else {
            Ok(Cancelled::Requested)
        }
    }

    async fn close(&self, id: CommandId, now: Timestamp) -> Result<Guarded> {
        let change = Change::new(CLOSE).bind(id.0).bind(micros(now));
        self.change(change).await.map(guarded)
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

    async fn claimed(
        &self,
        after: Option<(NodeId, CommandId)>,
        limit: u32,
    ) -> Result<Vec<Command>> {
        let (node, id) = after.unwrap_or((NodeId(i64::MIN), CommandId(i64::MIN)));
        let rows = sqlx::query(CLAIMED)
            .bind(node.0)
            .bind(id.0)
            .bind(i64::from(limit))
            .fetch_all(self.reader())
            .await
            .map_err(store)?;
        rows.iter().map(command).collect()
    }

    async fn unconfirmed(&self, before: Timestamp) -> Result<Vec<NodeId>> {
        let rows = sqlx::query(UNCONFIRMED)
            .bind(micros(before))
            .fetch_all(self.reader())
            .await
            .map_err(store)?;
        rows.iter().map(node_id).collect()
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

    async fn find_all(&self, subjects: &[Subject]) -> Result<Vec<Command>> {
        let statement = match self.engine() {
            Engine::Sqlite => FIND_ALL_SQLITE,
            Engine::Postgres => FIND_ALL_POSTGRES,
        };
        let subjects: Vec<_> = subjects.iter().map(Subject::to_string).collect();
        let rows = sqlx::query(statement)
            .bind(json(&subjects)?)
            .fetch_all(self.reader())
            .await
            .map_err(store)?;
        rows.iter().map(command).collect()
    }

    async fn renew_all(
        &self,
        node: NodeId,
        leases: &[HeldLease],
        now: Timestamp,
    ) -> Result<Vec<(HeldLease, bool)>> {
        let changes = leases.iter().map(|held| {
            Change::new(RENEW_OF_NODE)
                .bind(held.command_id.0)
                .bind(held.lease.0)
                .bind(micros(now))
                .bind(node.0)
        });
        let renewed = self.change_all(changes.collect()).await?;
        leases
            .iter()
            .zip(renewed)
            .filter_map(|(lease, rows)| rows.first().map(|row| Ok((*lease, is_cancelled(row)?))))
            .collect()
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

/// Whether the command was asked to stop.
fn is_cancelled(row: &AnyRow) -> Result<bool> {
    Ok(row.optional_int("cancel_requested_at")?.is_some())
}

fn guarded(changed: Vec<AnyRow>) -> Guarded {
    if changed.is_empty() {
        Guarded::LeaseLost
    } else {
        Guarded::Done
    }
}

fn node_id(row: &AnyRow) -> Result<NodeId> {
    row.int("node_id").map(NodeId)
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
