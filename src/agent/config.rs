//! How an agent behaves: what is the same for an agent of its own and for the one inside the master.

use crate::policy::Policy;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Settings of the runtime. The default is right for a node that runs inside the master.
#[derive(Debug, Clone)]
pub struct AgentConfig {
    /// How many backups, restores and the like run at once. The host's policy may lower it.
    pub max_concurrent: usize,
    /// How many short questions are answered at once.
    pub max_short: usize,
    /// How often to send a heartbeat; nothing means as often as the master says.
    pub heartbeat_interval: Option<Duration>,
    /// The longest wait of one poll; the master may answer sooner.
    pub poll_wait: Duration,
    /// The pause between polls of a master that does not hold them.
    pub poll_interval: Duration,
    /// How often progress is sent, which also renews the lease.
    pub progress_interval: Duration,
    /// How long running work has on shutdown, reports included.
    pub drain: Duration,
    /// Folder for temporary files, for the kinds of work that need one.
    pub temp_dir: Option<PathBuf>,
    /// What this host lets the master ask for.
    pub policy: Arc<Policy>,
    /// How many processor cores one run may use.
    pub cores: usize,
}

impl AgentConfig {
    /// How many long works run at once, with the host's policy applied.
    pub fn work_slots(&self) -> usize {
        self.policy.cap(self.max_concurrent).max(1)
    }
}

impl Default for AgentConfig {
    fn default() -> Self {
        Self {
            max_concurrent: 2,
            max_short: 4,
            heartbeat_interval: None,
            poll_wait: Duration::from_secs(25),
            poll_interval: Duration::from_secs(5),
            progress_interval: Duration::from_secs(2),
            drain: Duration::from_secs(30),
            temp_dir: None,
            policy: Arc::new(Policy::default()),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
        }
    }
}
