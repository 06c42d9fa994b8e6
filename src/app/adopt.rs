//! Adoption: backups that lie on a target and that this master does not know, taken over step by step.
//!
//! Storage describes itself, so a master that lost its database, or never had it, reads the manifests and writes records of them. Tasks come
//! back as templates, which run nothing and keep everything; nodes as names, which wait for an agent.

use crate::App;
use crate::nodes::new_token;
use crate::requests::unexpected;
use crate::vault::token_hash;
use backupx_core::domain::account::{Principal, Role};
use backupx_core::domain::command::CommandSpec;
use backupx_core::domain::guard::GuardSpec;
use backupx_core::domain::hook::Hooks;
use backupx_core::domain::id::{NodeId, TargetId, TaskId};
use backupx_core::domain::inventory::{FoundBackup, InventoryPage};
use backupx_core::domain::key::ObjectKey;
use backupx_core::domain::manifest::{Manifest, ManifestNode};
use backupx_core::domain::name::Name;
use backupx_core::domain::node::NodeStatus;
use backupx_core::domain::record::{CopyState, RecordCopy, StreamHead};
use backupx_core::domain::report::Report;
use backupx_core::domain::retention::RetentionPolicy;
use backupx_core::domain::target::{Reach, Target};
use backupx_core::domain::task::{Compression, Task, TaskSpec};
use backupx_core::ports::records::{AdoptedRecord, Adoption};
use backupx_core::{Error, Result};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Backups of one step.
const AT_ONCE: u32 = 500;
/// How long a step may take at its node.
const LIMIT: Duration = Duration::from_secs(150);
/// Tasks and nodes of one name that are told apart by a number.
const MOST_ALIKE: usize = 1000;

/// What one step came to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ImportStep {
    /// Folders of records that were looked at.
    pub found: u64,
    /// What was written.
    pub adopted: Adopted,
    /// Folders that hold no whole backup.
    pub skipped: Vec<Skipped>,
    /// Public keys without whose private key some of them can't be restored here.
    pub unknown_keys: BTreeSet<String>,
    /// The folder behind which the next step begins; nothing when this was the last one.
    pub next: Option<ObjectKey>,
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Adopted {
    /// New records.
    pub records: u64,
    /// Further copies of records that are known.
    pub copies: u64,
    /// Backups that were known already.
    pub known: u64,
    /// Names of tasks that were made for them.
    pub tasks: Vec<String>,
    /// Names of nodes that were made for them.
    pub nodes: Vec<String>,
}

/// A folder that holds no whole backup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// The folder.
    pub location: ObjectKey,
    /// Why.
    pub reason: String,
}

/// What tells tasks of another master apart.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Origin {
    task: String,
    node: NodeId,
    kind: &'static str,
    ours: bool,
}

impl App {
    /// Takes over up to 500 backups on a target, behind the folder `after`; with `dry` it only says what is there. `node` reads the target where
    /// more than one can. May be repeated: what is known stays as it is. Needs `admin`.
    pub async fn import_step(
        &self,
        principal: &Principal,
        id: TargetId,
        node: Option<NodeId>,
        after: Option<ObjectKey>,
        dry: bool,
    ) -> Result<ImportStep> {
        principal.require(Role::Admin)?;
        let target = self.known_target(id).await?;
        let reader = self.inventory_node(&target, node).await?;
        let page = self.inventory(&target, reader, after, AT_ONCE).await?;
        let mut step = ImportStep {
            found: page.found.len() as u64,
            next: page.next,
            ..ImportStep::default()
        };
        let known = self.recipients_known(principal).await?;
        let mut whole = Vec::new();
        for found in page.found {
            match readable(found) {
                Ok((found, manifest)) => {
                    if !manifest.recipients.is_empty()
                        && !manifest.recipients.iter().any(|key| known.contains(key))
                    {
                        step.unknown_keys
                            .extend(manifest.recipients.iter().cloned());
                    }
                    whole.push((found, manifest));
                }
                Err(skipped) => step.skipped.push(skipped),
            }
        }
        if !dry && !whole.is_empty() {
            step.adopted = self.adopt(&target, reader, &known[0], whole).await?;
            tracing::info!(
                target.id = id.0,
                by = principal.username,
                records = step.adopted.records,
                copies = step.adopted.copies,
                "backups were imported"
            );
        }
        Ok(step)
    }

    /// Asks `node` for a part of what lies on a target.
    pub(crate) async fn inventory(
        &self,
        target: &Target,
        node: NodeId,
        after: Option<ObjectKey>,
        limit: u32,
    ) -> Result<InventoryPage> {
        let spec = CommandSpec::Inventory {
            target_id: target.id,
            after,
            limit,
        };
        match self.ask(node, spec, LIMIT).await? {
            Report::Inventory(page) => Ok(page),
            other => Err(unexpected(&other)),
        }
    }

    /// Who looks at a target: the master's own node where it can, else the one that is named, else any that is there.
    async fn inventory_node(&self, target: &Target, wanted: Option<NodeId>) -> Result<NodeId> {
        match (target.reach(), wanted) {
            (Reach::Master, _) => Ok(NodeId::LOCAL),
            (Reach::Everywhere | Reach::OwnNode, Some(node)) => Ok(node),
            (Reach::OwnNode, None) => self.named_or_local(None).await,
            (Reach::Everywhere, None) => {
                let now = self.now();
                let online = |seen_at| {
                    NodeStatus::at(Some(seen_at), now, self.offline_after()) == NodeStatus::Online
                };
                let seen = self.ports.presence.all().await?;
                seen.into_iter()
                    .filter(|(_, seen_at)| online(*seen_at))
                    .map(|(node, _)| node)
                    .min()
                    .ok_or_else(|| {
                        Error::unavailable(
                            "node_offline",
                            "no node is there that could look at the target",
                        )
                    })
            }
        }
    }

    async fn adopt(
        &self,
        target: &Target,
        reader: NodeId,
        own_key: &str,
        whole: Vec<(FoundBackup, Manifest)>,
    ) -> Result<Adopted> {
        let mut adopted = Adopted::default();
        let mut tasks = BTreeMap::<Origin, TaskId>::new();
        let mut records = Vec::new();
        for (found, manifest) in whole {
            let node = match target.reach() {
                // Only who has the folder reads the copy again.
                Reach::OwnNode => reader,
                Reach::Everywhere | Reach::Master => {
                    self.node_like(&manifest.node, &mut adopted.nodes).await?
                }
            };
            let spec = template(target, node, &manifest)?;
            let origin = Origin {
                task: manifest.task.name.clone(),
                node,
                kind: spec.source.type_name(),
                ours: manifest.recipients.iter().any(|key| key == own_key),
            };
            let task_id = match tasks.get(&origin) {
                Some(id) => *id,
                None => {
                    let id = self
                        .task_like(&spec, origin.ours, &mut adopted.tasks)
                        .await?;
                    tasks.insert(origin, id);
                    id
                }
            };
            records.push(record(target, task_id, spec, found, &manifest));
        }
        for adoption in self.ports.records.adopt(target.id, &records).await? {
            match adoption {
                Adoption::New(_) => adopted.records += 1,
                Adoption::Copy(_) => adopted.copies += 1,
                Adoption::Known(_) => adopted.known += 1,
            }
        }
        Ok(adopted)
    }

    /// The node of this name, made without an agent when there is none. The own node of another master is the own node here.
    async fn node_like(&self, node: &ManifestNode, made: &mut Vec<String>) -> Result<NodeId> {
        if node.id.is_local() && self.ports.nodes.get(NodeId::LOCAL).await?.is_some() {
            return Ok(NodeId::LOCAL);
        }
        let name = Name::parse("node", &node.name)
            .or_else(|_| Name::parse("node", &node.hostname))
            .or_else(|_| Name::parse("node", "imported"))?;
        if let Some(known) = self.ports.nodes.by_name(name.as_str()).await? {
            return Ok(known.id);
        }
        // Nobody has this token: `node rotate-token` gives one to the agent that is to come.
        let hash = token_hash(&new_token());
        match self.ports.nodes.add(&name, &[], &hash, self.now()).await {
            Ok(added) => {
                made.push(name.to_string());
                Ok(added.id)
            }
            // Somebody else made it at this moment.
            Err(error) if error.code() == "node_name_taken" => {
                let known = self.ports.nodes.by_name(name.as_str()).await?;
                known.map(|known| known.id).ok_or(error)
            }
            Err(error) => Err(error),
        }
    }

    /// The task of this name that reads the same kind of source on the same node; a template is made when there is none.
    async fn task_like(
        &self,
        spec: &TaskSpec,
        ours: bool,
        made: &mut Vec<String>,
    ) -> Result<TaskId> {
        for number in 1..=MOST_ALIKE {
            let name = spec.name.numbered(number);
            if let Some(known) = self.ports.tasks.by_name(name.as_str()).await? {
                if is_like(&known, spec, ours) {
                    return Ok(known.id);
                }
                continue;
            }
            let spec = TaskSpec {
                name: name.clone(),
                ..spec.clone()
            };
            let now = self.now();
            match self.ports.tasks.add(&spec, None, now).await {
                Ok(task) => {
                    self.ports
                        .tasks
                        .set_enabled(task.id, false, None, now)
                        .await?;
                    made.push(name.to_string());
                    return Ok(task.id);
                }
                // Somebody else made it at this moment: it is looked at like any other.
                Err(error) if error.code() == "task_name_taken" => {
                    let known = self.ports.tasks.by_name(name.as_str()).await?;
                    if let Some(known) = known.filter(|known| is_like(known, &spec, ours)) {
                        return Ok(known.id);
                    }
                }
                Err(error) => return Err(error),
            }
        }
        Err(Error::conflict(
            "task_name_taken",
            format!("there are {MOST_ALIKE} tasks called {} already", spec.name),
        ))
    }
}

/// Whether backups that `spec` tells of belong to the task. Those that are not proven to be of this organisation, by its key, never come
/// under a policy that removes some: another installation may have a task of the same name.
fn is_like(task: &Task, spec: &TaskSpec, ours: bool) -> bool {
    (ours || task.spec.retention.keeps_everything())
        && task.spec.node_id == spec.node_id
        && task.spec.source.type_name() == spec.source.type_name()
}

/// The manifest of a folder that is a whole backup.
fn readable(mut found: FoundBackup) -> std::result::Result<(FoundBackup, Manifest), Skipped> {
    match (found.manifest.take(), found.problem.take()) {
        (Some(manifest), None) => Ok((found, *manifest)),
        (_, problem) => Err(Skipped {
            location: found.location,
            reason: problem.unwrap_or_else(|| "it has no manifest".to_owned()),
        }),
    }
}

/// A task as a manifest tells it, which runs by itself never and keeps everything.
fn template(target: &Target, node: NodeId, manifest: &Manifest) -> Result<TaskSpec> {
    let name = Name::parse("task", &manifest.task.name)
        .or_else(|_| Name::parse("task", manifest.task.source.type_name()))?;
    Ok(TaskSpec {
        name,
        node_id: node,
        pool: None,
        source: manifest.task.source.clone(),
        target_ids: vec![target.id],
        schedule: None,
        after: None,
        compression: manifest
            .streams
            .first()
            .map_or(Compression::default(), |stream| stream.compression),
        encrypt: !manifest.recipients.is_empty(),
        extra_recipients: Vec::new(),
        retention: RetentionPolicy::default(),
        max_unreadable: TaskSpec::MAX_UNREADABLE,
        max_cores: None,
        time_limit_secs: None,
        hooks: Hooks::default(),
        verify: Vec::new(),
        guard: GuardSpec::default(),
        drill: None,
    })
}

fn record(
    target: &Target,
    task_id: TaskId,
    task: TaskSpec,
    found: FoundBackup,
    manifest: &Manifest,
) -> AdoptedRecord {
    AdoptedRecord {
        task_id,
        node_id: task.node_id,
        task,
        location: found.location,
        counts: manifest.counts,
        streams: manifest.streams.iter().map(StreamHead::from).collect(),
        copy: RecordCopy {
            state: CopyState::Good,
            stored_bytes: found.stored_bytes,
            manifest_sha256: Some(found.manifest_sha256),
            ..RecordCopy::pending(target.id, target.name.as_str())
        },
        created_at: manifest.created_at,
    }
}
