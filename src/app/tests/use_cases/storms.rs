//! Storms: people, agents, replicas and time in any order. Whatever happens, everything comes to a true end, once.

use crate::bed::{Bed, failed, hello, take, well};
use backupx_core::domain::command::Lease;
use backupx_core::domain::id::{NodeId, RecordId};
use backupx_core::domain::record::{CopyState, RecordState};
use backupx_core::domain::report::Outcome;
use backupx_core::domain::schedule::Schedule;
use backupx_core::domain::work::Assignment;
use backupx_core::ports::records::RecordFilter;
use backupx_core::{Error, Result};
use chrono::Duration;
use proptest::prelude::*;
use std::collections::BTreeMap;

/// One thing that happens.
#[derive(Debug, Clone, Copy)]
enum Happens {
    Run,
    Take,
    TakeAndLose,
    Progress,
    EndWell,
    EndBadly,
    EndTwice,
    AgentRestarts,
    Heartbeat,
    Cancel,
    Tick,
    Sweep,
    SweepElsewhere,
    Seconds(i64),
    Retry,
}

fn happens() -> impl Strategy<Value = Happens> {
    prop_oneof![
        4 => Just(Happens::Run),
        6 => Just(Happens::Take),
        2 => Just(Happens::TakeAndLose),
        3 => Just(Happens::Progress),
        4 => Just(Happens::EndWell),
        2 => Just(Happens::EndBadly),
        1 => Just(Happens::EndTwice),
        2 => Just(Happens::AgentRestarts),
        2 => Just(Happens::Heartbeat),
        2 => Just(Happens::Cancel),
        2 => Just(Happens::Tick),
        2 => Just(Happens::Sweep),
        1 => Just(Happens::SweepElsewhere),
        4 => (1i64..2000).prop_map(Happens::Seconds),
        1 => Just(Happens::Retry),
    ]
}

/// A storm over one node, and what was seen of it.
struct Storm {
    bed: Bed,
    node: NodeId,
    task: backupx_core::domain::id::TaskId,
    /// What the agent believes it holds.
    held: Vec<Assignment>,
    /// Final states that were seen: they must never change, but for what copies roll up to later.
    ends: BTreeMap<RecordId, RecordState>,
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
            bed,
            node,
            task,
            held: Vec::new(),
            ends: BTreeMap::new(),
        })
    }

    /// What the world may answer to an agent or a person: refusals are part of the storm, defects are not.
    fn allow<T>(result: Result<T>) -> Result<Option<T>> {
        match result {
            Ok(done) => Ok(Some(done)),
            Err(error) => match error.kind() {
                backupx_core::ErrorKind::Conflict | backupx_core::ErrorKind::NotFound => Ok(None),
                _ => Err(error),
            },
        }
    }

    async fn happen(&mut self, what: Happens) -> Result<()> {
        let (app, who, node) = (&self.bed.app, &self.bed.who, self.node);
        match what {
            Happens::Run => drop(Self::allow(app.run_task(who, self.task).await)?),
            Happens::Take => self.held.extend(take(app, node).await?),
            Happens::TakeAndLose => drop(take(app, node).await?),
            Happens::Progress => {
                if let Some(work) = self.held.first().cloned()
                    && Self::allow(self.bed.progress(node, &work).await)?.is_none()
                {
                    self.held.remove(0);
                }
            }
            Happens::EndWell => self.end(well, 1).await?,
            Happens::EndTwice => self.end(well, 2).await?,
            Happens::EndBadly => self.end(|_| failed("disk_full", "full"), 1).await?,
            Happens::AgentRestarts => {
                self.held.clear();
                app.hello(node, hello(&[])).await?;
            }
            Happens::Heartbeat => {
                let named: Vec<_> = self.held.iter().collect();
                let leases = hello(&named).leases;
                let pulse = app
                    .heartbeat(node, backupx_core::domain::protocol::Heartbeat { leases })
                    .await?;
                self.held.retain(|work| {
                    !pulse
                        .lost
                        .iter()
                        .any(|lost| lost.command_id == work.command_id && lost.lease == work.lease)
                });
            }
            Happens::Cancel => {
                for id in self.unfinished().await? {
                    Self::allow(self.bed.app.cancel_record(who, id).await)?;
                }
            }
            Happens::Tick => {
                let other = self.bed.replica();
                let (a, b) = tokio::join!(app.tick(), other.tick());
                a.and(b)?;
            }
            Happens::Sweep => self.sweep().await?,
            Happens::SweepElsewhere => {
                let other = self.bed.replica();
                let (a, b) = tokio::join!(app.sweep(), other.sweep());
                a.and(b)?;
            }
            Happens::Seconds(seconds) => self.bed.pass(Duration::seconds(seconds)),
            Happens::Retry => {
                let records = app
                    .records(who, RecordFilter::default(), Default::default())
                    .await?;
                if let Some(record) = records.items.first() {
                    Self::allow(app.retry_record(who, record.id).await)?;
                }
            }
        }
        self.look().await
    }

    async fn end(&mut self, outcome: fn(&Assignment) -> Outcome, times: usize) -> Result<()> {
        if self.held.is_empty() {
            return Ok(());
        }
        let work = self.held.remove(0);
        for _ in 0..times {
            Self::allow(self.bed.end(self.node, &work, outcome(&work)).await)?;
        }
        Ok(())
    }

    async fn sweep(&self) -> Result<()> {
        let report = self.bed.app.sweep().await?;
        match report.failed {
            0 => Ok(()),
            failed => Err(Error::internal(format!("{failed} steps failed"))),
        }
    }

    async fn unfinished(&self) -> Result<Vec<RecordId>> {
        let page = self
            .bed
            .app
            .records(&self.bed.who, RecordFilter::default(), Default::default())
            .await?;
        Ok(page
            .items
            .iter()
            .filter(|r| !r.state.is_final())
            .map(|r| r.id)
            .collect())
    }

    /// What must hold at any time.
    async fn look(&mut self) -> Result<()> {
        let page = self
            .bed
            .app
            .records(&self.bed.who, RecordFilter::default(), Default::default())
            .await?;
        // A run whose hand-out got lost waits again beside a new one: it is not a new one itself.
        let waiting = page
            .items
            .iter()
            .filter(|r| r.state == RecordState::Queued && r.lease == Lease::NONE)
            .count();
        check(waiting <= 1, "more than one new run waits")?;
        for record in &page.items {
            let good = record
                .copies
                .iter()
                .filter(|c| c.state == CopyState::Good)
                .count();
            if !record.state.is_final() {
                check(
                    !self.ends.contains_key(&record.id),
                    "an ended run began again",
                )?;
                continue;
            }
            check(
                good == 0 || record.state.has_copies(),
                "a good copy of a run that made none",
            )?;
            let before = self.ends.insert(record.id, record.state);
            let made_whole = before == Some(RecordState::Degraded) || before == Some(record.state);
            check(before.is_none() || made_whole, "an end was changed")?;
        }
        Ok(())
    }

    /// The storm is over: the agent works on, time passes, and everything comes to its end.
    async fn calm(mut self) -> Result<()> {
        let master = NodeId::LOCAL;
        // Polls make the scheduler's passes too, and a schedule never comes to an end.
        let off = self.bed.app.disable_task(&self.bed.who, self.task).await;
        Self::allow(off)?;
        for _ in 0..25 {
            self.bed.app.hello(self.node, hello(&[])).await?;
            self.held.clear();
            self.sweep().await?;
            for node in [self.node, master] {
                for work in self.bed.take(node).await? {
                    self.bed.end(node, &work, well(&work)).await?;
                }
            }
            self.bed.pass(Duration::minutes(20));
            self.look().await?;
        }
        self.sweep().await?;
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
        let page = self
            .bed
            .app
            .records(&self.bed.who, RecordFilter::default(), Default::default())
            .await?;
        for record in &page.items {
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
    fn never_12_every_storm_ends_in_true_ends(storm in proptest::collection::vec(happens(), 1..60)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let done = runtime.block_on(async {
            let mut at = Storm::begin().await?;
            for what in storm {
                Box::pin(at.happen(what)).await?;
            }
            at.calm().await
        });
        prop_assert!(done.is_ok(), "{:?}", done);
    }
}
