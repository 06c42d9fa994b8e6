//! The composition root: which adapter stands behind which port. The only file that names concrete adapters.

use crate::config::Settings;
use anyhow::{Context, Result};
use backupx_agent::AgentDeps;
use backupx_app::{App, AppSettings, Ports};
use backupx_core::ports::clock::SystemClock;
use backupx_engine::AgeKeys;
use backupx_sources::Files;
use backupx_sql::SqlStores;
use backupx_storage::Opener;
use secrecy::ExposeSecret;
use std::sync::Arc;

/// Opens the stores that the settings name, bringing their schema up to date, and makes the control plane over them.
pub(crate) async fn control_plane(settings: &Settings) -> Result<Arc<App>> {
    let stores = SqlStores::connect(settings.database_url.expose_secret())
        .await
        .context("the state store can't be opened")?;
    let app = App::new(ports(stores), app_settings(settings));
    app.prepare()
        .await
        .context("the state store can't be prepared")?;
    Ok(Arc::new(app))
}

/// What an agent needs on any host.
pub(crate) fn agent_deps() -> AgentDeps {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    AgentDeps {
        opener: Arc::new(Opener),
        sources: Arc::new(Files::new(cores)),
    }
}

fn ports(stores: SqlStores) -> Ports {
    let stores = Arc::new(stores);
    Ports {
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
        clock: Arc::new(SystemClock),
        keys: Arc::new(AgeKeys),
        opener: Arc::new(Opener),
    }
}

fn app_settings(settings: &Settings) -> AppSettings {
    AppSettings {
        local_node: settings.local_node,
        node_offline_after: settings.node_offline_after,
        command_timeout: settings.command_timeout,
        long_poll_max: settings.long_poll_max,
        ..AppSettings::new(settings.root_key.0)
    }
}
