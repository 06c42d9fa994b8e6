//! The guard: an odd run is told of, holds retention, and goes on when a person says that it is right.

use crate::bed::{Bed, backup_report, code, spec};
use backupx_core::Result;
use backupx_core::domain::account::{Principal, Role};
use backupx_core::domain::guard::Finding;
use backupx_core::domain::id::{EventId, NodeId, TargetId, TaskId};
use backupx_core::domain::record::{CopyState, Record};
use backupx_core::domain::report::{Outcome, Report};
use backupx_core::domain::work::Work;
use chrono::Duration;

struct Scene {
    bed: Bed,
    node: NodeId,
    target: TargetId,
    task: TaskId,
}

impl Scene {
    /// A task that keeps two copies, with five good runs of 64 MiB.
    async fn new() -> Result<Self> {
        let bed = Bed::new().await?;
        let node = bed.node("web").await?;
        let target = bed.bucket("b").await?;
        let mut spec = spec("web", node, &[target])?;
        spec.retention.keep_last = 2;
        let task = bed.app.add_task(&bed.who, spec).await?.id;
        let scene = Self {
            bed,
            node,
            target,
            task,
        };
        for _ in 0..5 {
            let record = scene.run(64 << 20).await?;
            assert_eq!(record.alarm, None);
        }
        Ok(scene)
    }

    async fn run(&self, bytes: u64) -> Result<Record> {
        Box::pin(self.run_now(bytes)).await
    }

    async fn run_now(&self, bytes: u64) -> Result<Record> {
        let bed = &self.bed;
        bed.pass(Duration::hours(1));
        bed.app.heartbeat(self.node, Default::default()).await?;
        let record = bed.app.run_task(&bed.who, self.task).await?;
        let work = loop {
            let work = bed.take_one(self.node).await?;
            if matches!(&work.work, Work::Backup(_)) {
                break work;
            }
            bed.end(self.node, &work, crate::bed::well(&work)).await?;
        };
        let mut report = backup_report([self.target].into_iter(), &[]);
        report.counts.bytes = bytes;
        report.counts.entries = if bytes > 0 { 40 } else { 4 };
        let report = Report::Backup(report);
        bed.end(self.node, &work, Outcome::Succeeded { report })
            .await?;
        bed.settle(&[self.node, NodeId::LOCAL]).await?;
        bed.record(record.id).await
    }

    /// How many good copies the task has.
    async fn copies(&self) -> Result<usize> {
        let plan = self.bed.app.retention_plan(&self.bed.who, self.task);
        Ok(plan.await?.len())
    }
}

#[tokio::test]
async fn an_odd_run_holds_retention_until_it_is_accepted() -> Result<()> {
    let scene = Box::pin(Scene::new()).await?;
    let (bed, who) = (&scene.bed, &scene.bed.who);
    assert_eq!(scene.copies().await?, 2);

    let odd = scene.run(0).await?;
    let alarm = odd.alarm.clone().expect("it is odd");
    assert!(alarm.is_open());
    assert_eq!(alarm.findings[0].code, "empty");
    let fewer = |finding: &Finding| finding.code == "fewer_entries";
    assert!(
        alarm.findings.iter().any(fewer),
        "the history outlives the records: {alarm:?}"
    );
    assert_eq!(
        odd.copies[0].state,
        CopyState::Good,
        "it is kept all the same"
    );
    let log = bed.app.record_log(who, odd.id, 0, 50).await?;
    assert!(
        log.iter()
            .any(|line| line.line.message.contains("no bytes at all")),
        "{log:?}"
    );
    let events = bed.app.events(who, EventId(0), 500).await?;
    let events = format!("{events:?}");
    assert!(events.contains("RecordSuspicious"), "{events}");

    for _ in 0..3 {
        assert!(scene.run(0).await?.alarm.is_some());
    }
    assert_eq!(scene.copies().await?, 6, "nothing goes meanwhile");
    let plan = bed.app.retention_plan(who, scene.task).await?;
    assert!(plan.iter().any(|decision| decision.reasons == ["held"]));

    let viewer = Principal {
        role: Role::Operator,
        ..who.clone()
    };
    assert_eq!(
        code(bed.app.accept_record(&viewer, odd.id, "").await),
        "forbidden"
    );
    let last = scene.run(0).await?;
    let accepted = bed
        .app
        .accept_record(who, last.id, "moved to another host")
        .await?;
    let word = accepted
        .alarm
        .and_then(|alarm| alarm.accepted)
        .expect("a word");
    assert_eq!(word.reason, "moved to another host");
    assert!(
        bed.record(odd.id)
            .await?
            .alarm
            .is_some_and(|alarm| !alarm.is_open())
    );
    assert_eq!(
        code(bed.app.accept_record(who, last.id, "").await),
        "nothing_to_accept"
    );

    let next = scene.run(0).await?;
    assert_eq!(next.alarm, None, "what was accepted is the measure");
    assert_eq!(scene.copies().await?, 2);
    Ok(())
}

#[tokio::test]
async fn a_run_of_another_source_has_no_history() -> Result<()> {
    let scene = Box::pin(Scene::new()).await?;
    let (bed, who) = (&scene.bed, &scene.bed.who);
    let task = bed.app.task(who, scene.task).await?;
    let mut spec = task.spec;
    spec.source =
        serde_json::from_value(serde_json::json!({ "type": "file", "paths": ["/srv/other"] }))
            .expect("a source");
    bed.app
        .update_task(who, task.id, task.version, spec)
        .await?;
    assert_eq!(scene.run(1).await?.alarm, None);
    Ok(())
}

#[tokio::test]
async fn a_node_is_told_when_the_run_before_began() -> Result<()> {
    let scene = Box::pin(Scene::new()).await?;
    let bed = &scene.bed;
    let last = scene.run(64 << 20).await?;
    bed.pass(Duration::hours(1));
    bed.app.heartbeat(scene.node, Default::default()).await?;
    bed.app.run_task(&bed.who, scene.task).await?;
    let work = bed.take_one(scene.node).await?;
    let Work::Backup(work) = &work.work else {
        return Err(backupx_core::Error::internal("it is no backup"));
    };
    assert_eq!(work.previous_run, last.started_at);
    Ok(())
}
