//! Polling: asks for work of one lane, so that long work never stands before a short question (never 11).

use super::Shared;
use super::backoff::{Backoff, MOST_WISHED};
use super::roster::Admission;
use super::worker;
use backupx_core::domain::command::Lane;
use backupx_core::domain::protocol::{Assignments, Poll};
use backupx_core::{Error, ErrorKind, Result};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// What a poll may take beyond its wait, for links that have no limit of their own.
const MARGIN: Duration = Duration::from_secs(20);
/// A poll that broke after it waited so long was cut by something on the way, not refused.
const CUT: Duration = Duration::from_secs(5);
/// The shortest wait that cuts can bring a poll down to.
const LEAST_WAIT: Duration = Duration::from_secs(4);
/// The first pause after an answer that came empty too soon.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// Polls until `stop`. Commands of an answer that is there when `stop` comes are still taken.
pub(super) async fn run(shared: Arc<Shared>, lane: Lane, stop: CancellationToken) {
    let slots = Arc::new(Semaphore::new(match lane {
        Lane::Work => shared.config.work_slots(),
        Lane::Short => shared.config.max_short.max(1),
    }));
    let mut pace = Pace::new(shared.config.poll_interval);
    loop {
        // Cancel-safe: a dropped poll is a lost answer at worst, and the master hands its commands out again.
        let answer = tokio::select! {
            biased;
            answer = ask(&shared, lane, &slots, &mut pace) => answer,
            () = stop.cancelled() => return,
        };
        let pause = match answer {
            Ok(Answer::Work) => Duration::ZERO,
            Ok(Answer::Nothing) => pace.empty(),
            Err(error) => failed(&shared, lane, &mut pace, &error),
        };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = stop.cancelled() => return,
        }
    }
}

/// What came of a poll.
enum Answer {
    Work,
    /// Nothing came, or the session was closed meanwhile.
    Nothing,
}

/// One poll, once there is a session and a free slot, and its commands taken in.
async fn ask(
    shared: &Arc<Shared>,
    lane: Lane,
    slots: &Arc<Semaphore>,
    pace: &mut Pace,
) -> Result<Answer> {
    // Only this loop takes slots, so what is free now stays free until the answer.
    drop(
        slots
            .acquire()
            .await
            .map_err(|_| Error::internal("the slots are closed"))?,
    );
    let session = shared.connection.session().await;
    let _asking = shared.connection.asking().await;
    if !shared.connection.is_open() {
        return Ok(Answer::Nothing);
    }
    let wait = pace.begin(session.most_wait.min(shared.config.poll_wait));
    let poll = Poll {
        wait_secs: wait.as_secs(),
        free: u32::try_from(slots.available_permits()).unwrap_or(u32::MAX),
        lane: Some(lane),
    };
    // Cancel-safe: see `run`.
    let answer = tokio::select! {
        biased;
        answer = tokio::time::timeout(wait + MARGIN, shared.link.poll(poll)) => answer,
        () = shared.connection.closed() => return Ok(Answer::Nothing),
    };
    let assignments = answer.unwrap_or_else(|_| {
        Err(Error::unavailable(
            "master_timeout",
            "the master did not answer in time",
        ))
    })?;
    shared.connection.compare_clocks(assignments.server_time);
    pace.answered(&assignments);
    if assignments.commands.is_empty() {
        return Ok(Answer::Nothing);
    }
    take(shared, assignments, slots);
    Ok(Answer::Work)
}

fn take(shared: &Arc<Shared>, assignments: Assignments, slots: &Arc<Semaphore>) {
    for assignment in assignments.commands {
        match shared.roster.admit(&assignment) {
            Admission::New(job) => {
                // A master that sent more than was asked for makes the rest wait in their tasks.
                let slot = Arc::clone(slots).try_acquire_owned().ok();
                shared.jobs.spawn(worker::run(
                    Arc::clone(shared),
                    job,
                    assignment.work,
                    Arc::clone(slots),
                    slot,
                ));
            }
            Admission::Known => tracing::debug!(
                command.id = assignment.command_id.0,
                lease.no = assignment.lease.0,
                "a command was handed out again that runs already"
            ),
        }
    }
}

fn failed(shared: &Shared, lane: Lane, pace: &mut Pace, error: &Error) -> Duration {
    if error.kind() == ErrorKind::Unauthenticated {
        shared.connection.report_broken();
    }
    let pause = pace.failed(error);
    if pace.backoff.is_news(error) {
        tracing::warn!(lane = lane.as_str(), code = error.code(), error = %error.chain(), "a poll failed");
    }
    pause
}

/// How long to wait in polls and between them.
struct Pace {
    interval: Duration,
    backoff: Backoff,
    began: Instant,
    wait: Duration,
    /// The longest wait that was not cut.
    ceiling: Duration,
    pause: Duration,
    /// How long the master wants to be left alone after an empty answer.
    wished: Duration,
}

impl Pace {
    fn new(interval: Duration) -> Self {
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
    fn begin(&mut self, most: Duration) -> Duration {
        self.began = Instant::now();
        self.wished = Duration::ZERO;
        self.wait = most
            .min(self.ceiling)
            .mul_f64(0.8 + 0.2 * rand::random::<f64>());
        self.wait
    }

    fn answered(&mut self, assignments: &Assignments) {
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
    fn empty(&mut self) -> Duration {
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
    fn failed(&mut self, error: &Error) -> Duration {
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
