//! Commands on their way: lost, doubled, late, silent, stopped.

use crate::bed::{Bed, backup_report, code, failed, hello, progress_under, take, well};
use backupx_core::Result;
use backupx_core::domain::command::{Lane, Subject};
use backupx_core::domain::log::{Level, LogLine};
use backupx_core::domain::protocol::{Heartbeat, Poll, ResultReport};
use backupx_core::domain::record::RecordState;
use backupx_core::domain::report::{Listing, Outcome, Report};
use backupx_core::ports::queue::CommandQueue;
use backupx_core::ports::records::Records;
use chrono::Duration;

fn state_of(outcome: &backupx_core::domain::record::Record) -> (RecordState, Option<&str>) {
    (
        outcome.state,
        outcome.failure.as_ref().map(|f| f.code.as_str()),
    )
}

#[tokio::test]
async fn never_08_a_lost_poll_answer_is_handed_out_again() -> Result<()> {
    let bed = Bed::new().await?;
    let node = bed.node("web").await?;
    let task = bed.task(node, &[bed.bucket("b").await?]).await?;
    bed.app.run_task(&bed.who, task.id).await?;
    let lost = bed.take_one(node).await?;
    bed.app.heartbeat(node, Heartbeat::default()).await?;
    assert!(
        bed.take(node).await?.is_empty(),
        "it may still be on its way"
    );
    bed.pass(Duration::seconds(31));
    bed.app.heartbeat(node, Heartbeat::default()).await?;
    let again = bed.take_one(node).await?;
    assert_eq!(again.command_id, lost.command_id);
    assert_eq!(again.lease, lost.lease.next());
    bed.end(node, &again, well(&again)).await
}

#[tokio::test]
async fn never_10_a_hand_out_that_never_arrives_fails_in_plain_words_after_three() -> Result<()> {
    let bed = Bed::new().await?;
    let node = bed.node("web").await?;
    let task = bed.task(node, &[bed.bucket("b").await?]).await?;
    let record = bed.app.run_task(&bed.who, task.id).await?;
    for _ in 0..3 {
        bed.take_one(node).await?;
        bed.pass(Duration::minutes(11));
        bed.app.heartbeat(node, Heartbeat::default()).await?;
        bed.pass(Duration::minutes(11));
    }
    let record = bed.record(record.id).await?;
    assert_eq!(
        state_of(&record),
        (RecordState::Failed, Some("hand_out_lost"))
    );
    assert!(bed.take(node).await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn never_09_late_result_changes_nothing() -> Result<()> {
    let bed = Bed::new().await?;
    let node = bed.node("web").await?;
    let task = bed.task(node, &[bed.bucket("b").await?]).await?;
    let record = bed.app.run_task(&bed.who, task.id).await?;
    let work = bed.take_one(node).await?;
    bed.progress(node, &work).await?;
    bed.pass(Duration::minutes(11));
    assert_eq!(bed.app.sweep().await?.timed_out, 1);
    let before = bed.record(record.id).await?;
    assert_eq!(state_of(&before), (RecordState::Failed, Some("timeout")));
    let late = bed.end(node, &work, well(&work)).await;
    assert_eq!(code(late), "lease_lost");
    assert_eq!(code(bed.progress(node, &work).await), "lease_lost");
    assert_eq!(bed.record(record.id).await?, before);
    Ok(())
}

#[tokio::test]
async fn never_09_a_repeated_result_is_accepted_and_changes_nothing() -> Result<()> {
    let bed = Bed::new().await?;
    let node = bed.node("web").await?;
    let task = bed.task(node, &[bed.bucket("b").await?]).await?;
    let record = bed.run_well(node, task.id).await?;
    assert_eq!(record.state, RecordState::Success);
    let command = bed
        .stores
        .find(Subject::Record(record.id))
        .await?
        .map(|c| c.id);
    let repeat = |outcome| ResultReport {
        lease: record.lease,
        log: Vec::new(),
        outcome,
    };
    let id = command.unwrap_or(backupx_core::domain::id::CommandId(0));
    let same = Outcome::Succeeded {
        report: Report::Backup(backup_report(task.spec.target_ids.iter().copied(), &[])),
    };
    bed.app.result(node, id, repeat(same)).await?;
    let other = bed
        .app
        .result(node, id, repeat(failed("x", "other words")))
        .await;
    assert_eq!(code(other), "lease_lost");
    assert_eq!(bed.record(record.id).await?, record);
    Ok(())
}

#[tokio::test]
async fn never_09_only_the_node_that_holds_a_command_may_report_on_it() -> Result<()> {
    let bed = Bed::new().await?;
    let (node, other) = (bed.node("web").await?, bed.node("db").await?);
    let task = bed.task(node, &[bed.bucket("b").await?]).await?;
    bed.app.run_task(&bed.who, task.id).await?;
    assert!(bed.take(other).await?.is_empty());
    let work = bed.take_one(node).await?;
    assert_eq!(code(bed.end(other, &work, well(&work)).await), "lease_lost");
    let wrong = bed
        .app
        .progress(node, work.command_id, progress_under(work.lease.next()))
        .await;
    assert_eq!(code(wrong), "lease_lost");
    bed.end(node, &work, well(&work)).await
}

#[tokio::test]
async fn never_10_progress_keeps_an_hours_long_run_alive() -> Result<()> {
    let bed = Bed::new().await?;
    let node = bed.node("web").await?;
    let task = bed.task(node, &[bed.bucket("b").await?]).await?;
    let record = bed.app.run_task(&bed.who, task.id).await?;
    let work = bed.take_one(node).await?;
    for _ in 0..40 {
        bed.pass(Duration::minutes(9));
        bed.progress(node, &work).await?;
        bed.app.sweep().await?;
    }
    assert!(bed.take(node).await?.is_empty(), "nothing is started again");
    bed.end(node, &work, well(&work)).await?;
    assert_eq!(bed.record(record.id).await?.state, RecordState::Success);
    Ok(())
}

#[tokio::test]
async fn never_11_a_question_is_answered_beside_long_work() -> Result<()> {
    let bed = Bed::new().await?;
    let node = bed.node("web").await?;
    let task = bed.task(node, &[bed.bucket("b").await?]).await?;
    bed.app.run_task(&bed.who, task.id).await?;
    let long = bed.take_one(node).await?;
    let answer = async {
        let poll = Poll {
            wait_secs: 20,
            free: 1,
            lane: Some(Lane::Short),
        };
        for short in bed.app.poll(node, poll).await?.commands {
            let listing = Listing {
                path: "/etc".to_owned(),
                ..Listing::default()
            };
            let report = Report::Browse(listing);
            bed.end(node, &short, Outcome::Succeeded { report }).await?;
        }
        Ok(())
    };
    let (listing, answered) = tokio::join!(bed.app.browse(&bed.who, node, "/etc"), answer);
    answered
        .and(listing)
        .map(|listing| assert_eq!(listing.path, "/etc"))?;
    bed.end(node, &long, well(&long)).await
}

#[tokio::test]
async fn a_question_to_an_absent_node_is_refused_at_once() -> Result<()> {
    let bed = Bed::new().await?;
    let node = bed.app.add_node(&bed.who, "new", &[]).await?.node.node.id;
    assert_eq!(
        code(bed.app.browse(&bed.who, node, "/").await),
        "node_offline"
    );
    let node = bed.node("web").await?;
    bed.pass(Duration::seconds(46));
    assert_eq!(
        code(bed.app.browse(&bed.who, node, "/").await),
        "node_offline"
    );
    Ok(())
}

#[tokio::test]
async fn never_12_a_restarted_agent_ends_what_it_was_doing() -> Result<()> {
    let bed = Bed::new().await?;
    let node = bed.node("web").await?;
    let task = bed.task(node, &[bed.bucket("b").await?]).await?;
    let record = bed.app.run_task(&bed.who, task.id).await?;
    let work = bed.take_one(node).await?;
    bed.progress(node, &work).await?;
    let kept = bed.app.hello(node, hello(&[&work])).await?;
    assert_eq!((kept.keep.len(), kept.stop.len()), (1, 0));
    bed.app.hello(node, hello(&[])).await?;
    let record = bed.record(record.id).await?;
    assert_eq!(
        state_of(&record),
        (RecordState::Failed, Some("agent_restarted"))
    );
    let stopped = bed.app.hello(node, hello(&[&work])).await?;
    assert_eq!((stopped.keep.len(), stopped.stop.len()), (0, 1));
    bed.app.run_task(&bed.who, task.id).await.map(drop)
}

#[tokio::test]
async fn never_08_a_hand_out_lost_in_a_restart_is_handed_out_at_once() -> Result<()> {
    let bed = Bed::new().await?;
    let node = bed.node("web").await?;
    let task = bed.task(node, &[bed.bucket("b").await?]).await?;
    let record = bed.app.run_task(&bed.who, task.id).await?;
    bed.take_one(node).await?;
    bed.app.hello(node, hello(&[])).await?;
    assert_eq!(bed.record(record.id).await?.state, RecordState::Queued);
    let again = bed.take_one(node).await?;
    bed.end(node, &again, well(&again)).await?;
    assert_eq!(bed.record(record.id).await?.state, RecordState::Success);
    Ok(())
}

#[tokio::test]
async fn never_12_the_sweep_closes_every_gap_that_a_crash_leaves() -> Result<()> {
    let bed = Bed::new().await?;
    let node = bed.node("web").await?;
    let task = bed.task(node, &[bed.bucket("b").await?]).await?;
    // The record is written and the process dies before its command is.
    let new = backupx_core::ports::records::NewRecord {
        task_id: task.id,
        task: task.spec.clone(),
        node_id: node,
        trigger: backupx_core::domain::record::Trigger::Manual,
        copies: vec![backupx_core::domain::record::RecordCopy::pending(
            task.spec.target_ids[0],
            "b",
        )],
        created_at: bed.now(),
    };
    let record = match bed.stores.add(new).await? {
        Ok(record) => record,
        Err(waiting) => return Err(backupx_core::Error::internal(format!("{waiting} waits"))),
    };
    assert!(bed.take(node).await?.is_empty());
    assert_eq!(bed.app.sweep().await?.enqueued, 1);
    assert_eq!(bed.replica().sweep().await?.enqueued, 0);
    let work = bed.take_one(node).await?;
    // The command is ended and the process dies before the record is.
    let ended = failed("disk_full", "full");
    CommandQueue::finish(&*bed.stores, work.command_id, work.lease, &ended, bed.now()).await?;
    assert_eq!(bed.app.sweep().await?.finished, 1);
    let record = bed.record(record.id).await?;
    assert_eq!(state_of(&record), (RecordState::Failed, Some("disk_full")));
    Ok(())
}

#[tokio::test]
async fn never_12_cancel_is_always_legal() -> Result<()> {
    let bed = Bed::new().await?;
    let node = bed.node("web").await?;
    let task = bed.task(node, &[bed.bucket("b").await?]).await?;
    // Waiting.
    let waiting = bed.app.run_task(&bed.who, task.id).await?;
    let record = bed.app.cancel_record(&bed.who, waiting.id).await?;
    assert_eq!(record.state, RecordState::Cancelled);
    assert!(bed.take(node).await?.is_empty());
    assert_eq!(
        code(bed.app.cancel_record(&bed.who, waiting.id).await),
        "record_finished"
    );
    // Running: told with the next sign of life.
    let running = bed.app.run_task(&bed.who, task.id).await?;
    let work = bed.take_one(node).await?;
    bed.app.cancel_record(&bed.who, running.id).await?;
    assert!(bed.progress(node, &work).await?);
    let pulse = bed
        .app
        .heartbeat(
            node,
            Heartbeat {
                leases: hello(&[&work]).leases,
            },
        )
        .await?;
    assert_eq!(pulse.cancel.len(), 1);
    bed.end(node, &work, Outcome::Cancelled).await?;
    assert_eq!(bed.record(running.id).await?.state, RecordState::Cancelled);
    // Running on a node that went away.
    let lost = bed.app.run_task(&bed.who, task.id).await?;
    let work = bed.take_one(node).await?;
    bed.pass(Duration::minutes(2));
    bed.app.cancel_record(&bed.who, lost.id).await?;
    assert_eq!(bed.record(lost.id).await?.state, RecordState::Cancelled);
    assert_eq!(code(bed.end(node, &work, well(&work)).await), "lease_lost");
    Ok(())
}

#[tokio::test]
async fn never_13_a_task_has_one_waiting_run() -> Result<()> {
    let bed = Bed::new().await?;
    let node = bed.node("web").await?;
    let task = bed.task(node, &[bed.bucket("b").await?]).await?;
    let record = bed.app.run_task(&bed.who, task.id).await?;
    let again = bed.app.run_task(&bed.who, task.id).await;
    let message = again
        .as_ref()
        .err()
        .map(ToString::to_string)
        .unwrap_or_default();
    assert_eq!(code(again), "task_already_queued");
    assert!(message.contains(&record.id.to_string()), "{message}");
    Ok(())
}

#[tokio::test]
async fn one_command_goes_to_one_of_many_pollers() -> Result<()> {
    let bed = Bed::new().await?;
    let node = bed.node("web").await?;
    let task = bed.task(node, &[bed.bucket("b").await?]).await?;
    bed.app.run_task(&bed.who, task.id).await?;
    let (first, second) = (bed.replica(), bed.replica());
    let (a, b, c) = tokio::join!(
        take(&bed.app, node),
        take(&first, node),
        take(&second, node)
    );
    assert_eq!(a?.len() + b?.len() + c?.len(), 1);
    Ok(())
}

#[tokio::test]
async fn a_waiting_poll_wakes_up_for_a_new_run() -> Result<()> {
    let bed = Bed::new().await?;
    let node = bed.node("web").await?;
    let task = bed.task(node, &[bed.bucket("b").await?]).await?;
    let poll = Poll {
        wait_secs: 20,
        free: 2,
        lane: Some(Lane::Work),
    };
    let (taken, run) = tokio::join!(
        bed.app.poll(node, poll),
        bed.app.run_task(&bed.who, task.id)
    );
    run?;
    assert_eq!(taken?.commands.len(), 1);
    Ok(())
}

#[tokio::test]
async fn a_line_sent_twice_is_stored_once() -> Result<()> {
    let bed = Bed::new().await?;
    let node = bed.node("web").await?;
    let task = bed.task(node, &[bed.bucket("b").await?]).await?;
    let record = bed.app.run_task(&bed.who, task.id).await?;
    let work = bed.take_one(node).await?;
    let line = LogLine {
        seq: 1,
        at: bed.now(),
        level: Level::Info,
        message: "reading /srv/data".to_owned(),
    };
    for _ in 0..2 {
        let mut report = progress_under(work.lease);
        report.log = vec![line.clone()];
        bed.app.progress(node, work.command_id, report).await?;
    }
    let log = bed.app.record_log(&bed.who, record.id, 0, 100).await?;
    assert_eq!(log.len(), 1);
    assert_eq!(log[0].line, line);
    Ok(())
}

#[tokio::test]
async fn never_10_a_master_that_was_away_calls_no_agent_dead() -> Result<()> {
    let bed = Bed::new().await?;
    let node = bed.node("web").await?;
    let task = bed.task(node, &[bed.bucket("b").await?]).await?;
    let record = bed.app.run_task(&bed.who, task.id).await?;
    let work = bed.take_one(node).await?;
    bed.progress(node, &work).await?;
    bed.app.sweep().await?;
    // Two days without any master; the agent works on and finds it again a minute later.
    bed.pass(Duration::days(2));
    let report = bed.app.sweep().await?;
    assert_eq!((report.timed_out, report.offline), (0, 0));
    bed.pass(Duration::minutes(1));
    bed.app.sweep().await?;
    let kept = bed.app.hello(node, hello(&[&work])).await?;
    assert_eq!(kept.keep.len(), 1);
    bed.end(node, &work, well(&work)).await?;
    assert_eq!(bed.record(record.id).await?.state, RecordState::Success);
    Ok(())
}

#[tokio::test]
async fn never_12_an_agent_that_stays_silent_after_a_gap_is_given_up() -> Result<()> {
    let bed = Bed::new().await?;
    let node = bed.node("web").await?;
    let task = bed.task(node, &[bed.bucket("b").await?]).await?;
    let record = bed.app.run_task(&bed.who, task.id).await?;
    let work = bed.take_one(node).await?;
    bed.progress(node, &work).await?;
    bed.app.sweep().await?;
    bed.pass(Duration::days(2));
    for _ in 0..6 {
        bed.app.sweep().await?;
        bed.pass(Duration::minutes(1));
    }
    bed.app.sweep().await?;
    let record = bed.record(record.id).await?;
    assert_eq!(state_of(&record), (RecordState::Failed, Some("timeout")));
    Ok(())
}
