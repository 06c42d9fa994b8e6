//! Events and wake-ups: what happened, for whoever follows along.

use crate::App;
use backupx_core::Result;
use backupx_core::domain::account::Principal;
use backupx_core::domain::event::Event;
use backupx_core::domain::id::EventId;
use backupx_core::ports::signals::{Subscription, Topic};

impl App {
    /// Up to `limit` events behind `after`, in order.
    pub async fn events(
        &self,
        _principal: &Principal,
        after: EventId,
        limit: u32,
    ) -> Result<Vec<Event>> {
        self.ports.events.read(after, limit.clamp(1, 500)).await
    }

    /// The newest event's id, zero when there is none.
    pub async fn last_event(&self, _principal: &Principal) -> Result<EventId> {
        self.ports.events.last().await
    }

    /// Registers interest in a topic. Subscribe first, look at the state, then wait: nothing is missed.
    pub async fn watch(
        &self,
        _principal: &Principal,
        topic: Topic,
    ) -> Result<Box<dyn Subscription>> {
        self.ports.signals.subscribe(topic).await
    }
}
