//! Wakers: who waits for which topic within this process.

use async_trait::async_trait;
use backupx_core::ports::signals::{Subscription, Topic};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

type Topics = HashMap<Topic, Entry>;

#[derive(Debug, Default)]
struct Entry {
    sender: watch::Sender<()>,
    waiters: usize,
}

/// The topics that somebody waits for. A topic without a waiter takes no room.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wakers(Arc<Mutex<Topics>>);

impl Wakers {
    /// Wakes up whoever waits for `topic`.
    pub(crate) fn wake(&self, topic: Topic) {
        if let Some(entry) = self.topics().get(&topic) {
            entry.sender.send_replace(());
        }
    }

    /// Wakes up everybody.
    pub(crate) fn wake_all(&self) {
        for entry in self.topics().values() {
            entry.sender.send_replace(());
        }
    }

    /// Registers a waiter.
    pub(crate) fn register(&self, topic: Topic) -> Waiter {
        let mut topics = self.topics();
        let entry = topics.entry(topic).or_default();
        entry.waiters += 1;
        let receiver = entry.sender.subscribe();
        drop(topics);
        Waiter {
            topic,
            receiver,
            wakers: self.clone(),
        }
    }

    fn topics(&self) -> MutexGuard<'_, Topics> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One registered waiter; dropping it ends its registration.
#[derive(Debug)]
pub(crate) struct Waiter {
    topic: Topic,
    receiver: watch::Receiver<()>,
    wakers: Wakers,
}

#[async_trait]
impl Subscription for Waiter {
    /// A watch keeps what was not seen yet, so a dropped call loses nothing.
    async fn wait(&mut self, limit: Duration) {
        // The time-out and a wake-up mean the same to the caller: look again. The sender lives as long as this waiter is registered.
        tokio::time::timeout(limit, self.receiver.changed())
            .await
            .ok();
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        let mut topics = self.wakers.topics();
        if let Some(entry) = topics.get_mut(&self.topic) {
            entry.waiters -= 1;
            if entry.waiters == 0 {
                topics.remove(&self.topic);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_without_waiters_take_no_room() {
        let wakers = Wakers::default();
        let (one, two) = (
            wakers.register(Topic::Events),
            wakers.register(Topic::Events),
        );
        drop(one);
        assert_eq!(wakers.topics().len(), 1);
        drop(two);
        wakers.wake(Topic::Events);
        assert!(wakers.topics().is_empty());
    }
}
