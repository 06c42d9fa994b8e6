//! Where the objects of a database's Backint program go.
//!
//! The database calls its program when it likes, so there is no command that could carry the target. What the program of a node may have
//! is what the node gets anyway, in the commands of its tasks of type `saphana`: the targets that they name.

use crate::App;
use backupx_core::domain::id::{NodeId, TargetId};
use backupx_core::domain::page::PageRequest;
use backupx_core::domain::protocol::{BackintAsk, BackintTarget};
use backupx_core::domain::source::SourceSpec;
use backupx_core::domain::target::Target;
use backupx_core::{Error, Result};
use std::collections::BTreeSet;

impl App {
    /// Access of `node` to the target that it asks for, or to its only one. `Forbidden` (`target_not_of_node`)
    /// when no task of type `saphana` of this node names it, `Conflict` (`backint_target_unclear`) when nothing is asked for and there is not
    /// exactly one, or (`target_behind_master`) when the node does not reach it by itself.
    pub async fn backint_target(&self, node: NodeId, ask: &BackintAsk) -> Result<BackintTarget> {
        let targets = self.targets_of_hana(node).await?;
        let target = match &ask.target {
            Some(name) => named(name, targets, node)?,
            None => only(targets, node)?,
        };
        let access = self.access_of(&target, node)?;
        if access.relay {
            return Err(Error::conflict(
                "target_behind_master",
                format!(
                    "target {} is a folder of the master, which a Backint program does not reach: use a target that node {node} reaches by itself",
                    target.name
                ),
            ));
        }
        tracing::info!(node.id = node.0, target = %target.name, "a Backint program was told its target");
        Ok(BackintTarget {
            server_time: self.now(),
            target: access,
        })
    }

    /// The targets that tasks of type `saphana` of `node` name, by id.
    async fn targets_of_hana(&self, node: NodeId) -> Result<Vec<Target>> {
        let mut ids = BTreeSet::<TargetId>::new();
        let mut page = PageRequest::first(PageRequest::MAX_LIMIT);
        loop {
            let tasks = self.ports.tasks.list(page).await?;
            let hana = tasks.items.iter().map(|task| &task.spec).filter(|spec| {
                spec.node_id == node && matches!(spec.source, SourceSpec::Saphana(_))
            });
            ids.extend(hana.flat_map(|spec| &spec.target_ids));
            match tasks.next {
                Some(after) => page.after = Some(after),
                None => break,
            }
        }
        let mut targets = Vec::new();
        for id in ids {
            targets.push(self.known_target(id).await?);
        }
        Ok(targets)
    }
}

/// The one of this name. A name of another node's target and one that nobody has are answered alike: a token is no way to learn names.
fn named(name: &str, targets: Vec<Target>, node: NodeId) -> Result<Target> {
    let known = names(&targets);
    targets
        .into_iter()
        .find(|target| target.name.as_str() == name)
        .ok_or_else(|| {
            Error::forbidden(
                "target_not_of_node",
                format!("no task of type saphana of node {node} names a target {name:?}{known}"),
            )
        })
}

fn only(mut targets: Vec<Target>, node: NodeId) -> Result<Target> {
    match (targets.pop(), targets.is_empty()) {
        (Some(target), true) => Ok(target),
        (None, _) => Err(Error::conflict(
            "backint_target_unclear",
            format!(
                "node {node} has no target: add a task of type saphana for it, whose target its Backint program uses as well"
            ),
        )),
        (Some(last), false) => {
            targets.push(last);
            Err(Error::conflict(
                "backint_target_unclear",
                format!(
                    "the tasks of type saphana of node {node} name several targets: say which one by TARGET{}",
                    names(&targets)
                ),
            ))
        }
    }
}

/// What there is to choose from.
fn names(targets: &[Target]) -> String {
    if targets.is_empty() {
        return String::new();
    }
    let names: Vec<_> = targets.iter().map(|target| target.name.as_str()).collect();
    format!(" ({})", names.join(", "))
}
