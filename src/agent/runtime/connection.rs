//! The connection: whether the master has accepted a hello, and what it said then.

use backupx_core::domain::protocol::Welcome;
use backupx_core::domain::time::Timestamp;
use backupx_core::ports::clock::{Clock, SystemClock};
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;
use tokio::sync::{Notify, RwLock, RwLockReadGuard, RwLockWriteGuard, watch};

/// How far the two clocks may be apart without a word.
const SKEW_SECS: i64 = 300;

/// What a master said in its welcome, as far as the loops need it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Session {
    /// How often to send a heartbeat.
    pub(super) heartbeat: Duration,
    /// The longest wait that the master wants; zero when it does not hold polls.
    pub(super) most_wait: Duration,
}

/// Whether there is a session. The greeting opens it, any loop may break it.
#[derive(Debug)]
pub(super) struct Connection {
    session: watch::Sender<Option<Session>>,
    broken: Notify,
    asking: RwLock<()>,
    /// How many seconds this host's clock was ahead of the master's when they were compared last.
    ahead_secs: AtomicI64,
}

impl Default for Connection {
    fn default() -> Self {
        Self {
            session: watch::Sender::new(None),
            broken: Notify::new(),
            asking: RwLock::new(()),
            ahead_secs: AtomicI64::new(0),
        }
    }
}

impl Connection {
    /// Opens a session.
    pub(super) fn open(&self, welcome: &Welcome, heartbeat: Option<Duration>) {
        let told = Duration::from_secs(welcome.heartbeat_interval_secs.clamp(1, 3600));
        self.session.send_replace(Some(Session {
            heartbeat: heartbeat.unwrap_or(told),
            most_wait: Duration::from_secs(welcome.max_wait_secs),
        }));
    }

    /// Closes the session: polls in flight are dropped.
    pub(super) fn close(&self) {
        self.session.send_replace(None);
    }

    /// True while a session is open.
    pub(super) fn is_open(&self) -> bool {
        self.session.borrow().is_some()
    }

    /// Asks for a new hello. Does nothing when none is open.
    pub(super) fn report_broken(&self) {
        if self.is_open() {
            self.broken.notify_one();
        }
    }

    /// Waits until somebody finds the session broken.
    pub(super) async fn broken(&self) {
        self.broken.notified().await;
    }

    /// Waits for an open session.
    pub(super) async fn session(&self) -> Session {
        let mut seen = self.session.subscribe();
        loop {
            if let Some(session) = *seen.borrow_and_update() {
                return session;
            }
            if seen.changed().await.is_err() {
                // Cannot happen: the sender lives in `self`. Waiting is the harmless answer.
                std::future::pending::<()>().await;
            }
        }
    }

    /// Held by a poll from its question until what it brought is in the roster.
    pub(super) async fn asking(&self) -> RwLockReadGuard<'_, ()> {
        self.asking.read().await
    }

    /// Waits for polls in flight, so that a hello is the whole truth about what this agent holds.
    pub(super) async fn nobody_asks(&self) -> RwLockWriteGuard<'_, ()> {
        self.asking.write().await
    }

    /// Waits until the open session is closed.
    pub(super) async fn closed(&self) {
        let mut seen = self.session.subscribe();
        // An error would mean that the sender is gone, which lives in `self`; then the session is closed as well.
        drop(seen.wait_for(Option::is_none).await);
    }

    /// Tells once when this host's clock is far off the master's. Nothing of ours depends on it but what people read.
    pub(super) fn compare_clocks(&self, master: Timestamp) {
        let ahead = SystemClock
            .now()
            .signed_duration_since(master)
            .num_seconds();
        let before = self.ahead_secs.swap(ahead, Ordering::Relaxed);
        if before.abs() < SKEW_SECS
            && let Some(warning) = self.clock_warning()
        {
            tracing::warn!(seconds = ahead, "{warning}");
        }
    }

    /// What people should know of this host's clock, when it is far off the master's.
    pub(super) fn clock_warning(&self) -> Option<String> {
        let ahead = self.ahead_secs.load(Ordering::Relaxed);
        (ahead.abs() >= SKEW_SECS).then(|| {
            format!(
                "this host's clock is {} s {} the master's: times in logs of this node are wrong by as much, and services such as S3 may refuse it; set the clock (NTP)",
                ahead.abs(),
                if ahead > 0 { "ahead of" } else { "behind" }
            )
        })
    }
}
