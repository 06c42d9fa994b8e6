//! Access: what a node needs to open targets and streams for one command, and no more.

use crate::App;
use backupx_core::domain::access::{StreamKey, TargetAccess};
use backupx_core::domain::id::{NodeId, TargetId};
use backupx_core::domain::node::NodeStatus;
use backupx_core::domain::record::{CopyState, Record};
use backupx_core::domain::target::Settings;
use backupx_core::domain::target::{Reach, Target};
use backupx_core::domain::task::TaskSpec;
use backupx_core::ports::objects::ObjectStore;
use backupx_core::{Error, Result};
use std::sync::Arc;

/// Which streams of a record are to be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Streams {
    /// Its content and its index.
    All,
    /// What it holds, and nothing of it.
    Index,
}

impl App {
    pub(crate) async fn known_target(&self, id: TargetId) -> Result<Target> {
        self.ports
            .targets
            .get(id)
            .await?
            .ok_or_else(|| Error::not_found("target_not_found", format!("there is no target {id}")))
    }

    /// Access of `node` to a target: with its secrets, or as a relay without any when only the master reaches it.
    pub(crate) fn access_of(&self, target: &Target, node: NodeId) -> Result<TargetAccess> {
        let relay = target.reach() == Reach::Master && !node.is_local();
        let settings = if relay {
            Settings::default()
        } else {
            Settings {
                config: target.config.clone(),
                secrets: self.vault.open_target(target.id, target.secrets.as_ref())?,
            }
        };
        let mut access =
            TargetAccess::without_master(target.name.to_string(), target.kind, settings);
        access.id = target.id;
        access.relay = relay;
        Ok(access)
    }

    /// Access of `node` to each of these targets.
    pub(crate) async fn accesses(
        &self,
        targets: &[TargetId],
        node: NodeId,
    ) -> Result<Vec<TargetAccess>> {
        let mut accesses = Vec::new();
        for id in targets {
            accesses.push(self.access_of(&self.known_target(*id).await?, node)?);
        }
        Ok(accesses)
    }

    /// Opens a target in the master's own process. `Unavailable` (`relay_folder_missing`) when its folder is not on this replica. Made here,
    /// it would hold what no other replica finds; read here, good copies would seem lost. Only where node 0 lives it is made when missing.
    pub(crate) async fn open_here(&self, access: &TargetAccess) -> Result<Arc<dyn ObjectStore>> {
        let store = self.ports.opener.open(access)?;
        if self.settings.local_node || store.is_there().await? {
            return Ok(store);
        }
        let path = access.config.get("path").map_or("", String::as_str);
        Err(Error::unavailable(
            "relay_folder_missing",
            format!(
                "target {} is the folder {path} of the master, and the master that was asked has no such folder; mount the same one on every master, or use a target that agents reach by themselves",
                access.name
            ),
        ))
    }

    /// Targets with good copies of a record that `node` reaches, best first: its own folder, then services, then the relay.
    pub(crate) async fn reachable_copies(
        &self,
        record: &Record,
        node: NodeId,
    ) -> Result<Vec<Target>> {
        let mut targets = Vec::new();
        for copy in record.copies.iter().filter(|c| c.state == CopyState::Good) {
            if let Some(target) = self.ports.targets.get(copy.target_id).await?
                && reaches(node, &target, record)
            {
                targets.push(target);
            }
        }
        targets.sort_by_key(|target| match target.reach() {
            Reach::OwnNode => 0,
            Reach::Master if node.is_local() => 0,
            Reach::Everywhere => 1,
            Reach::Master => 2,
        });
        Ok(targets)
    }

    /// Access of `node` to the good copies that it reaches. `Conflict` (`copy_unreachable`) when there is none.
    pub(crate) async fn sources(&self, record: &Record, node: NodeId) -> Result<Vec<TargetAccess>> {
        let targets = self.reachable_copies(record, node).await?;
        if targets.is_empty() {
            return Err(no_copy_within_reach(record, node));
        }
        targets
            .iter()
            .map(|target| self.access_of(target, node))
            .collect()
    }

    /// A node that is there and reaches a good copy: the record's own first, then the master's, then any.
    /// `Conflict` (`copy_unreachable`) when no node would reach one, `Unavailable` (`node_offline`) when none that would is there.
    pub(crate) async fn reader_of(&self, record: &Record) -> Result<NodeId> {
        let seen = self.ports.presence.all().await?;
        let now = self.now();
        let online = |seen_at| {
            NodeStatus::at(Some(seen_at), now, self.offline_after()) == NodeStatus::Online
        };
        let mut nodes: Vec<NodeId> = seen
            .into_iter()
            .filter(|(_, seen_at)| online(*seen_at))
            .map(|(node, _)| node)
            .collect();
        nodes.sort_by_key(|node| (*node != record.node_id, *node));
        for node in nodes {
            if !self.reachable_copies(record, node).await?.is_empty() {
                return Ok(node);
            }
        }
        if self
            .reachable_copies(record, record.node_id)
            .await?
            .is_empty()
        {
            return Err(no_copy_within_reach(record, record.node_id));
        }
        self.require_online(record.node_id).await?;
        Err(no_copy_within_reach(record, record.node_id))
    }

    /// The file keys of a record's sealed streams: each opens its stream and nothing else.
    pub(crate) async fn stream_keys(
        &self,
        record: &Record,
        wanted: Streams,
    ) -> Result<Vec<StreamKey>> {
        let sealed: Vec<_> = record
            .streams
            .iter()
            .filter(|stream| match wanted {
                Streams::All => true,
                Streams::Index => stream.stream == "index",
            })
            .filter_map(|stream| Some((stream.stream.as_str(), stream.age_header.as_deref()?)))
            .collect();
        self.unwrap_all(&sealed).await
    }

    /// The public keys that a run of this task is sealed to; none when it is not encrypted.
    pub(crate) async fn recipients(&self, task: &TaskSpec) -> Result<Vec<String>> {
        if !task.encrypt {
            return Ok(Vec::new());
        }
        let mut recipients = vec![self.organisation_recipient().await?];
        recipients.extend(task.extra_recipients.iter().cloned());
        Ok(recipients)
    }
}

/// True when `node` can read or write the copy of `record` on `target`.
pub(crate) fn reaches(node: NodeId, target: &Target, record: &Record) -> bool {
    match target.reach() {
        Reach::Everywhere | Reach::Master => true,
        Reach::OwnNode => node == record.node_id,
    }
}

fn no_copy_within_reach(record: &Record, node: NodeId) -> Error {
    let good = record
        .copies
        .iter()
        .any(|copy| copy.state == CopyState::Good);
    let message = if good {
        format!(
            "node {node} reaches no good copy of record {}: its copies lie in a folder of node {}",
            record.id, record.node_id
        )
    } else {
        format!("record {} has no good copy", record.id)
    };
    Error::conflict("copy_unreachable", message)
}
