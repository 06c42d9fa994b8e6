//! The master as a node inside its own process sees it: the agent protocol as plain calls.

use crate::App;
use async_trait::async_trait;
use backupx_core::Result;
use backupx_core::domain::command::Lease;
use backupx_core::domain::id::{CommandId, NodeId, TargetId};
use backupx_core::domain::protocol::{
    Assignments, Heartbeat, Hello, Poll, ProgressAnswer, ProgressReport, Pulse, ResultReport,
    Welcome,
};
use backupx_core::ports::master::MasterLink;
use bytes::Bytes;
use std::ops::Range;
use std::sync::Arc;

/// The link of one node in the master's process.
pub struct InProcessLink {
    app: Arc<App>,
    node: NodeId,
}

impl InProcessLink {
    /// A link for `node`, usually [`NodeId::LOCAL`].
    pub fn new(app: Arc<App>, node: NodeId) -> Self {
        Self { app, node }
    }
}

#[async_trait]
impl MasterLink for InProcessLink {
    async fn hello(&self, hello: Hello) -> Result<Welcome> {
        self.app.hello(self.node, hello).await
    }

    async fn heartbeat(&self, heartbeat: Heartbeat) -> Result<Pulse> {
        self.app.heartbeat(self.node, heartbeat).await
    }

    async fn poll(&self, poll: Poll) -> Result<Assignments> {
        self.app.poll(self.node, poll).await
    }

    async fn progress(&self, command: CommandId, report: ProgressReport) -> Result<ProgressAnswer> {
        self.app.progress(self.node, command, report).await
    }

    async fn result(&self, command: CommandId, report: ResultReport) -> Result<()> {
        self.app.result(self.node, command, report).await
    }

    async fn relay_create(
        &self,
        command: CommandId,
        lease: Lease,
        target: TargetId,
        name: &str,
        body: Vec<Bytes>,
    ) -> Result<()> {
        self.app
            .relay_create(self.node, command, lease, target, name, body)
            .await
    }

    async fn relay_stat(
        &self,
        command: CommandId,
        lease: Lease,
        target: TargetId,
        name: &str,
    ) -> Result<Option<u64>> {
        self.app
            .relay_stat(self.node, command, lease, target, name)
            .await
    }

    async fn relay_read(
        &self,
        command: CommandId,
        lease: Lease,
        target: TargetId,
        name: &str,
        range: Range<u64>,
    ) -> Result<Bytes> {
        self.app
            .relay_read(self.node, command, lease, target, name, range)
            .await
    }
}
