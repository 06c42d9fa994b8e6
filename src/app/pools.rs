//! Pools: runs that any node with a label may take. The least busy node that is there takes one when it asks for work; nothing of that
//! is written into the task. Which node has a run is decided by its record; that nobody else runs it, by its one command.

use crate::App;
use backupx_core::Result;
use backupx_core::domain::command::{Command, CommandState, Subject};
use backupx_core::domain::id::NodeId;
use backupx_core::domain::node::{Node, NodeStatus};
use backupx_core::domain::page::PageRequest;
use backupx_core::domain::record::{Record, RecordState};
use backupx_core::domain::time::Timestamp;
use backupx_core::ports::queue::Guarded;
use backupx_core::ports::signals::Topic;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// Runs of one look.
const AT_ONCE: u32 = 50;
/// How often a process looks for runs in pools when there were none: polls come more often than runs.
const LOOK_AGAIN: chrono::Duration = chrono::Duration::milliseconds(250);
/// A run that waited for so long for the least busy node goes to whichever asks for work.
const PATIENCE: chrono::Duration = chrono::Duration::seconds(30);

/// When this process last saw that no run waits in a pool. Nothing hangs on it but how often it looks.
#[derive(Default)]
pub(crate) struct EmptyPools(Mutex<Option<Timestamp>>);

impl EmptyPools {
    fn note(&self, at: Option<Timestamp>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = at;
    }

    fn were_empty_at(&self, now: Timestamp) -> bool {
        let noted = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        noted.is_some_and(|noted| noted <= now && now - noted < LOOK_AGAIN)
    }
}

impl App {
    /// Gives `node` runs of its pools, up to as many as it can take now.
    pub(crate) async fn take_from_pools(&self, node: NodeId, free: u32) -> Result<()> {
        let now = self.now();
        if free == 0 || self.empty_pools.were_empty_at(now) {
            return Ok(());
        }
        let waiting = self.ports.records.in_pools(AT_ONCE).await?;
        self.empty_pools.note(waiting.is_empty().then_some(now));
        if waiting.is_empty() {
            return Ok(());
        }
        let Some(asking) = self.ports.nodes.get(node).await? else {
            return Ok(());
        };
        let mut taken = 0;
        let mut others = None;
        for record in waiting.iter().filter(|record| can_run(&asking, record)) {
            if taken == free {
                break;
            }
            let others = match &mut others {
                Some(others) => others,
                none => none.insert(self.nodes_that_are_there().await?),
            };
            if now - record.created_at < PATIENCE && !others.is_least_busy(node, record) {
                continue;
            }
            let records = &self.ports.records;
            if !records.assign(record.id, NodeId::NONE, node).await? {
                continue;
            }
            tracing::info!(
                record.id = record.id.0,
                node.id = node.0,
                "a node took a run of its pool"
            );
            taken += 1;
            *others.load.entry(node).or_default() += 1;
            let record = Record {
                node_id: node,
                ..record.clone()
            };
            self.enqueue_record(&record).await?;
        }
        Ok(())
    }

    /// Says to the nodes of its pool that a run waits.
    pub(crate) async fn call_pool(&self, record: &Record) -> Result<()> {
        self.empty_pools.note(None);
        let there = self.nodes_that_are_there().await?;
        for node in there.nodes.iter().filter(|node| can_run(node, record)) {
            self.notify(Topic::Node(node.id)).await;
        }
        self.notify(Topic::Subject(Subject::Record(record.id)))
            .await;
        Ok(())
    }

    /// Puts a run back into its pool whose node did not begin it: its command waits and is withdrawn first, so that no node has it.
    /// False when it belongs to no pool, or somebody has it after all.
    pub(crate) async fn back_to_pool(&self, record: &Record, command: &Command) -> Result<bool> {
        if record.task.pool.is_none()
            || record.state != RecordState::Queued
            || command.state != CommandState::Pending
        {
            return Ok(false);
        }
        let withdrawn = self.ports.queue.withdraw(command.id, command.lease).await?;
        if withdrawn != Guarded::Done {
            return Ok(false);
        }
        let records = &self.ports.records;
        if !records
            .assign(record.id, record.node_id, NodeId::NONE)
            .await?
        {
            return Ok(false);
        }
        tracing::warn!(
            record.id = record.id.0,
            node.id = record.node_id.0,
            "a run went back to its pool; its node did not begin it"
        );
        self.call_pool(record).await?;
        Ok(true)
    }

    /// A waiting run whose node went away before it began goes back to its pool. False when it is not so.
    pub(crate) async fn rescue_into_pool(&self, record: &Record) -> Result<bool> {
        let chosen = record.task.pool.is_some() && record.node_id != NodeId::NONE;
        if !chosen || record.state != RecordState::Queued {
            return Ok(false);
        }
        if self.node_status(record.node_id).await? == NodeStatus::Online {
            return Ok(false);
        }
        match self.ports.queue.find(Subject::Record(record.id)).await? {
            Some(command) => self.back_to_pool(record, &command).await,
            None => Ok(false),
        }
    }

    async fn nodes_that_are_there(&self) -> Result<NodesThere> {
        let now = self.now();
        let seen: BTreeMap<_, _> = self.ports.presence.all().await?.into_iter().collect();
        let is_there = |node: &Node| {
            let seen_at = seen.get(&node.id).copied();
            NodeStatus::at(seen_at, now, self.offline_after()) == NodeStatus::Online
        };
        let mut there = NodesThere {
            load: self.ports.records.load().await?.into_iter().collect(),
            ..NodesThere::default()
        };
        let mut page = PageRequest::first(PageRequest::MAX_LIMIT);
        loop {
            let nodes = self.ports.nodes.list(page).await?;
            there.nodes.extend(nodes.items.into_iter().filter(is_there));
            match nodes.next {
                Some(next) => page.after = Some(next),
                None => return Ok(there),
            }
        }
    }
}

/// The nodes that are there and how many runs each has.
#[derive(Default)]
struct NodesThere {
    nodes: Vec<Node>,
    load: BTreeMap<NodeId, u64>,
}

impl NodesThere {
    fn load_of(&self, node: NodeId) -> u64 {
        self.load.get(&node).copied().unwrap_or(0)
    }

    /// True when no other node that could run it has less to do.
    fn is_least_busy(&self, node: NodeId, record: &Record) -> bool {
        let able = self.nodes.iter().filter(|other| can_run(other, record));
        let least = able.map(|other| self.load_of(other.id)).min();
        least.is_none_or(|least| self.load_of(node) <= least)
    }
}

/// True when a node has the label and its agent knows how to do it.
fn can_run(node: &Node, record: &Record) -> bool {
    let Some(pool) = &record.task.pool else {
        return false;
    };
    let kind = record.task.source.type_name();
    let knows_how = |facts: &backupx_core::domain::node::NodeFacts| {
        facts.task_types.iter().any(|known| known == kind)
    };
    node.labels.iter().any(|label| label == pool.as_str())
        && node.facts.as_ref().is_some_and(knows_how)
}
