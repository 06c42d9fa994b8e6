//! Contention: many callers at once, over several masters, and never two winners.

use crate::case::cases;
use crate::ports::Ports;
use crate::samples::{asked, at, ended, node, queued, run_of, task};
use anyhow::Result;
use backupx_core::domain::command::{Lane, Lease, Subject};
use backupx_core::domain::event::EventKind;
use backupx_core::domain::id::{CommandId, NodeId};
use backupx_core::domain::log::{Level, LogLine};
use backupx_core::domain::page::PageRequest;
use backupx_core::domain::record::{CopyState, RecordCopy, RecordState};
use backupx_core::ports::records::RecordFilter;
use futures::future::{join_all, try_join_all};
use std::collections::BTreeSet;
use std::sync::Arc;

cases!(
    each_command_has_one_winner_among_64_claimers,
    one_subject_gets_one_command_from_many_callers,
    a_schedule_fires_once_over_many_masters,
    never_13_many_callers_make_one_waiting_run,
    a_run_ends_once_whoever_says_so,
    an_event_is_taken_by_one_of_many_masters,
    copies_that_change_at_once_roll_up_to_the_truth,
    readers_and_writers_do_not_stand_in_each_others_way,
);

const CLAIMERS: usize = 64;

async fn each_command_has_one_winner_among_64_claimers(ports: &Ports) -> Result<()> {
    let replica = ports.host.replica().await?;
    let mut put = BTreeSet::new();
    for subject in 0..200 {
        put.insert(asked(ports, subject).await?);
    }
    let claimers = (0..CLAIMERS).map(|number| {
        let queue = if number % 2 == 0 {
            Arc::clone(&ports.queue)
        } else {
            Arc::clone(&replica.queue)
        };
        tokio::spawn(async move {
            let mut won: Vec<CommandId> = Vec::new();
            while let Some(command) = queue.claim(NodeId(1), Lane::Work, at(1)).await? {
                assert_eq!(command.lease, Lease(1));
                won.push(command.id);
            }
            anyhow::Ok(won)
        })
    });
    let mut won = Vec::new();
    for claimer in join_all(claimers).await {
        let in_order = claimer??;
        assert!(
            in_order.is_sorted(),
            "a younger command went before an older one"
        );
        won.extend(in_order);
    }
    assert_eq!(won.len(), put.len());
    assert_eq!(won.into_iter().collect::<BTreeSet<_>>(), put);
    Ok(())
}

async fn one_subject_gets_one_command_from_many_callers(ports: &Ports) -> Result<()> {
    let replica = ports.host.replica().await?;
    let callers =
        (0..CLAIMERS).map(|number| asked(if number % 2 == 0 { ports } else { &replica }, 1));
    let ids = try_join_all(callers).await?;
    assert!(ids.iter().all(|id| *id == ids[0]));
    assert_eq!(ports.queue.depth().await?, (1, 0));
    Ok(())
}

async fn a_schedule_fires_once_over_many_masters(ports: &Ports) -> Result<()> {
    let replica = ports.host.replica().await?;
    let added = task(ports, "t").await?;
    ports
        .tasks
        .set_enabled(added.id, true, Some(at(10).into()), at(0))
        .await?;
    let masters = (0..CLAIMERS).map(|number| {
        let tasks = if number % 2 == 0 {
            &ports.tasks
        } else {
            &replica.tasks
        };
        let next = Some(at(20).into());
        tasks.fire(added.id, at(10).into(), next, Some(run_of(&added, at(11))))
    });
    let fired = try_join_all(masters).await?;
    assert_eq!(fired.iter().flatten().count(), 1);
    Ok(())
}

async fn never_13_many_callers_make_one_waiting_run(ports: &Ports) -> Result<()> {
    let replica = ports.host.replica().await?;
    let task = task(ports, "t").await?;
    let callers = (0..CLAIMERS).map(|number| {
        let records = if number % 2 == 0 {
            &ports.records
        } else {
            &replica.records
        };
        records.add(run_of(&task, at(1)))
    });
    let added = try_join_all(callers).await?;
    let won: Vec<_> = added.iter().flatten().map(|record| record.id).collect();
    assert_eq!(won.len(), 1);
    let told = added.iter().filter_map(|result| result.as_ref().err());
    assert!(told.copied().all(|id| id == won[0]));
    let all = ports
        .records
        .list(RecordFilter::default(), PageRequest::default())
        .await?;
    assert_eq!(all.items.len(), 1);
    Ok(())
}

async fn a_run_ends_once_whoever_says_so(ports: &Ports) -> Result<()> {
    let replica = ports.host.replica().await?;
    let task = task(ports, "t").await?;
    let record = queued(ports, &task, 1).await?;
    ports.records.start(record.id, Lease(1), at(2)).await?;
    let ends = [
        crate::samples::end(&record, RecordState::Success, CopyState::Good),
        crate::samples::end(&record, RecordState::Failed, CopyState::Failed),
    ];
    let callers = (0..CLAIMERS).map(|number| {
        let records = if number % 2 == 0 {
            &ports.records
        } else {
            &replica.records
        };
        records.finish(record.id, Lease(1), &ends[number % 2], at(3))
    });
    let done = try_join_all(callers).await?;
    assert_eq!(done.iter().filter(|done| **done).count(), 1);
    let events = ports
        .events
        .read(backupx_core::domain::id::EventId(0), 10)
        .await?;
    assert_eq!(events.len(), 1);
    let now = crate::samples::read(ports, record.id).await?;
    let told = EventKind::RecordFinished {
        record_id: record.id,
        task_id: task.id,
        status: now.state,
    };
    assert_eq!(events[0].kind, told);
    assert_eq!(
        RecordState::roll_up(now.copies.iter().map(|c| c.state)),
        now.state
    );
    Ok(())
}

async fn an_event_is_taken_by_one_of_many_masters(ports: &Ports) -> Result<()> {
    let replica = ports.host.replica().await?;
    for number in 0..100 {
        let kind = EventKind::NodeOnline {
            node_id: NodeId(number),
        };
        ports.events.add(&kind, at(0)).await?;
    }
    let masters = (0..CLAIMERS).map(|number| {
        let events = if number % 2 == 0 {
            &ports.events
        } else {
            &replica.events
        };
        events.take(3, at(1), at(2))
    });
    let taken = try_join_all(masters).await?;
    let mut ids: Vec<_> = taken.iter().flatten().map(|event| event.id).collect();
    assert!(
        taken
            .iter()
            .all(|part| part.is_sorted_by_key(|event| event.id))
    );
    ids.sort();
    let count = ids.len();
    ids.dedup();
    assert_eq!((ids.len(), count), (100, 100));
    Ok(())
}

async fn copies_that_change_at_once_roll_up_to_the_truth(ports: &Ports) -> Result<()> {
    let replica = ports.host.replica().await?;
    let task = task(ports, "t").await?;
    for second in 0..10 {
        let record = ended(ports, &task, second, RecordState::Success, CopyState::Good).await?;
        let lost: Vec<_> = record
            .copies
            .iter()
            .map(|copy| RecordCopy {
                state: CopyState::Lost,
                ..copy.clone()
            })
            .collect();
        // Each caller knows of its own loss only and would call the record degraded.
        let seen = Some(RecordState::Degraded);
        let (one, two) = tokio::join!(
            ports
                .records
                .set_copy(record.id, CopyState::Good, &lost[0], seen),
            replica
                .records
                .set_copy(record.id, CopyState::Good, &lost[1], seen),
        );
        assert!(one? && two?);
        let now = crate::samples::read(ports, record.id).await?;
        assert_eq!(now.state, RecordState::Failed);
    }
    Ok(())
}

async fn readers_and_writers_do_not_stand_in_each_others_way(ports: &Ports) -> Result<()> {
    let replica = ports.host.replica().await?;
    let node = node(ports, "n").await?;
    let task = task(ports, "t").await?;
    let record = queued(ports, &task, 1).await?;
    let subject = Subject::Record(record.id);
    let workers = (0..32).map(|number| {
        let ports = if number % 2 == 0 { ports } else { &replica };
        let node = node.id;
        async move {
            for round in 0..8 {
                let line = LogLine {
                    seq: round,
                    at: at(round),
                    level: Level::Info,
                    message: "x".repeat(100),
                };
                ports.logs.append(subject, Lease(number), &[line]).await?;
                ports.presence.seen(node, at(round)).await?;
                asked(ports, number * 100 + round).await?;
                ports.logs.read(subject, 0, 500).await?;
                ports
                    .records
                    .list(RecordFilter::default(), PageRequest::default())
                    .await?;
            }
            anyhow::Ok(())
        }
    });
    try_join_all(workers).await?;
    assert_eq!(ports.logs.read(subject, 0, 500).await?.len(), 256);
    assert_eq!(replica.queue.depth().await?, (256, 0));
    Ok(())
}
