//! Catching up: what becomes of firings that were missed, of maintenance windows, of jitter and of pauses.

use crate::bed::{Bed, code, spec, well};
use backupx_core::Result;
use backupx_core::domain::id::NodeId;
use backupx_core::domain::record::{RecordState, Trigger};
use backupx_core::domain::schedule::{CatchUp, MaintenanceWindow, Schedule, TimeOfDay, Weekday};
use backupx_core::domain::task::{Pause, Task};
use backupx_core::domain::time::Timestamp;
use backupx_core::ports::records::RecordFilter;
use chrono::{Duration, Timelike};

fn every(cron: &str, catch_up: CatchUp) -> Schedule {
    Schedule {
        catch_up,
        ..Schedule::new(cron, "UTC")
    }
}

async fn scheduled(bed: &Bed, node: NodeId, schedule: Schedule) -> Result<Task> {
    let mut spec = spec("web", node, &[bed.bucket("b").await?])?;
    spec.schedule = Some(schedule);
    bed.app.add_task(&bed.who, spec).await
}

/// The states of all runs, newest first.
async fn states(bed: &Bed) -> Result<Vec<RecordState>> {
    let page = bed
        .app
        .records(&bed.who, RecordFilter::default(), Default::default());
    Ok(page
        .await?
        .items
        .iter()
        .map(|record| record.state)
        .collect())
}

/// Takes and ends what waits. False when there was nothing.
async fn work_off(bed: &Bed, node: NodeId) -> Result<bool> {
    let taken = bed.take(node).await?;
    for work in &taken {
        bed.end(node, work, well(work)).await?;
    }
    Ok(!taken.is_empty())
}

async fn next(bed: &Bed, task: &Task) -> Result<Option<Timestamp>> {
    let task = bed.app.task(&bed.who, task.id).await?;
    Ok(task.next_run.map(|next| next.at))
}

fn window(days: &[Weekday], from: &str, to: &str) -> MaintenanceWindow {
    let time = |text| TimeOfDay::parse(text).unwrap_or(TimeOfDay::MIDNIGHT_AFTER);
    MaintenanceWindow {
        days: days.to_vec(),
        from: time(from),
        to: time(to),
    }
}

#[tokio::test]
async fn all_makes_up_for_each_missed_firing_one_after_another() -> Result<()> {
    let bed = Bed::new().await?;
    let node = bed.node("web").await?;
    scheduled(&bed, node, every("0 * * * *", CatchUp::All)).await?;
    bed.pass(Duration::minutes(5 * 60 + 30));
    let mut made = 0;
    for _ in 0..20 {
        let other = bed.replica();
        let (a, b) = tokio::join!(bed.app.tick(), other.tick());
        a.and(b)?;
        let waiting = states(&bed).await?;
        let waiting = waiting
            .iter()
            .filter(|state| **state == RecordState::Queued);
        assert!(waiting.count() <= 1, "never 13");
        // A run that is under way keeps the next one back as well.
        let taken = bed.take(node).await?;
        bed.pass(Duration::seconds(11));
        assert!(taken.is_empty() || bed.app.tick().await?.queued.is_empty());
        for work in &taken {
            bed.end(node, work, well(work)).await?;
            made += 1;
        }
        bed.pass(Duration::seconds(11));
    }
    assert_eq!(made, 5);
    assert!(
        states(&bed)
            .await?
            .iter()
            .all(|state| *state == RecordState::Success)
    );
    Ok(())
}

#[tokio::test]
async fn all_keeps_its_backlog_while_a_run_waits_for_its_node() -> Result<()> {
    let bed = Bed::new().await?;
    let node = bed.node("web").await?;
    scheduled(&bed, node, every("0 * * * *", CatchUp::All)).await?;
    for _ in 0..4 {
        bed.pass(Duration::hours(1));
        bed.app.tick().await?;
    }
    assert_eq!(states(&bed).await?, [RecordState::Queued]);
    let mut made = 0;
    while work_off(&bed, node).await? {
        made += 1;
        bed.pass(Duration::seconds(11));
        bed.app.tick().await?;
    }
    assert_eq!(made, 4);
    Ok(())
}

#[tokio::test]
async fn all_has_an_end() -> Result<()> {
    let bed = Bed::new().await?;
    let node = bed.node("web").await?;
    let task = scheduled(&bed, node, every("* * * * *", CatchUp::All)).await?;
    bed.pass(Duration::days(400));
    let mut made = 0;
    while next(&bed, &task)
        .await?
        .is_some_and(|next| next <= bed.now())
    {
        bed.app.tick().await?;
        work_off(&bed, node).await?;
        made += 1;
        assert!(made <= 100, "a backlog without end");
    }
    assert_eq!(
        made, 60,
        "of a schedule that fires each minute, the last hour"
    );
    Ok(())
}

#[tokio::test]
async fn never_03_skip_leaves_out_what_comes_too_late_and_says_so() -> Result<()> {
    let bed = Bed::new().await?;
    let node = bed.node("web").await?;
    let task = scheduled(&bed, node, every("0 3 * * *", CatchUp::Skip)).await?;
    bed.pass(Duration::days(3));
    let report = bed.app.tick().await?;
    assert_eq!((report.queued.len(), report.missed.len()), (0, 1));
    assert_eq!(states(&bed).await?, [RecordState::Missed]);
    assert!(bed.take(node).await?.is_empty());
    assert!(
        next(&bed, &task)
            .await?
            .is_some_and(|next| next > bed.now())
    );
    // On time it runs, and a little late as well.
    bed.pass(Duration::hours(15) + Duration::minutes(50));
    assert_eq!(bed.app.tick().await?.queued.len(), 1);
    assert!(work_off(&bed, node).await?);
    Ok(())
}

#[tokio::test]
async fn skip_fires_on_even_when_passes_are_rare() -> Result<()> {
    let bed = Bed::new().await?;
    let node = bed.node("web").await?;
    scheduled(&bed, node, every("* * * * *", CatchUp::Skip)).await?;
    for _ in 0..3 {
        bed.pass(Duration::minutes(90));
        assert_eq!(bed.app.tick().await?.queued.len(), 1);
        assert!(work_off(&bed, node).await?);
    }
    Ok(())
}

#[tokio::test]
async fn a_run_that_skips_waits_for_its_node_for_an_hour() -> Result<()> {
    let bed = Bed::new().await?;
    let node = bed.node("web").await?;
    scheduled(&bed, node, every("0 3 * * *", CatchUp::Skip)).await?;
    bed.pass(Duration::hours(15));
    assert_eq!(bed.app.tick().await?.queued.len(), 1);
    bed.pass(Duration::minutes(59));
    assert_eq!(bed.app.sweep().await?.missed, 0);
    bed.pass(Duration::minutes(2));
    assert_eq!(bed.app.sweep().await?.missed, 1);
    assert!(bed.take(node).await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn what_falls_in_a_maintenance_window_runs_at_its_end() -> Result<()> {
    for (policy, runs) in [(CatchUp::Skip, 0), (CatchUp::Once, 1), (CatchUp::All, 4)] {
        let bed = Bed::new().await?;
        let node = bed.node("web").await?;
        let mut schedule = every("0 * * * *", policy);
        // It is 12:00 on a Monday; the two windows follow each other and pass midnight.
        schedule.maintenance = vec![
            window(&[Weekday::Mon], "22:30", "23:30"),
            window(&[Weekday::Mon], "23:15", "02:30"),
        ];
        scheduled(&bed, node, schedule).await?;
        while bed.now().hour() != 22 {
            bed.pass(Duration::hours(1));
            assert_eq!(bed.app.tick().await?.queued.len(), 1);
            assert!(work_off(&bed, node).await?);
        }
        bed.pass(Duration::minutes(29));
        for _ in 0..8 {
            bed.pass(Duration::minutes(30));
            assert!(
                bed.app.tick().await?.queued.is_empty(),
                "it is {}",
                bed.now()
            );
        }
        bed.pass(Duration::minutes(1));
        let mut made = 0;
        for _ in 0..10 {
            bed.app.tick().await?;
            made += usize::from(work_off(&bed, node).await?);
            bed.pass(Duration::seconds(11));
        }
        assert_eq!(made, runs, "{policy:?}");
        bed.pass(Duration::minutes(30));
        assert_eq!(bed.app.tick().await?.queued.len(), 1);
    }
    Ok(())
}

#[tokio::test]
async fn a_late_firing_waits_for_the_end_of_a_window_too() -> Result<()> {
    let bed = Bed::new().await?;
    let node = bed.node("web").await?;
    let mut schedule = every("0 13 * * *", CatchUp::Once);
    schedule.maintenance = vec![window(&[], "14:00", "18:00")];
    let task = scheduled(&bed, node, schedule).await?;
    bed.pass(Duration::hours(3));
    let report = bed.app.tick().await?;
    assert_eq!((report.queued.len(), report.later.len()), (0, 1));
    let end = bed.now() + Duration::hours(3);
    assert_eq!(next(&bed, &task).await?, Some(end));
    bed.pass(Duration::hours(3));
    assert_eq!(bed.app.tick().await?.queued.len(), 1);
    assert_eq!(next(&bed, &task).await?, Some(end + Duration::hours(19)));
    Ok(())
}

#[tokio::test]
async fn never_16_windows_that_never_close_are_refused() -> Result<()> {
    let bed = Bed::new().await?;
    let target = bed.bucket("b").await?;
    for (windows, policy) in [
        (vec![window(&[], "00:00", "24:00")], CatchUp::Once),
        (
            vec![window(&[], "12:00", "12:30"), window(&[], "12:30", "12:00")],
            CatchUp::All,
        ),
        (vec![window(&[], "02:00", "04:00")], CatchUp::Skip),
        (vec![window(&[], "02:00", "02:00")], CatchUp::Once),
    ] {
        let mut spec = spec("web", NodeId::LOCAL, &[target])?;
        let mut schedule = every("0 3 * * *", policy);
        schedule.maintenance = windows;
        spec.schedule = Some(schedule);
        assert_eq!(
            code(bed.app.add_task(&bed.who, spec).await),
            "invalid_input"
        );
    }
    Ok(())
}

#[tokio::test]
async fn jitter_spreads_tasks_and_agrees_between_replicas() -> Result<()> {
    let bed = Bed::new().await?;
    let node = bed.node("web").await?;
    let target = bed.bucket("b").await?;
    let mut begins = std::collections::BTreeSet::new();
    for number in 0..20 {
        let mut spec = spec(&format!("task {number}"), node, &[target])?;
        spec.schedule = Some(Schedule {
            jitter_secs: 3000,
            ..Schedule::new("0 * * * *", "UTC")
        });
        let added = bed.app.add_task(&bed.who, spec).await?;
        let run = added
            .next_run
            .map(|next| (next.at - next.instant).num_seconds());
        assert!(run.is_some_and(|late| (0..=3000).contains(&late)));
        begins.extend(run);
    }
    assert!(begins.len() > 15, "{begins:?} are hardly spread");
    // Each fires once an hour, however late within it, and each hour.
    for hour in 0..3 {
        let mut fired = 0;
        for _ in 0..60 {
            bed.pass(Duration::minutes(1));
            let other = bed.replica();
            let (a, b) = tokio::join!(bed.app.tick(), other.tick());
            fired += a?.queued.len() + b?.queued.len();
            while work_off(&bed, node).await? {}
        }
        assert_eq!(fired, if hour == 0 { 0 } else { 20 });
    }
    let mut spec = spec("too much", node, &[target])?;
    spec.schedule = Some(Schedule {
        jitter_secs: 3600,
        ..Schedule::new("0 * * * *", "UTC")
    });
    assert_eq!(
        code(bed.app.add_task(&bed.who, spec).await),
        "invalid_input"
    );
    Ok(())
}

#[tokio::test]
async fn a_pause_ends_by_itself_and_catches_nothing_up() -> Result<()> {
    let bed = Bed::new().await?;
    let node = bed.node("web").await?;
    let task = scheduled(&bed, node, every("0 * * * *", CatchUp::All)).await?;
    let until = bed.now() + Duration::hours(5);
    let pause = Pause {
        until,
        reason: "the disks are moved".to_owned(),
    };
    let paused = bed.app.pause_task(&bed.who, task.id, pause.clone()).await?;
    assert_eq!((paused.enabled, paused.pause), (true, Some(pause.clone())));
    assert_eq!(
        paused.next_run.map(|next| next.at),
        Some(until),
        "the end itself is no pause"
    );
    // A change of the schedule does not end it, a run by hand is made.
    let mut spec = task.spec.clone();
    spec.schedule = Some(every("30 * * * *", CatchUp::All));
    let changed = bed
        .app
        .update_task(&bed.who, task.id, paused.version, spec)
        .await?;
    assert_eq!(
        changed.next_run.map(|next| next.at),
        Some(until + Duration::minutes(30))
    );
    bed.run_well(node, task.id).await?;
    bed.pass(Duration::minutes(5 * 60 + 29));
    assert!(bed.app.tick().await?.queued.is_empty());
    bed.pass(Duration::minutes(1));
    assert_eq!(bed.app.tick().await?.queued.len(), 1);
    assert!(work_off(&bed, node).await?);
    bed.pass(Duration::seconds(11));
    assert!(
        bed.app.tick().await?.queued.is_empty(),
        "the pause is not caught up"
    );
    let record = bed
        .app
        .records(&bed.who, RecordFilter::default(), Default::default());
    assert_eq!(record.await?.items[0].trigger, Trigger::Schedule);

    let again = Pause {
        until: bed.now() + Duration::hours(3),
        ..pause.clone()
    };
    bed.app.pause_task(&bed.who, task.id, again.clone()).await?;
    let enabled = bed.app.enable_task(&bed.who, task.id).await?;
    assert_eq!(enabled.pause, None);
    assert!(enabled.next_run.is_some_and(|next| next.at < again.until));
    assert_eq!(
        code(bed.app.pause_task(&bed.who, task.id, pause).await),
        "invalid_input"
    );
    bed.app.disable_task(&bed.who, task.id).await?;
    assert_eq!(
        code(bed.app.pause_task(&bed.who, task.id, again).await),
        "task_disabled"
    );
    Ok(())
}
