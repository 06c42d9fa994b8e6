//! A node that the test plays itself, to hold a poll or a command at one master and speak to the other.

use anyhow::Result;
use serde_json::json;

use super::cluster::{Cluster, Doors};
use crate::scene::id_of;
use crate::support::http::Http;
use crate::support::node::Node;

/// A node whose agent is the test, and its task.
pub(super) struct Played {
    /// The ways in.
    pub(super) doors: Doors,
    /// The node, speaking to `b`.
    pub(super) node: Node,
    /// The target of its task.
    pub(super) target: i64,
    task: i64,
}

impl Played {
    /// A node with a task to a folder of this setting `at`.
    pub(super) async fn new(cluster: &Cluster, at: &str) -> Result<Self> {
        Self::named(cluster, "played", at).await
    }

    /// The same, one of several: node, target and task have this name.
    pub(super) async fn named(cluster: &Cluster, name: &str, at: &str) -> Result<Self> {
        let doors = cluster.doors()?;
        let node = Node::start(&doors.b, &doors.admin, name).await?;
        let folder = json!({"name": name, "type": "local", "config": {"path": cluster.path("kept").join(name), "at": at}});
        let target = doors.b.post(&doors.admin, "/api/v1/targets", &folder);
        let source = json!({"type": "file", "paths": ["/etc/hostname"]});
        let target = id_of(&target.await?.expect(201)?)?;
        let task =
            json!({"name": name, "nodeId": node.id, "source": source, "targetIds": [target]});
        let task = doors.b.post(&doors.admin, "/api/v1/tasks", &task);
        Ok(Self {
            target,
            task: id_of(&task.await?.expect(201)?)?,
            node,
            doors,
        })
    }

    /// Queues a run at this door; answers its record.
    pub(super) async fn run(&self, door: &Http) -> Result<i64> {
        let path = format!("/api/v1/tasks/{}/run", self.task);
        id_of(
            &door
                .post(&self.doors.admin, path, &json!({}))
                .await?
                .expect(202)?,
        )
    }
}
