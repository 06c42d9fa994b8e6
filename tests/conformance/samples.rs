//! Samples: the nodes, targets, tasks and runs that cases are about.

use crate::ports::Ports;
use anyhow::{Result, anyhow};
use backupx_core::domain::command::{CommandSpec, Lane, Lease, Subject};
use backupx_core::domain::id::{CommandId, NodeId, RecordId, RequestId, TargetId, TaskId};
use backupx_core::domain::name::Name;
use backupx_core::domain::node::Node;
use backupx_core::domain::record::{CopyState, Record, RecordCopy, RecordState, Trigger};
use backupx_core::domain::report::Counts;
use backupx_core::domain::retention::RetentionPolicy;
use backupx_core::domain::source::SourceSpec;
use backupx_core::domain::target::{Target, TargetKind};
use backupx_core::domain::task::{Compression, Task, TaskSpec};
use backupx_core::domain::time::Timestamp;
use backupx_core::ports::queue::NewCommand;
use backupx_core::ports::records::{NewRecord, RecordEnd};
use chrono::DateTime;
use std::collections::BTreeMap;
use std::fmt::Debug;

/// An instant so many seconds after the tests' beginning of time, with microseconds that every store must keep.
pub(crate) fn at(seconds: i64) -> Timestamp {
    DateTime::from_timestamp_micros((1_790_000_000 + seconds) * 1_000_000 + 123_456)
        .expect("a small number of seconds is an instant")
}

pub(crate) fn name(text: &str) -> Name {
    Name::parse("name", text).expect("the tests' names are valid")
}

/// The call was refused with this code.
#[track_caller]
pub(crate) fn refused<T: Debug>(result: backupx_core::Result<T>, code: &str) {
    match result {
        Ok(value) => panic!("was not refused with {code} but answered {value:?}"),
        Err(error) => assert_eq!(error.code(), code, "{error:?}"),
    }
}

/// A folder on whichever node runs the task.
pub(crate) fn folder() -> BTreeMap<String, String> {
    BTreeMap::from([
        ("path".to_owned(), "/srv/backup".to_owned()),
        ("at".to_owned(), "node".to_owned()),
    ])
}

/// A bucket.
/// A kind of storage that is known to be there.
pub(crate) fn kind(name: &str) -> TargetKind {
    TargetKind::parse(name).expect("a kind of the catalogue")
}

pub(crate) fn bucket() -> BTreeMap<String, String> {
    BTreeMap::from([("bucket".to_owned(), "b".to_owned())])
}

pub(crate) async fn node(ports: &Ports, called: &str) -> Result<Node> {
    let hash = format!("hash of {called}");
    Ok(ports.nodes.add(&name(called), &[], &hash, at(0)).await?)
}

pub(crate) async fn target(ports: &Ports, called: &str) -> Result<Target> {
    Ok(ports
        .targets
        .add(&name(called), kind(TargetKind::S3), &bucket(), at(0))
        .await?)
}

pub(crate) fn spec(called: &str, node: NodeId, targets: &[TargetId]) -> TaskSpec {
    TaskSpec {
        name: name(called),
        node_id: node,
        pool: None,
        source: SourceSpec::File {
            paths: vec!["/etc".to_owned()],
            excludes: vec!["*.tmp".to_owned()],
            one_file_system: false,
            skip_cache_dirs: true,
        },
        target_ids: targets.to_vec(),
        schedule: None,
        after: None,
        compression: Compression::Zstd,
        encrypt: true,
        extra_recipients: Vec::new(),
        retention: RetentionPolicy::default(),
        max_unreadable: 100,
        max_cores: None,
        time_limit_secs: None,
        drill: None,
        hooks: Default::default(),
        guard: Default::default(),
        verify: Vec::new(),
    }
}

/// A task on a node and two targets of its own.
pub(crate) async fn task(ports: &Ports, called: &str) -> Result<Task> {
    let node = node(ports, &format!("{called} node")).await?;
    let one = target(ports, &format!("{called} one")).await?;
    let two = target(ports, &format!("{called} two")).await?;
    let spec = spec(called, node.id, &[one.id, two.id]);
    Ok(ports.tasks.add(&spec, None, at(0)).await?)
}

/// A run of a task, one pending copy per target.
pub(crate) fn run_of(task: &Task, created_at: Timestamp) -> NewRecord {
    NewRecord {
        task_id: task.id,
        task: task.spec.clone(),
        node_id: task.spec.node_id,
        trigger: Trigger::Manual,
        copies: task
            .spec
            .target_ids
            .iter()
            .map(|id| RecordCopy::pending(*id, format!("target {id}")))
            .collect(),
        created_at,
    }
}

pub(crate) async fn queued(ports: &Ports, task: &Task, second: i64) -> Result<Record> {
    let added = ports.records.add(run_of(task, at(second))).await?;
    added.map_err(|other| anyhow!("record {other} is queued already"))
}

/// A run that ended, with all copies in one state.
pub(crate) async fn ended(
    ports: &Ports,
    task: &Task,
    second: i64,
    state: RecordState,
    copies: CopyState,
) -> Result<Record> {
    let record = queued(ports, task, second).await?;
    let lease = Lease(1);
    assert!(ports.records.start(record.id, lease, at(second)).await?);
    let end = end(&record, state, copies);
    assert!(
        ports
            .records
            .finish(record.id, lease, &end, at(second + 1))
            .await?
    );
    read(ports, record.id).await
}

pub(crate) fn end(record: &Record, state: RecordState, copies: CopyState) -> RecordEnd {
    RecordEnd {
        state,
        counts: Counts {
            entries: 7,
            bytes: 70,
            ..Counts::default()
        },
        failure: None,
        streams: Vec::new(),
        alarm: None,
        history: None,
        copies: record
            .copies
            .iter()
            .map(|copy| RecordCopy {
                state: copies,
                stored_bytes: 100,
                ..copy.clone()
            })
            .collect(),
    }
}

pub(crate) async fn read(ports: &Ports, id: RecordId) -> Result<Record> {
    let record = ports.records.get(id).await?;
    record.ok_or_else(|| anyhow!("record {id} is gone"))
}

/// A command about request `subject` for node 1, due at once.
pub(crate) fn ask(subject: i64) -> NewCommand {
    NewCommand {
        subject: Subject::Request(RequestId(subject)),
        node_id: NodeId(1),
        lane: Lane::Work,
        spec: CommandSpec::Browse {
            path: format!("/{subject}"),
        },
        after: Lease::NONE,
        not_before: at(0),
        expires_at: None,
    }
}

/// A command in the queue and its id.
pub(crate) async fn asked(ports: &Ports, subject: i64) -> Result<CommandId> {
    Ok(ports.queue.enqueue(ask(subject), at(0)).await?)
}

/// A command that node 1 claimed at `second` under lease 1.
pub(crate) async fn claimed(ports: &Ports, subject: i64, second: i64) -> Result<CommandId> {
    let id = asked(ports, subject).await?;
    let command = ports
        .queue
        .claim(NodeId(1), Lane::Work, at(second))
        .await?
        .ok_or_else(|| anyhow!("nothing was due"))?;
    assert_eq!((command.id, command.lease), (id, Lease(1)));
    Ok(id)
}

pub(crate) fn ids(records: &[Record]) -> Vec<RecordId> {
    records.iter().map(|record| record.id).collect()
}

pub(crate) fn task_ids(tasks: &[Task]) -> Vec<TaskId> {
    tasks.iter().map(|task| task.id).collect()
}
