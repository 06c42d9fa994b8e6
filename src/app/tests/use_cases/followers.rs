//! Followers: tasks that run after others, once for each time and never in a circle.

use crate::bed::{Bed, code, failed, spec, well};
use backupx_core::Result;
use backupx_core::domain::id::{NodeId, TargetId};
use backupx_core::domain::record::Trigger;
use backupx_core::domain::task::{After, AfterWhen, Pause, Task};
use backupx_core::ports::records::RecordFilter;
use chrono::Duration;

async fn following(
    bed: &Bed,
    name: &str,
    node: NodeId,
    target: TargetId,
    upstreams: &[&Task],
    when: AfterWhen,
) -> Result<Task> {
    let mut spec = spec(name, node, &[target])?;
    spec.after = (!upstreams.is_empty()).then(|| After {
        task_ids: upstreams.iter().map(|task| task.id).collect(),
        when,
    });
    bed.app.add_task(&bed.who, spec).await
}

/// How often a task ran or is to run because of others.
async fn runs(bed: &Bed, task: &Task) -> Result<usize> {
    let filter = RecordFilter {
        task_id: Some(task.id),
        ..RecordFilter::default()
    };
    let page = bed
        .app
        .records(&bed.who, filter, Default::default())
        .await?;
    let after = |trigger: &Trigger| *trigger == Trigger::After;
    Ok(page
        .items
        .iter()
        .map(|record| record.trigger)
        .filter(after)
        .count())
}

/// Works off what waits.
async fn work_off(bed: &Bed, node: NodeId) -> Result<()> {
    for work in bed.take(node).await? {
        bed.end(node, &work, well(&work)).await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_chain_of_tasks_runs_link_by_link() -> Result<()> {
    let bed = Bed::new().await?;
    let node = bed.node("web").await?;
    let target = bed.bucket("b").await?;
    let dump = following(&bed, "dump", node, target, &[], AfterWhen::All).await?;
    let files = following(&bed, "files", node, target, &[&dump], AfterWhen::All).await?;
    let last = following(&bed, "last", node, target, &[&files, &dump], AfterWhen::All).await?;
    bed.run_well(node, dump.id).await?;
    for (expected_files, expected_last) in [(1, 0), (1, 1), (1, 1)] {
        // Two replicas handle the outbox; each end makes one run.
        let other = bed.replica();
        let (a, b) = tokio::join!(bed.app.sweep(), other.sweep());
        a.and(b)?;
        assert_eq!(
            (runs(&bed, &files).await?, runs(&bed, &last).await?),
            (expected_files, expected_last)
        );
        work_off(&bed, node).await?;
    }
    Ok(())
}

#[tokio::test]
async fn only_success_counts() -> Result<()> {
    let bed = Bed::new().await?;
    let node = bed.node("web").await?;
    let target = bed.bucket("b").await?;
    let dump = following(&bed, "dump", node, target, &[], AfterWhen::All).await?;
    let files = following(&bed, "files", node, target, &[&dump], AfterWhen::Any).await?;
    bed.app.run_task(&bed.who, dump.id).await?;
    let work = bed.take_one(node).await?;
    bed.end(node, &work, failed("disk_full", "the disk is full"))
        .await?;
    bed.app.sweep().await?;
    bed.settle(&[node]).await?;
    assert_eq!(runs(&bed, &files).await?, 0);
    bed.run_well(node, dump.id).await?;
    bed.app.sweep().await?;
    assert_eq!(runs(&bed, &files).await?, 1);
    Ok(())
}

#[tokio::test]
async fn a_follower_that_rests_is_left_out() -> Result<()> {
    let bed = Bed::new().await?;
    let node = bed.node("web").await?;
    let target = bed.bucket("b").await?;
    let dump = following(&bed, "dump", node, target, &[], AfterWhen::All).await?;
    let files = following(&bed, "files", node, target, &[&dump], AfterWhen::Any).await?;
    let pause = Pause {
        until: bed.now() + Duration::hours(1),
        reason: String::new(),
    };
    bed.app.pause_task(&bed.who, files.id, pause).await?;
    bed.run_well(node, dump.id).await?;
    bed.app.sweep().await?;
    bed.pass(Duration::hours(2));
    bed.app.sweep().await?;
    assert_eq!(runs(&bed, &files).await?, 0);
    bed.app.hello(node, Default::default()).await?;
    bed.run_well(node, dump.id).await?;
    bed.app.sweep().await?;
    assert_eq!(runs(&bed, &files).await?, 1);
    Ok(())
}

#[tokio::test]
async fn a_run_after_another_that_nobody_takes_is_missed() -> Result<()> {
    let bed = Bed::new().await?;
    let node = bed.node("web").await?;
    let target = bed.bucket("b").await?;
    let dump = following(&bed, "dump", node, target, &[], AfterWhen::All).await?;
    let files = following(&bed, "files", node, target, &[&dump], AfterWhen::Any).await?;
    bed.run_well(node, dump.id).await?;
    bed.app.sweep().await?;
    bed.pass(Duration::hours(25));
    assert_eq!(bed.app.sweep().await?.missed, 1);
    assert_eq!(runs(&bed, &files).await?, 1);
    Ok(())
}

#[tokio::test]
async fn a_circle_of_tasks_is_refused_when_it_is_saved() -> Result<()> {
    let bed = Bed::new().await?;
    let node = bed.node("web").await?;
    let target = bed.bucket("b").await?;
    let dump = following(&bed, "dump", node, target, &[], AfterWhen::All).await?;
    let files = following(&bed, "files", node, target, &[&dump], AfterWhen::All).await?;
    for upstreams in [
        vec![dump.id],
        vec![files.id],
        vec![files.id, files.id],
        vec![],
    ] {
        let mut spec = dump.spec.clone();
        spec.after = Some(After {
            task_ids: upstreams,
            when: AfterWhen::Any,
        });
        let saved = bed
            .app
            .update_task(&bed.who, dump.id, dump.version, spec)
            .await;
        assert_eq!(code(saved), "invalid_input");
    }
    assert_eq!(
        code(bed.app.remove_task(&bed.who, dump.id).await),
        "task_in_use"
    );
    Ok(())
}
