//! Backends: the stores that are asked, each fresh for every case.

use crate::case::{Case, block_on};
use crate::ports::{Host, Ports};
use crate::{postgres, redis};
use anyhow::Result;
use backupx_sql::SqlStores;
use futures::FutureExt;
use futures::future::BoxFuture;
use libtest_mimic::Trial;
use std::sync::{Arc, Mutex, PoisonError};
use tempfile::TempDir;

/// All of them.
pub(crate) const ALL: &[Backend] = &[
    Backend::Sqlite,
    Backend::Postgres,
    Backend::Pooler,
    Backend::Redis,
];

/// A kind of store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Backend {
    /// A file in a temporary folder.
    Sqlite,
    /// A schema of the server that `BACKUPX_TEST_POSTGRES_URL` names.
    Postgres,
    /// The same through the pooler in transaction mode that `BACKUPX_TEST_POOLER_URL` names.
    Pooler,
    /// Queue, presence and signals in the server that `BACKUPX_TEST_REDIS_URL` names, all else in a file.
    Redis,
}

/// True where a backend that is not there is a failure: `tests/run` starts them all.
pub(crate) fn is_required() -> bool {
    std::env::var("BACKUPX_TEST_REQUIRE_ALL").is_ok_and(|value| value == "1")
}

impl Backend {
    /// One case on this backend; ignored when the backend is not there, or failed where all are required.
    pub(crate) fn trial(self, case: Case) -> Trial {
        let name = case.name.trim_start_matches("conformance::");
        let missing = match self {
            Self::Sqlite => None,
            Self::Postgres if postgres::server().is_some() => None,
            Self::Postgres => Some("BACKUPX_TEST_POSTGRES_URL is not set"),
            Self::Pooler if postgres::pooler().is_some() => None,
            Self::Pooler => Some("BACKUPX_TEST_POOLER_URL is not set"),
            Self::Redis if redis::server().is_some() => None,
            Self::Redis => Some("BACKUPX_TEST_REDIS_URL is not set"),
        };
        Trial::test(format!("{}::{name}", self.name()), move || {
            block_on(async move {
                let ports = self.fresh().await?;
                (case.run)(&ports).await
            })
        })
        .with_kind(missing.unwrap_or_default())
        .with_ignored_flag(missing.is_some() && !is_required())
    }

    fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
            Self::Pooler => "pooler",
            Self::Redis => "redis",
        }
    }

    async fn fresh(self) -> Result<Ports> {
        match self {
            Self::Sqlite => SqliteHost::open(Arc::new(tempfile::tempdir()?)).await,
            Self::Postgres => postgres::fresh().await,
            Self::Pooler => postgres::pooled().await,
            Self::Redis => redis::fresh().await,
        }
    }
}

struct SqliteHost {
    folder: Arc<TempDir>,
    stores: Mutex<SqlStores>,
}

impl SqliteHost {
    async fn open(folder: Arc<TempDir>) -> Result<Ports> {
        let url = format!("sqlite://{}", folder.path().join("state.db").display());
        let stores = SqlStores::connect(&url).await?;
        let host = Arc::new(Self {
            folder,
            stores: Mutex::new(stores.clone()),
        });
        Ok(Ports::of_sql(&stores, host))
    }
}

impl Host for SqliteHost {
    fn is_shared(&self) -> bool {
        false
    }

    fn restart(&self) -> BoxFuture<'_, Result<Ports>> {
        let stores = self
            .stores
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        async move {
            stores.close().await;
            Self::open(Arc::clone(&self.folder)).await
        }
        .boxed()
    }

    fn replica(&self) -> BoxFuture<'_, Result<Ports>> {
        Self::open(Arc::clone(&self.folder)).boxed()
    }

    fn cut(&self) -> BoxFuture<'_, Result<()>> {
        async { Ok(()) }.boxed()
    }
}
