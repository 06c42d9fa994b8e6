//! Verifications by a timetable: the newest backup is proven, as deep as it says, once for everything that was missed.

use crate::bed::{Bed, code, spec};
use backupx_core::Result;
use backupx_core::domain::drill::{DrillAnswer, DrillReport};
use backupx_core::domain::event::EventKind;
use backupx_core::domain::id::{EventId, NodeId, RecordId, TaskId};
use backupx_core::domain::operation::{Operation, OperationSpec, VerifyMode};
use backupx_core::domain::record::CopyState;
use backupx_core::domain::report::{Failure, Outcome, Report};
use backupx_core::domain::verification::VerifyPlan;
use backupx_core::domain::work::Work;
use chrono::Duration;

fn plan(mode: VerifyMode, cron: &str) -> VerifyPlan {
    VerifyPlan {
        mode,
        cron: cron.to_owned(),
        timezone: "UTC".to_owned(),
    }
}

async fn planned(bed: &Bed, node: NodeId, plans: Vec<VerifyPlan>) -> Result<TaskId> {
    let name = format!("bucket-{}", plans[plans.len() - 1].cron.len());
    let mut spec = spec("web", node, &[bed.bucket(&name).await?])?;
    spec.verify = plans;
    Ok(bed.app.add_task(&bed.who, spec).await?.id)
}

/// What the next pass begins.
async fn tick(bed: &Bed) -> Result<Vec<Operation>> {
    let mut begun = Vec::new();
    for id in bed.app.tick().await?.verifications {
        begun.push(bed.app.operation(&bed.who, id).await?);
    }
    Ok(begun)
}

fn mode(operation: &Operation) -> Option<VerifyMode> {
    match operation.spec {
        OperationSpec::Verify { mode, .. } => Some(mode),
        _ => None,
    }
}

#[tokio::test]
async fn the_newest_backup_is_proven_by_the_timetable() -> Result<()> {
    let bed = Bed::new().await?;
    let node = bed.node("web").await?;
    let task = planned(&bed, node, vec![plan(VerifyMode::Full, "0 * * * *")]).await?;
    assert!(tick(&bed).await?.is_empty(), "it is not due");
    bed.pass(Duration::hours(1));
    assert!(tick(&bed).await?.is_empty(), "there is no backup");
    bed.app.heartbeat(node, Default::default()).await?;
    bed.run_well(node, task).await?;
    let newest = bed.run_well(node, task).await?;
    // Five firings were missed: one look makes up for all.
    bed.pass(Duration::hours(5));
    let begun = tick(&bed).await?;
    assert_eq!(begun.len(), 1);
    assert_eq!(
        (begun[0].record_id, mode(&begun[0])),
        (newest.id, Some(VerifyMode::Full))
    );
    assert!(tick(&bed).await?.is_empty());
    // While it is not over, the next one is not begun beside it.
    bed.pass(Duration::hours(1));
    assert!(tick(&bed).await?.is_empty());
    bed.app.heartbeat(node, Default::default()).await?;
    bed.settle(&[node, NodeId::LOCAL]).await?;
    bed.pass(Duration::hours(1));
    assert_eq!(tick(&bed).await?.len(), 1);
    Ok(())
}

#[tokio::test]
async fn a_full_look_serves_for_a_quick_one() -> Result<()> {
    let bed = Bed::new().await?;
    let node = bed.node("web").await?;
    let plans = vec![
        plan(VerifyMode::Quick, "30 * * * *"),
        plan(VerifyMode::Full, "45 * * * *"),
    ];
    let task = planned(&bed, node, plans).await?;
    tick(&bed).await?;
    bed.run_well(node, task).await?;
    bed.pass(Duration::hours(1));
    let begun = tick(&bed).await?;
    assert_eq!(
        begun.iter().map(mode).collect::<Vec<_>>(),
        [Some(VerifyMode::Full)]
    );
    Ok(())
}

#[tokio::test]
async fn never_16_a_timetable_that_cannot_work_is_refused() -> Result<()> {
    let bed = Bed::new().await?;
    let node = bed.node("web").await?;
    for cron in ["every day", "0 0 30 2 *"] {
        let plans = vec![
            plan(VerifyMode::Quick, "@daily"),
            plan(VerifyMode::Full, cron),
        ];
        let refused = planned(&bed, node, plans).await;
        let error = refused.as_ref().expect_err("it is refused");
        assert_eq!(error.field_errors()[0].field, "verify[1].cron");
        assert_eq!(code(refused), "invalid_input");
    }
    Ok(())
}

/// A drill of a record that ends like this.
async fn drill(bed: &Bed, node: NodeId, record: RecordId, outcome: Outcome) -> Result<()> {
    let drill = bed
        .app
        .verify_record(&bed.who, record, VerifyMode::Drill, &[]);
    drill.await?;
    let work = bed.take_one(node).await?;
    assert!(matches!(&work.work, Work::Drill(_)));
    bed.end(node, &work, outcome).await
}

fn drilled(holds: bool) -> Outcome {
    let answer = DrillAnswer {
        assertion: "orders are of today".to_owned(),
        ok: holds,
        answer: "f".to_owned(),
        ..DrillAnswer::default()
    };
    let report = Report::Drill(Box::new(DrillReport {
        place: "folder".to_owned(),
        restored_entries: 3,
        answers: vec![answer],
        ..DrillReport::default()
    }));
    match holds {
        true => Outcome::Succeeded { report },
        false => Outcome::Failed {
            failure: Failure::new("drill_failed", "orders are of today: f"),
            report: Some(report),
        },
    }
}

#[tokio::test]
async fn a_drill_that_fails_pins_the_last_good_copy() -> Result<()> {
    let bed = Bed::new().await?;
    let node = bed.node("web").await?;
    let mut spec = spec("web", node, &[bed.bucket("b").await?])?;
    spec.retention.keep_last = 1;
    let task = bed.app.add_task(&bed.who, spec).await?.id;
    let good = bed.run_well(node, task).await?;
    drill(&bed, node, good.id, drilled(true)).await?;
    let evidence = bed.record(good.id).await?.drill.expect("evidence");
    assert!(evidence.holds());
    assert_eq!(
        evidence.report.map(|report| report.restored_entries),
        Some(3)
    );

    let bad = bed.run_well(node, task).await?;
    drill(&bed, node, bad.id, drilled(false)).await?;
    let bad = bed.record(bad.id).await?;
    let evidence = bad.drill.expect("evidence");
    assert_eq!(
        evidence.failure.map(|failure| failure.code).as_deref(),
        Some("drill_failed")
    );
    assert_eq!(
        evidence
            .report
            .map(|report| report.answers[0].answer.clone())
            .as_deref(),
        Some("f")
    );
    assert_eq!(
        bad.copies[0].state,
        CopyState::Good,
        "its bytes are as they were"
    );
    let pinned = bed.record(good.id).await?.lock.expect("it is locked");
    assert!(
        pinned.reason.contains(&format!("record {}", bad.id)),
        "{}",
        pinned.reason
    );
    let events = bed.app.events(&bed.who, EventId(0), 500).await?;
    let told = events.iter().filter(|event| matches!(&event.kind, EventKind::DrillFailed { pinned: Some(id), .. } if *id == good.id));
    assert_eq!(told.count(), 1);

    // Whatever comes behind it, the policy leaves it alone.
    for _ in 0..3 {
        bed.pass(Duration::hours(1));
        bed.app.heartbeat(node, Default::default()).await?;
        bed.run_well(node, task).await?;
        bed.settle(&[node, NodeId::LOCAL]).await?;
    }
    assert_eq!(bed.record(good.id).await?.copies[0].state, CopyState::Good);
    assert_eq!(code(bed.record(bad.id).await), "record_not_found");
    Ok(())
}

#[tokio::test]
async fn a_drill_is_begun_by_a_timetable_too() -> Result<()> {
    let bed = Bed::new().await?;
    let node = bed.node("web").await?;
    let task = planned(&bed, node, vec![plan(VerifyMode::Drill, "@hourly")]).await?;
    tick(&bed).await?;
    bed.run_well(node, task).await?;
    bed.pass(Duration::hours(1));
    let begun = tick(&bed).await?;
    assert_eq!(
        begun.iter().map(mode).collect::<Vec<_>>(),
        [Some(VerifyMode::Drill)]
    );
    bed.app.heartbeat(node, Default::default()).await?;
    let work = bed.take_one(node).await?;
    assert!(matches!(&work.work, Work::Drill(_)));
    Ok(())
}
