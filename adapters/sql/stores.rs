//! The stores: one value that implements every state port over the pools of one database.

use crate::engine::Engine;
use crate::error::store;
use crate::migrate::{self, Migration};
use crate::sqlite;
use crate::wakers::Wakers;
use backupx_core::{Error, Result};
use sqlx::any::AnyRow;
use sqlx::query::Query;
use sqlx::{Any, AnyPool, Transaction};
use std::sync::Arc;

/// A statement with its values.
pub(crate) type Statement<'q> = Query<'q, Any, <Any as sqlx::Database>::Arguments>;

/// Every state port on one database. Cheap to clone: all clones share the connections.
#[derive(Debug, Clone)]
pub struct SqlStores {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    engine: Engine,
    /// On SQLite a single connection, so that writers queue here and not in the file's lock.
    writer: AnyPool,
    reader: AnyPool,
    wakers: Wakers,
}

impl SqlStores {
    /// Opens the database at `url` (`sqlite://PATH`), makes it when it is missing, and brings its schema up to date.
    ///
    /// An existing file that needs migrations is copied to `PATH.before-NNNN` first. `Invalid` when the URL makes no sense, the folder
    /// is missing or the file is something else; `Conflict` (`database_newer`) when a newer program wrote it.
    pub async fn connect(url: &str) -> Result<Self> {
        Self::connect_with(url, migrate::SQLITE).await
    }

    /// Like [`SqlStores::connect`], with other migrations than the program's own.
    pub async fn connect_with(url: &str, migrations: &[Migration]) -> Result<Self> {
        sqlx::any::install_drivers(&[sqlx::sqlite::any::DRIVER]).ok(); // Fails only when they are installed already.
        let path = sqlite::path_of(url)?;
        let pools = sqlite::open(&path, migrations).await?;
        Ok(Self {
            inner: Arc::new(Inner {
                engine: Engine::Sqlite,
                writer: pools.writer,
                reader: pools.reader,
                wakers: Wakers::default(),
            }),
        })
    }

    /// Asks the database whether it answers. `Unavailable` when it does not.
    pub async fn check(&self) -> Result<()> {
        sqlx::query("SELECT 1")
            .execute(self.reader())
            .await
            .map(drop)
            .map_err(store)
    }

    /// Closes all connections of all clones; calls that follow are `Unavailable`.
    pub async fn close(&self) {
        self.inner.reader.close().await;
        self.inner.writer.close().await;
    }

    pub(crate) fn reader(&self) -> &AnyPool {
        &self.inner.reader
    }

    pub(crate) fn writer(&self) -> &AnyPool {
        &self.inner.writer
    }

    pub(crate) fn wakers(&self) -> &Wakers {
        &self.inner.wakers
    }

    /// Begins a transaction that decides by what is true of all accounts: only one of this kind runs at a time.
    pub(crate) async fn begin_accounts(&self) -> Result<Transaction<'static, Any>> {
        self.begin().await
    }

    /// Begins a transaction that writes.
    pub(crate) async fn begin(&self) -> Result<Transaction<'static, Any>> {
        self.writer()
            .begin_with(self.inner.engine.begin())
            .await
            .map_err(store)
    }
}

/// Ends a transaction well.
pub(crate) async fn commit(transaction: Transaction<'static, Any>) -> Result<()> {
    transaction.commit().await.map_err(store)
}

/// Runs a statement that writes and returns at most one row. It is run to its end, not only to its first row: only then is it certain
/// that the change is stored.
pub(crate) async fn returning<'e, E>(
    statement: Statement<'_>,
    executor: E,
) -> Result<Option<AnyRow>, sqlx::Error>
where
    E: sqlx::Executor<'e, Database = Any>,
{
    Ok(statement.fetch_all(executor).await?.pop())
}

/// The row that a statement always returns.
pub(crate) fn certain(row: Option<AnyRow>) -> Result<AnyRow> {
    row.ok_or_else(|| Error::internal("a statement that always returns a row returned none"))
}
