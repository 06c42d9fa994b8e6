//! The control plane over the ports under test, for what only shows when a master works on them.

use crate::ports::Ports;
use anyhow::{Context, Result};
use backupx_app::{App, AppSettings};
use backupx_core::domain::command::{Lane, Lease};
use backupx_core::domain::id::NodeId;
use backupx_core::domain::protocol::{Poll, ResultReport};
use backupx_core::domain::report::{Failure, Outcome};
use backupx_core::domain::work::Assignment;
use backupx_core::ports::clock::SystemClock;
use backupx_engine::AgeKeys;
use backupx_storage::Opener;
use std::sync::Arc;

/// The control plane over these ports.
pub(crate) fn app(ports: &Ports) -> App {
    let ports = backupx_app::Ports {
        nodes: ports.nodes.clone(),
        targets: ports.targets.clone(),
        tasks: ports.tasks.clone(),
        records: ports.records.clone(),
        operations: ports.operations.clone(),
        logs: ports.logs.clone(),
        events: ports.events.clone(),
        settings: ports.settings.clone(),
        answers: ports.answers.clone(),
        users: ports.users.clone(),
        sessions: ports.sessions.clone(),
        api_keys: ports.api_keys.clone(),
        sign_in_guard: ports.sign_in_guard.clone(),
        queue: ports.queue.clone(),
        presence: ports.presence.clone(),
        signals: ports.signals.clone(),
        clock: Arc::new(SystemClock),
        keys: Arc::new(AgeKeys),
        opener: Arc::new(Opener::default()),
    };
    App::new(ports, AppSettings::new([7; 32]))
}

/// A request for one command that does not wait.
pub(crate) fn now() -> Poll {
    Poll {
        lane: Some(Lane::Work),
        free: 1,
        wait_secs: 0,
    }
}

/// What the node is handed.
pub(crate) async fn poll(app: &App, node: NodeId) -> Result<Assignment> {
    let mut answer = app.poll(node, now()).await?;
    answer.commands.pop().context("nothing was handed out")
}

/// The result of a run that failed.
pub(crate) fn failure(lease: Lease) -> ResultReport {
    ResultReport {
        lease,
        outcome: Outcome::Failed {
            failure: Failure::new("disk_full", "the disk is full"),
            report: None,
        },
        log: Vec::new(),
    }
}
