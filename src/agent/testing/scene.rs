//! An agent at work between a scripted master and scripted hands.

use super::hands::Actor;
use super::master::Master;
use crate::config::AgentConfig;
use crate::runtime::Agent;
use backupx_core::Result;
use backupx_core::domain::command::Lease;
use backupx_core::domain::id::CommandId;
use backupx_core::domain::protocol::HeldLease;
use std::sync::Arc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// The agent and what is around it.
pub(super) struct Scene {
    pub(super) master: Arc<Master>,
    pub(super) hands: Arc<Actor>,
    pub(super) shutdown: CancellationToken,
    agent: JoinHandle<Result<()>>,
}

impl Scene {
    /// Starts an agent that meets `master` as it is.
    pub(super) fn start(master: Master) -> Self {
        let master = Arc::new(master);
        let hands = Arc::new(Actor::default());
        let shutdown = CancellationToken::new();
        let agent = Agent::with_hands(
            Arc::<Master>::clone(&master),
            Arc::<Actor>::clone(&hands),
            AgentConfig::default(),
        );
        let agent = tokio::spawn(agent.run(shutdown.clone()));
        Self {
            master,
            hands,
            shutdown,
            agent,
        }
    }

    /// An agent whose master has welcomed it.
    pub(super) async fn welcomed() -> Self {
        let scene = Self::start(Master::default());
        scene
            .master
            .until("a hello", |state| !state.hellos.is_empty())
            .await;
        scene
    }

    /// Waits until `command` has begun.
    pub(super) async fn started(&self, command: i64) {
        self.master
            .until("the beginning of the work", |_| {
                self.hands.played().started.contains(&CommandId(command))
            })
            .await;
    }

    /// Waits until nothing of `command` runs any more.
    pub(super) async fn gone(&self, command: i64) {
        self.master
            .until("the end of the work", |_| {
                self.hands.played().gone.contains(&CommandId(command))
            })
            .await;
    }

    /// True while the agent runs.
    pub(super) fn lives(&self) -> bool {
        !self.agent.is_finished()
    }

    /// Stops the agent and waits for its end.
    pub(super) async fn end(self) -> Result<()> {
        self.shutdown.cancel();
        self.agent.await.expect("the agent does not panic")
    }
}

pub(super) fn lease(command: i64, lease: i64) -> HeldLease {
    HeldLease {
        command_id: CommandId(command),
        lease: Lease(lease),
    }
}
