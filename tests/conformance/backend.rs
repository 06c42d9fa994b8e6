//! Backends: the stores that are asked, each fresh for every case.

use crate::case::{Case, block_on};
use crate::ports::{Host, Ports};
use anyhow::Result;
use backupx_sql::SqlStores;
use futures::FutureExt;
use futures::future::BoxFuture;
use libtest_mimic::Trial;
use std::sync::{Arc, Mutex, PoisonError};
use tempfile::TempDir;

/// All of them.
pub(crate) const ALL: &[Backend] = &[Backend::Sqlite];

/// A kind of store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Backend {
    /// A file in a temporary folder.
    Sqlite,
}

impl Backend {
    /// One case on this backend.
    pub(crate) fn trial(self, case: Case) -> Trial {
        let name = case.name.trim_start_matches("conformance::");
        Trial::test(format!("{}::{name}", self.name()), move || {
            block_on(async move {
                let ports = self.fresh().await?;
                (case.run)(&ports).await
            })
        })
    }

    fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
        }
    }

    async fn fresh(self) -> Result<Ports> {
        match self {
            Self::Sqlite => SqliteHost::open(Arc::new(tempfile::tempdir()?)).await,
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
}
