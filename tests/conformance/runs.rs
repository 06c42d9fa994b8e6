//! Runs: the life of a record under its leases.

use crate::case::cases;
use crate::ports::Ports;
use crate::samples::{at, end, ended, queued, read, refused, task};
use anyhow::Result;
use backupx_core::domain::command::Lease;
use backupx_core::domain::event::EventKind;
use backupx_core::domain::id::{EventId, RecordId};
use backupx_core::domain::progress::{Phase, Progress};
use backupx_core::domain::record::{CopyState, RecordState, StreamHead};
use backupx_core::domain::report::Failure;

cases!(
    a_run_starts_under_its_lease,
    a_higher_lease_takes_a_run_over,
    never_09_an_older_lease_starts_nothing,
    progress_is_kept_from_the_current_lease_only,
    a_run_ends_with_all_that_came_of_it,
    the_end_is_told_once_and_in_the_same_moment,
    a_run_that_was_never_claimed_ends_at_lease_zero,
    never_09_late_result_changes_nothing,
    never_12_a_run_can_be_ended_in_every_state_before_its_end,
    a_run_can_only_end_in_a_final_state,
    a_run_waits_again_when_its_hand_out_was_lost,
    never_12_cancel_is_legal_until_the_end,
    what_is_not_there_is_not_changed,
);

const WORKING: Progress = Progress {
    phase: Phase::Transferring,
    files: 3,
    bytes: 30,
    stored_bytes: 12,
    total_files: Some(9),
    total_bytes: None,
};

async fn a_run_starts_under_its_lease(ports: &Ports) -> Result<()> {
    let task = task(ports, "t").await?;
    let record = queued(ports, &task, 1).await?;
    assert!(ports.records.start(record.id, Lease(1), at(2)).await?);
    let running = read(ports, record.id).await?;
    assert_eq!(
        (running.state, running.lease),
        (RecordState::Running, Lease(1))
    );
    assert_eq!(running.started_at, Some(at(2)));
    assert!(ports.records.start(record.id, Lease(1), at(3)).await?);
    assert_eq!(read(ports, record.id).await?, running);
    Ok(())
}

async fn a_higher_lease_takes_a_run_over(ports: &Ports) -> Result<()> {
    let task = task(ports, "t").await?;
    let record = queued(ports, &task, 1).await?;
    ports.records.start(record.id, Lease(1), at(2)).await?;
    ports
        .records
        .progress(record.id, Lease(1), &WORKING)
        .await?;
    assert!(ports.records.start(record.id, Lease(2), at(9)).await?);
    let running = read(ports, record.id).await?;
    assert_eq!((running.lease, running.started_at), (Lease(2), Some(at(9))));
    assert_eq!(running.progress, Progress::default());
    Ok(())
}

async fn never_09_an_older_lease_starts_nothing(ports: &Ports) -> Result<()> {
    let task = task(ports, "t").await?;
    let record = queued(ports, &task, 1).await?;
    ports.records.start(record.id, Lease(2), at(2)).await?;
    assert!(!ports.records.start(record.id, Lease(1), at(3)).await?);
    ports.records.requeue(record.id, Lease(2)).await?;
    assert!(!ports.records.start(record.id, Lease(1), at(3)).await?);
    let waiting = read(ports, record.id).await?;
    assert_eq!(
        (waiting.state, waiting.lease),
        (RecordState::Queued, Lease(2))
    );
    Ok(())
}

async fn progress_is_kept_from_the_current_lease_only(ports: &Ports) -> Result<()> {
    let task = task(ports, "t").await?;
    let record = queued(ports, &task, 1).await?;
    let say = |lease| ports.records.progress(record.id, lease, &WORKING);
    assert!(!say(Lease(0)).await?);
    ports.records.start(record.id, Lease(2), at(2)).await?;
    for lease in [Lease(1), Lease(3)] {
        assert!(!say(lease).await?);
    }
    assert_eq!(read(ports, record.id).await?.progress, Progress::default());
    assert!(say(Lease(2)).await?);
    assert_eq!(read(ports, record.id).await?.progress, WORKING);
    Ok(())
}

async fn a_run_ends_with_all_that_came_of_it(ports: &Ports) -> Result<()> {
    let task = task(ports, "t").await?;
    let record = queued(ports, &task, 1).await?;
    ports.records.start(record.id, Lease(1), at(2)).await?;
    let mut end = end(&record, RecordState::Degraded, CopyState::Good);
    end.failure = Some(Failure::new("target_full", "no room on \"two\""));
    end.streams = vec![StreamHead {
        stream: "data".to_owned(),
        age_header: Some("aGVhZA".to_owned()),
        stored_bytes: u64::from(u32::MAX) * 10,
        sha256: "00".repeat(32),
    }];
    end.copies[0].manifest_sha256 = Some("11".repeat(32));
    end.copies[0].verified_at = Some(at(3));
    end.copies[1].state = CopyState::Failed;
    end.copies[1].error = Some("no room".to_owned());
    assert!(
        ports
            .records
            .finish(record.id, Lease(1), &end, at(4))
            .await?
    );
    let done = read(ports, record.id).await?;
    assert_eq!(
        (done.state, done.finished_at),
        (RecordState::Degraded, Some(at(4)))
    );
    assert_eq!((done.counts, done.failure), (end.counts, end.failure));
    assert_eq!((done.streams, done.copies), (end.streams, end.copies));
    Ok(())
}

async fn the_end_is_told_once_and_in_the_same_moment(ports: &Ports) -> Result<()> {
    let task = task(ports, "t").await?;
    let record = ended(ports, &task, 1, RecordState::Success, CopyState::Good).await?;
    let late = end(&record, RecordState::Failed, CopyState::Failed);
    assert!(
        !ports
            .records
            .finish(record.id, Lease(1), &late, at(9))
            .await?
    );
    let events = ports.events.read(EventId(0), 10).await?;
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].at, at(2));
    let told = EventKind::RecordFinished {
        record_id: record.id,
        task_id: task.id,
        status: RecordState::Success,
    };
    assert_eq!(events[0].kind, told);
    Ok(())
}

async fn a_run_that_was_never_claimed_ends_at_lease_zero(ports: &Ports) -> Result<()> {
    let task = task(ports, "t").await?;
    let record = queued(ports, &task, 1).await?;
    let end = end(&record, RecordState::Missed, CopyState::Failed);
    assert!(
        !ports
            .records
            .finish(record.id, Lease(1), &end, at(2))
            .await?
    );
    assert!(
        ports
            .records
            .finish(record.id, Lease(0), &end, at(2))
            .await?
    );
    assert_eq!(read(ports, record.id).await?.state, RecordState::Missed);
    Ok(())
}

async fn never_09_late_result_changes_nothing(ports: &Ports) -> Result<()> {
    let task = task(ports, "t").await?;
    let record = queued(ports, &task, 1).await?;
    ports.records.start(record.id, Lease(2), at(2)).await?;
    let good = end(&record, RecordState::Success, CopyState::Good);
    let before = read(ports, record.id).await?;
    for lease in [Lease(0), Lease(1), Lease(3)] {
        assert!(!ports.records.finish(record.id, lease, &good, at(3)).await?);
    }
    assert_eq!(read(ports, record.id).await?, before);
    assert!(ports.events.read(EventId(0), 10).await?.is_empty());

    let failed = end(&record, RecordState::Failed, CopyState::Failed);
    assert!(
        ports
            .records
            .finish(record.id, Lease(2), &failed, at(4))
            .await?
    );
    let after = read(ports, record.id).await?;
    assert!(
        !ports
            .records
            .finish(record.id, Lease(2), &good, at(5))
            .await?
    );
    assert!(!ports.records.start(record.id, Lease(3), at(5)).await?);
    assert!(
        !ports
            .records
            .progress(record.id, Lease(2), &WORKING)
            .await?
    );
    assert!(!ports.records.requeue(record.id, Lease(2)).await?);
    assert_eq!(read(ports, record.id).await?, after);
    Ok(())
}

async fn never_12_a_run_can_be_ended_in_every_state_before_its_end(ports: &Ports) -> Result<()> {
    let task = task(ports, "t").await?;
    for (second, state) in (0..).zip(RecordState::ALL) {
        if !state.is_final() {
            continue;
        }
        let waiting = queued(ports, &task, second).await?;
        let close = end(&waiting, state, CopyState::Failed);
        assert!(
            ports
                .records
                .finish(waiting.id, Lease(0), &close, at(second))
                .await?
        );
        let running = ended(ports, &task, second, state, CopyState::Failed).await?;
        assert_eq!(running.state, state);
    }
    Ok(())
}

async fn a_run_can_only_end_in_a_final_state(ports: &Ports) -> Result<()> {
    let task = task(ports, "t").await?;
    let record = queued(ports, &task, 1).await?;
    for state in [RecordState::Queued, RecordState::Running] {
        let end = end(&record, state, CopyState::Good);
        refused(
            ports.records.finish(record.id, Lease(0), &end, at(2)).await,
            "internal",
        );
    }
    assert_eq!(read(ports, record.id).await?, record);
    Ok(())
}

async fn a_run_waits_again_when_its_hand_out_was_lost(ports: &Ports) -> Result<()> {
    let task = task(ports, "t").await?;
    let record = queued(ports, &task, 1).await?;
    assert!(!ports.records.requeue(record.id, Lease(0)).await?);
    ports.records.start(record.id, Lease(1), at(2)).await?;
    ports
        .records
        .progress(record.id, Lease(1), &WORKING)
        .await?;
    assert!(!ports.records.requeue(record.id, Lease(2)).await?);
    assert!(ports.records.requeue(record.id, Lease(1)).await?);
    let waiting = read(ports, record.id).await?;
    assert_eq!(
        (waiting.state, waiting.lease),
        (RecordState::Queued, Lease(1))
    );
    assert_eq!(
        (waiting.started_at, waiting.progress),
        (None, Progress::default())
    );
    assert!(ports.records.start(record.id, Lease(2), at(5)).await?);
    Ok(())
}

async fn never_12_cancel_is_legal_until_the_end(ports: &Ports) -> Result<()> {
    let task = task(ports, "t").await?;
    let record = queued(ports, &task, 1).await?;
    assert!(ports.records.request_cancel(record.id, at(2)).await?);
    ports.records.start(record.id, Lease(1), at(3)).await?;
    assert!(ports.records.request_cancel(record.id, at(4)).await?);
    let asked = read(ports, record.id).await?;
    assert_eq!(asked.cancel_requested_at, Some(at(2)));
    let end = end(&record, RecordState::Cancelled, CopyState::Failed);
    ports
        .records
        .finish(record.id, Lease(1), &end, at(5))
        .await?;
    assert!(!ports.records.request_cancel(record.id, at(6)).await?);
    Ok(())
}

async fn what_is_not_there_is_not_changed(ports: &Ports) -> Result<()> {
    let task = task(ports, "t").await?;
    let record = queued(ports, &task, 1).await?;
    let nobody = RecordId(99);
    let end = end(&record, RecordState::Failed, CopyState::Failed);
    assert!(!ports.records.start(nobody, Lease(1), at(2)).await?);
    assert!(!ports.records.progress(nobody, Lease(1), &WORKING).await?);
    assert!(!ports.records.finish(nobody, Lease(0), &end, at(2)).await?);
    assert!(!ports.records.requeue(nobody, Lease(1)).await?);
    assert!(!ports.records.request_cancel(nobody, at(2)).await?);
    assert!(!ports.records.remove(nobody).await?);
    assert!(ports.events.read(EventId(0), 10).await?.is_empty());
    Ok(())
}
