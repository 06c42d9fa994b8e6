//! The control plane: its ports, its settings, and what a process does with it at start.

use crate::heard::Heard;
use crate::lookout::Lookout;
use crate::passwords::Passwords;
use crate::pools::EmptyPools;
use crate::schedule::Ticks;
use crate::tokens::KnownTokens;
use crate::vault::Vault;
use backupx_core::Result;
use backupx_core::domain::account::{Principal, Role};
use backupx_core::domain::id::{NodeId, UserId};
use backupx_core::domain::name::Name;
use backupx_core::domain::node::NodeStatus;
use backupx_core::domain::time::Timestamp;
use backupx_core::ports::accounts::{ApiKeys, Sessions, SignInGuard, Users};
use backupx_core::ports::clock::Clock;
use backupx_core::ports::events::Events;
use backupx_core::ports::keys::SealKeys;
use backupx_core::ports::logs::Logs;
use backupx_core::ports::nodes::Nodes;
use backupx_core::ports::objects::StoreOpener;
use backupx_core::ports::operations::Operations;
use backupx_core::ports::presence::Presence;
use backupx_core::ports::queue::CommandQueue;
use backupx_core::ports::records::Records;
use backupx_core::ports::settings::{Answers, Settings};
use backupx_core::ports::signals::{Signals, Topic};
use backupx_core::ports::targets::Targets;
use backupx_core::ports::tasks::Tasks;
use std::sync::Arc;
use std::time::Duration;
use zeroize::Zeroizing;

/// Everything that the control plane asks of the outside.
#[derive(Clone)]
#[expect(
    missing_docs,
    reason = "each field is named after its port, which says what it is"
)]
pub struct Ports {
    pub nodes: Arc<dyn Nodes>,
    pub targets: Arc<dyn Targets>,
    pub tasks: Arc<dyn Tasks>,
    pub records: Arc<dyn Records>,
    pub operations: Arc<dyn Operations>,
    pub logs: Arc<dyn Logs>,
    pub events: Arc<dyn Events>,
    pub settings: Arc<dyn Settings>,
    pub answers: Arc<dyn Answers>,
    pub users: Arc<dyn Users>,
    pub sessions: Arc<dyn Sessions>,
    pub api_keys: Arc<dyn ApiKeys>,
    pub sign_in_guard: Arc<dyn SignInGuard>,
    pub queue: Arc<dyn CommandQueue>,
    pub presence: Arc<dyn Presence>,
    pub signals: Arc<dyn Signals>,
    pub clock: Arc<dyn Clock>,
    pub keys: Arc<dyn SealKeys>,
    pub opener: Arc<dyn StoreOpener>,
}

/// What the administrator of the host decided.
#[derive(Clone)]
pub struct AppSettings {
    /// The root key: everything that is sealed or signed hangs on it. Never in the database.
    pub root_key: Zeroizing<[u8; 32]>,
    /// Whether node 0 runs in this process.
    pub local_node: bool,
    /// What node 0 is called when it is made.
    pub local_node_name: String,
    /// A node is offline when it was not heard for longer than this.
    pub node_offline_after: Duration,
    /// A claimed command without a sign of life for longer than this becomes `timeout`.
    pub command_timeout: Duration,
    /// Longest wait of one poll.
    pub long_poll_max: Duration,
    /// How often agents are asked to send a heartbeat.
    pub heartbeat_interval: Duration,
    /// How long a short question to a node may take.
    pub request_limit: Duration,
    /// How long a session lives.
    pub session_ttl: Duration,
}

impl AppSettings {
    /// The defaults of the contract under this root key.
    pub fn new(root_key: [u8; 32]) -> Self {
        Self {
            root_key: Zeroizing::new(root_key),
            local_node: true,
            local_node_name: "local".to_owned(),
            node_offline_after: Duration::from_secs(45),
            command_timeout: Duration::from_secs(600),
            long_poll_max: Duration::from_secs(25),
            heartbeat_interval: Duration::from_secs(15),
            request_limit: Duration::from_secs(10),
            session_ttl: Duration::from_secs(12 * 3600),
        }
    }
}

/// The use-cases of the control plane.
pub struct App {
    pub(crate) ports: Ports,
    pub(crate) settings: AppSettings,
    pub(crate) vault: Vault,
    pub(crate) passwords: Passwords,
    pub(crate) ticks: Ticks,
    pub(crate) empty_pools: EmptyPools,
    /// Memory that only saves questions to the stores.
    pub(crate) heard: Heard,
    pub(crate) tokens: KnownTokens,
    pub(crate) lookout: Lookout,
}

/// A few figures of the whole installation, for metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Figures {
    /// Nodes heard within the limit.
    pub nodes_online: u64,
    /// Nodes that were heard once and are silent now.
    pub nodes_offline: u64,
    /// Commands that wait for a node.
    pub commands_pending: u64,
    /// Commands that a node holds.
    pub commands_claimed: u64,
}

impl App {
    /// A control plane over these ports.
    pub fn new(ports: Ports, settings: AppSettings) -> Self {
        let vault = Vault::new(&settings.root_key);
        Self {
            ports,
            settings,
            vault,
            passwords: Passwords::default(),
            ticks: Ticks::default(),
            empty_pools: EmptyPools::default(),
            heard: Heard::default(),
            tokens: KnownTokens::default(),
            lookout: Lookout::default(),
        }
    }

    /// Makes sure of what must exist before anything is served: node 0 when it runs here, and the organisation's key. Idempotent.
    /// `Conflict` (`other_root_key`) when this process has another root key than the stores were made with.
    pub async fn prepare(&self) -> Result<()> {
        if self.settings.local_node {
            let name = Name::parse("localNodeName", &self.settings.local_node_name)?;
            self.ports.nodes.ensure_local(&name, self.now()).await?;
        }
        self.ensure_organisation_key().await?;
        self.prove_root_key().await
    }

    /// Whoever works on the master's host, straight on its stores: an administrator without an account.
    pub fn host_principal() -> Principal {
        Principal {
            user_id: UserId(0),
            username: "host".to_owned(),
            role: Role::Admin,
            session_id: None,
        }
    }

    /// Answers when the state stores can be reached.
    pub async fn ready(&self) -> Result<()> {
        self.ports.settings.get("ready").await?;
        // The queue and its neighbours may be in a store of their own.
        self.ports.presence.last_seen(NodeId::LOCAL).await.map(drop)
    }

    /// Figures for metrics.
    pub async fn figures(&self) -> Result<Figures> {
        let now = self.now();
        let (commands_pending, commands_claimed) = self.ports.queue.depth().await?;
        let mut figures = Figures {
            commands_pending,
            commands_claimed,
            ..Figures::default()
        };
        for (_, seen_at) in self.ports.presence.all().await? {
            match NodeStatus::at(Some(seen_at), now, self.offline_after()) {
                NodeStatus::Online => figures.nodes_online += 1,
                NodeStatus::Offline => figures.nodes_offline += 1,
                NodeStatus::New => {}
            }
        }
        Ok(figures)
    }

    /// The master's time.
    pub fn now(&self) -> Timestamp {
        self.ports.clock.now()
    }

    /// The settings that it runs with.
    pub fn settings(&self) -> &AppSettings {
        &self.settings
    }

    /// The key that signs session tokens, derived from the root key.
    pub fn session_key(&self) -> Zeroizing<[u8; 32]> {
        self.vault.derive("session tokens")
    }

    pub(crate) fn offline_after(&self) -> chrono::Duration {
        span(self.settings.node_offline_after)
    }

    /// Wakes waiters up. A lost wake-up only costs time, so a failure is worth a line and no more.
    pub(crate) async fn notify(&self, topic: Topic) {
        if let Err(error) = self.ports.signals.notify(topic).await {
            tracing::warn!(error = error.chain(), ?topic, "a wake-up could not be sent");
        }
    }
}

/// The same length of time in the clock's words.
pub(crate) fn span(duration: Duration) -> chrono::Duration {
    chrono::Duration::from_std(duration).unwrap_or(chrono::Duration::days(36_500))
}
