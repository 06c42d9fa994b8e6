//! Removals: what may go, who takes it away, and what stays whatever happens.

use crate::bed::{Bed, backup_report, code, failed, spec, well};
use backupx_core::Result;
use backupx_core::domain::id::{NodeId, TargetId, TaskId};
use backupx_core::domain::operation::OperationState;
use backupx_core::domain::record::{CopyState, RecordState};
use backupx_core::domain::report::{Outcome, Report};
use backupx_core::domain::retention::RetentionPolicy;
use backupx_core::domain::target::TargetKind;
use backupx_core::domain::work::Work;
use backupx_core::ports::operations::OperationFilter;
use chrono::Duration;

fn keep_last(count: u32) -> RetentionPolicy {
    RetentionPolicy {
        keep_last: count,
        ..RetentionPolicy::default()
    }
}

async fn keeping(
    bed: &Bed,
    node: NodeId,
    targets: &[TargetId],
    policy: RetentionPolicy,
) -> Result<TaskId> {
    let mut spec = spec("web", node, targets)?;
    spec.retention = policy;
    Ok(bed.app.add_task(&bed.who, spec).await?.id)
}

#[tokio::test]
async fn never_18_failed_runs_are_no_copies_and_the_last_good_one_stays() -> Result<()> {
    let bed = Bed::new().await?;
    let node = bed.node("web").await?;
    let task = keeping(&bed, node, &[bed.bucket("b").await?], keep_last(1)).await?;
    let good = bed.run_well(node, task).await?;
    for _ in 0..5 {
        bed.pass(Duration::days(30));
        bed.app.heartbeat(node, Default::default()).await?;
        bed.app.run_task(&bed.who, task).await?;
        let work = bed.take_one(node).await?;
        bed.end(node, &work, failed("source_missing", "gone"))
            .await?;
        bed.settle(&[node, NodeId::LOCAL]).await?;
    }
    let good = bed.record(good.id).await?;
    assert_eq!(good.copies[0].state, CopyState::Good);
    let plan = bed.app.retention_plan(&bed.who, task).await?;
    assert_eq!(plan.len(), 1);
    assert!(plan[0].keeps());
    Ok(())
}

#[tokio::test]
async fn never_19_the_row_goes_when_the_last_copy_is_confirmed_gone() -> Result<()> {
    let bed = Bed::new().await?;
    bed.app.hello(NodeId::LOCAL, Default::default()).await?;
    let node = bed.node("web").await?;
    let folder = bed
        .target("disk", TargetKind::LOCAL, &[("path", "/backup")])
        .await?;
    let bucket = bed.bucket("b").await?;
    let task = keeping(&bed, node, &[folder, bucket], keep_last(1)).await?;
    let old = bed.run_well(node, task).await?;
    bed.pass(Duration::hours(1));
    bed.run_well(node, task).await?;
    bed.app.heartbeat(node, Default::default()).await?;
    bed.app.heartbeat(NodeId::LOCAL, Default::default()).await?;
    bed.app.sweep().await?;
    bed.app.sweep().await?;

    // Each copy is removed by whoever holds it: the node its own folder, the master the bucket.
    let own = bed.take_one(node).await?;
    assert!(
        matches!(&own.work, Work::Delete(work) if work.target.id == folder && work.location == old.location)
    );
    let masters = bed.take_one(NodeId::LOCAL).await?;
    assert!(matches!(&masters.work, Work::Delete(work) if work.target.id == bucket));

    bed.end(node, &own, well(&own)).await?;
    let half = bed.record(old.id).await?;
    assert_eq!(half.copies[0].state, CopyState::Deleted);
    bed.end(
        NodeId::LOCAL,
        &masters,
        failed("no_answer", "the service is away"),
    )
    .await?;
    assert_eq!(
        bed.record(old.id).await?.copies[1].state,
        CopyState::Deleting
    );
    assert_eq!(
        bed.app.sweep().await?.removals,
        0,
        "a service that is away is not asked all the time"
    );
    bed.pass(Duration::minutes(6));
    bed.settle(&[NodeId::LOCAL]).await?;
    assert_eq!(code(bed.record(old.id).await), "record_not_found");
    Ok(())
}

#[tokio::test]
async fn never_19_locked_records_survive_every_path() -> Result<()> {
    let bed = Bed::new().await?;
    bed.app.hello(NodeId::LOCAL, Default::default()).await?;
    let node = bed.node("web").await?;
    let bucket = bed.bucket("b").await?;
    let task = keeping(&bed, node, &[bucket], keep_last(1)).await?;
    let locked = bed.run_well(node, task).await?;
    bed.app
        .lock_record(&bed.who, locked.id, "court order")
        .await?;
    for _ in 0..3 {
        bed.pass(Duration::hours(2));
        bed.app.heartbeat(node, Default::default()).await?;
        bed.run_well(node, task).await?;
        bed.settle(&[node, NodeId::LOCAL]).await?;
    }
    assert_eq!(
        code(bed.app.remove_record(&bed.who, locked.id).await),
        "record_locked"
    );
    bed.app.remove_task(&bed.who, task).await?;
    bed.pass(Duration::hours(2));
    bed.settle(&[node, NodeId::LOCAL]).await?;
    assert_eq!(
        bed.record(locked.id).await?.copies[0].state,
        CopyState::Good
    );
    assert_eq!(
        code(bed.app.remove_target(&bed.who, bucket).await),
        "target_in_use"
    );
    Ok(())
}

#[tokio::test]
async fn never_19_a_lock_takes_a_planned_removal_back() -> Result<()> {
    let bed = Bed::new().await?;
    let node = bed.node("web").await?;
    let task = keeping(&bed, node, &[bed.bucket("b").await?], keep_last(1)).await?;
    let old = bed.run_well(node, task).await?;
    bed.pass(Duration::hours(1));
    bed.run_well(node, task).await?;
    bed.app.sweep().await?;
    bed.app.sweep().await?;
    assert_eq!(
        bed.record(old.id).await?.copies[0].state,
        CopyState::Deleting
    );
    let locked = bed
        .app
        .lock_record(&bed.who, old.id, "still needed")
        .await?;
    assert_eq!(locked.copies[0].state, CopyState::Good);
    assert!(bed.take(NodeId::LOCAL).await?.is_empty());
    bed.settle(&[node, NodeId::LOCAL]).await?;
    assert_eq!(bed.record(old.id).await?.copies[0].state, CopyState::Good);
    Ok(())
}

#[tokio::test]
async fn never_24_what_a_failed_run_left_is_removed_by_its_node_and_the_run_stays_visible()
-> Result<()> {
    let bed = Bed::new().await?;
    let node = bed.node("web").await?;
    let task = keeping(&bed, node, &[bed.bucket("b").await?], keep_last(3)).await?;
    let record = bed.app.run_task(&bed.who, task).await?;
    let work = bed.take_one(node).await?;
    bed.progress(node, &work).await?;
    bed.app.hello(node, Default::default()).await?;
    assert_eq!(
        bed.record(record.id).await?.copies[0].state,
        CopyState::Failed
    );
    let other = bed.replica();
    assert_eq!(
        bed.app.sweep().await?.removals + other.sweep().await?.removals,
        1
    );
    let clean = bed.take_one(node).await?;
    assert!(matches!(&clean.work, Work::Delete(work) if work.location == record.location));
    bed.end(node, &clean, well(&clean)).await?;
    bed.settle(&[node]).await?;
    let record = bed.record(record.id).await?;
    assert_eq!(
        (record.state, record.copies[0].state),
        (RecordState::Failed, CopyState::Deleted)
    );
    assert!(record.copies[0].error.is_some());
    Ok(())
}

#[tokio::test]
async fn a_run_that_never_began_left_nothing_to_remove() -> Result<()> {
    let bed = Bed::new().await?;
    let node = bed.node("web").await?;
    let task = keeping(&bed, node, &[bed.bucket("b").await?], keep_last(3)).await?;
    let record = bed.app.run_task(&bed.who, task).await?;
    bed.app.cancel_record(&bed.who, record.id).await?;
    assert_eq!(bed.app.sweep().await?.removals, 0);
    bed.app.remove_record(&bed.who, record.id).await?;
    assert_eq!(code(bed.record(record.id).await), "record_not_found");
    Ok(())
}

#[tokio::test]
async fn a_removed_record_goes_with_all_its_copies() -> Result<()> {
    let bed = Bed::new().await?;
    let node = bed.node("web").await?;
    let (a, b) = (bed.bucket("a").await?, bed.bucket("b").await?);
    let task = keeping(&bed, node, &[a, b], keep_last(3)).await?;
    let record = bed.app.run_task(&bed.who, task).await?;
    assert_eq!(
        code(bed.app.remove_record(&bed.who, record.id).await),
        "record_running"
    );
    let work = bed.take_one(node).await?;
    let report = Report::Backup(backup_report([a, b].into_iter(), &[b]));
    bed.end(node, &work, Outcome::Succeeded { report }).await?;
    bed.app.remove_record(&bed.who, record.id).await?;
    assert_eq!(
        bed.record(record.id).await?.copies[0].state,
        CopyState::Deleting
    );
    bed.settle(&[node, NodeId::LOCAL]).await?;
    assert_eq!(code(bed.record(record.id).await), "record_not_found");
    bed.app.remove_task(&bed.who, task).await?;
    bed.app.remove_target(&bed.who, a).await?;
    bed.app.remove_target(&bed.who, b).await
}

#[tokio::test]
async fn a_removal_is_tried_again_later_and_later() -> Result<()> {
    let bed = Bed::new().await?;
    let node = bed.node("web").await?;
    let task = keeping(&bed, node, &[bed.bucket("b").await?], keep_last(3)).await?;
    let record = bed.app.run_task(&bed.who, task).await?;
    let work = bed.take_one(node).await?;
    bed.end(node, &work, failed("no_answer", "the service is away"))
        .await?;
    let mut tries = 0;
    for _ in 0..240 {
        bed.pass(Duration::minutes(1));
        bed.app.heartbeat(node, Default::default()).await?;
        bed.app.sweep().await?;
        for clean in bed.take(node).await? {
            tries += 1;
            bed.end(node, &clean, failed("no_answer", "the service is away"))
                .await?;
        }
    }
    // Within four hours: at once, then after 5, 10, 20, 40, 80 minutes.
    assert_eq!(tries, 6);
    let filter = OperationFilter {
        record_id: Some(record.id),
        kind: Some("delete"),
        state: Some(OperationState::Failed),
    };
    let operations = bed
        .app
        .operations(&bed.who, filter, Default::default())
        .await?;
    assert_eq!(operations.items.len(), 6);
    Ok(())
}
