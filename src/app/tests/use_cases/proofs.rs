//! Verifications by a timetable: the newest backup is proven, as deep as it says, once for everything that was missed.

use crate::bed::{Bed, code, spec};
use backupx_core::Result;
use backupx_core::domain::id::{NodeId, TaskId};
use backupx_core::domain::operation::{Operation, OperationSpec, VerifyMode};
use backupx_core::domain::verification::VerifyPlan;
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
