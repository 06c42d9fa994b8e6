//! Followers: tasks that run when others succeeded.

use crate::case::cases;
use crate::ports::Ports;
use crate::samples::{at, queued, read, refused, run_of, task, task_ids};
use anyhow::Result;
use backupx_core::domain::id::{EventId, RecordId, TaskId};
use backupx_core::domain::page::PageRequest;
use backupx_core::domain::record::{RecordState, Trigger};
use backupx_core::domain::task::{After, AfterWhen, Task};
use backupx_core::ports::records::{NewRecord, RecordFilter};

cases!(
    tasks_that_do_not_exist_are_not_waited_for,
    a_task_that_is_waited_for_stays,
    never_a_task_waits_for_itself,
    two_that_begin_to_wait_for_each_other_are_not_both_saved,
    followers_are_listed_by_id_in_pages,
    any_success_makes_a_run,
    all_have_to_succeed_and_then_anew,
    a_success_counts_once_however_often_it_is_told,
    many_who_tell_of_all_successes_at_once_make_one_run,
    what_was_seen_is_kept_when_a_task_is_changed,
    never_13_a_queued_run_serves_for_a_follower,
    a_follower_that_is_off_does_not_run,
);

/// Makes `task` wait for these.
async fn wait_for(
    ports: &Ports,
    task: &Task,
    upstreams: &[&Task],
    when: AfterWhen,
) -> Result<Task> {
    let mut spec = task.spec.clone();
    spec.after = Some(After {
        task_ids: upstreams.iter().map(|task| task.id).collect(),
        when,
    });
    Ok(ports
        .tasks
        .update(task.id, task.version, &spec, None, at(1))
        .await?)
}

/// Two tasks and one that waits for them.
async fn three(ports: &Ports, when: AfterWhen) -> Result<(Task, Task, Task)> {
    let (one, two) = (task(ports, "one").await?, task(ports, "two").await?);
    let last = wait_for(ports, &task(ports, "last").await?, &[&one, &two], when).await?;
    Ok((one, two, last))
}

fn run(task: &Task) -> NewRecord {
    NewRecord {
        trigger: Trigger::After,
        ..run_of(task, at(20))
    }
}

async fn told(ports: &Ports, task: &Task, upstream: &Task, event: i64) -> Result<Option<RecordId>> {
    let after = task.spec.after.as_ref().expect("it waits");
    let follow = ports
        .tasks
        .follow(task.id, upstream.id, EventId(event), after.when, run(task));
    Ok(follow.await?)
}

/// Ends a run that waits, so that another may.
async fn clear(ports: &Ports, id: RecordId) -> Result<()> {
    let record = read(ports, id).await?;
    assert_eq!(
        (record.state, record.trigger),
        (RecordState::Queued, Trigger::After)
    );
    let end = crate::samples::end(
        &record,
        RecordState::Failed,
        backupx_core::domain::record::CopyState::Failed,
    );
    assert!(ports.records.finish(id, record.lease, &end, at(30)).await?);
    Ok(())
}

async fn tasks_that_do_not_exist_are_not_waited_for(ports: &Ports) -> Result<()> {
    let last = task(ports, "last").await?;
    let mut spec = last.spec.clone();
    spec.after = Some(After {
        task_ids: vec![TaskId(99)],
        when: AfterWhen::All,
    });
    let error = ports.tasks.update(last.id, 1, &spec, None, at(1)).await;
    let error = error.expect_err("must be refused");
    assert_eq!(error.field_errors()[0].field, "after.taskIds");
    spec.name = crate::samples::name("another");
    refused(ports.tasks.add(&spec, None, at(1)).await, "invalid_input");
    assert_eq!(ports.tasks.get(last.id).await?, Some(last));
    Ok(())
}

async fn a_task_that_is_waited_for_stays(ports: &Ports) -> Result<()> {
    let (one, two, last) = three(ports, AfterWhen::All).await?;
    refused(ports.tasks.remove(one.id).await, "task_in_use");
    let last = wait_for(ports, &last, &[&two], AfterWhen::All).await?;
    assert!(ports.tasks.remove(one.id).await?);
    assert!(ports.tasks.remove(last.id).await?);
    assert!(ports.tasks.remove(two.id).await?);
    Ok(())
}

async fn never_a_task_waits_for_itself(ports: &Ports) -> Result<()> {
    let (one, two, last) = three(ports, AfterWhen::All).await?;
    for (task, upstream) in [(&one, &one), (&one, &last), (&two, &last)] {
        let error = wait_for(ports, task, &[upstream], AfterWhen::Any).await;
        assert!(error.is_err_and(|error| error.to_string().contains("itself")));
        assert_eq!(ports.tasks.get(task.id).await?.as_ref(), Some(task));
    }
    let one = wait_for(ports, &one, &[&two], AfterWhen::Any).await?;
    assert!(
        wait_for(ports, &two, &[&one], AfterWhen::Any)
            .await
            .is_err()
    );
    Ok(())
}

async fn two_that_begin_to_wait_for_each_other_are_not_both_saved(ports: &Ports) -> Result<()> {
    for round in 0..8 {
        let one = task(ports, &format!("one {round}")).await?;
        let two = task(ports, &format!("two {round}")).await?;
        let (a, b) = (&[&two], &[&one]);
        let (a, b) = tokio::join!(
            wait_for(ports, &one, a, AfterWhen::All),
            wait_for(ports, &two, b, AfterWhen::All)
        );
        assert!(a.is_ok() != b.is_ok());
    }
    Ok(())
}

async fn followers_are_listed_by_id_in_pages(ports: &Ports) -> Result<()> {
    let one = task(ports, "one").await?;
    let mut followers = Vec::new();
    for number in 0..3 {
        let last = task(ports, &format!("last {number}")).await?;
        followers.push(wait_for(ports, &last, &[&one], AfterWhen::Any).await?.id);
    }
    let first = ports.tasks.followers(one.id, PageRequest::first(2)).await?;
    let rest = PageRequest {
        limit: 2,
        after: first.next,
    };
    let rest = ports.tasks.followers(one.id, rest).await?;
    assert_eq!(rest.next, None);
    let mut all = task_ids(&first.items);
    all.extend(task_ids(&rest.items));
    assert_eq!(all, followers);
    let none = ports
        .tasks
        .followers(followers[0], PageRequest::first(2))
        .await?;
    assert!(none.items.is_empty());
    Ok(())
}

async fn any_success_makes_a_run(ports: &Ports) -> Result<()> {
    let (one, two, last) = three(ports, AfterWhen::Any).await?;
    for (upstream, event) in [(&one, 5), (&two, 6), (&two, 7)] {
        let made = told(ports, &last, upstream, event).await?;
        clear(ports, made.expect("it runs")).await?;
    }
    assert_eq!(
        told(ports, &last, &last, 8).await?,
        None,
        "it does not wait for that one"
    );
    Ok(())
}

async fn all_have_to_succeed_and_then_anew(ports: &Ports) -> Result<()> {
    let (one, two, last) = three(ports, AfterWhen::All).await?;
    assert_eq!(told(ports, &last, &one, 5).await?, None);
    assert_eq!(told(ports, &last, &one, 6).await?, None);
    let made = told(ports, &last, &two, 7).await?;
    clear(ports, made.expect("it runs")).await?;
    assert_eq!(told(ports, &last, &two, 8).await?, None);
    assert!(told(ports, &last, &one, 9).await?.is_some());
    Ok(())
}

async fn a_success_counts_once_however_often_it_is_told(ports: &Ports) -> Result<()> {
    let (one, _, last) = three(ports, AfterWhen::Any).await?;
    let made = told(ports, &last, &one, 5).await?;
    clear(ports, made.expect("it runs")).await?;
    for event in [5, 4, 5] {
        assert_eq!(told(ports, &last, &one, event).await?, None);
    }
    assert!(told(ports, &last, &one, 6).await?.is_some());
    Ok(())
}

async fn many_who_tell_of_all_successes_at_once_make_one_run(ports: &Ports) -> Result<()> {
    let (one, two, last) = three(ports, AfterWhen::All).await?;
    for round in 1..=8 {
        let event = round * 10;
        let tell = |upstream, event| told(ports, &last, upstream, event);
        let (a, b, c, d) = tokio::join!(
            tell(&one, event),
            tell(&two, event + 1),
            tell(&one, event),
            tell(&two, event + 1)
        );
        let made: Vec<_> = [a?, b?, c?, d?].into_iter().flatten().collect();
        assert_eq!(made.len(), 1, "round {round}");
        clear(ports, made[0]).await?;
    }
    Ok(())
}

async fn what_was_seen_is_kept_when_a_task_is_changed(ports: &Ports) -> Result<()> {
    let (one, two, last) = three(ports, AfterWhen::All).await?;
    assert_eq!(told(ports, &last, &one, 5).await?, None);
    let last = wait_for(ports, &last, &[&two, &one], AfterWhen::All).await?;
    assert_eq!(told(ports, &last, &one, 5).await?, None);
    assert!(told(ports, &last, &two, 6).await?.is_some());
    Ok(())
}

async fn never_13_a_queued_run_serves_for_a_follower(ports: &Ports) -> Result<()> {
    let (one, _, last) = three(ports, AfterWhen::Any).await?;
    queued(ports, &last, 5).await?;
    assert_eq!(told(ports, &last, &one, 5).await?, None);
    let records = ports
        .records
        .list(RecordFilter::default(), PageRequest::default())
        .await?;
    assert_eq!(records.items.len(), 1);
    Ok(())
}

async fn a_follower_that_is_off_does_not_run(ports: &Ports) -> Result<()> {
    let (one, _, last) = three(ports, AfterWhen::Any).await?;
    ports.tasks.set_enabled(last.id, false, None, at(2)).await?;
    assert_eq!(told(ports, &last, &one, 5).await?, None);
    ports.tasks.set_enabled(last.id, true, None, at(3)).await?;
    assert!(
        told(ports, &last, &one, 5).await?.is_some(),
        "it was not counted"
    );
    Ok(())
}
