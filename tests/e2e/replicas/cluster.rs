//! A cluster: a Postgres, perhaps a Redis, two masters `a` and `b` with one root key, nginx before them, and an administrator.

use std::fmt;
use std::fs;
use std::path::PathBuf;

use anyhow::Result;
use base64::Engine;
use libtest_mimic::Trial;
use tempfile::TempDir;

use crate::support::cli::Cli;
use crate::support::http::Http;
use crate::support::master::Master;
use crate::support::nginx::Nginx;
use crate::support::postgres::Postgres;
use crate::support::redis::Redis;
use crate::support::servers::program_trial;

/// Where the masters keep what they know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stores {
    /// Everything in Postgres.
    Postgres,
    /// Queue, presence and signals in Redis, all else in Postgres.
    PostgresAndRedis,
}

impl fmt::Display for Stores {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Postgres => "postgres",
            Self::PostgresAndRedis => "postgres_and_redis",
        })
    }
}

/// A running cluster. What depends on something goes before it.
#[derive(Debug)]
pub(super) struct Cluster {
    /// The way that agents, people and scripts take.
    pub(super) nginx: Nginx,
    /// One master.
    pub(super) a: Master,
    /// The other one.
    pub(super) b: Master,
    /// The queue's store.
    pub(super) redis: Option<Redis>,
    /// The database.
    pub(super) postgres: Postgres,
    /// The administrator, who speaks to nginx.
    pub(super) cli: Cli,
    /// Where its files are, as long as it is.
    pub(super) folder: TempDir,
}

impl Cluster {
    /// A cluster that is ready.
    pub(super) fn start(stores: Stores) -> Result<Self> {
        Self::with_settings(stores, &[], &[])
    }

    /// The same with these variables for both masters, and those for `a` alone.
    pub(super) fn with_settings(
        stores: Stores,
        both: &[(&str, &str)],
        only_a: &[(&str, &str)],
    ) -> Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("backupx-cluster-")
            .tempdir()?;
        let postgres = Postgres::start()?;
        let redis = match stores {
            Stores::Postgres => None,
            Stores::PostgresAndRedis => Some(Redis::start()?),
        };
        let key = folder.path().join("root.key");
        fs::write(&key, new_root_key())?;
        let (database, key) = (postgres.url(), key.display().to_string());
        let queue = redis.as_ref().map(Redis::url);
        let mut settings = vec![
            ("BACKUPX_DATABASE_URL", database.as_str()),
            ("BACKUPX_SECRET_KEY_FILE", key.as_str()),
        ];
        settings.extend(queue.as_deref().map(|url| ("BACKUPX_REDIS_URL", url)));
        settings.extend(both);
        let b = Master::with_settings(&settings)?;
        settings.extend(only_a);
        let a = Master::with_settings(&settings)?;
        let nginx = Nginx::start([a.address(), b.address()])?;
        let cli = Cli {
            url: nginx.url(),
            ..a.administrator()?
        };
        Ok(Self {
            nginx,
            a,
            b,
            redis,
            postgres,
            cli,
            folder,
        })
    }

    /// A path in the cluster's folder.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// `a`, `b` and both behind nginx, over HTTP.
    pub(super) fn doors(&self) -> Result<Doors> {
        Ok(Doors {
            a: Http::new(self.a.url())?,
            b: Http::new(self.b.url())?,
            both: Http::new(self.nginx.url())?,
            admin: self.cli.key.clone(),
        })
    }
}

/// The ways into a cluster.
#[derive(Debug, Clone)]
pub(super) struct Doors {
    /// Master `a`.
    pub(super) a: Http,
    /// Master `b`.
    pub(super) b: Http,
    /// Either of them, as nginx chooses.
    pub(super) both: Http,
    /// The administrator's key.
    pub(super) admin: String,
}

/// A root key as `openssl rand -base64 32` makes it.
pub(super) fn new_root_key() -> String {
    base64::engine::general_purpose::STANDARD.encode(rand::random::<[u8; 32]>())
}

/// A trial that needs what a cluster is made of.
pub(super) fn cluster_trial(
    name: &str,
    stores: Stores,
    body: impl FnOnce(Stores) -> Result<()> + Send + 'static,
) -> Trial {
    let name = format!("replicas::on_{stores}::{name}");
    let programs: &[&str] = match stores {
        Stores::Postgres => &["nginx", "setpriv"],
        Stores::PostgresAndRedis => &["nginx", "setpriv", "redis-server"],
    };
    program_trial(&name, programs, move || body(stores))
}

/// Runs what waits for several answers at once.
pub(super) fn block_on<T>(future: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?
        .block_on(future)
}
