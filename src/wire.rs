//! The composition root: which adapter stands behind which port. The only file that names concrete adapters.

use crate::cmd::wal::WalSettings;
use crate::config::Settings;
use anyhow::{Context, Result};
use backupx_agent::AgentDeps;
use backupx_agent::backint::{Host, Log, Parameters, place};
use backupx_app::{App, AppSettings, Ports};
use backupx_core::ports::backint::Catalogue;
use backupx_core::ports::clock::SystemClock;
use backupx_core::ports::objects::StoreOpener;
use backupx_core::ports::settings::Settings as _;
use backupx_engine::AgeKeys;
use backupx_redis::RedisStores;
use backupx_sources::{Databases, Files};
use backupx_sql::{BackintCatalogue, SqlStores};
use backupx_storage::Opener;
use secrecy::ExposeSecret;
use std::sync::Arc;

/// Setting: what all keys of this installation in Redis begin with.
const REDIS_PREFIX: &str = "redis.prefix";

/// Opens the stores that the settings name, bringing their schema up to date, and makes the control plane over them.
pub(crate) async fn control_plane(settings: &Settings) -> Result<Arc<App>> {
    let url = settings.database_url.expose_secret();
    let stores = SqlStores::connect_sized(url, settings.database_connections)
        .await
        .context("the state store can't be opened")?;
    let redis = match &settings.redis_url {
        Some(url) => Some(redis(url.expose_secret(), &stores).await?),
        None => None,
    };
    let app = App::new(ports(stores, redis), app_settings(settings));
    app.prepare()
        .await
        .context("the state store can't be prepared")?;
    Ok(Arc::new(app))
}

/// Opens storage.
pub(crate) fn opener() -> Arc<dyn StoreOpener> {
    Arc::new(Opener::default())
}

/// What a call of Backint needs of its host; fails only when a master has to say where objects go and does not. A catalogue that can't be used is said and left out: storage knows all that it knows.
pub(crate) async fn backint_host(parameters: &Parameters, log: &Log) -> backupx_core::Result<Host> {
    let access = parameters.storage.settle(log).await?;
    let catalogue = match &parameters.catalog_db {
        Some(path) => match BackintCatalogue::open(path, place(&access)).await {
            Ok(catalogue) => Some(Arc::new(catalogue) as Arc<dyn Catalogue>),
            Err(error) => {
                log.warn(format!("CATALOG_DB can't be used: {}", error.chain()));
                None
            }
        },
        None => None,
    };
    Ok(Host {
        access,
        opener: opener(),
        catalogue,
        clock: Arc::new(SystemClock),
        cores: cores(),
    })
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// What an agent needs on any host.
pub(crate) fn agent_deps() -> AgentDeps {
    AgentDeps {
        opener: opener(),
        sources: Arc::new(Files::new(cores())),
        databases: Arc::new(Databases::with_wal(Arc::new(WalSettings))),
    }
}

/// Opens the Redis at `url`. Its keys carry a name that the database keeps: what another installation, or one whose database was made
/// anew, has in the same Redis is no command of this one.
async fn redis(url: &str, stores: &SqlStores) -> Result<RedisStores> {
    let name = format!("backupx-{:016x}", rand::random::<u64>());
    let prefix = stores
        .get_or_set(REDIS_PREFIX, &name)
        .await
        .context("the state store can't be read")?;
    RedisStores::connect(url, &prefix)
        .await
        .context("the Redis that BACKUPX_REDIS_URL names can't be used")
}

/// All state is in the database, but for queue, presence and signals where there is a Redis.
fn ports(stores: SqlStores, redis: Option<RedisStores>) -> Ports {
    let ports = of_sql(stores);
    let Some(redis) = redis.map(Arc::new) else {
        return ports;
    };
    Ports {
        queue: redis.clone(),
        presence: redis.clone(),
        signals: redis,
        ..ports
    }
}

fn of_sql(stores: SqlStores) -> Ports {
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
        opener: Arc::new(Opener::default()),
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
