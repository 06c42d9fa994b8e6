//! The lookout: of all polls that wait in this process one looks at the store for all, since a wake-up may get lost and nobody rings
//! when a command's time comes. It needs no task of its own, and costs the same whether ten polls wait or ten thousand.

use crate::App;
use backupx_core::Result;
use backupx_core::domain::id::NodeId;
use backupx_core::domain::time::Timestamp;
use backupx_core::ports::signals::{Subscription, Topic};
use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::Instant;

/// Between two looks for what is due: as long may a poll wait beside its command when a wake-up got lost.
const LOOK_AGAIN: Duration = Duration::from_secs(2);
/// Between two looks for hand-outs that were never confirmed.
const ASK_AGAIN: chrono::Duration = chrono::Duration::seconds(5);
/// Nodes of one answer.
const AT_ONCE: u32 = 1000;

/// Who looks, and what was seen.
#[derive(Debug)]
pub(crate) struct Lookout {
    seat: Semaphore,
    looked_at: Mutex<Option<Instant>>,
    unconfirmed: Mutex<Unconfirmed>,
}

#[derive(Debug, Default)]
struct Unconfirmed {
    asked_at: Option<Timestamp>,
    nodes: HashSet<NodeId>,
}

impl Default for Lookout {
    fn default() -> Self {
        Self {
            seat: Semaphore::new(1),
            looked_at: Mutex::default(),
            unconfirmed: Mutex::default(),
        }
    }
}

impl Lookout {
    /// How long it is to the next look.
    fn pause(&self) -> Duration {
        let looked_at = *self
            .looked_at
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        looked_at.map_or(Duration::ZERO, |at| LOOK_AGAIN.saturating_sub(at.elapsed()))
    }

    fn looked(&self) {
        let mut looked_at = self
            .looked_at
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *looked_at = Some(Instant::now());
    }

    /// True for one caller when it is time to ask again.
    fn is_time_to_ask(&self, now: Timestamp) -> bool {
        let mut unconfirmed = self.unconfirmed();
        let fresh = unconfirmed
            .asked_at
            .is_some_and(|asked_at| asked_at <= now && now - asked_at < ASK_AGAIN);
        if !fresh {
            unconfirmed.asked_at = Some(now);
        }
        !fresh
    }

    fn unconfirmed(&self) -> std::sync::MutexGuard<'_, Unconfirmed> {
        self.unconfirmed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl App {
    /// Returns when there may be work behind `work`, at the latest at `deadline`.
    pub(crate) async fn wait_till_due(&self, work: &mut dyn Subscription, deadline: Instant) {
        let left = || deadline.saturating_duration_since(Instant::now());
        // Cancel-safe: a wait that is dropped loses nothing, and a place in the queue for the seat is nobody else's.
        let _seat = tokio::select! {
            biased;
            () = work.wait(left()) => return,
            seat = self.lookout.seat.acquire() => seat,
        };
        loop {
            let pause = self.lookout.pause();
            let until = Instant::now() + pause.min(left());
            work.wait(pause.min(left())).await;
            if Instant::now() < until || left().is_zero() {
                return;
            }
            self.lookout.looked();
            if let Err(error) = self.wake_due().await {
                tracing::warn!(error = error.chain(), "what is due could not be looked for");
            }
        }
    }

    /// Wakes the polls of this process whose nodes have something to claim.
    async fn wake_due(&self) -> Result<()> {
        let now = self.now();
        let mut after = NodeId(-1);
        loop {
            let nodes = self.ports.queue.due(now, after, AT_ONCE).await?;
            for node in &nodes {
                self.ports.signals.wake(Topic::Node(*node));
            }
            match nodes.last() {
                Some(last) if nodes.len() == AT_ONCE as usize => after = *last,
                Some(_) | None => return Ok(()),
            }
        }
    }

    /// Whether a node may hold a hand-out that it has not confirmed since `before`, as of a few seconds ago.
    pub(crate) async fn may_be_unconfirmed(&self, node: NodeId, before: Timestamp) -> Result<bool> {
        if self.lookout.is_time_to_ask(self.now()) {
            let nodes = self.ports.queue.unconfirmed(before).await?;
            self.lookout.unconfirmed().nodes = nodes.into_iter().collect();
        }
        Ok(self.lookout.unconfirmed().nodes.contains(&node))
    }
}
