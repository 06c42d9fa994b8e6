//! Tasks and their schedules.

use crate::case::cases;
use crate::ports::Ports;
use crate::samples::{at, name, node, queued, read, refused, run_of, spec, target, task, task_ids};
use anyhow::Result;
use backupx_core::domain::id::{NodeId, TargetId, TaskId};
use backupx_core::domain::page::PageRequest;
use backupx_core::domain::record::{RecordState, Trigger};
use backupx_core::domain::schedule::NextRun;
use backupx_core::domain::task::Pause;
use backupx_core::ports::records::{NewRecord, RecordFilter};

cases!(
    a_task_comes_back_as_it_was_added,
    a_name_is_given_once,
    unknown_nodes_and_targets_are_named,
    never_17_an_editor_with_an_old_version_changes_nothing,
    an_update_moves_the_hold_on_nodes_and_targets,
    tasks_are_listed_by_id_in_pages,
    turning_the_schedule_off_is_an_edit,
    a_pause_is_kept_until_the_schedule_is_turned_on_or_off,
    due_tasks_come_longest_overdue_first,
    firing_writes_the_record_and_moves_the_schedule,
    firing_without_a_record_moves_the_schedule,
    a_schedule_fires_once_for_each_time,
    a_schedule_that_was_put_off_does_not_fire_for_its_old_time,
    a_schedule_that_was_turned_off_does_not_fire,
    never_13_firing_beside_a_waiting_run_adds_none,
    the_records_of_a_removed_task_stay,
);

async fn a_task_comes_back_as_it_was_added(ports: &Ports) -> Result<()> {
    let node = node(ports, "n").await?;
    let target = target(ports, "x").await?;
    let spec = spec("t", node.id, &[target.id]);
    let added = ports.tasks.add(&spec, next(60), at(1)).await?;
    assert_eq!(added.spec, spec);
    assert!(added.enabled);
    assert_eq!(added.next_run, next(60));
    assert_eq!((added.created_at, added.updated_at), (at(1), at(1)));
    assert_eq!(added.version, 1);
    assert_eq!(ports.tasks.get(added.id).await?, Some(added.clone()));
    assert_eq!(ports.tasks.by_name("t").await?, Some(added));
    assert_eq!(ports.tasks.by_name("u").await?, None);
    assert_eq!(ports.tasks.get(TaskId(99)).await?, None);
    Ok(())
}

async fn a_name_is_given_once(ports: &Ports) -> Result<()> {
    let one = task(ports, "one").await?;
    let two = task(ports, "two").await?;
    refused(
        ports.tasks.add(&one.spec, None, at(0)).await,
        "task_name_taken",
    );
    let mut spec = two.spec.clone();
    spec.name = name("one");
    refused(
        ports.tasks.update(two.id, 1, &spec, None, at(1)).await,
        "task_name_taken",
    );
    assert_eq!(ports.tasks.get(two.id).await?, Some(two));
    Ok(())
}

async fn unknown_nodes_and_targets_are_named(ports: &Ports) -> Result<()> {
    let bad = spec("t", NodeId(98), &[TargetId(99)]);
    let error = ports.tasks.add(&bad, None, at(0)).await;
    let error = error.expect_err("must be refused");
    let fields: Vec<_> = error
        .field_errors()
        .iter()
        .map(|wrong| wrong.field.as_str())
        .collect();
    assert_eq!(fields, ["nodeId", "targetIds"]);
    let good = task(ports, "t").await?;
    let mut bad = good.spec.clone();
    bad.target_ids.push(TargetId(99));
    refused(
        ports.tasks.update(good.id, 1, &bad, None, at(1)).await,
        "invalid_input",
    );
    assert_eq!(ports.tasks.get(good.id).await?, Some(good));
    Ok(())
}

async fn never_17_an_editor_with_an_old_version_changes_nothing(ports: &Ports) -> Result<()> {
    let added = task(ports, "t").await?;
    let mut spec = added.spec.clone();
    spec.max_unreadable = 7;
    let updated = ports
        .tasks
        .update(added.id, 1, &spec, next(50), at(5))
        .await?;
    assert_eq!((updated.version, updated.updated_at), (2, at(5)));
    assert_eq!((updated.created_at, updated.next_run), (at(0), next(50)));
    assert_eq!(updated.spec, spec);
    refused(
        ports
            .tasks
            .update(added.id, 1, &added.spec, None, at(6))
            .await,
        "stale_version",
    );
    assert_eq!(ports.tasks.get(added.id).await?, Some(updated));
    refused(
        ports.tasks.update(TaskId(99), 1, &spec, None, at(6)).await,
        "task_not_found",
    );
    Ok(())
}

async fn an_update_moves_the_hold_on_nodes_and_targets(ports: &Ports) -> Result<()> {
    let added = task(ports, "t").await?;
    let other_node = node(ports, "other").await?;
    let other_target = target(ports, "other").await?;
    let moved = spec("t", other_node.id, &[other_target.id]);
    ports.tasks.update(added.id, 1, &moved, None, at(1)).await?;
    assert!(ports.nodes.remove(added.spec.node_id).await?);
    assert!(ports.targets.remove(added.spec.target_ids[0]).await?);
    refused(ports.nodes.remove(other_node.id).await, "node_in_use");
    refused(ports.targets.remove(other_target.id).await, "target_in_use");
    Ok(())
}

async fn tasks_are_listed_by_id_in_pages(ports: &Ports) -> Result<()> {
    for number in 0..3 {
        task(ports, &format!("t{number}")).await?;
    }
    let first = ports.tasks.list(PageRequest::first(2)).await?;
    let rest = PageRequest {
        limit: 2,
        after: first.next,
    };
    let rest = ports.tasks.list(rest).await?;
    assert_eq!(
        (first.items.len(), rest.items.len(), rest.next),
        (2, 1, None)
    );
    let mut all = task_ids(&first.items);
    all.extend(task_ids(&rest.items));
    assert!(all.is_sorted());
    Ok(())
}

async fn turning_the_schedule_off_is_an_edit(ports: &Ports) -> Result<()> {
    let added = task(ports, "t").await?;
    let off = ports
        .tasks
        .set_enabled(added.id, false, None, at(3))
        .await?;
    assert!(!off.enabled);
    assert_eq!((off.version, off.updated_at), (2, at(3)));
    let on = ports
        .tasks
        .set_enabled(added.id, true, next(9), at(4))
        .await?;
    assert!(on.enabled);
    assert_eq!(on.next_run, next(9));
    refused(
        ports.tasks.set_enabled(TaskId(99), true, None, at(4)).await,
        "task_not_found",
    );
    Ok(())
}

async fn a_pause_is_kept_until_the_schedule_is_turned_on_or_off(ports: &Ports) -> Result<()> {
    let added = task(ports, "t").await?;
    let pause = Pause {
        until: at(90),
        reason: "the disks are moved".to_owned(),
    };
    for enabled in [true, false] {
        let paused = ports.tasks.pause(added.id, &pause, next(95), at(3)).await?;
        assert_eq!(paused.pause.as_ref(), Some(&pause));
        assert_eq!((paused.next_run, paused.updated_at), (next(95), at(3)));
        assert_eq!(ports.tasks.get(added.id).await?, Some(paused.clone()));
        let edited = ports
            .tasks
            .update(added.id, paused.version, &added.spec, next(96), at(4));
        assert_eq!(edited.await?.pause.as_ref(), Some(&pause));
        let over = ports
            .tasks
            .set_enabled(added.id, enabled, None, at(5))
            .await?;
        assert_eq!((over.pause, over.version), (None, paused.version + 2));
    }
    refused(
        ports.tasks.pause(TaskId(99), &pause, None, at(4)).await,
        "task_not_found",
    );
    Ok(())
}

async fn due_tasks_come_longest_overdue_first(ports: &Ports) -> Result<()> {
    let mut all = Vec::new();
    for (number, second) in [20, 10, 30, 40].into_iter().enumerate() {
        let added = task(ports, &format!("t{number}")).await?;
        let enabled = ports
            .tasks
            .set_enabled(added.id, second != 30, next(second), at(0))
            .await?;
        all.push(enabled.id);
    }
    task(ports, "without a schedule").await?;
    let due = |second, limit| ports.tasks.due(at(second), limit);
    assert!(due(9, 10).await?.is_empty());
    assert_eq!(task_ids(&due(39, 10).await?), [all[1], all[0]]);
    assert_eq!(task_ids(&due(40, 10).await?), [all[1], all[0], all[3]]);
    assert_eq!(task_ids(&due(40, 1).await?), [all[1]]);
    Ok(())
}

/// A run that is made at `second`, three seconds behind the instant that it stands for.
fn run(second: i64) -> NextRun {
    NextRun {
        instant: at(second - 3),
        at: at(second),
    }
}

fn next(second: i64) -> Option<NextRun> {
    Some(run(second))
}

/// A task that is due at second 10, and its run.
async fn scheduled(ports: &Ports) -> Result<(TaskId, NewRecord)> {
    let added = task(ports, "t").await?;
    ports
        .tasks
        .set_enabled(added.id, true, next(10), at(0))
        .await?;
    let mut record = run_of(&added, at(11));
    record.trigger = Trigger::Schedule;
    Ok((added.id, record))
}

async fn firing_writes_the_record_and_moves_the_schedule(ports: &Ports) -> Result<()> {
    let (id, record) = scheduled(ports).await?;
    let fired = ports
        .tasks
        .fire(id, run(10), next(20), Some(record))
        .await?;
    let record = read(ports, fired.expect("it fired")).await?;
    assert_eq!(record.state, RecordState::Queued);
    assert_eq!((record.trigger, record.task_id), (Trigger::Schedule, id));
    assert_eq!(record.copies.len(), 2);
    let task = ports.tasks.get(id).await?.expect("the task is there");
    assert_eq!((task.next_run, task.version), (next(20), 2));
    Ok(())
}

async fn firing_without_a_record_moves_the_schedule(ports: &Ports) -> Result<()> {
    let (id, _) = scheduled(ports).await?;
    assert_eq!(ports.tasks.fire(id, run(10), None, None).await?, None);
    let task = ports.tasks.get(id).await?.expect("the task is there");
    assert_eq!(task.next_run, None);
    Ok(())
}

async fn a_schedule_fires_once_for_each_time(ports: &Ports) -> Result<()> {
    let (id, record) = scheduled(ports).await?;
    let fire = |second| {
        ports
            .tasks
            .fire(id, run(10), next(second), Some(record.clone()))
    };
    assert!(fire(20).await?.is_some());
    assert_eq!(fire(30).await?, None);
    let task = ports.tasks.get(id).await?.expect("the task is there");
    assert_eq!(task.next_run, next(20));
    let records = ports
        .records
        .list(RecordFilter::default(), PageRequest::default())
        .await?;
    assert_eq!(records.items.len(), 1);
    assert_eq!(
        ports.tasks.fire(TaskId(99), run(10), None, None).await?,
        None
    );
    Ok(())
}

async fn a_schedule_that_was_put_off_does_not_fire_for_its_old_time(ports: &Ports) -> Result<()> {
    let (id, record) = scheduled(ports).await?;
    let later = NextRun {
        at: at(15),
        ..run(10)
    };
    ports.tasks.fire(id, run(10), Some(later), None).await?;
    let fire = |expected| {
        ports
            .tasks
            .fire(id, expected, next(20), Some(record.clone()))
    };
    assert_eq!(fire(run(10)).await?, None);
    assert_eq!(fire(run(15)).await?, None, "it stands for another instant");
    assert!(fire(later).await?.is_some());
    Ok(())
}

async fn a_schedule_that_was_turned_off_does_not_fire(ports: &Ports) -> Result<()> {
    let (id, record) = scheduled(ports).await?;
    ports.tasks.set_enabled(id, false, next(10), at(1)).await?;
    let fired = ports
        .tasks
        .fire(id, run(10), next(20), Some(record))
        .await?;
    assert_eq!(fired, None);
    Ok(())
}

async fn never_13_firing_beside_a_waiting_run_adds_none(ports: &Ports) -> Result<()> {
    let (id, record) = scheduled(ports).await?;
    let task = ports.tasks.get(id).await?.expect("the task is there");
    queued(ports, &task, 5).await?;
    let fired = ports
        .tasks
        .fire(id, run(10), next(20), Some(record))
        .await?;
    assert_eq!(fired, None);
    let task = ports.tasks.get(id).await?.expect("the task is there");
    assert_eq!(task.next_run, next(20));
    let records = ports
        .records
        .list(RecordFilter::default(), PageRequest::default())
        .await?;
    assert_eq!(records.items.len(), 1);
    Ok(())
}

async fn the_records_of_a_removed_task_stay(ports: &Ports) -> Result<()> {
    let task = task(ports, "t").await?;
    let record = queued(ports, &task, 1).await?;
    assert!(ports.tasks.remove(task.id).await?);
    assert!(!ports.tasks.remove(task.id).await?);
    assert_eq!(read(ports, record.id).await?, record);
    Ok(())
}
