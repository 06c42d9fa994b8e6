//! Polling: an idle agent holds one poll for both lanes. While all places for long work are taken, or those for short questions were when
//! it began, short questions are asked for by a poll of their own, so that long work never stands before them (never 11).

use super::Shared;
use super::pace::Pace;
use super::roster::Admission;
use super::worker;
use crate::config::AgentConfig;
use backupx_core::domain::command::Lane;
use backupx_core::domain::protocol::{Assignments, Poll};
use backupx_core::{Error, ErrorKind, Result};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, watch};
use tokio_util::sync::CancellationToken;

/// What a poll may take beyond its wait, for links that have no limit of their own.
const MARGIN: Duration = Duration::from_secs(20);

/// Polls until `stop`. Commands of an answer that is there when `stop` comes are still taken.
pub(super) async fn run(shared: Arc<Shared>, stop: CancellationToken) {
    let places = Places::new(&shared.config);
    tokio::join!(
        keep_asking(&shared, &places, Asker::First, &stop),
        keep_asking(&shared, &places, Asker::Second, &stop),
    );
}

/// Who asks. Each waits for its own answers only.
#[derive(Debug, Clone, Copy)]
enum Asker {
    /// Asks whenever there is a place for work, for short questions as well when there is one for them.
    First,
    /// Asks for short questions while the first one does not.
    Second,
}

/// The places for commands, and what is asked for.
struct Places {
    work: Arc<Semaphore>,
    short: Arc<Semaphore>,
    /// Whether the first asker asks for short questions: from the beginning of its poll to the end of the pause behind it.
    first_asks_for_short: watch::Sender<bool>,
}

impl Places {
    fn new(config: &AgentConfig) -> Self {
        Self {
            work: Arc::new(Semaphore::new(config.work_slots())),
            short: Arc::new(Semaphore::new(config.max_short.max(1))),
            first_asks_for_short: watch::Sender::new(true),
        }
    }

    fn of(&self, lane: Lane) -> &Arc<Semaphore> {
        match lane {
            Lane::Work => &self.work,
            Lane::Short => &self.short,
        }
    }

    /// Waits until `asker` has something to ask for: one lane, or nothing for both.
    async fn wanted(&self, asker: Asker) -> Option<Lane> {
        match asker {
            Asker::First => self.wanted_first().await,
            Asker::Second => Some(self.wanted_second().await),
        }
    }

    async fn wanted_first(&self) -> Option<Lane> {
        if !is_free(&self.work) {
            self.first_asks_for_short.send_replace(false);
            until_free(&self.work).await;
        }
        let both = is_free(&self.short);
        self.first_asks_for_short.send_replace(both);
        (!both).then_some(Lane::Work)
    }

    async fn wanted_second(&self) -> Lane {
        let mut first_asks = self.first_asks_for_short.subscribe();
        loop {
            // An error would mean that the sender is gone, which lives in `self`.
            drop(first_asks.wait_for(|asks| !asks).await);
            until_free(&self.short).await;
            if !*first_asks.borrow_and_update() {
                return Lane::Short;
            }
        }
    }
}

fn is_free(places: &Semaphore) -> bool {
    places.available_permits() > 0
}

async fn until_free(places: &Semaphore) {
    while !is_free(places) {
        // An error would mean that the places are closed, which nobody does. A place that is given back here may go to a command that
        // waits for one.
        drop(places.acquire().await);
    }
}

async fn keep_asking(
    shared: &Arc<Shared>,
    places: &Places,
    asker: Asker,
    stop: &CancellationToken,
) {
    let mut pace = Pace::new(shared.config.poll_interval);
    loop {
        // Cancel-safe: a dropped poll is a lost answer at worst, and the master hands its commands out again.
        let answer = tokio::select! {
            biased;
            answer = ask(shared, places, asker, &mut pace) => answer,
            () = stop.cancelled() => return,
        };
        let pause = match answer {
            Ok(Answer::Work) => Duration::ZERO,
            Ok(Answer::Nothing) => pace.empty(),
            Err(error) => failed(shared, asker, &mut pace, &error),
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

/// One poll, once there is a session and a free place, and its commands taken in.
async fn ask(
    shared: &Arc<Shared>,
    places: &Places,
    asker: Asker,
    pace: &mut Pace,
) -> Result<Answer> {
    let lane = places.wanted(asker).await;
    let session = shared.connection.session().await;
    let _asking = shared.connection.asking().await;
    if !shared.connection.is_open() {
        return Ok(Answer::Nothing);
    }
    let wait = pace.begin(session.most_wait.min(shared.config.poll_wait));
    // No second poll asks for work meanwhile, so places for it that are free now stay free until the answer.
    let free = places.of(lane.unwrap_or(Lane::Work)).available_permits();
    let poll = Poll {
        wait_secs: wait.as_secs(),
        free: u32::try_from(free).unwrap_or(u32::MAX),
        lane,
    };
    // Cancel-safe: see `keep_asking`.
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
    take(shared, assignments, places);
    Ok(Answer::Work)
}

fn take(shared: &Arc<Shared>, assignments: Assignments, places: &Places) {
    for assignment in assignments.commands {
        match shared.roster.admit(&assignment) {
            Admission::New(job) => {
                let places = places.of(assignment.lane);
                // A master that sent more than there is a place for makes the rest wait in their tasks.
                let place = Arc::clone(places).try_acquire_owned().ok();
                shared.jobs.spawn(worker::run(
                    Arc::clone(shared),
                    job,
                    assignment.work,
                    Arc::clone(places),
                    place,
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

fn failed(shared: &Shared, asker: Asker, pace: &mut Pace, error: &Error) -> Duration {
    if error.kind() == ErrorKind::Unauthenticated {
        shared.connection.report_broken();
    }
    let pause = pace.failed(error);
    if pace.backoff.is_news(error) {
        tracing::warn!(?asker, code = error.code(), error = %error.chain(), "a poll failed");
    }
    pause
}
