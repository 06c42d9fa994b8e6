//! Verifications by a timetable: where a task is in it, and that each is begun once.

use crate::case::cases;
use crate::ports::Ports;
use crate::samples::{at, ended, node, spec, target, task, task_ids};
use anyhow::Result;
use backupx_core::domain::operation::{OperationSpec, OperationState, VerifyMode};
use backupx_core::domain::page::PageRequest;
use backupx_core::domain::record::{CopyState, Record, RecordState};
use backupx_core::domain::task::Task;
use backupx_core::domain::verification::{NextVerify, VerifyPlan};
use backupx_core::ports::operations::{NewOperation, OperationFilter};

cases!(
    a_task_with_plans_is_looked_at_from_its_making_on,
    only_changed_plans_are_looked_at_anew,
    a_verification_is_begun_once,
    a_task_that_is_turned_off_begins_none,
);

fn weekly(mode: VerifyMode) -> VerifyPlan {
    VerifyPlan {
        mode,
        cron: "0 4 * * 0".to_owned(),
        timezone: "Europe/Berlin".to_owned(),
    }
}

async fn planned(ports: &Ports, called: &str, second: i64) -> Result<Task> {
    let node = node(ports, &format!("{called}-host")).await?;
    let target = target(ports, &format!("{called}-disk")).await?;
    let mut spec = spec(called, node.id, &[target.id]);
    spec.verify = vec![weekly(VerifyMode::Full)];
    Ok(ports.tasks.add(&spec, None, at(second)).await?)
}

fn place(from: i64, until: i64) -> NextVerify {
    NextVerify {
        from: at(from),
        at: at(until),
    }
}

async fn a_task_with_plans_is_looked_at_from_its_making_on(ports: &Ports) -> Result<()> {
    let without = task(ports, "without").await?;
    assert_eq!(without.verify, None);
    let two = planned(ports, "two", 20).await?;
    let one = planned(ports, "one", 10).await?;
    assert_eq!(two.verify, Some(place(20, 20)));
    let due = async |second| ports.tasks.due_verifications(at(second), 10).await;
    assert!(due(9).await?.is_empty());
    assert_eq!(task_ids(&due(10).await?), [one.id]);
    assert_eq!(task_ids(&due(20).await?), [one.id, two.id]);
    let first = ports.tasks.due_verifications(at(20), 1).await?;
    assert_eq!(task_ids(&first), [one.id]);
    Ok(())
}

async fn only_changed_plans_are_looked_at_anew(ports: &Ports) -> Result<()> {
    let task = planned(ports, "t", 10).await?;
    let moved = ports
        .tasks
        .begin_verifications(task.id, place(10, 10), Some(place(11, 500)), &[]);
    assert!(moved.await?.is_empty());
    let mut spec = task.spec.clone();
    spec.max_unreadable = 7;
    let edited = ports.tasks.update(task.id, 1, &spec, None, at(12)).await?;
    assert_eq!(edited.verify, Some(place(11, 500)));
    spec.verify.push(weekly(VerifyMode::Quick));
    let edited = ports.tasks.update(task.id, 2, &spec, None, at(13)).await?;
    assert_eq!(edited.verify, Some(place(13, 13)));
    spec.verify.clear();
    let edited = ports.tasks.update(task.id, 3, &spec, None, at(14)).await?;
    assert_eq!(edited.verify, None);
    Ok(())
}

fn full(record: &Record, second: i64) -> NewOperation {
    NewOperation {
        record_id: record.id,
        node_id: record.node_id,
        spec: OperationSpec::Verify {
            mode: VerifyMode::Full,
            target_ids: record.copies.iter().map(|copy| copy.target_id).collect(),
            drill: None,
        },
        created_at: at(second),
    }
}

async fn a_verification_is_begun_once(ports: &Ports) -> Result<()> {
    let task = planned(ports, "t", 10).await?;
    let record = ended(ports, &task, 11, RecordState::Success, CopyState::Good).await?;
    let new = [full(&record, 20)];
    let begin = async || {
        let begun =
            ports
                .tasks
                .begin_verifications(task.id, place(10, 10), Some(place(20, 600)), &new);
        begun.await
    };
    let begun = begin().await?;
    assert_eq!(begun.len(), 1);
    assert_eq!(
        (begun[0].state, begun[0].created_at, begun[0].record_id),
        (OperationState::Queued, at(20), record.id)
    );
    assert_eq!(
        ports.operations.get(begun[0].id).await?,
        Some(begun[0].clone())
    );
    assert!(begin().await?.is_empty());
    let all = ports
        .operations
        .list(OperationFilter::default(), PageRequest::first(10));
    assert_eq!(all.await?.items.len(), 1);
    let task = ports.tasks.get(task.id).await?.expect("it is there");
    assert_eq!(task.verify, Some(place(20, 600)));
    Ok(())
}

async fn a_task_that_is_turned_off_begins_none(ports: &Ports) -> Result<()> {
    let task = planned(ports, "t", 10).await?;
    let record = ended(ports, &task, 11, RecordState::Success, CopyState::Good).await?;
    let off = ports.tasks.set_enabled(task.id, false, None, at(12));
    off.await?;
    assert!(ports.tasks.due_verifications(at(20), 10).await?.is_empty());
    let new = [full(&record, 20)];
    let begun = ports
        .tasks
        .begin_verifications(task.id, place(10, 10), Some(place(20, 600)), &new);
    assert!(begun.await?.is_empty());
    Ok(())
}
