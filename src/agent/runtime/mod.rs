//! The agent's loops and what they share.

mod backoff;
mod connection;
mod delivery;
mod greeting;
mod heartbeat;
mod job;
mod journal;
mod pace;
mod polling;
mod reporting;
mod roster;
mod worker;

pub(crate) use backoff::Backoff;
pub(crate) use job::Job;

use crate::config::AgentConfig;
use crate::work::{Engine, Hands};
use backupx_core::ports::dumps::DumpOpener;
use backupx_core::ports::master::MasterLink;
use backupx_core::ports::objects::StoreOpener;
use backupx_core::ports::source::{SourceOpener, StopFlag};
use backupx_core::{Error, Result};
use connection::Connection;
use roster::Roster;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// What an agent needs of its host.
#[derive(Clone)]
pub struct AgentDeps {
    /// Opens targets.
    pub opener: Arc<dyn StoreOpener>,
    /// Opens sources of files and lists folders.
    pub sources: Arc<dyn SourceOpener>,
    /// Opens database servers.
    pub databases: Arc<dyn DumpOpener>,
}

/// An agent. One [`Agent::run`] is its whole life.
pub struct Agent(Arc<Shared>);

/// What the loops and jobs share.
struct Shared {
    link: Arc<dyn MasterLink>,
    config: AgentConfig,
    hands: Arc<dyn Hands>,
    roster: Roster,
    connection: Connection,
    jobs: TaskTracker,
    /// Cancelled when the agent's life is over: whatever still runs then is dropped.
    over: CancellationToken,
}

impl Agent {
    /// An agent of the master behind `link`. Does nothing before [`Agent::run`].
    pub fn new(link: Arc<dyn MasterLink>, deps: AgentDeps, config: AgentConfig) -> Self {
        let hands = Arc::new(Engine::new(Arc::clone(&link), deps, &config));
        Self::with_hands(link, hands, config)
    }

    pub(crate) fn with_hands(
        link: Arc<dyn MasterLink>,
        hands: Arc<dyn Hands>,
        config: AgentConfig,
    ) -> Self {
        Self(Arc::new(Shared {
            link,
            config,
            hands,
            roster: Roster::default(),
            connection: Connection::default(),
            jobs: TaskTracker::new(),
            over: CancellationToken::new(),
        }))
    }

    /// Runs until `shutdown`, then stops asking for work and gives what runs [`AgentConfig::drain`] to finish or to be reported as
    /// stopped. A master that is absent, refuses the token or answers nonsense never ends it.
    pub async fn run(self, shutdown: CancellationToken) -> Result<()> {
        let shared = self.0;
        // Dropping the future of `run` ends the jobs as well: they look at this token.
        let _over = shared.over.clone().drop_guard();
        let background = shared.over.child_token();
        // Nobody waits for it: a server with something on it may be out of reach.
        let swept = Raised::default();
        let (hands, stop) = (Arc::clone(&shared.hands), swept.0.clone());
        tokio::task::spawn_blocking(move || hands.sweep(&stop));
        let mut loops = JoinSet::new();
        loops.spawn(greeting::run(Arc::clone(&shared), background.clone()));
        loops.spawn(heartbeat::run(Arc::clone(&shared), background.clone()));
        loops.spawn(polling::run(Arc::clone(&shared), shutdown.clone()));
        // Cancel-safe: neither branch holds anything that is lost with it.
        let result = tokio::select! {
            () = shutdown.cancelled() => Ok(()),
            ended = broken(&mut loops, &shutdown) => Err(ended),
        };
        shared.drain().await;
        background.cancel();
        result
    }
}

/// A flag that is raised when it goes out of sight.
#[derive(Default)]
struct Raised(StopFlag);

impl Drop for Raised {
    fn drop(&mut self) {
        self.0.stop();
    }
}

/// Waits for a loop that ends before it was asked to, which only a defect can make it do.
async fn broken(loops: &mut JoinSet<()>, shutdown: &CancellationToken) -> Error {
    while let Some(ended) = loops.join_next().await {
        if let Err(cause) = ended {
            return Error::internal("a part of the agent broke down").with_source(cause);
        }
        if !shutdown.is_cancelled() {
            return Error::internal("a part of the agent ended before its time");
        }
    }
    Error::internal("all parts of the agent ended")
}

impl Shared {
    /// Lets running work finish for most of the time, stops what did not, and leaves the last seconds for reports.
    async fn drain(&self) {
        self.jobs.close();
        let whole = self.config.drain;
        if self.finished_within(whole.mul_f64(0.6)).await {
            return;
        }
        let stopped = self.roster.stop_all(job::Stop::Shutdown);
        if stopped > 0 {
            tracing::warn!(
                jobs = stopped,
                "the agent stops work that did not finish in time"
            );
        }
        if !self.finished_within(whole.mul_f64(0.35)).await {
            tracing::error!(
                "the agent ends although not all results reached the master: it will call them lost"
            );
        }
    }

    async fn finished_within(&self, limit: Duration) -> bool {
        tokio::time::timeout(limit, self.jobs.wait()).await.is_ok()
    }
}
