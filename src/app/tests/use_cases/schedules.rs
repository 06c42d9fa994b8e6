//! Schedules: what fires when, once, and what becomes of runs that nobody takes.

use crate::bed::{Bed, code, spec, well};
use backupx_core::Result;
use backupx_core::domain::id::NodeId;
use backupx_core::domain::record::{RecordState, Trigger};
use backupx_core::domain::schedule::Schedule;
use backupx_core::domain::task::Task;
use backupx_core::domain::time::Timestamp;
use backupx_core::ports::records::RecordFilter;
use chrono::Duration;

fn every(cron: &str) -> Option<Schedule> {
    Some(Schedule::new(cron, "UTC"))
}

async fn scheduled(bed: &Bed, node: NodeId, cron: &str) -> Result<Task> {
    let mut spec = spec("web", node, &[bed.bucket("b").await?])?;
    spec.schedule = every(cron);
    bed.app.add_task(&bed.who, spec).await
}

async fn states(bed: &Bed) -> Result<Vec<RecordState>> {
    let filter = RecordFilter::default();
    let page = bed
        .app
        .records(&bed.who, filter, Default::default())
        .await?;
    Ok(page.items.iter().map(|record| record.state).collect())
}

#[tokio::test]
async fn a_schedule_fires_once_on_all_replicas_together() -> Result<()> {
    let bed = Bed::new().await?;
    let node = bed.node("web").await?;
    scheduled(&bed, node, "0 * * * *").await?;
    assert!(bed.app.tick().await?.queued.is_empty());
    bed.pass(Duration::hours(1));
    let other = bed.replica();
    let (a, b) = tokio::join!(bed.app.tick(), other.tick());
    assert_eq!(a?.queued.len() + b?.queued.len(), 1);
    assert!(bed.app.tick().await?.queued.is_empty());
    let work = bed.take_one(node).await?;
    bed.end(node, &work, well(&work)).await?;
    let page = bed
        .app
        .records(&bed.who, RecordFilter::default(), Default::default())
        .await?;
    assert_eq!(page.items[0].trigger, Trigger::Schedule);
    assert_eq!(page.items[0].state, RecordState::Success);
    Ok(())
}

#[tokio::test]
async fn never_13_a_schedule_that_was_missed_many_times_fires_once() -> Result<()> {
    let bed = Bed::new().await?;
    let node = bed.node("web").await?;
    let task = scheduled(&bed, node, "0 * * * *").await?;
    bed.pass(Duration::days(3));
    assert_eq!(bed.app.tick().await?.queued.len(), 1);
    assert!(bed.app.tick().await?.queued.is_empty());
    let task = bed.app.task(&bed.who, task.id).await?;
    assert!(task.next_run.is_some_and(|next| next.at > bed.now()));
    Ok(())
}

#[tokio::test]
async fn never_03_runs_that_nobody_takes_are_missed_and_do_not_pile_up() -> Result<()> {
    let bed = Bed::new().await?;
    let node = bed.node("web").await?;
    scheduled(&bed, node, "0 * * * *").await?;
    for _ in 0..3 {
        bed.pass(Duration::hours(1));
        let other = bed.replica();
        let (a, b) = tokio::join!(bed.app.tick(), other.tick());
        a.and(b)?;
        bed.app.sweep().await?;
    }
    assert_eq!(
        states(&bed).await?,
        [
            RecordState::Queued,
            RecordState::Missed,
            RecordState::Missed
        ]
    );
    assert_eq!(bed.take(node).await?.len(), 1);
    Ok(())
}

#[tokio::test]
async fn never_03_a_run_of_a_rare_schedule_is_missed_after_a_day() -> Result<()> {
    let bed = Bed::new().await?;
    let node = bed.node("web").await?;
    let task = scheduled(&bed, node, "0 0 1 * *").await?;
    bed.pass(Duration::days(8));
    bed.app.tick().await?;
    bed.pass(Duration::hours(23));
    assert_eq!(bed.app.sweep().await?.missed, 0);
    bed.pass(Duration::hours(2));
    assert_eq!(bed.app.sweep().await?.missed, 1);
    assert!(
        bed.take(node).await?.is_empty(),
        "an abandoned run starts after all"
    );
    bed.app.run_task(&bed.who, task.id).await.map(drop)
}

#[tokio::test]
async fn a_run_that_a_person_asked_for_waits_as_long_as_it_takes() -> Result<()> {
    let bed = Bed::new().await?;
    let node = bed.node("web").await?;
    let task = scheduled(&bed, node, "0 * * * *").await?;
    let record = bed.app.run_task(&bed.who, task.id).await?;
    bed.pass(Duration::days(2));
    let report = bed.app.tick().await?;
    assert_eq!((report.queued.len(), report.waiting.len()), (0, 1));
    bed.app.sweep().await?;
    assert_eq!(bed.record(record.id).await?.state, RecordState::Queued);
    Ok(())
}

#[tokio::test]
async fn never_16_a_bad_schedule_is_refused_when_it_is_saved() -> Result<()> {
    let bed = Bed::new().await?;
    let target = bed.bucket("b").await?;
    for (cron, zone) in [
        ("nonsense", "UTC"),
        ("0 0 30 2 *", "UTC"),
        ("0 3 * * *", "Mars"),
    ] {
        let mut spec = spec("web", NodeId::LOCAL, &[target])?;
        spec.schedule = Some(Schedule::new(cron, zone));
        assert_eq!(
            code(bed.app.add_task(&bed.who, spec).await),
            "invalid_input"
        );
    }
    Ok(())
}

#[tokio::test]
async fn never_16_a_schedule_that_cannot_be_fired_stops_no_other() -> Result<()> {
    use backupx_core::ports::tasks::Tasks;
    let bed = Bed::new().await?;
    let node = bed.node("web").await?;
    let good = scheduled(&bed, node, "0 * * * *").await?;
    let mut bad = spec("bad", node, &good.spec.target_ids)?;
    bad.schedule = every("nonsense");
    let due = bed.now() - Duration::hours(1);
    Tasks::add(&*bed.stores, &bad, Some(due.into()), bed.now()).await?;
    bed.pass(Duration::hours(1));
    let report = bed.app.tick().await?;
    assert_eq!((report.queued.len(), report.failed.len()), (1, 1));
    assert!(bed.app.tick().await?.failed.is_empty(), "it does not spin");
    bed.pass(Duration::minutes(11));
    assert_eq!(bed.app.tick().await?.failed.len(), 1);
    Ok(())
}

#[tokio::test]
async fn a_disabled_task_fires_no_more_and_an_enabled_one_from_now_on() -> Result<()> {
    let bed = Bed::new().await?;
    let node = bed.node("web").await?;
    let task = scheduled(&bed, node, "0 * * * *").await?;
    bed.app.disable_task(&bed.who, task.id).await?;
    bed.pass(Duration::hours(5));
    assert!(bed.app.tick().await?.queued.is_empty());
    bed.app.enable_task(&bed.who, task.id).await?;
    assert!(
        bed.app.tick().await?.queued.is_empty(),
        "what passed while it was off is not caught up"
    );
    bed.pass(Duration::hours(1));
    assert_eq!(bed.app.tick().await?.queued.len(), 1);
    Ok(())
}

#[tokio::test]
async fn never_03_a_node_going_offline_is_told_once() -> Result<()> {
    use backupx_core::domain::event::EventKind;
    use backupx_core::domain::id::EventId;
    let bed = Bed::new().await?;
    let node = bed.node("web").await?;
    bed.pass(Duration::seconds(46));
    assert_eq!(bed.app.sweep().await?.offline, 1);
    assert_eq!(bed.app.sweep().await?.offline, 0);
    bed.app.heartbeat(node, Default::default()).await?;
    let events = bed.app.events(&bed.who, EventId(0), 10).await?;
    let kinds: Vec<_> = events.into_iter().map(|event| event.kind).collect();
    assert_eq!(
        kinds,
        [
            EventKind::NodeOnline { node_id: node },
            EventKind::NodeOffline { node_id: node },
            EventKind::NodeOnline { node_id: node },
        ]
    );
    Ok(())
}

#[tokio::test]
async fn polls_make_the_passes_where_nothing_ticks_by_itself() -> Result<()> {
    let bed = Bed::new().await?;
    let node = bed.node("web").await?;
    scheduled(&bed, node, "0 * * * *").await?;
    assert!(bed.take(node).await?.is_empty());
    bed.pass(Duration::hours(1));
    // The pass goes on beside the poll, so its run comes with this answer or with the next one.
    let mut taken = bed.take(node).await?;
    taken.extend(bed.take(node).await?);
    assert_eq!(taken.len(), 1);
    assert_eq!(states(&bed).await?, [RecordState::Running]);
    Ok(())
}

#[tokio::test]
async fn the_next_runs_of_a_schedule_are_shown() -> Result<()> {
    let bed = Bed::new().await?;
    let schedule = Schedule::new("0 3 * * *", "UTC");
    let runs = bed.app.preview_schedule(&bed.who, &schedule, 3).await?;
    assert_eq!(runs.len(), 3);
    let daily = |runs: &[Timestamp]| {
        runs.windows(2)
            .all(|pair| pair[1] - pair[0] == Duration::days(1))
    };
    assert!(daily(&runs));
    let never = Schedule::new("0 0 30 2 *", "UTC");
    let refused = bed.app.preview_schedule(&bed.who, &never, 3).await;
    assert_eq!(code(refused), "invalid_input");

    let node = bed.node("web").await?;
    let task = scheduled(&bed, node, "0 3 * * *").await?;
    let runs = bed.app.next_runs(&bed.who, task.id, 5).await?;
    assert_eq!(
        (runs.len(), runs.first().copied()),
        (5, task.next_run.map(|next| next.at))
    );
    assert!(daily(&runs));
    bed.app.disable_task(&bed.who, task.id).await?;
    assert!(bed.app.next_runs(&bed.who, task.id, 5).await?.is_empty());
    Ok(())
}
