//! Wakers: who waits for which topic within this process.

use backupx_core::ports::signals::Topic;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, watch};

type Topics = HashMap<Topic, Entry>;

#[derive(Debug)]
struct Entry {
    sender: watch::Sender<()>,
    waiters: usize,
}

/// The topics that somebody waits for. A topic without a waiter takes no room.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wakers {
    topics: Arc<Mutex<Topics>>,
    /// Rung when somebody begins to wait.
    arrival: Arc<Notify>,
}

impl Wakers {
    /// Wakes up whoever waits for `topic`.
    pub(crate) fn wake(&self, topic: Topic) {
        if let Some(entry) = lock(&self.topics).get(&topic) {
            entry.sender.send_replace(());
        }
    }

    /// Wakes up everybody.
    pub(crate) fn wake_all(&self) {
        for entry in lock(&self.topics).values() {
            entry.sender.send_replace(());
        }
    }

    /// How many topics are waited for.
    pub(crate) fn len(&self) -> usize {
        lock(&self.topics).len()
    }

    /// Returns when somebody waits. For one caller at a time.
    pub(crate) async fn somebody_waits(&self) {
        while self.len() == 0 {
            self.arrival.notified().await;
        }
    }

    /// Registers a waiter.
    pub(crate) fn register(&self, topic: Topic) -> Waiter {
        let mut topics = lock(&self.topics);
        let entry = topics.entry(topic).or_insert_with(|| Entry {
            sender: watch::Sender::new(()),
            waiters: 0,
        });
        entry.waiters += 1;
        let receiver = entry.sender.subscribe();
        drop(topics);
        self.arrival.notify_one();
        Waiter {
            topic,
            topics: Arc::clone(&self.topics),
            receiver,
        }
    }
}

/// One registered waiter; dropping it ends its registration.
#[derive(Debug)]
pub(crate) struct Waiter {
    topic: Topic,
    topics: Arc<Mutex<Topics>>,
    receiver: watch::Receiver<()>,
}

impl Waiter {
    /// Returns at the first wake-up since the last call, or after `limit`. A watch keeps what was not seen yet, so a dropped call loses nothing.
    pub(crate) async fn wait(&mut self, limit: Duration) {
        // The time-out and a wake-up mean the same to the caller: look again. The sender lives as long as this waiter is registered.
        tokio::time::timeout(limit, self.receiver.changed())
            .await
            .ok();
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        let mut topics = lock(&self.topics);
        if let Some(entry) = topics.get_mut(&self.topic) {
            entry.waiters -= 1;
            if entry.waiters == 0 {
                topics.remove(&self.topic);
            }
        }
    }
}

fn lock(topics: &Mutex<Topics>) -> MutexGuard<'_, Topics> {
    topics.lock().unwrap_or_else(PoisonError::into_inner)
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
        assert_eq!(wakers.len(), 1);
        drop(one);
        assert_eq!(wakers.len(), 1);
        drop(two);
        assert_eq!(wakers.len(), 0);
        wakers.wake(Topic::Events);
        assert_eq!(wakers.len(), 0);
    }
}
