//! The ports of one store under test.

use anyhow::Result;
use backupx_core::ports::accounts::{ApiKeys, Sessions, SignInGuard, Users};
use backupx_core::ports::events::Events;
use backupx_core::ports::logs::Logs;
use backupx_core::ports::nodes::Nodes;
use backupx_core::ports::operations::Operations;
use backupx_core::ports::presence::Presence;
use backupx_core::ports::queue::CommandQueue;
use backupx_core::ports::records::Records;
use backupx_core::ports::settings::{Answers, Settings};
use backupx_core::ports::signals::Signals;
use backupx_core::ports::targets::Targets;
use backupx_core::ports::tasks::Tasks;
use backupx_sql::SqlStores;
use futures::future::BoxFuture;
use std::sync::Arc;

/// Every state port of one store.
pub(crate) struct Ports {
    pub(crate) nodes: Arc<dyn Nodes>,
    pub(crate) targets: Arc<dyn Targets>,
    pub(crate) tasks: Arc<dyn Tasks>,
    pub(crate) records: Arc<dyn Records>,
    pub(crate) operations: Arc<dyn Operations>,
    pub(crate) logs: Arc<dyn Logs>,
    pub(crate) events: Arc<dyn Events>,
    pub(crate) settings: Arc<dyn Settings>,
    pub(crate) answers: Arc<dyn Answers>,
    pub(crate) users: Arc<dyn Users>,
    pub(crate) sessions: Arc<dyn Sessions>,
    pub(crate) api_keys: Arc<dyn ApiKeys>,
    pub(crate) sign_in_guard: Arc<dyn SignInGuard>,
    pub(crate) queue: Arc<dyn CommandQueue>,
    pub(crate) presence: Arc<dyn Presence>,
    pub(crate) signals: Arc<dyn Signals>,
    pub(crate) host: Arc<dyn Host>,
}

/// Where a store under test lives.
pub(crate) trait Host: Send + Sync {
    /// Ends every connection as a crashed or stopped master does, and opens the same store again.
    fn restart(&self) -> BoxFuture<'_, Result<Ports>>;

    /// True when masters of several processes may share the store.
    fn is_shared(&self) -> bool;

    /// A second master on the same store, beside the first.
    fn replica(&self) -> BoxFuture<'_, Result<Ports>>;

    /// Cuts every connection of every master to the store, in the middle of whatever is going on. A file has none.
    fn cut(&self) -> BoxFuture<'_, Result<()>>;
}

impl Ports {
    /// All ports of one SQL database.
    pub(crate) fn of_sql(stores: &SqlStores, host: Arc<dyn Host>) -> Self {
        let stores = Arc::new(stores.clone());
        Self {
            nodes: stores.clone(),
            targets: stores.clone(),
            tasks: stores.clone(),
            records: stores.clone(),
            operations: stores.clone(),
            logs: stores.clone(),
            events: stores.clone(),
            settings: stores.clone(),
            answers: stores.clone(),
            users: stores.clone(),
            sessions: stores.clone(),
            api_keys: stores.clone(),
            sign_in_guard: stores.clone(),
            queue: stores.clone(),
            presence: stores.clone(),
            signals: stores,
            host,
        }
    }
}
