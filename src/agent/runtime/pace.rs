//! Pace: how long to wait in polls and between them.

use super::backoff::{Backoff, MOST_WISHED};
use backupx_core::domain::protocol::Assignments;
use backupx_core::{Error, ErrorKind};
use std::time::Duration;
use tokio::time::Instant;

/// A poll that broke after it waited so long was cut by something on the way, not refused.
const CUT: Duration = Duration::from_secs(5);
/// The shortest wait that cuts can bring a poll down to.
const LEAST_WAIT: Duration = Duration::from_secs(4);
/// The first pause after an answer that came empty too soon.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// The pace of polls that follow each other.
pub(super) struct Pace {
    interval: Duration,
    pub(super) backoff: Backoff,
    began: Instant,
    wait: Duration,
    /// The longest wait that was not cut.
    ceiling: Duration,
    pause: Duration,
    /// How long the master wants to be left alone after an empty answer.
    wished: Duration,
}

impl Pace {
    /// Of an agent that asks a master that holds no polls once in `interval`.
    pub(super) fn new(interval: Duration) -> Self {
        Self {
            interval,
            backoff: Backoff::default(),
            began: Instant::now(),
            wait: Duration::ZERO,
            ceiling: Duration::MAX,
            pause: FIRST_PAUSE,
            wished: Duration::ZERO,
        }
    }

    /// Begins a poll: how long it is to wait, of at most `most`, with jitter.
    pub(super) fn begin(&mut self, most: Duration) -> Duration {
        self.began = Instant::now();
        self.wished = Duration::ZERO;
        self.wait = most
            .min(self.ceiling)
            .mul_f64(0.8 + 0.2 * rand::random::<f64>());
        self.wait
    }

    /// Takes in what an answer says about the next poll.
    pub(super) fn answered(&mut self, assignments: &Assignments) {
        self.backoff.reset();
        let secs = assignments.retry_after_secs.unwrap_or(0);
        self.wished = Duration::from_secs(secs).min(MOST_WISHED);
        let filled = !assignments.commands.is_empty();
        if filled || self.began.elapsed() >= self.wait / 2 {
            self.pause = FIRST_PAUSE;
        }
    }

    /// The pause after an empty answer: as long as the master wished, with jitter so that a fleet does not march in step, or longer when
    /// this host asks more rarely.
    pub(super) fn empty(&mut self) -> Duration {
        let wished = self.wished.mul_f64(1.0 + 0.2 * rand::random::<f64>());
        self.own().max(wished)
    }

    /// The pause by the agent's own measure: none after an answer that waited, the poll interval when the master holds no polls, and a
    /// growing one when answers come sooner than they should.
    fn own(&mut self) -> Duration {
        if self.wait < Duration::from_secs(1) {
            return self.interval.saturating_sub(self.began.elapsed());
        }
        if self.began.elapsed() >= self.wait / 2 {
            return Duration::ZERO;
        }
        let pause = self.pause.min(self.interval);
        self.pause *= 2;
        pause
    }

    /// The pause after a failure. A poll that was cut on the way is asked again soon and for less time, so the agent is never deaf.
    pub(super) fn failed(&mut self, error: &Error) -> Duration {
        let waited = self.began.elapsed();
        if waited >= CUT && error.kind() == ErrorKind::Unavailable {
            self.backoff.reset();
            if waited < self.wait {
                self.ceiling = waited.mul_f64(0.8).max(LEAST_WAIT);
            }
        }
        self.backoff.after(error)
    }
}
