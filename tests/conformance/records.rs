//! Records: how they are made, found and removed.

use crate::case::cases;
use crate::ports::Ports;
use crate::samples::{at, end, ended, ids, queued, read, run_of, task};
use anyhow::Result;
use backupx_core::domain::command::{Lease, Subject};
use backupx_core::domain::drill::DrillReport;
use backupx_core::domain::event::EventKind;
use backupx_core::domain::evidence::Evidence;
use backupx_core::domain::guard::{Acceptance, Alarm, Finding, Past};
use backupx_core::domain::id::{NodeId, OperationId, RecordId, TargetId, TaskId};
use backupx_core::domain::key::ObjectKey;
use backupx_core::domain::log::{Level, LogLine};
use backupx_core::domain::page::PageRequest;
use backupx_core::domain::record::{
    CopyState, Lock, Record, RecordCopy, RecordState, StreamHead, Trigger,
};
use backupx_core::domain::report::{Counts, Failure};
use backupx_core::domain::task::Task;
use backupx_core::ports::records::{AdoptedRecord, Adoption, RecordFilter};

cases!(
    a_record_comes_back_as_it_was_added,
    never_13_a_task_has_one_waiting_run,
    never_13_a_run_that_is_under_way_leaves_room_for_one,
    never_21_two_runs_of_one_second_have_paths_of_their_own,
    records_are_listed_newest_first_in_pages,
    records_are_listed_by_task_node_and_state,
    unfinished_records_come_oldest_first,
    a_lock_is_set_and_taken_away,
    an_odd_run_tells_of_itself_and_is_accepted_once,
    the_evidence_of_the_last_drill_is_kept,
    a_record_is_removed_with_its_log_when_its_last_copy_is_gone,
    a_record_that_is_not_done_is_not_removed,
    never_22_what_is_found_in_storage_becomes_a_record_once,
    all_that_was_found_is_written_or_nothing,
    what_a_run_is_writing_is_known,
    good_copies_are_gone_through_by_folder,
    a_copy_that_is_lost_tells_of_itself,
    never_19_a_locked_record_is_not_removed,
);

/// A backup of another master with this folder, on the task's first target.
fn found(task: &Task, location: &str, second: i64) -> AdoptedRecord {
    let target = task.spec.target_ids[0];
    AdoptedRecord {
        task_id: task.id,
        task: task.spec.clone(),
        node_id: task.spec.node_id,
        location: ObjectKey::parse(location).expect("a key"),
        counts: Counts {
            files: 3,
            ..Counts::default()
        },
        streams: vec![StreamHead {
            stream: "data".to_owned(),
            age_header: Some("aGVhZGVy".to_owned()),
            stored_bytes: 7,
            sha256: format!("{second:064x}"),
        }],
        copy: RecordCopy {
            state: CopyState::Good,
            stored_bytes: 9,
            manifest_sha256: Some("ab".repeat(32)),
            ..RecordCopy::pending(target, "found")
        },
        created_at: at(second),
    }
}

async fn never_22_what_is_found_in_storage_becomes_a_record_once(ports: &Ports) -> Result<()> {
    let task = task(ports, "t").await?;
    let target = task.spec.target_ids[0];
    let own = queued(ports, &task, 1).await?;
    let all = [
        found(&task, "t/2026/09/1-a", 1),
        found(&task, "t/2026/09/2-b", 2),
    ];
    let adopted = ports.records.adopt(target, &all).await?;
    let [Adoption::New(first), Adoption::New(second)] = adopted[..] else {
        panic!("{adopted:?}");
    };
    assert!(first > own.id && second > first, "ids are never used twice");
    let record = read(ports, first).await?;
    assert_eq!(record.state, RecordState::Success);
    assert_eq!(record.trigger, Trigger::Import);
    assert_eq!(record.location, all[0].location);
    assert_eq!(
        (record.created_at, record.finished_at),
        (at(1), Some(at(1)))
    );
    assert_eq!(
        (&record.streams, record.counts),
        (&all[0].streams, all[0].counts)
    );
    assert_eq!(record.copies, [all[0].copy.clone()]);
    let kept = ports.records.with_copies(task.id).await?;
    assert_eq!(ids(&kept), [first, second]);

    let again = ports.records.adopt(target, &all).await?;
    assert_eq!(again, [Adoption::Known(first), Adoption::Known(second)]);
    // The same backup on another target is a copy of it; another backup in a folder of that name is none.
    let other = crate::samples::target(ports, "other").await?;
    let mut copy = found(&task, "t/2026/09/1-a", 1);
    copy.copy.target_id = other.id;
    let mut alike = copy.clone();
    alike.streams[0].sha256 = "0".repeat(64);
    let adopted = ports.records.adopt(other.id, &[copy, alike]).await?;
    assert_eq!(adopted[0], Adoption::Copy(first));
    assert!(matches!(adopted[1], Adoption::New(id) if id > second));
    let targets: Vec<_> = read(ports, first)
        .await?
        .copies
        .iter()
        .map(|copy| copy.target_id)
        .collect();
    assert_eq!(targets, [target, other.id]);
    Ok(())
}

async fn all_that_was_found_is_written_or_nothing(ports: &Ports) -> Result<()> {
    let task = task(ports, "t").await?;
    let lost = ports
        .records
        .adopt(TargetId(99), &[found(&task, "t/2026/09/1-a", 1)])
        .await;
    crate::samples::refused(lost, "target_not_found");
    let none = ports.records.adopt(task.spec.target_ids[0], &[]).await?;
    assert_eq!(none, []);
    let listed = ports
        .records
        .list(RecordFilter::default(), PageRequest::default())
        .await?;
    assert_eq!(listed.items, []);
    Ok(())
}

async fn what_a_run_is_writing_is_known(ports: &Ports) -> Result<()> {
    let task = task(ports, "t").await?;
    let target = task.spec.target_ids[0];
    let waiting = queued(ports, &task, 1).await?;
    let mut seen = found(&task, waiting.location.as_str(), 1);
    let known = [Adoption::Known(waiting.id)];
    assert_eq!(ports.records.adopt(target, &[seen.clone()]).await?, known);
    assert!(ports.records.start(waiting.id, Lease(1), at(2)).await?);
    assert_eq!(ports.records.adopt(target, &[seen.clone()]).await?, known);
    let before = read(ports, waiting.id).await?;
    seen.created_at = at(5);
    let other = ports.records.adopt(target, &[seen]).await?;
    assert!(matches!(other[..], [Adoption::New(_)]), "{other:?}");
    assert_eq!(read(ports, waiting.id).await?, before);
    Ok(())
}

async fn good_copies_are_gone_through_by_folder(ports: &Ports) -> Result<()> {
    let task = task(ports, "t").await?;
    let target = task.spec.target_ids[0];
    let other = crate::samples::node(ports, "other").await?;
    let mut all: Vec<_> = ["b/2026/09/3-c", "a/2026/09/1-a", "a/2026/09/2-b"]
        .into_iter()
        .zip(1..)
        .map(|(place, second)| found(&task, place, second))
        .collect();
    all[2].node_id = other.id;
    let adopted = ports.records.adopt(target, &all).await?;
    // One that is not good is none of them.
    let [_, Adoption::New(gone), _] = adopted[..] else {
        panic!("{adopted:?}");
    };
    let places = |node, after: Option<&'static str>, limit| async move {
        let after = after.map(|after| ObjectKey::parse(after).expect("a key"));
        let found = ports
            .records
            .good_copies_on(target, node, after.as_ref(), limit)
            .await?;
        let places: Vec<_> = found.iter().map(|copy| copy.location.to_string()).collect();
        Ok::<_, backupx_core::Error>(places)
    };
    let (first, second, third) = ("a/2026/09/1-a", "a/2026/09/2-b", "b/2026/09/3-c");
    assert_eq!(places(None, None, 9).await?, [first, second, third]);
    assert_eq!(places(None, None, 2).await?, [first, second]);
    assert_eq!(places(None, Some(second), 9).await?, [third]);
    assert_eq!(places(Some(other.id), None, 9).await?, [second]);
    let nodes = ports.records.nodes_with_copies_on(target).await?;
    assert_eq!(nodes, [task.spec.node_id, other.id]);
    let mut copy = read(ports, gone).await?.copies[0].clone();
    assert_eq!(copy.stored_bytes, 9);
    copy.state = CopyState::Deleting;
    let good = CopyState::Good;
    assert!(ports.records.set_copy(gone, good, &copy, None).await?);
    assert_eq!(places(None, None, 9).await?, [second, third]);
    Ok(())
}

async fn a_copy_that_is_lost_tells_of_itself(ports: &Ports) -> Result<()> {
    let task = task(ports, "t").await?;
    let target = task.spec.target_ids[0];
    let all = [found(&task, "t/2026/09/1-a", 1)];
    let [Adoption::New(id)] = ports.records.adopt(target, &all).await?[..] else {
        panic!("it is new");
    };
    let mut copy = read(ports, id).await?.copies[0].clone();
    copy.state = CopyState::Lost;
    copy.lost_at = Some(at(9));
    let lost = ports
        .records
        .set_copy(id, CopyState::Good, &copy, Some(RecordState::Success));
    assert!(lost.await?);
    let record = read(ports, id).await?;
    assert_eq!(record.copies, [copy]);
    assert_eq!(record.state, RecordState::Failed);
    let told = ports.events.take(10, at(10), at(20)).await?;
    let told: Vec<_> = told.iter().map(|event| (&event.kind, event.at)).collect();
    let expected = EventKind::CopyLost {
        record_id: id,
        task_id: task.id,
        target_id: target,
    };
    assert_eq!(told, [(&expected, at(9))]);
    Ok(())
}

async fn a_record_comes_back_as_it_was_added(ports: &Ports) -> Result<()> {
    let task = task(ports, "Täglich").await?;
    let run = run_of(&task, at(1));
    let record = ports.records.add(run.clone()).await?;
    let record = record.expect("nothing waits yet");
    assert_eq!(
        (record.state, record.lease),
        (RecordState::Queued, Lease::NONE)
    );
    assert_eq!((&record.task, record.node_id), (&run.task, run.node_id));
    assert_eq!((&record.copies, record.created_at), (&run.copies, at(1)));
    assert_eq!(record.started_at, None);
    let place = format!("{}/2026/09/{}-", run.task.name.slug(), record.id);
    assert!(
        record.location.as_str().starts_with(&place),
        "{}",
        record.location
    );
    assert_eq!(read(ports, record.id).await?, record);
    assert_eq!(ports.records.get(RecordId(99)).await?, None);
    Ok(())
}

async fn never_13_a_task_has_one_waiting_run(ports: &Ports) -> Result<()> {
    let task = task(ports, "t").await?;
    let waiting = queued(ports, &task, 1).await?;
    assert_eq!(
        ports.records.add(run_of(&task, at(2))).await?,
        Err(waiting.id)
    );
    let other = crate::samples::task(ports, "other").await?;
    queued(ports, &other, 3).await?;
    Ok(())
}

async fn never_13_a_run_that_is_under_way_leaves_room_for_one(ports: &Ports) -> Result<()> {
    let task = task(ports, "t").await?;
    let running = queued(ports, &task, 1).await?;
    assert!(ports.records.start(running.id, Lease(1), at(2)).await?);
    let waiting = queued(ports, &task, 3).await?;
    let refused = ports.records.add(run_of(&task, at(4))).await?;
    assert_eq!(refused, Err(waiting.id));
    // The hand-out of the older run was lost: both wait now, and still there is no third.
    assert!(ports.records.requeue(running.id, Lease(1)).await?);
    let refused = ports.records.add(run_of(&task, at(5))).await?;
    assert_eq!(refused, Err(running.id));
    Ok(())
}

async fn never_21_two_runs_of_one_second_have_paths_of_their_own(ports: &Ports) -> Result<()> {
    let one = task(ports, "a b").await?;
    let two = task(ports, "a-b").await?;
    let one = queued(ports, &one, 1).await?;
    let two = queued(ports, &two, 1).await?;
    assert_ne!(one.location, two.location);
    Ok(())
}

async fn records_are_listed_newest_first_in_pages(ports: &Ports) -> Result<()> {
    let task = task(ports, "t").await?;
    let mut all = Vec::new();
    for second in 0..5 {
        all.push(
            ended(
                ports,
                &task,
                second * 10,
                RecordState::Success,
                CopyState::Good,
            )
            .await?,
        );
    }
    all.reverse();
    let mut seen: Vec<Record> = Vec::new();
    let mut page = PageRequest::first(2);
    loop {
        let part = ports.records.list(RecordFilter::default(), page).await?;
        assert!(part.items.len() <= 2);
        seen.extend(part.items);
        match part.next {
            Some(after) => page.after = Some(after),
            None => break,
        }
    }
    assert_eq!(seen, all);
    Ok(())
}

async fn records_are_listed_by_task_node_and_state(ports: &Ports) -> Result<()> {
    let one = task(ports, "one").await?;
    let two = task(ports, "two").await?;
    let good = ended(ports, &one, 1, RecordState::Success, CopyState::Good).await?;
    let waiting = queued(ports, &one, 2).await?;
    let other = queued(ports, &two, 3).await?;
    let list = async |filter| -> Result<Vec<RecordId>> {
        let page = ports.records.list(filter, PageRequest::default()).await?;
        Ok(ids(&page.items))
    };
    let any = RecordFilter::default();
    let of_task = RecordFilter {
        task_id: Some(one.id),
        ..any
    };
    let on_node = RecordFilter {
        node_id: Some(two.spec.node_id),
        ..any
    };
    let in_state = RecordFilter {
        state: Some(RecordState::Queued),
        ..any
    };
    let all_three = RecordFilter {
        task_id: Some(one.id),
        node_id: Some(one.spec.node_id),
        state: Some(RecordState::Queued),
    };
    let nothing = RecordFilter {
        task_id: Some(TaskId(99)),
        node_id: Some(NodeId(99)),
        ..any
    };
    assert_eq!(list(any).await?, [other.id, waiting.id, good.id]);
    assert_eq!(list(of_task).await?, [waiting.id, good.id]);
    assert_eq!(list(on_node).await?, [other.id]);
    assert_eq!(list(in_state).await?, [other.id, waiting.id]);
    assert_eq!(list(all_three).await?, [waiting.id]);
    assert!(list(nothing).await?.is_empty());
    Ok(())
}

async fn unfinished_records_come_oldest_first(ports: &Ports) -> Result<()> {
    let task = task(ports, "t").await?;
    ended(ports, &task, 1, RecordState::Failed, CopyState::Failed).await?;
    let running = queued(ports, &task, 2).await?;
    ports.records.start(running.id, Lease(1), at(3)).await?;
    let waiting = queued(ports, &task, 4).await?;
    let all = ports.records.unfinished(RecordId(0), 10).await?;
    assert_eq!(ids(&all), [running.id, waiting.id]);
    assert_eq!(all[1], waiting);
    let behind = ports.records.unfinished(running.id, 10).await?;
    assert_eq!(ids(&behind), [waiting.id]);
    let first = ports.records.unfinished(RecordId(0), 1).await?;
    assert_eq!(ids(&first), [running.id]);
    Ok(())
}

fn lock() -> Lock {
    Lock {
        reason: "audit".to_owned(),
        since: at(9),
    }
}

async fn a_lock_is_set_and_taken_away(ports: &Ports) -> Result<()> {
    let task = task(ports, "t").await?;
    let record = queued(ports, &task, 1).await?;
    assert!(ports.records.set_lock(record.id, Some(&lock())).await?);
    assert_eq!(read(ports, record.id).await?.lock, Some(lock()));
    assert!(ports.records.set_lock(record.id, None).await?);
    assert_eq!(read(ports, record.id).await?.lock, None);
    assert!(!ports.records.set_lock(RecordId(99), None).await?);
    Ok(())
}

async fn an_odd_run_tells_of_itself_and_is_accepted_once(ports: &Ports) -> Result<()> {
    let task = task(ports, "t").await?;
    let record = queued(ports, &task, 1).await?;
    let alarm = Alarm {
        findings: vec![Finding {
            code: "empty".to_owned(),
            message: "nichts – gar nichts".to_owned(),
        }],
        accepted: None,
    };
    let mut end = end(&record, RecordState::Success, CopyState::Good);
    end.alarm = Some(alarm.clone());
    let past = Past::of(&record, "a source", &alarm.findings);
    end.history = Some(vec![past.clone()]);
    assert!(ports.records.start(record.id, Lease(1), at(2)).await?);
    let finished = ports.records.finish(record.id, Lease(1), &end, at(3));
    assert!(finished.await?);
    assert_eq!(read(ports, record.id).await?.alarm, Some(alarm.clone()));
    let known = ports.records.history(task.id).await?;
    assert_eq!(known, std::slice::from_ref(&past));
    let mut accepted = past;
    accepted.accept();
    let history = [accepted];
    ports.records.set_history(task.id, &history).await?;
    assert_eq!(ports.records.history(task.id).await?, history);
    assert_eq!(ports.records.history(TaskId(99)).await?, []);
    ports.records.set_history(TaskId(99), &history).await?;
    let told = EventKind::RecordSuspicious {
        record_id: record.id,
        task_id: task.id,
        findings: vec!["empty".to_owned()],
    };
    let events = ports.events.take(10, at(3), at(4)).await?;
    assert!(events.iter().any(|event| event.kind == told), "{events:?}");

    let word = |by: &str| Acceptance {
        at: at(5),
        by: by.to_owned(),
        reason: "moved".to_owned(),
    };
    assert!(ports.records.accept(record.id, &word("ada")).await?);
    assert!(!ports.records.accept(record.id, &word("bob")).await?);
    let accepted = Alarm {
        accepted: Some(word("ada")),
        ..alarm
    };
    assert_eq!(read(ports, record.id).await?.alarm, Some(accepted));
    let plain = ended(ports, &task, 6, RecordState::Success, CopyState::Good).await?;
    assert!(!ports.records.accept(plain.id, &word("ada")).await?);
    assert!(!ports.records.accept(RecordId(99), &word("ada")).await?);
    Ok(())
}

async fn the_evidence_of_the_last_drill_is_kept(ports: &Ports) -> Result<()> {
    let task = task(ports, "t").await?;
    let record = ended(ports, &task, 1, RecordState::Success, CopyState::Good).await?;
    let evidence = |operation, failure: Option<&str>| Evidence {
        operation_id: OperationId(operation),
        at: at(5),
        failure: failure.map(|code| Failure::new(code, "leer – nichts")),
        report: Some(DrillReport {
            place: "folder".to_owned(),
            restored_bytes: 1 << 40,
            ..DrillReport::default()
        }),
    };
    let failed = evidence(7, Some("drill_failed"));
    let set = async |evidence: &Evidence| {
        let pinned = Some(RecordId(3));
        ports
            .records
            .set_evidence(record.id, evidence, pinned)
            .await
    };
    assert!(set(&failed).await?);
    assert!(!set(&failed).await?, "it is told of once");
    assert!(
        !set(&evidence(6, None)).await?,
        "an earlier one comes too late"
    );
    let kept =
        async || -> Result<_> { Ok(read(ports, record.id).await?.drill.map(|drill| *drill)) };
    assert_eq!(kept().await?, Some(failed));
    assert!(set(&evidence(8, None)).await?);
    assert_eq!(kept().await?, Some(evidence(8, None)));
    let events = ports.events.take(10, at(6), at(7)).await?;
    let told: Vec<_> = events
        .into_iter()
        .map(|event| event.kind)
        .filter(|kind| matches!(kind, EventKind::DrillFailed { .. }))
        .collect();
    let expected = EventKind::DrillFailed {
        operation_id: OperationId(7),
        record_id: record.id,
        task_id: task.id,
        pinned: Some(RecordId(3)),
    };
    assert_eq!(told, [expected]);
    let late = evidence(9, None);
    let gone = ports.records.set_evidence(RecordId(99), &late, None);
    assert!(!gone.await?);
    Ok(())
}

async fn a_record_is_removed_with_its_log_when_its_last_copy_is_gone(ports: &Ports) -> Result<()> {
    let task = task(ports, "t").await?;
    let record = ended(ports, &task, 1, RecordState::Failed, CopyState::Failed).await?;
    let subject = Subject::Record(record.id);
    let line = LogLine {
        seq: 1,
        at: at(1),
        level: Level::Info,
        message: "read".to_owned(),
    };
    ports.logs.append(subject, Lease(1), &[line]).await?;
    for copy in record.copies {
        assert!(!ports.records.remove(record.id).await?);
        let gone = backupx_core::domain::record::RecordCopy {
            state: CopyState::Deleted,
            ..copy
        };
        let failed = CopyState::Failed;
        assert!(
            ports
                .records
                .set_copy(record.id, failed, &gone, None)
                .await?
        );
    }
    assert!(ports.records.remove(record.id).await?);
    assert!(!ports.records.remove(record.id).await?);
    assert_eq!(ports.records.get(record.id).await?, None);
    assert!(ports.logs.read(subject, 0, 10).await?.is_empty());
    Ok(())
}

async fn a_record_that_is_not_done_is_not_removed(ports: &Ports) -> Result<()> {
    let task = task(ports, "t").await?;
    let mut run = run_of(&task, at(1));
    run.copies.clear();
    let record = ports.records.add(run).await?;
    let record = record.expect("nothing waits yet");
    assert!(!ports.records.remove(record.id).await?);
    ports.records.start(record.id, Lease(1), at(2)).await?;
    assert!(!ports.records.remove(record.id).await?);
    Ok(())
}

async fn never_19_a_locked_record_is_not_removed(ports: &Ports) -> Result<()> {
    let task = task(ports, "t").await?;
    let record = ended(ports, &task, 1, RecordState::Failed, CopyState::Deleted).await?;
    ports.records.set_lock(record.id, Some(&lock())).await?;
    ports.tasks.remove(task.id).await?;
    assert!(!ports.records.remove(record.id).await?);
    ports.records.set_lock(record.id, None).await?;
    assert!(ports.records.remove(record.id).await?);
    Ok(())
}
