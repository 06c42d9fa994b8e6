//! The store of events: the outbox. Events of records and operations are written by those stores, in the same transaction.

use crate::Result;
use crate::domain::event::{Event, EventKind};
use crate::domain::id::EventId;
use crate::domain::time::Timestamp;
use async_trait::async_trait;

/// Keeps events.
#[async_trait]
pub trait Events: Send + Sync {
    /// Writes an event that belongs to no other change.
    async fn add(&self, kind: &EventKind, now: Timestamp) -> Result<EventId>;

    /// Up to `limit` events behind `after`, in order.
    async fn read(&self, after: EventId, limit: u32) -> Result<Vec<Event>>;

    /// The newest event's id, zero when there is none.
    async fn last(&self) -> Result<EventId>;

    /// Leases up to `limit` events that were not handled yet to this caller until `until`, in order; each to one caller at a time.
    async fn take(&self, limit: u32, now: Timestamp, until: Timestamp) -> Result<Vec<Event>>;

    /// Marks an event as handled.
    async fn handled(&self, id: EventId, now: Timestamp) -> Result<()>;

    /// Removes handled events that happened before `before`. Answers how many.
    async fn purge(&self, before: Timestamp) -> Result<u64>;
}
