//! The store of events: the outbox.

use crate::SqlStores;
use crate::batch::Change;
use crate::connections::Transaction;
use crate::engine::{Engine, lock};
use crate::error::store;
use crate::row::{Columns, json, micros};
use crate::stores::{certain, returning};
use async_trait::async_trait;
use backupx_core::Result;
use backupx_core::domain::event::{Event, EventKind};
use backupx_core::domain::id::EventId;
use backupx_core::domain::time::Timestamp;
use backupx_core::ports::events::Events;
use sqlx::any::AnyRow;

const ADD: &str =
    "INSERT INTO events (happened_at, kind, taken_until) VALUES ($1, $2, 0) RETURNING id";
/// The same where writers run side by side, and what [`SqlStores::alone`] does in the same statement.
const ADD_ALONE: &str = "WITH alone AS MATERIALIZED (SELECT pg_advisory_xact_lock(hashtextextended(current_schema() || ' events', 0))) INSERT INTO events (happened_at, kind, taken_until) SELECT $1, $2, 0 FROM alone RETURNING id";
pub(crate) const READ: &str =
    "SELECT id, happened_at, kind FROM events WHERE id > $1 ORDER BY id LIMIT $2";
const LAST: &str = "SELECT COALESCE(MAX(id), 0) AS id FROM events";
pub(crate) const TAKE: &str = concat!(
    "WITH picked AS MATERIALIZED (SELECT id FROM events WHERE handled_at IS NULL AND taken_until <= $2 ORDER BY id LIMIT $1 ",
    lock!(),
    ") UPDATE events SET taken_until = $3 WHERE id IN (SELECT id FROM picked) RETURNING id, happened_at, kind"
);

/// Writes an event in the transaction of the change that it tells of. Whoever reads behind a place must not miss one that becomes
/// visible later with a smaller id.
pub(crate) async fn write(
    stores: &SqlStores,
    transaction: &mut Transaction,
    kind: &EventKind,
    now: Timestamp,
) -> Result<EventId> {
    stores.alone(transaction, "events").await?;
    let statement = sqlx::query(ADD).bind(micros(now)).bind(json(kind)?);
    let row = returning(statement, &mut **transaction)
        .await
        .map_err(store)?;
    certain(row)?.int("id").map(EventId)
}

#[async_trait]
impl Events for SqlStores {
    async fn add(&self, kind: &EventKind, now: Timestamp) -> Result<EventId> {
        let statement = match self.engine() {
            Engine::Sqlite => ADD,
            Engine::Postgres => ADD_ALONE,
        };
        let change = Change::new(statement).bind(micros(now)).bind(json(kind)?);
        let row = self.change_in_order(change).await?.pop();
        certain(row)?.int("id").map(EventId)
    }

    async fn read(&self, after: EventId, limit: u32) -> Result<Vec<Event>> {
        let rows = sqlx::query(READ)
            .bind(after.0)
            .bind(i64::from(limit))
            .fetch_all(self.reader())
            .await
            .map_err(store)?;
        rows.iter().map(event).collect()
    }

    async fn last(&self) -> Result<EventId> {
        sqlx::query(LAST)
            .fetch_one(self.reader())
            .await
            .map_err(store)?
            .int("id")
            .map(EventId)
    }

    async fn take(&self, limit: u32, now: Timestamp, until: Timestamp) -> Result<Vec<Event>> {
        let rows = sqlx::query(self.locking(TAKE))
            .bind(i64::from(limit))
            .bind(micros(now))
            .bind(micros(until))
            .fetch_all(self.writer())
            .await
            .map_err(store)?;
        let mut events = rows.iter().map(event).collect::<Result<Vec<_>>>()?;
        events.sort_by_key(|event| event.id);
        Ok(events)
    }

    async fn handled(&self, id: EventId, now: Timestamp) -> Result<()> {
        sqlx::query("UPDATE events SET handled_at = COALESCE(handled_at, $2) WHERE id = $1")
            .bind(id.0)
            .bind(micros(now))
            .execute(self.writer())
            .await
            .map(drop)
            .map_err(store)
    }

    async fn purge(&self, before: Timestamp) -> Result<u64> {
        let done =
            sqlx::query("DELETE FROM events WHERE handled_at IS NOT NULL AND happened_at < $1")
                .bind(micros(before))
                .execute(self.writer())
                .await
                .map_err(store)?;
        Ok(done.rows_affected())
    }
}

fn event(row: &AnyRow) -> Result<Event> {
    Ok(Event {
        id: EventId(row.int("id")?),
        at: row.time("happened_at")?,
        kind: row.json("kind")?,
    })
}
