//! Operations.

use crate::case::cases;
use crate::ports::Ports;
use crate::samples::{at, refused};
use anyhow::Result;
use backupx_core::domain::command::Lease;
use backupx_core::domain::event::EventKind;
use backupx_core::domain::id::{EventId, NodeId, OperationId, RecordId, TargetId};
use backupx_core::domain::operation::{
    Operation, OperationSpec, OperationState, Overwrite, RestoreSpec, VerifyMode,
};
use backupx_core::domain::page::PageRequest;
use backupx_core::domain::progress::{Phase, Progress};
use backupx_core::domain::report::{DeleteReport, Failure, Report};
use backupx_core::ports::operations::{OperationEnd, OperationFilter};

cases!(
    an_operation_comes_back_as_it_was_added,
    an_operation_starts_under_its_lease,
    never_09_an_older_lease_starts_nothing,
    progress_is_kept_from_the_current_lease_only,
    an_operation_ends_and_tells_it_once,
    never_09_late_result_changes_nothing,
    an_operation_can_only_end_in_a_final_state,
    an_operation_waits_again_when_its_hand_out_was_lost,
    never_12_cancel_is_legal_until_the_end,
    operations_are_listed_newest_first_by_what_is_asked,
    unfinished_operations_come_oldest_first,
);

fn verify() -> OperationSpec {
    OperationSpec::Verify {
        mode: VerifyMode::Full,
        target_ids: vec![TargetId(3)],
        drill: None,
    }
}

fn ended(state: OperationState) -> OperationEnd {
    OperationEnd {
        state,
        report: Some(Report::Delete(DeleteReport {
            objects: 3,
            bytes: 9,
        })),
        failure: Some(Failure::new("code", "why")),
    }
}

const WORKING: Progress = Progress {
    phase: Phase::Preparing,
    files: 1,
    bytes: 2,
    stored_bytes: 3,
    total_files: None,
    total_bytes: Some(4),
};

async fn added(ports: &Ports) -> Result<Operation> {
    Ok(ports
        .operations
        .add(RecordId(5), NodeId(2), &verify(), at(1))
        .await?)
}

async fn an_operation_comes_back_as_it_was_added(ports: &Ports) -> Result<()> {
    let restore = OperationSpec::Restore(RestoreSpec {
        database: None,
        to: Some("/srv".to_owned()),
        include: vec!["etc/**".to_owned()],
        overwrite: Overwrite::Never,
        dry_run: true,
    });
    let added = ports
        .operations
        .add(RecordId(5), NodeId(2), &restore, at(1))
        .await?;
    assert_eq!((added.record_id, added.node_id), (RecordId(5), NodeId(2)));
    assert_eq!(
        (added.state, added.lease),
        (OperationState::Queued, Lease::NONE)
    );
    assert_eq!((&added.spec, added.created_at), (&restore, at(1)));
    assert_eq!(ports.operations.get(added.id).await?, Some(added));
    assert_eq!(ports.operations.get(OperationId(99)).await?, None);
    Ok(())
}

async fn read(ports: &Ports, id: OperationId) -> Result<Operation> {
    let read = ports.operations.get(id).await?;
    Ok(read.expect("the operation is there"))
}

async fn an_operation_starts_under_its_lease(ports: &Ports) -> Result<()> {
    let added = added(ports).await?;
    assert!(ports.operations.start(added.id, Lease(1), at(2)).await?);
    let running = read(ports, added.id).await?;
    assert_eq!(
        (running.state, running.lease),
        (OperationState::Running, Lease(1))
    );
    assert!(ports.operations.start(added.id, Lease(1), at(3)).await?);
    assert_eq!(read(ports, added.id).await?, running);
    assert!(ports.operations.start(added.id, Lease(2), at(4)).await?);
    assert_eq!(read(ports, added.id).await?.started_at, Some(at(4)));
    Ok(())
}

async fn never_09_an_older_lease_starts_nothing(ports: &Ports) -> Result<()> {
    let added = added(ports).await?;
    ports.operations.start(added.id, Lease(2), at(2)).await?;
    assert!(!ports.operations.start(added.id, Lease(1), at(3)).await?);
    assert_eq!(read(ports, added.id).await?.lease, Lease(2));
    Ok(())
}

async fn progress_is_kept_from_the_current_lease_only(ports: &Ports) -> Result<()> {
    let added = added(ports).await?;
    let say = |lease| ports.operations.progress(added.id, lease, &WORKING);
    assert!(!say(Lease(0)).await?);
    ports.operations.start(added.id, Lease(1), at(2)).await?;
    assert!(!say(Lease(0)).await?);
    assert!(say(Lease(1)).await?);
    assert_eq!(read(ports, added.id).await?.progress, WORKING);
    Ok(())
}

async fn an_operation_ends_and_tells_it_once(ports: &Ports) -> Result<()> {
    let added = added(ports).await?;
    ports.operations.start(added.id, Lease(1), at(2)).await?;
    let end = ended(OperationState::Failed);
    assert!(
        ports
            .operations
            .finish(added.id, Lease(1), &end, at(3))
            .await?
    );
    assert!(
        !ports
            .operations
            .finish(added.id, Lease(1), &end, at(4))
            .await?
    );
    let done = read(ports, added.id).await?;
    assert_eq!((done.state, done.finished_at), (end.state, Some(at(3))));
    assert_eq!((done.report, done.failure), (end.report, end.failure));
    let events = ports.events.read(EventId(0), 10).await?;
    let told = EventKind::OperationFinished {
        operation_id: added.id,
        record_id: RecordId(5),
        status: OperationState::Failed,
    };
    assert_eq!(events.len(), 1);
    assert_eq!((events[0].at, &events[0].kind), (at(3), &told));
    Ok(())
}

async fn never_09_late_result_changes_nothing(ports: &Ports) -> Result<()> {
    let added = added(ports).await?;
    ports.operations.start(added.id, Lease(2), at(2)).await?;
    let before = read(ports, added.id).await?;
    let good = ended(OperationState::Success);
    for lease in [Lease(0), Lease(1), Lease(3)] {
        assert!(
            !ports
                .operations
                .finish(added.id, lease, &good, at(3))
                .await?
        );
    }
    assert_eq!(read(ports, added.id).await?, before);
    let cancelled = ended(OperationState::Cancelled);
    assert!(
        ports
            .operations
            .finish(added.id, Lease(2), &cancelled, at(4))
            .await?
    );
    let after = read(ports, added.id).await?;
    assert!(!ports.operations.start(added.id, Lease(3), at(5)).await?);
    assert!(
        !ports
            .operations
            .progress(added.id, Lease(2), &WORKING)
            .await?
    );
    assert!(!ports.operations.requeue(added.id, Lease(2)).await?);
    assert_eq!(read(ports, added.id).await?, after);
    Ok(())
}

async fn an_operation_can_only_end_in_a_final_state(ports: &Ports) -> Result<()> {
    let added = added(ports).await?;
    for state in [OperationState::Queued, OperationState::Running] {
        let end = ended(state);
        refused(
            ports
                .operations
                .finish(added.id, Lease(0), &end, at(2))
                .await,
            "internal",
        );
    }
    let end = ended(OperationState::Cancelled);
    assert!(
        ports
            .operations
            .finish(added.id, Lease(0), &end, at(2))
            .await?
    );
    Ok(())
}

async fn an_operation_waits_again_when_its_hand_out_was_lost(ports: &Ports) -> Result<()> {
    let added = added(ports).await?;
    assert!(!ports.operations.requeue(added.id, Lease(0)).await?);
    ports.operations.start(added.id, Lease(1), at(2)).await?;
    assert!(!ports.operations.requeue(added.id, Lease(2)).await?);
    assert!(ports.operations.requeue(added.id, Lease(1)).await?);
    let waiting = read(ports, added.id).await?;
    assert_eq!(
        (waiting.state, waiting.lease),
        (OperationState::Queued, Lease(1))
    );
    assert_eq!(waiting.started_at, None);
    Ok(())
}

async fn never_12_cancel_is_legal_until_the_end(ports: &Ports) -> Result<()> {
    let added = added(ports).await?;
    assert!(ports.operations.request_cancel(added.id, at(2)).await?);
    ports.operations.start(added.id, Lease(1), at(3)).await?;
    assert!(ports.operations.request_cancel(added.id, at(4)).await?);
    assert_eq!(
        read(ports, added.id).await?.cancel_requested_at,
        Some(at(2))
    );
    let end = ended(OperationState::Cancelled);
    ports
        .operations
        .finish(added.id, Lease(1), &end, at(5))
        .await?;
    assert!(!ports.operations.request_cancel(added.id, at(6)).await?);
    assert!(
        !ports
            .operations
            .request_cancel(OperationId(99), at(6))
            .await?
    );
    Ok(())
}

async fn operations_are_listed_newest_first_by_what_is_asked(ports: &Ports) -> Result<()> {
    let delete = OperationSpec::Delete {
        target_id: TargetId(1),
        reason: "retention".to_owned(),
    };
    let mut all = Vec::new();
    for (record, spec) in [(1, verify()), (2, delete), (1, verify())] {
        let added = ports
            .operations
            .add(RecordId(record), NodeId(1), &spec, at(1))
            .await?;
        all.push(added.id);
    }
    ports.operations.start(all[0], Lease(1), at(2)).await?;
    let list = async |filter, limit| -> Result<Vec<OperationId>> {
        let page = ports
            .operations
            .list(filter, PageRequest::first(limit))
            .await?;
        assert_eq!(page.next.is_some(), page.items.len() < 3 && limit < 3);
        Ok(page.items.iter().map(|operation| operation.id).collect())
    };
    let any = OperationFilter::default();
    let of_record = OperationFilter {
        record_id: Some(RecordId(1)),
        ..any
    };
    let of_kind = OperationFilter {
        kind: Some("delete"),
        ..any
    };
    let all_three = OperationFilter {
        record_id: Some(RecordId(1)),
        kind: Some("verify"),
        state: Some(OperationState::Running),
    };
    assert_eq!(list(any, 9).await?, [all[2], all[1], all[0]]);
    assert_eq!(list(any, 2).await?, [all[2], all[1]]);
    assert_eq!(list(of_record, 9).await?, [all[2], all[0]]);
    assert_eq!(list(of_kind, 9).await?, [all[1]]);
    assert_eq!(list(all_three, 9).await?, [all[0]]);
    Ok(())
}

async fn unfinished_operations_come_oldest_first(ports: &Ports) -> Result<()> {
    let mut all = Vec::new();
    for _ in 0..3 {
        all.push(added(ports).await?.id);
    }
    let end = ended(OperationState::Success);
    ports
        .operations
        .finish(all[1], Lease(0), &end, at(2))
        .await?;
    let unfinished = async |after, limit| -> Result<Vec<OperationId>> {
        let some = ports.operations.unfinished(after, limit).await?;
        Ok(some.iter().map(|operation| operation.id).collect())
    };
    assert_eq!(unfinished(OperationId(0), 9).await?, [all[0], all[2]]);
    assert_eq!(unfinished(OperationId(0), 1).await?, [all[0]]);
    assert_eq!(unfinished(all[0], 9).await?, [all[2]]);
    Ok(())
}
