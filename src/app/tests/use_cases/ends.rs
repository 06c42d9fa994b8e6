//! How runs and operations end: never better than the truth.

use crate::bed::{Bed, backup_report, code, failed, well};
use backupx_core::Result;
use backupx_core::domain::id::{NodeId, TargetId};
use backupx_core::domain::operation::{Operation, OperationState, RestoreSpec, VerifyMode};
use backupx_core::domain::record::{CopyState, Record, RecordState};
use backupx_core::domain::report::{
    BackupReport, CopyReport, Failure, Outcome, Report, RestoreReport, VerifiedCopy, VerifyReport,
};
use backupx_core::domain::work::Work;
use chrono::Duration;
use proptest::prelude::*;

fn copies(record: &Record) -> Vec<CopyState> {
    record.copies.iter().map(|copy| copy.state).collect()
}

/// A run of a task with two targets, ended with what `change` makes of a good report.
async fn run(bed: &Bed, change: impl FnOnce(&mut BackupReport, &[TargetId])) -> Result<Record> {
    let node = bed.node("web").await?;
    let targets = [bed.bucket("a").await?, bed.bucket("b").await?];
    let task = bed.task(node, &targets).await?;
    let record = bed.app.run_task(&bed.who, task.id).await?;
    let work = bed.take_one(node).await?;
    let mut report = backup_report(targets.into_iter(), &[]);
    change(&mut report, &targets);
    let report = Report::Backup(report);
    bed.end(node, &work, Outcome::Succeeded { report }).await?;
    bed.record(record.id).await
}

#[tokio::test]
async fn a_run_with_all_copies_is_a_success() -> Result<()> {
    let bed = Bed::new().await?;
    let record = run(&bed, |_, _| {}).await?;
    assert_eq!(record.state, RecordState::Success);
    assert_eq!(copies(&record), [CopyState::Good, CopyState::Good]);
    assert_eq!(record.streams.len(), 2);
    assert_eq!(record.counts.files, 3);
    Ok(())
}

#[tokio::test]
async fn never_02_a_missing_copy_is_made_again_by_itself_three_times_at_most() -> Result<()> {
    let bed = Bed::new().await?;
    let record = run(&bed, |report, targets| {
        *report = backup_report(targets.iter().copied(), &targets[1..]);
    })
    .await?;
    let node = record.node_id;
    // What the failed run left goes first.
    bed.settle(&[node, NodeId::LOCAL]).await?;
    let mut tried = Vec::new();
    for minutes in [2, 4, 12, 12, 25, 25, 60, 60] {
        bed.pass(Duration::minutes(minutes));
        bed.app.heartbeat(node, Default::default()).await?;
        bed.app.heartbeat(NodeId::LOCAL, Default::default()).await?;
        bed.app.sweep().await?;
        let mut copies = 0;
        for at in [node, NodeId::LOCAL, node] {
            for work in bed.take(at).await? {
                let outcome = match &work.work {
                    Work::Copy(copy) => {
                        assert_eq!(copy.targets.len(), 1);
                        assert_eq!(copy.targets[0].id, record.copies[1].target_id);
                        copies += 1;
                        failed("no_answer", "away")
                    }
                    // What a try left in the place goes before the next one.
                    _ => well(&work),
                };
                bed.end(at, &work, outcome).await?;
                bed.app.sweep().await?;
            }
        }
        tried.push(copies);
    }
    assert_eq!(tried.iter().sum::<i32>(), 3, "{tried:?}");
    assert_eq!(tried[..2], [0, 1], "the first after five minutes");
    Ok(())
}

#[tokio::test]
async fn never_02_one_failed_target_is_degraded_and_retried_alone() -> Result<()> {
    let bed = Bed::new().await?;
    let record = run(&bed, |report, targets| {
        *report = backup_report(targets.iter().copied(), &targets[1..]);
    })
    .await?;
    assert_eq!(record.state, RecordState::Degraded);
    assert_eq!(copies(&record), [CopyState::Good, CopyState::Failed]);
    let failure = record
        .failure
        .as_ref()
        .map(|f| f.message.clone())
        .unwrap_or_default();
    assert!(failure.contains("b: the disk is full"), "{failure}");

    let operation = bed.app.retry_record(&bed.who, record.id).await?;
    // What the failed run left goes first, then the copy is made, from the good one to the missing one alone.
    let clean = bed.take_one(record.node_id).await?;
    assert!(
        matches!(&clean.work, Work::Delete(delete) if delete.target.id == record.copies[1].target_id)
    );
    bed.end(record.node_id, &clean, well(&clean)).await?;
    bed.app.sweep().await?;
    let copy = bed.take_one(record.node_id).await?;
    let Work::Copy(work) = &copy.work else {
        return Err(backupx_core::Error::internal("it is no copy"));
    };
    assert_eq!(work.targets.len(), 1);
    assert_eq!(work.sources[0].id, record.copies[0].target_id);
    bed.end(record.node_id, &copy, well(&copy)).await?;
    assert_eq!(
        bed.app.operation(&bed.who, operation.id).await?.state,
        OperationState::Success
    );
    let record = bed.record(record.id).await?;
    assert_eq!(record.state, RecordState::Success);
    assert_eq!(copies(&record), [CopyState::Good, CopyState::Good]);
    assert_eq!(
        code(bed.app.retry_record(&bed.who, record.id).await),
        "nothing_to_retry"
    );
    Ok(())
}

#[tokio::test]
async fn never_20_a_report_about_other_targets_or_paths_is_no_success() -> Result<()> {
    let changes: [fn(&mut BackupReport, &[TargetId]); 7] = [
        |report, _| report.copies[0].target_id = TargetId(99),
        |report, _| drop(report.copies.pop()),
        |report, _| report.copies[1] = report.copies[0].clone(),
        |report, _| report.streams[0].objects[0].name = "../other/data".to_owned(),
        |report, _| report.streams[0].sha256 = "none".to_owned(),
        |report, _| report.streams[0].age_header = None,
        |report, _| report.streams[0].stored_bytes += 1,
    ];
    for (number, change) in changes.into_iter().enumerate() {
        let bed = Bed::new().await?;
        let record = run(&bed, change).await?;
        let code = record.failure.as_ref().map(|f| f.code.as_str());
        assert_eq!(
            (record.state, code),
            (RecordState::Failed, Some("bad_report")),
            "{number}"
        );
        assert!(!copies(&record).contains(&CopyState::Good));
    }
    Ok(())
}

#[tokio::test]
async fn a_backup_that_nobody_could_open_is_no_success() -> Result<()> {
    let bed = Bed::new().await?;
    let record = run(&bed, |report, _| {
        report.streams[0].age_header = Some("header-of-somebody-else".to_owned());
    })
    .await?;
    let code = record.failure.as_ref().map(|f| f.code.as_str());
    assert_eq!(
        (record.state, code),
        (RecordState::Failed, Some("not_restorable"))
    );
    Ok(())
}

#[tokio::test]
async fn never_01_a_copy_without_confirmed_manifest_is_no_copy() -> Result<()> {
    let bed = Bed::new().await?;
    let record = run(&bed, |report, _| {
        report.copies[0].manifest_sha256 = None;
        report.copies[1].stored_bytes = 0;
    })
    .await?;
    assert_eq!(record.state, RecordState::Failed);
    assert_eq!(copies(&record), [CopyState::Failed, CopyState::Failed]);
    Ok(())
}

#[tokio::test]
async fn never_07_more_unreadable_files_than_accepted_fail_the_run() -> Result<()> {
    let bed = Bed::new().await?;
    let record = run(&bed, |report, _| {
        report.counts.unreadable = 6;
        report.counts.vanished = 5;
    })
    .await?;
    let code = record.failure.as_ref().map(|f| f.code.as_str());
    assert_eq!(
        (record.state, code),
        (RecordState::Failed, Some("too_many_unreadable"))
    );
    Ok(())
}

/// An operation on a good record, ended with this report.
async fn operate(bed: &Bed, operation: Operation, report: Report) -> Result<Operation> {
    let work = bed.take_one(operation.node_id).await?;
    bed.end(operation.node_id, &work, Outcome::Succeeded { report })
        .await?;
    bed.app.operation(&bed.who, operation.id).await
}

#[tokio::test]
async fn never_04_a_restore_that_wrote_nothing_or_not_all_is_a_failure() -> Result<()> {
    let whole = RestoreReport {
        selected_entries: 3,
        restored_entries: 2,
        kept_entries: 1,
        ..RestoreReport::default()
    };
    let nothing = RestoreReport {
        restored_entries: 0,
        kept_entries: 0,
        ..whole.clone()
    };
    let partly = RestoreReport {
        failed_entries: 1,
        ..whole.clone()
    };
    let bed = Bed::new().await?;
    let record = run(&bed, |_, _| {}).await?;
    for (report, expected) in [
        (whole, None),
        (nothing, Some("nothing_restored")),
        (partly, Some("restore_incomplete")),
        (RestoreReport::default(), Some("nothing_selected")),
    ] {
        let spec = RestoreSpec {
            database: None,
            to: Some("/tmp/back".to_owned()),
            include: vec!["etc/**".to_owned()],
            overwrite: Default::default(),
            dry_run: false,
        };
        let operation = bed
            .app
            .restore_record(&bed.who, record.id, None, spec)
            .await?;
        let ended = operate(&bed, operation, Report::Restore(report)).await?;
        assert_eq!(ended.failure.map(|f| f.code).as_deref(), expected);
    }
    Ok(())
}

#[tokio::test]
async fn a_damaged_copy_is_lost_and_its_record_no_better_than_that() -> Result<()> {
    let bed = Bed::new().await?;
    let record = run(&bed, |_, _| {}).await?;
    let verified = |number: usize, ok| VerifiedCopy {
        target_id: record.copies[number].target_id,
        ok,
        objects: 3,
        bytes_read: 0,
        entries: 0,
        problems: if ok {
            Vec::new()
        } else {
            vec!["data.tar.zst.age is missing".to_owned()]
        },
        damaged: !ok,
    };
    let operation = bed
        .app
        .verify_record(&bed.who, record.id, VerifyMode::Quick, &[])
        .await?;
    let report = VerifyReport {
        copies: vec![verified(0, true), verified(1, false)],
    };
    let ended = operate(&bed, operation, Report::Verify(report)).await?;
    assert_eq!(
        ended.failure.map(|f| f.code).as_deref(),
        Some("copy_damaged")
    );
    let after = bed.record(record.id).await?;
    assert_eq!(copies(&after), [CopyState::Good, CopyState::Lost]);
    assert!(after.copies[0].verified_at.is_some());
    assert_eq!(after.state, RecordState::Degraded);
    Ok(())
}

#[tokio::test]
async fn a_copy_that_could_not_be_looked_at_stays_good() -> Result<()> {
    let bed = Bed::new().await?;
    let record = run(&bed, |_, _| {}).await?;
    let operation = bed
        .app
        .verify_record(
            &bed.who,
            record.id,
            VerifyMode::Full,
            &[record.copies[0].target_id],
        )
        .await?;
    let report = VerifyReport {
        copies: vec![VerifiedCopy {
            target_id: record.copies[0].target_id,
            ok: false,
            objects: 0,
            bytes_read: 0,
            entries: 0,
            problems: vec!["the service did not answer".to_owned()],
            damaged: false,
        }],
    };
    let ended = operate(&bed, operation, Report::Verify(report)).await?;
    assert_eq!(
        ended.failure.map(|f| f.code).as_deref(),
        Some("verify_failed")
    );
    assert_eq!(bed.record(record.id).await?.state, RecordState::Success);
    Ok(())
}

#[tokio::test]
async fn a_failed_run_keeps_each_target_s_own_words() -> Result<()> {
    let bed = Bed::new().await?;
    let node = bed.node("web").await?;
    let target = bed.bucket("a").await?;
    let task = bed.task(node, &[target]).await?;
    let record = bed.app.run_task(&bed.who, task.id).await?;
    let work = bed.take_one(node).await?;
    let outcome = Outcome::Failed {
        failure: Failure::new("disk_full", "no target got a copy"),
        report: Some(Report::Backup(backup_report(
            [target].into_iter(),
            &[target],
        ))),
    };
    bed.end(node, &work, outcome).await?;
    let record = bed.record(record.id).await?;
    assert_eq!(record.copies[0].error.as_deref(), Some("the disk is full"));
    assert_eq!(record.counts.files, 3);
    Ok(())
}

#[tokio::test]
async fn an_answer_of_another_kind_fails_the_operation() -> Result<()> {
    let bed = Bed::new().await?;
    let record = run(&bed, |_, _| {}).await?;
    let operation = bed
        .app
        .verify_record(&bed.who, record.id, VerifyMode::Quick, &[])
        .await?;
    let ended = operate(&bed, operation, Report::Restore(RestoreReport::default())).await?;
    assert_eq!(ended.failure.map(|f| f.code).as_deref(), Some("bad_report"));
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn never_05_a_run_is_never_better_than_what_each_target_said(good in proptest::collection::vec(any::<bool>(), 2)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let state = runtime.block_on(async {
            let bed = Bed::new().await?;
            let record = run(&bed, |report, _| {
                for (copy, good) in report.copies.iter_mut().zip(&good) {
                    if !good {
                        *copy = CopyReport { failure: Some(Failure::new("x", "it failed")), ..copy.clone() };
                    }
                }
            }).await?;
            Ok::<_, backupx_core::Error>(record.state)
        }).expect("the run ends");
        let expected = match good.iter().filter(|good| **good).count() {
            0 => RecordState::Failed,
            2 => RecordState::Success,
            _ => RecordState::Degraded,
        };
        prop_assert_eq!(state, expected);
    }
}

#[tokio::test]
async fn a_failure_is_in_the_log_where_a_person_reads_it() -> Result<()> {
    let bed = Bed::new().await?;
    let node = bed.node("web").await?;
    let task = bed.task(node, &[bed.bucket("a").await?]).await?;
    let record = bed.app.run_task(&bed.who, task.id).await?;
    let work = bed.take_one(node).await?;
    bed.end(
        node,
        &work,
        failed("source_missing", "/srv/data is not there"),
    )
    .await?;
    let log = bed.app.record_log(&bed.who, record.id, 0, 10).await?;
    assert_eq!(
        log.last().map(|line| line.line.message.as_str()),
        Some("failed: /srv/data is not there")
    );
    Ok(())
}
