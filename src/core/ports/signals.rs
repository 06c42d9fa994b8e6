//! Signals: wake-ups between whoever writes and whoever waits. They carry nothing: the waiter looks again at the store.

use crate::domain::command::Subject;
use crate::domain::id::NodeId;
use crate::{Error, Result};
use async_trait::async_trait;
use std::fmt;
use std::str::FromStr;
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

/// As text, for a way between masters.
impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Node(node) => write!(f, "node:{node}"),
            Self::Subject(subject) => subject.fmt(f),
            Self::Events => f.write_str("events"),
        }
    }
}

/// Reads what `Display` wrote; an error for what a newer master may say.
impl FromStr for Topic {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        if text == "events" {
            return Ok(Self::Events);
        }
        match text.strip_prefix("node:") {
            Some(node) => node
                .parse()
                .map(Self::Node)
                .map_err(|_| Error::internal(format!("unknown topic {text:?}"))),
            None => text.parse().map(Self::Subject),
        }
    }
}

/// Wakes waiters up. A wake-up reaches every waiter of every replica within 100 ms; it may be spurious, and one may get lost when
/// the store restarts, so waiters look again after their time-out.
#[async_trait]
pub trait Signals: Send + Sync {
    /// Wakes up whoever waits for `topic`.
    async fn notify(&self, topic: Topic) -> Result<()>;

    /// Wakes up whoever waits for `topic` in this process alone, at once.
    fn wake(&self, topic: Topic);

    /// Registers interest. From now on a notify is not missed: register first, look at the store, then wait.
    async fn subscribe(&self, topic: Topic) -> Result<Box<dyn Subscription>>;
}

/// Interest in one topic.
#[async_trait]
pub trait Subscription: Send {
    /// Returns at the first notify since the last call (or since the registration), or after `limit`. Cancel-safe: a dropped call loses nothing.
    async fn wait(&mut self, limit: Duration);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::RecordId;

    #[test]
    fn topics_survive_text() -> Result<()> {
        for topic in [
            Topic::Events,
            Topic::Node(NodeId(3)),
            Topic::Subject(Subject::Record(RecordId(4))),
        ] {
            assert_eq!(topic.to_string().parse::<Topic>()?, topic);
        }
        assert!("something new".parse::<Topic>().is_err());
        Ok(())
    }
}
