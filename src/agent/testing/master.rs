//! A master in memory that does what a test tells it and remembers what it was told.

use async_trait::async_trait;
use backupx_core::domain::command::{Lane, Lease, Subject};
use backupx_core::domain::id::{CommandId, NodeId, RecordId, TargetId};
use backupx_core::domain::log::LogLine;
use backupx_core::domain::protocol::{
    Assignments, Heartbeat, HeldLease, Hello, Poll, ProgressAnswer, ProgressReport, Pulse,
    ResultReport, Welcome,
};
use backupx_core::domain::work::{Assignment, Work};
use backupx_core::ports::clock::{Clock, SystemClock};
use backupx_core::ports::master::MasterLink;
use backupx_core::{Error, ErrorKind, Result};
use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;

/// Which call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Call {
    Hello,
    Heartbeat,
    Poll,
    Progress,
    Result,
    Relay,
}

impl Call {
    pub(super) const ALL: [Self; 6] = [
        Self::Hello,
        Self::Heartbeat,
        Self::Poll,
        Self::Progress,
        Self::Result,
        Self::Relay,
    ];
}

/// What happened so far and what is to happen.
#[derive(Default)]
pub(super) struct State {
    failing: BTreeMap<Call, (ErrorKind, &'static str, Duration)>,
    /// Calls answered or refused.
    pub(super) calls: BTreeMap<Call, usize>,
    queue: Vec<Assignment>,
    pub(super) hellos: Vec<Hello>,
    pub(super) heartbeats: Vec<Heartbeat>,
    pub(super) polls: Vec<Poll>,
    /// The lanes of polls that wait, in the order in which they came; nothing is both.
    pub(super) held: Vec<Option<Lane>>,
    pub(super) progress: Vec<(CommandId, ProgressReport)>,
    pub(super) results: Vec<(CommandId, ResultReport)>,
    /// What was relayed, by target and name.
    pub(super) objects: BTreeMap<(TargetId, String), Vec<u8>>,
    /// Results and creations whose answer is lost on its way.
    pub(super) lose_answers: usize,
    /// Cancelled commands, told in answers to progress.
    pub(super) cancel: BTreeSet<CommandId>,
    /// Told in answers to heartbeats.
    pub(super) pulse_cancel: Vec<HeldLease>,
    pub(super) pulse_lost: Vec<HeldLease>,
    /// Told in welcomes.
    pub(super) stop: Vec<HeldLease>,
    /// Holds no polls: answers them at once and wants to be left alone for so many seconds.
    pub(super) retry_after_secs: Option<u64>,
    /// The lease under which a command may speak, where that matters.
    pub(super) leases: BTreeMap<CommandId, Lease>,
}

impl State {
    pub(super) fn count(&self, call: Call) -> usize {
        self.calls.get(&call).copied().unwrap_or_default()
    }

    fn answered(&mut self) -> Result<()> {
        if self.lose_answers > 0 {
            self.lose_answers -= 1;
            return Err(Error::unavailable("master_cut", "the answer is lost"));
        }
        Ok(())
    }

    /// All log lines of a command as a master keeps them: repeats of a number are ignored.
    pub(super) fn lines(&self, command: CommandId) -> Vec<LogLine> {
        let progress = self.progress.iter().filter(|(id, _)| *id == command);
        let results = self.results.iter().filter(|(id, _)| *id == command);
        let mut lines = BTreeMap::new();
        for line in progress
            .flat_map(|(_, report)| &report.log)
            .chain(results.flat_map(|(_, report)| &report.log))
        {
            lines.entry(line.seq).or_insert_with(|| line.clone());
        }
        lines.into_values().collect()
    }
}

/// The master.
#[derive(Default)]
pub(super) struct Master {
    state: Mutex<State>,
    changed: Notify,
}

impl Master {
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets `calls` fail from now on, each after `after`.
    pub(super) fn fail(
        &self,
        calls: &[Call],
        kind: ErrorKind,
        code: &'static str,
        after: Duration,
    ) {
        for call in calls {
            self.state().failing.insert(*call, (kind, code, after));
        }
    }

    /// Lets everything work again.
    pub(super) fn recover(&self) {
        self.state().failing.clear();
        self.changed.notify_waiters();
    }

    /// Puts a command in.
    pub(super) fn give(&self, command: i64, lease: i64, lane: Lane) {
        let assignment = Assignment {
            command_id: CommandId(command),
            lease: Lease(lease),
            subject: Subject::Record(RecordId(command)),
            lane,
            work: Work::Browse {
                path: format!("/{command}"),
            },
        };
        self.give_work(assignment);
    }

    pub(super) fn give_work(&self, assignment: Assignment) {
        self.state().queue.push(assignment);
        self.changed.notify_waiters();
    }

    /// Waits, in virtual time, until the state is as it should be.
    pub(super) async fn until(&self, what: &str, mut held: impl FnMut(&State) -> bool) {
        let wait = async {
            loop {
                let changed = self.changed.notified();
                if held(&self.state()) {
                    return;
                }
                // Cancel-safe: both only wait. The short sleep covers states that change without a call.
                tokio::select! {
                    () = changed => {}
                    () = tokio::time::sleep(Duration::from_millis(50)) => {}
                }
            }
        };
        let limit = Duration::from_secs(14 * 24 * 3600);
        assert!(
            tokio::time::timeout(limit, wait).await.is_ok(),
            "never came: {what}"
        );
    }

    async fn enter(&self, call: Call) -> Result<()> {
        let failing = {
            let mut state = self.state();
            *state.calls.entry(call).or_default() += 1;
            state.failing.get(&call).copied()
        };
        self.changed.notify_waiters();
        match failing {
            None => Ok(()),
            Some((kind, code, after)) => {
                tokio::time::sleep(after).await;
                Err(Error::new(kind, code, "as the test wants it"))
            }
        }
    }

    fn check_lease(&self, command: CommandId, lease: Lease) -> Result<()> {
        match self.state().leases.get(&command) {
            Some(current) if *current != lease => Err(Error::conflict("lease_lost", "not yours")),
            Some(_) | None => Ok(()),
        }
    }

    fn take(&self, poll: &Poll) -> Vec<Assignment> {
        let mut state = self.state();
        let free = poll.free as usize;
        let mut taken = Vec::new();
        state.queue.retain(|assignment| {
            let take = match poll.lane {
                Some(lane) => lane == assignment.lane && taken.len() < free,
                None => assignment.lane == Lane::Short || works(&taken) < free,
            };
            if take {
                taken.push(assignment.clone());
            }
            !take
        });
        taken
    }
}

fn works(taken: &[Assignment]) -> usize {
    let works = taken.iter().filter(|taken| taken.lane == Lane::Work);
    works.count()
}

/// A poll while it waits.
struct Held<'a>(&'a Master, Option<Lane>);

impl<'a> Held<'a> {
    fn new(master: &'a Master, lane: Option<Lane>) -> Self {
        master.state().held.push(lane);
        master.changed.notify_waiters();
        Self(master, lane)
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        let held = &mut self.0.state().held;
        if let Some(index) = held.iter().position(|lane| *lane == self.1) {
            held.remove(index);
        }
    }
}

#[async_trait]
impl MasterLink for Master {
    async fn hello(&self, hello: Hello) -> Result<Welcome> {
        self.enter(Call::Hello).await?;
        let mut state = self.state();
        let stop = state.stop.clone();
        let keep = hello
            .leases
            .iter()
            .filter(|lease| !stop.contains(lease))
            .copied()
            .collect();
        state.hellos.push(hello);
        Ok(Welcome {
            node_id: NodeId(1),
            node_name: "web1".to_owned(),
            server_time: SystemClock.now(),
            heartbeat_interval_secs: 15,
            max_wait_secs: if state.retry_after_secs.is_some() {
                0
            } else {
                25
            },
            keep,
            stop,
        })
    }

    async fn heartbeat(&self, heartbeat: Heartbeat) -> Result<Pulse> {
        self.enter(Call::Heartbeat).await?;
        let mut state = self.state();
        state.heartbeats.push(heartbeat);
        Ok(Pulse {
            server_time: SystemClock.now(),
            cancel: state.pulse_cancel.clone(),
            lost: state.pulse_lost.clone(),
        })
    }

    async fn poll(&self, poll: Poll) -> Result<Assignments> {
        self.enter(Call::Poll).await?;
        let _held = Held::new(self, poll.lane);
        let retry_after_secs = {
            let mut state = self.state();
            state.polls.push(poll.clone());
            state.retry_after_secs
        };
        let deadline = tokio::time::Instant::now() + Duration::from_secs(poll.wait_secs);
        loop {
            let changed = self.changed.notified();
            let commands = self.take(&poll);
            let waited = tokio::time::Instant::now() >= deadline;
            if !commands.is_empty() || retry_after_secs.is_some() || waited {
                return Ok(Assignments {
                    server_time: SystemClock.now(),
                    commands,
                    retry_after_secs,
                });
            }
            // Cancel-safe: both only wait.
            tokio::select! {
                () = changed => {}
                () = tokio::time::sleep_until(deadline) => {}
            }
        }
    }

    async fn progress(&self, command: CommandId, report: ProgressReport) -> Result<ProgressAnswer> {
        self.enter(Call::Progress).await?;
        self.check_lease(command, report.lease)?;
        let mut state = self.state();
        state.progress.push((command, report));
        Ok(ProgressAnswer {
            server_time: SystemClock.now(),
            cancel: state.cancel.contains(&command),
        })
    }

    async fn result(&self, command: CommandId, report: ResultReport) -> Result<()> {
        self.enter(Call::Result).await?;
        self.check_lease(command, report.lease)?;
        let mut state = self.state();
        state.results.push((command, report));
        state.answered()
    }

    async fn relay_create(
        &self,
        command: CommandId,
        lease: Lease,
        target: TargetId,
        name: &str,
        body: Vec<Bytes>,
    ) -> Result<()> {
        self.enter(Call::Relay).await?;
        self.check_lease(command, lease)?;
        let mut state = self.state();
        let place = (target, name.to_owned());
        if state.objects.contains_key(&place) {
            return Err(Error::conflict("object_exists", "it is there already"));
        }
        state.objects.insert(place, body.concat());
        state.answered()
    }

    async fn relay_stat(
        &self,
        command: CommandId,
        lease: Lease,
        target: TargetId,
        name: &str,
    ) -> Result<Option<u64>> {
        self.enter(Call::Relay).await?;
        self.check_lease(command, lease)?;
        let state = self.state();
        let object = state.objects.get(&(target, name.to_owned()));
        Ok(object.map(|object| object.len() as u64))
    }

    async fn relay_read(
        &self,
        command: CommandId,
        lease: Lease,
        target: TargetId,
        name: &str,
        range: Range<u64>,
    ) -> Result<Bytes> {
        self.enter(Call::Relay).await?;
        self.check_lease(command, lease)?;
        let state = self.state();
        let object = state.objects.get(&(target, name.to_owned()));
        let bytes = object.and_then(|object| object.get(range.start as usize..range.end as usize));
        bytes
            .map(Bytes::copy_from_slice)
            .ok_or_else(|| Error::not_found("object_not_found", "it is not there"))
    }
}
