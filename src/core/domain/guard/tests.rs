//! What is odd about a run, and what is not.

use super::*;
use crate::domain::command::Lease;
use crate::domain::id::{NodeId, RecordId, TargetId, TaskId};
use crate::domain::key::ObjectKey;
use crate::domain::name::Name;
use crate::domain::progress::Progress;
use crate::domain::record::{CopyState, RecordCopy, RecordState, StreamHead, Trigger};
use crate::domain::report::Counts;
use crate::domain::task::TaskSpec;
use proptest::prelude::*;

const MIB: u64 = 1 << 20;

/// A good run of a task of files, with its content and what storage holds of it.
fn run(bytes: u64, files: u64, stored: u64) -> Record {
    let source = serde_json::json!({ "type": "file", "paths": ["/srv"] });
    let task: TaskSpec = serde_json::from_value(serde_json::json!({
        "name": Name::parse("name", "files").expect("a name"),
        "source": source,
        "targetIds": [1],
    }))
    .expect("a task");
    let mut copy = RecordCopy::pending(TargetId(1), "disk");
    copy.state = CopyState::Good;
    copy.stored_bytes = stored;
    Record {
        id: RecordId(1),
        task_id: TaskId(1),
        task,
        node_id: NodeId::LOCAL,
        trigger: Trigger::Schedule,
        state: RecordState::Success,
        lease: Lease(1),
        location: ObjectKey::parse("files/2026/11/1").expect("a key"),
        progress: Progress::default(),
        counts: Counts {
            bytes,
            files,
            entries: files + 1,
            ..Counts::default()
        },
        failure: None,
        lock: None,
        alarm: None,
        drill: None,
        streams: Vec::new(),
        copies: vec![copy],
        created_at: Timestamp::UNIX_EPOCH,
        started_at: None,
        finished_at: None,
        cancel_requested_at: None,
    }
}

fn usual() -> Vec<Record> {
    (0..ENOUGH as u64)
        .map(|day| run((100 + day) * MIB, 1000 + day, (50 + day) * MIB))
        .collect()
}

/// What stands for a source here.
fn source(run: &Record) -> String {
    serde_json::to_string(&run.task.source).expect("JSON")
}

fn past(record: &Record) -> Past {
    let mut past = Past::of(record, source(record), &[]);
    if let Some(alarm) = &record.alarm {
        past = Past::of(record, source(record), &alarm.findings);
        if alarm.accepted.is_some() {
            past.accept();
        }
    }
    past
}

fn judged(guard: &GuardSpec, history: &[Record], run: &Record) -> Vec<Finding> {
    let history: Vec<_> = history.iter().map(past).collect();
    judge(guard, &history, &source(run), run)
}

fn codes(history: &[Record], run: &Record) -> Vec<String> {
    let findings = judged(&GuardSpec::default(), history, run);
    findings.into_iter().map(|finding| finding.code).collect()
}

fn with_dumps(sizes: &[(&str, u64)]) -> Record {
    let mut record = run(100 * MIB, sizes.len() as u64, 50 * MIB);
    let head = |(name, stored): &(&str, u64)| StreamHead {
        stream: format!("{}{name}", Manifest::DUMP_PREFIX),
        age_header: None,
        stored_bytes: *stored,
        sha256: String::new(),
    };
    record.streams = sizes.iter().map(head).collect();
    record
}

#[test]
fn a_run_like_those_before_it_is_not_odd() {
    let none: [&str; 0] = [];
    assert_eq!(codes(&usual(), &run(99 * MIB, 990, 49 * MIB)), none);
    assert_eq!(codes(&usual(), &run(180 * MIB, 1800, 90 * MIB)), none);
    assert_eq!(codes(&[], &run(0, 0, 500)), none);
}

#[test]
fn a_run_far_off_its_history_is_odd() {
    let history = usual();
    assert_eq!(codes(&history, &run(0, 0, 500)), ["empty", "fewer_entries"]);
    assert_eq!(
        codes(&history, &run(40 * MIB, 400, 20 * MIB)),
        ["shrunk", "fewer_entries"]
    );
    assert_eq!(
        codes(&history, &run(300 * MIB, 4000, 150 * MIB)),
        ["grown", "more_entries"]
    );
}

#[test]
fn an_empty_run_is_odd_from_the_second_on() {
    assert_eq!(codes(&usual()[..1], &run(0, 1, 500)), ["empty"]);
    assert!(codes(&usual()[..ENOUGH - 1], &run(MIB, 10, 500)).is_empty());
}

#[test]
fn small_things_may_grow() {
    let history: Vec<_> = (0..6).map(|_| run(1000, 3, 900)).collect();
    assert!(codes(&history, &run(9000, 12, 8000)).is_empty());
}

#[test]
fn another_source_is_another_history() {
    let mut history = usual();
    for record in &mut history {
        record.task.source = serde_json::from_value(serde_json::json!({
            "type": "file", "paths": ["/home"],
        }))
        .expect("a source");
    }
    assert!(codes(&history, &run(0, 1, 500)).is_empty());
}

#[test]
fn what_nobody_accepted_is_no_measure_and_what_somebody_accepted_is_the_new_one() {
    let mut small = run(40 * MIB, 400, 20 * MIB);
    small.alarm = Some(Alarm {
        findings: judged(&GuardSpec::default(), &usual(), &small),
        accepted: None,
    });
    let mut history = vec![small];
    history.extend(usual());
    let again = run(40 * MIB, 400, 20 * MIB);
    assert_eq!(codes(&history, &again), ["shrunk", "fewer_entries"]);
    if let Some(alarm) = &mut history[0].alarm {
        alarm.accepted = Some(Acceptance {
            at: Timestamp::UNIX_EPOCH,
            by: "admin".to_owned(),
            reason: String::new(),
        });
    }
    assert!(codes(&history, &again).is_empty());
    assert_eq!(
        codes(&history, &run(100 * MIB, 1000, 50 * MIB)),
        ["grown", "more_entries"]
    );
}

#[test]
fn one_database_that_is_gone_or_empty_is_seen_beside_many() {
    let history: Vec<_> = (0..6)
        .map(|_| with_dumps(&[("a.dump", 9 * MIB), ("b.dump", MIB), ("c.dump", 9 * MIB)]))
        .collect();
    let run = with_dumps(&[("a.dump", 9 * MIB), ("b.dump", 600)]);
    assert_eq!(codes(&history, &run), ["dump_shrunk", "dump_gone"]);
}

#[test]
fn what_somebody_encrypted_is_seen() {
    let mut history = usual();
    for record in &mut history {
        record.counts.new_files = Some(30);
    }
    let mut encrypted = run(101 * MIB, 1000, 101 * MIB);
    encrypted.counts.new_files = Some(990);
    assert_eq!(codes(&history, &encrypted), ["rewritten", "incompressible"]);
}

#[test]
fn a_guard_that_is_off_says_nothing() {
    let guard = GuardSpec {
        enabled: false,
        ..GuardSpec::default()
    };
    assert!(judged(&guard, &usual(), &run(0, 0, 500)).is_empty());
}

proptest! {
    #[test]
    fn a_run_within_what_was_seen_is_never_odd(sizes in proptest::collection::vec(1u64..1 << 50, ENOUGH..20), pick in 0usize..20) {
        let history: Vec<_> = sizes.iter().map(|bytes| run(*bytes, *bytes % 9000, *bytes / 2)).collect();
        let again = history[pick % history.len()].clone();
        prop_assert!(codes(&history, &again).is_empty());
    }
}
