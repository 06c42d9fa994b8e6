//! Copies: what becomes of them after the run.

use crate::case::cases;
use crate::ports::Ports;
use crate::samples::{at, ended, ids, queued, read, task};
use anyhow::Result;
use backupx_core::domain::command::Lease;
use backupx_core::domain::id::RecordId;
use backupx_core::domain::record::{CopyState, RecordCopy, RecordState};

cases!(
    a_copy_changes_only_from_the_state_that_was_expected,
    never_02_a_retried_copy_makes_the_record_whole,
    never_05_a_lost_copy_makes_the_record_worse,
    a_deletion_leaves_the_state_alone,
    the_state_of_a_run_that_is_under_way_is_left_alone,
    retention_sees_finished_records_with_copies,
    tasks_with_good_copies_are_listed_even_when_they_are_gone,
    leftovers_and_deletions_are_listed_oldest_first,
);

fn in_state(copy: &RecordCopy, state: CopyState) -> RecordCopy {
    RecordCopy {
        state,
        ..copy.clone()
    }
}

async fn a_copy_changes_only_from_the_state_that_was_expected(ports: &Ports) -> Result<()> {
    let task = task(ports, "t").await?;
    let record = ended(ports, &task, 1, RecordState::Success, CopyState::Good).await?;
    let mut proven = record.copies[0].clone();
    proven.verified_at = Some(at(50));
    proven.stored_bytes = 101;
    let set = |expected| ports.records.set_copy(record.id, expected, &proven, None);
    assert!(!set(CopyState::Pending).await?);
    assert_eq!(read(ports, record.id).await?, record);
    assert!(set(CopyState::Good).await?);
    let after = read(ports, record.id).await?;
    assert_eq!(after.copies, [proven.clone(), record.copies[1].clone()]);
    let nobody = RecordId(99);
    let good = CopyState::Good;
    assert!(!ports.records.set_copy(nobody, good, &proven, None).await?);
    Ok(())
}

async fn never_02_a_retried_copy_makes_the_record_whole(ports: &Ports) -> Result<()> {
    let task = task(ports, "t").await?;
    let record = ended(ports, &task, 1, RecordState::Failed, CopyState::Failed).await?;
    let expected = [RecordState::Degraded, RecordState::Success];
    for (copy, state) in record.copies.iter().zip(expected) {
        let good = in_state(copy, CopyState::Good);
        let failed = CopyState::Failed;
        assert!(
            ports
                .records
                .set_copy(record.id, failed, &good, Some(state))
                .await?
        );
        assert_eq!(read(ports, record.id).await?.state, state);
    }
    Ok(())
}

async fn never_05_a_lost_copy_makes_the_record_worse(ports: &Ports) -> Result<()> {
    let task = task(ports, "t").await?;
    let record = ended(ports, &task, 1, RecordState::Success, CopyState::Good).await?;
    let expected = [RecordState::Degraded, RecordState::Failed];
    for (copy, state) in record.copies.iter().zip(expected) {
        let lost = in_state(copy, CopyState::Lost);
        let good = CopyState::Good;
        assert!(
            ports
                .records
                .set_copy(record.id, good, &lost, Some(state))
                .await?
        );
        assert_eq!(read(ports, record.id).await?.state, state);
    }
    Ok(())
}

async fn a_deletion_leaves_the_state_alone(ports: &Ports) -> Result<()> {
    let task = task(ports, "t").await?;
    let record = ended(ports, &task, 1, RecordState::Success, CopyState::Good).await?;
    let mut before = CopyState::Good;
    for state in [CopyState::Deleting, CopyState::Deleted] {
        let copy = in_state(&record.copies[0], state);
        assert!(
            ports
                .records
                .set_copy(record.id, before, &copy, None)
                .await?
        );
        before = state;
    }
    let after = read(ports, record.id).await?;
    assert_eq!(after.state, RecordState::Success);
    assert_eq!(after.finished_at, record.finished_at);
    Ok(())
}

async fn the_state_of_a_run_that_is_under_way_is_left_alone(ports: &Ports) -> Result<()> {
    let task = task(ports, "t").await?;
    let record = queued(ports, &task, 1).await?;
    ports.records.start(record.id, Lease(1), at(2)).await?;
    let good = in_state(&record.copies[0], CopyState::Good);
    let state = Some(RecordState::Degraded);
    let pending = CopyState::Pending;
    ports
        .records
        .set_copy(record.id, pending, &good, state)
        .await?;
    assert_eq!(read(ports, record.id).await?.state, RecordState::Running);
    Ok(())
}

async fn retention_sees_finished_records_with_copies(ports: &Ports) -> Result<()> {
    let task = task(ports, "t").await?;
    let other = crate::samples::task(ports, "other").await?;
    let first = ended(ports, &task, 1, RecordState::Success, CopyState::Good).await?;
    ended(ports, &other, 2, RecordState::Success, CopyState::Good).await?;
    ended(ports, &task, 3, RecordState::Failed, CopyState::Failed).await?;
    ended(ports, &task, 4, RecordState::Success, CopyState::Deleted).await?;
    let second = ended(ports, &task, 5, RecordState::Success, CopyState::Lost).await?;
    queued(ports, &task, 6).await?;
    let seen = ports.records.with_copies(task.id).await?;
    assert_eq!(seen, [first, second]);
    Ok(())
}

async fn tasks_with_good_copies_are_listed_even_when_they_are_gone(ports: &Ports) -> Result<()> {
    let one = task(ports, "one").await?;
    let two = task(ports, "two").await?;
    let three = task(ports, "three").await?;
    ended(ports, &two, 1, RecordState::Success, CopyState::Good).await?;
    ended(ports, &two, 2, RecordState::Success, CopyState::Good).await?;
    ended(ports, &one, 3, RecordState::Success, CopyState::Good).await?;
    ended(ports, &three, 4, RecordState::Failed, CopyState::Failed).await?;
    ports.tasks.remove(one.id).await?;
    assert_eq!(ports.records.tasks_with_copies().await?, [one.id, two.id]);
    Ok(())
}

async fn leftovers_and_deletions_are_listed_oldest_first(ports: &Ports) -> Result<()> {
    let task = task(ports, "t").await?;
    let [one, two] = [task.spec.target_ids[0], task.spec.target_ids[1]];
    let failed = ended(ports, &task, 1, RecordState::Failed, CopyState::Failed).await?;
    ended(ports, &task, 2, RecordState::Success, CopyState::Good).await?;
    let going = ended(ports, &task, 3, RecordState::Success, CopyState::Good).await?;
    let deleting = in_state(&going.copies[1], CopyState::Deleting);
    let good = CopyState::Good;
    ports
        .records
        .set_copy(going.id, good, &deleting, None)
        .await?;
    // A run that is under way may still make its copies.
    let running = queued(ports, &task, 4).await?;
    let early = in_state(&running.copies[0], CopyState::Failed);
    let pending = CopyState::Pending;
    ports
        .records
        .set_copy(running.id, pending, &early, None)
        .await?;
    let all = [(failed.id, one), (failed.id, two), (going.id, two)];
    assert_eq!(ports.records.to_be_removed(10).await?, all);
    assert_eq!(ports.records.to_be_removed(1).await?, all[..1]);
    assert_eq!(ids(&ports.records.with_copies(task.id).await?).len(), 2);
    Ok(())
}
