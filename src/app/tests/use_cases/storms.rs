//! Storms: people, agents, two masters and time in any order, and a fault between any two calls to a store. Whatever happens, everything
//! comes to a true end, once. This is the model of the life of runs and commands, walked on the real code.

use crate::bed::{Bed, backup_report, failed, hello, take, well};
use crate::faults::Faults;
use crate::gusts::{Gust, Happens, gust};
use backupx_app::App;
use backupx_core::domain::command::{CommandState, Lease, Subject};
use backupx_core::domain::id::{NodeId, RecordId, TaskId};
use backupx_core::domain::protocol::{Heartbeat, HeldLease};
use backupx_core::domain::record::{CopyState, Record, RecordState};
use backupx_core::domain::report::{Outcome, Report};
use backupx_core::domain::schedule::Schedule;
use backupx_core::domain::work::{Assignment, Work};
use backupx_core::ports::queue::CommandQueue;
use backupx_core::ports::records::RecordFilter;
use backupx_core::{Error, ErrorKind, Result};
use chrono::Duration;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// One of the masters.
struct Master {
    app: App,
    faults: Faults,
}

impl Master {
    fn of(bed: &Bed) -> Self {
        let faults = Faults::default();
        Self {
            app: bed.failing_replica(&faults),
            faults,
        }
    }
}

/// What an agent or a person saw of what happened.
enum Saw {
    /// Nothing that anybody remembers.
    Nothing,
    /// Commands that arrived.
    Took(Vec<Assignment>),
    /// Leases that do not hold any more.
    Lost(Vec<HeldLease>),
    /// That a report of progress was accepted.
    Accepted(Box<Assignment>),
    /// That a result was accepted, or refused for good.
    Ended(Box<Assignment>, Verdict),
    /// That the agent is new and knows of nothing.
    Restarted,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Accepted,
    Refused,
}

/// A storm over one node, and what was seen of it.
struct Storm {
    /// With a master that no fault meets, to look at what is there.
    bed: Bed,
    masters: [Master; 2],
    node: NodeId,
    task: TaskId,
    /// What the agent believes it holds.
    held: Vec<Assignment>,
    /// What it held once: somebody may still report under these leases.
    old: Vec<Assignment>,
    /// The highest lease that arrived anywhere, by what it was about.
    handed: BTreeMap<Subject, Lease>,
    /// The leases under which a result was accepted.
    accepted: BTreeMap<RecordId, BTreeSet<Lease>>,
    /// Records as they were at their end.
    ends: BTreeMap<RecordId, Record>,
}

impl Storm {
    async fn begin() -> Result<Self> {
        let bed = Bed::new().await?;
        let node = bed.node("web").await?;
        let mut spec = crate::bed::spec(
            "web",
            node,
            &[bed.bucket("a").await?, bed.bucket("b").await?],
        )?;
        spec.schedule = Some(Schedule::new("*/30 * * * *", "UTC"));
        spec.retention.keep_last = 2;
        let task = bed.app.add_task(&bed.who, spec).await?.id;
        Ok(Self {
            masters: [Master::of(&bed), Master::of(&bed)],
            bed,
            node,
            task,
            held: Vec::new(),
            old: Vec::new(),
            handed: BTreeMap::new(),
            accepted: BTreeMap::new(),
            ends: BTreeMap::new(),
        })
    }

    /// Refusals are part of the storm, and so is a store that is away while there is a fault. Defects are not.
    fn allow<T>(gust: Gust, result: Result<T>) -> Result<Option<T>> {
        match result {
            Ok(done) => Ok(Some(done)),
            Err(error) => match error.kind() {
                ErrorKind::Conflict | ErrorKind::NotFound => Ok(None),
                ErrorKind::Unavailable if gust.fault.is_some() => Ok(None),
                _ => Err(error),
            },
        }
    }

    async fn happen(&mut self, gust: Gust) -> Result<()> {
        let master = &self.masters[gust.master];
        let acting = Box::pin(self.act(gust, &master.app));
        match master.faults.during(gust.fault, acting).await {
            Some(saw) => {
                if let Some(saw) = Self::allow(gust, saw)? {
                    self.note(saw).await?;
                }
            }
            // It starts again and remembers nothing.
            None => self.masters[gust.master] = Master::of(&self.bed),
        }
        if let Happens::AgentForgets | Happens::AgentRestarts = gust.what {
            self.old.append(&mut self.held);
        }
        self.look().await
    }

    async fn act(&self, gust: Gust, app: &App) -> Result<Saw> {
        let (who, node) = (&self.bed.who, self.node);
        match gust.what {
            Happens::Run => drop(app.run_task(who, self.task).await?),
            Happens::Take => return take(app, node).await.map(Saw::Took),
            Happens::TakeAndLose => drop(take(app, node).await?),
            Happens::Progress => return self.progress(app, self.held.first()).await,
            Happens::OldProgress => return self.progress(app, self.old.first()).await,
            Happens::EndWell => return self.end(app, self.held.first(), well).await,
            Happens::EndHalf => return self.end(app, self.held.first(), half).await,
            Happens::EndTwice => {
                self.end(app, self.held.first(), well).await?;
                return self.end(app, self.held.first(), well).await;
            }
            Happens::EndBadly => {
                let badly = |_: &Assignment| failed("disk_full", "full");
                return self.end(app, self.held.first(), badly).await;
            }
            Happens::EndStopped => {
                let stopped = |_: &Assignment| Outcome::Cancelled;
                return self.end(app, self.held.first(), stopped).await;
            }
            Happens::OldEnd => return self.end(app, self.old.first(), well).await,
            Happens::AgentForgets => {}
            Happens::AgentRestarts => {
                app.hello(node, hello(&[])).await?;
                return Ok(Saw::Restarted);
            }
            Happens::Heartbeat => {
                let named: Vec<_> = self.held.iter().collect();
                let leases = hello(&named).leases;
                let pulse = app.heartbeat(node, Heartbeat { leases }).await?;
                return Ok(Saw::Lost(pulse.lost));
            }
            Happens::Cancel => {
                for id in self.unfinished().await? {
                    Self::allow(gust, app.cancel_record(who, id).await)?;
                }
            }
            Happens::Tick => {
                let (a, b) = tokio::join!(app.tick(), self.bed.app.tick());
                a.and(b)?;
            }
            Happens::Sweep => self.sweep(gust, app).await?,
            Happens::SweepElsewhere => {
                let (a, b) = tokio::join!(app.sweep(), self.bed.app.sweep());
                a.and(b)?;
            }
            Happens::Seconds(seconds) => self.bed.pass(Duration::seconds(seconds)),
            Happens::Retry => {
                let page = self.records().await?;
                if let Some(record) = page.first() {
                    app.retry_record(who, record.id).await?;
                }
            }
        }
        Ok(Saw::Nothing)
    }

    async fn progress(&self, app: &App, work: Option<&Assignment>) -> Result<Saw> {
        let Some(work) = work else {
            return Ok(Saw::Nothing);
        };
        let report = crate::bed::progress_under(work.lease);
        match app.progress(self.node, work.command_id, report).await {
            Ok(_) => Ok(Saw::Accepted(Box::new(work.clone()))),
            Err(error) if error.code() == "lease_lost" => Ok(Saw::Lost(hello(&[work]).leases)),
            Err(error) => Err(error),
        }
    }

    async fn end(
        &self,
        app: &App,
        work: Option<&Assignment>,
        outcome: impl Fn(&Assignment) -> Outcome,
    ) -> Result<Saw> {
        let Some(work) = work else {
            return Ok(Saw::Nothing);
        };
        let report = crate::bed::result_under(work.lease, outcome(work));
        let verdict = match app.result(self.node, work.command_id, report).await {
            Ok(()) => Verdict::Accepted,
            Err(error) if error.code() == "lease_lost" => Verdict::Refused,
            // The agent says it again later.
            Err(error) => return Err(error),
        };
        Ok(Saw::Ended(Box::new(work.clone()), verdict))
    }

    /// Remembers what was seen, and checks that it may be.
    async fn note(&mut self, saw: Saw) -> Result<()> {
        match saw {
            Saw::Nothing | Saw::Restarted => {}
            Saw::Took(works) => {
                for work in &works {
                    let before = self.handed.insert(work.subject, work.lease);
                    let rose = before.is_none_or(|before| before < work.lease);
                    check(rose, "one lease was handed out twice")?;
                }
                self.held.extend(works);
            }
            Saw::Lost(leases) => {
                let is_lost = |work: &Assignment| {
                    let lease = HeldLease {
                        command_id: work.command_id,
                        lease: work.lease,
                    };
                    leases.contains(&lease)
                };
                let lost = self.held.extract_if(.., |work| is_lost(work));
                self.old.extend(lost);
            }
            Saw::Accepted(work) => {
                let handed = self.handed.get(&work.subject);
                check(
                    handed.is_none_or(|handed| *handed <= work.lease),
                    "two agents hold a lease on one run",
                )?;
                let command = self.bed.stores.find(work.subject).await?;
                let is_current = command.is_some_and(|command| {
                    command.state == CommandState::Claimed && command.lease == work.lease
                });
                check(is_current, "an old lease reports progress")?;
            }
            Saw::Ended(work, verdict) => {
                self.held.retain(|other| !same(other, &work));
                self.old.retain(|other| !same(other, &work));
                if let (Verdict::Accepted, Subject::Record(id)) = (verdict, work.subject) {
                    let leases = self.accepted.entry(id).or_default();
                    leases.insert(work.lease);
                    check(leases.len() == 1, "results of two leases were accepted")?;
                    // Retention may have removed it since, when this is a repeat.
                    if let Some(record) = known(self.bed.record(id).await)? {
                        check(record.state.is_final(), "a result was accepted and lost")?;
                        check(record.lease <= work.lease, "an old lease ended a run")?;
                    }
                }
            }
        }
        Ok(())
    }

    async fn sweep(&self, gust: Gust, app: &App) -> Result<()> {
        let report = app.sweep().await?;
        match report.failed {
            0 => Ok(()),
            _ if gust.fault.is_some() => Ok(()),
            failed => Err(Error::internal(format!("{failed} steps failed"))),
        }
    }

    async fn records(&self) -> Result<Vec<Record>> {
        let all = RecordFilter::default();
        let page = self.bed.app.records(&self.bed.who, all, Default::default());
        Ok(page.await?.items)
    }

    async fn unfinished(&self) -> Result<Vec<RecordId>> {
        let mut records = self.records().await?;
        records.retain(|record| !record.state.is_final());
        Ok(records.iter().map(|record| record.id).collect())
    }

    /// What must hold at any time.
    async fn look(&mut self) -> Result<()> {
        let records = self.records().await?;
        // A run whose hand-out got lost waits again beside a new one: it is not a new one itself.
        let waiting = records
            .iter()
            .filter(|r| r.state == RecordState::Queued && r.lease == Lease::NONE)
            .count();
        check(waiting <= 1, "more than one new run waits")?;
        for record in &records {
            if !record.state.is_final() {
                check(
                    !self.ends.contains_key(&record.id),
                    "an ended run began again",
                )?;
                continue;
            }
            no_better_than_its_copies(record)?;
            if let Some(end) = self.ends.get(&record.id) {
                unchanged(end, record)?;
            }
            self.ends.insert(record.id, record.clone());
        }
        Ok(())
    }

    /// The storm is over: whoever still has an old lease reports once more, the agent works on, time passes, and everything comes to its end.
    async fn calm(mut self) -> Result<()> {
        let still = Gust {
            what: Happens::OldEnd,
            master: 0,
            fault: None,
        };
        while let Some(work) = self.old.first().cloned() {
            Box::pin(self.happen(still)).await?;
            self.old.retain(|other| !same(other, &work));
        }
        let master = NodeId::LOCAL;
        // Polls make the scheduler's passes too, and a schedule never comes to an end.
        let off = self.bed.app.disable_task(&self.bed.who, self.task).await;
        Self::allow(still, off)?;
        for _ in 0..25 {
            self.bed.app.hello(self.node, hello(&[])).await?;
            self.held.clear();
            self.sweep(still, &self.bed.app).await?;
            for node in [self.node, master] {
                for work in self.bed.take(node).await? {
                    self.bed.end(node, &work, well(&work)).await?;
                }
            }
            self.bed.pass(Duration::minutes(20));
            self.look().await?;
        }
        self.sweep(still, &self.bed.app).await?;
        check(self.unfinished().await?.is_empty(), "a run never ends")?;
        let operations = self
            .bed
            .app
            .operations(&self.bed.who, Default::default(), Default::default())
            .await?;
        let open: Vec<_> = operations
            .items
            .iter()
            .filter(|o| !o.state.is_final())
            .collect();
        check(open.is_empty(), &format!("operations never end: {open:?}"))?;
        for record in &self.records().await? {
            let left = record.copies.iter().any(|c| {
                matches!(
                    c.state,
                    CopyState::Failed | CopyState::Deleting | CopyState::Pending
                )
            });
            check(!left, "leftovers stay")?;
        }
        let figures = self.bed.app.figures().await?;
        check(
            figures.commands_claimed == 0 && figures.commands_pending == 0,
            "commands stay",
        )
    }
}

/// One hand-out of one command.
fn same(one: &Assignment, other: &Assignment) -> bool {
    (one.command_id, one.lease) == (other.command_id, other.lease)
}

/// The report of an agent that could not write to the first of several targets.
fn half(work: &Assignment) -> Outcome {
    let Work::Backup(backup) = &work.work else {
        return well(work);
    };
    let targets: Vec<_> = backup.targets.iter().map(|target| target.id).collect();
    let report = backup_report(targets.iter().copied(), &targets[..1]);
    Outcome::Succeeded {
        report: Report::Backup(report),
    }
}

/// What is there; nothing when it is gone.
fn known<T>(found: Result<T>) -> Result<Option<T>> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Green only with all copies, and a good copy only where the state says so.
fn no_better_than_its_copies(record: &Record) -> Result<()> {
    let is = |state| record.copies.iter().filter(|c| c.state == state).count();
    let (good, gone) = (is(CopyState::Good), is(CopyState::Failed));
    check(
        good == 0 || record.state.has_copies(),
        "a good copy of a run that made none",
    )?;
    check(
        record.state != RecordState::Success || gone == 0,
        "a run is green without all of its copies",
    )
}

/// A run at its end stays as it is, but for copies that were missing and are made, or that go in time.
fn unchanged(end: &Record, now: &Record) -> Result<()> {
    let made_whole = end.state == RecordState::Degraded && now.state == RecordState::Success;
    check(now.state == end.state || made_whole, "an end was changed")?;
    let what = |r: &Record| {
        let times = (r.started_at, r.finished_at);
        (r.lease, times, r.counts, r.failure.clone())
    };
    check(what(now) == what(end), "a run was changed after its end")
}

fn check(holds: bool, what: &str) -> Result<()> {
    match holds {
        true => Ok(()),
        false => Err(Error::internal(what.to_owned())),
    }
}

/// Few by default, since each storm has a database on disk; `BACKUPX_STORMS=1000` for a long look.
fn cases() -> u32 {
    let asked = std::env::var("BACKUPX_STORMS").ok();
    asked.and_then(|count| count.parse().ok()).unwrap_or(10)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), max_shrink_iters: 200, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn never_12_every_storm_ends_in_true_ends(storm in proptest::collection::vec(gust(), 1..60)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let done = runtime.block_on(async {
            let mut at = Storm::begin().await?;
            for gust in storm {
                Box::pin(at.happen(gust)).await?;
            }
            Box::pin(at.calm()).await
        });
        prop_assert!(done.is_ok(), "{:?}", done);
    }
}
