//! Signals: wake-ups between whoever writes and whoever waits. They carry nothing: the waiter looks again at the store.

use crate::Result;
use crate::domain::command::Subject;
use crate::domain::id::NodeId;
use async_trait::async_trait;
use std::time::Duration;

/// What is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Topic {
    /// There may be work for this node, or one of its commands was asked to stop.
    Node(NodeId),
    /// The state or the log of this subject may have changed.
    Subject(Subject),
    /// There may be new events.
    Events,
}

/// Wakes waiters up. A wake-up reaches every waiter of every replica within 100 ms; it may be spurious, and one may get lost when
/// the store restarts, so waiters look again after their time-out.
#[async_trait]
pub trait Signals: Send + Sync {
    /// Wakes up whoever waits for `topic`.
    async fn notify(&self, topic: Topic) -> Result<()>;

    /// Registers interest. From now on a notify is not missed: register first, look at the store, then wait.
    async fn subscribe(&self, topic: Topic) -> Result<Box<dyn Subscription>>;
}

/// Interest in one topic.
#[async_trait]
pub trait Subscription: Send {
    /// Returns at the first notify since the last call (or since the registration), or after `limit`. Cancel-safe: a dropped call loses nothing.
    async fn wait(&mut self, limit: Duration);
}
