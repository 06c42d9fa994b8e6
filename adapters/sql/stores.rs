//! The stores: one value that implements every state port over the pools of one database.

use crate::batch::{Batches, Change};
use crate::engine::Engine;
use crate::error::store;
use crate::migrate::{self, Migration};
use crate::postgres::{self, Channel};
use crate::sqlite;
use crate::wakers::Wakers;
use backupx_core::{Error, Result};
use sqlx::any::AnyRow;
use sqlx::query::Query;
use sqlx::{Any, AnyPool, SqlStr, Transaction};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::task::JoinSet;

/// Batches at the same time where a server orders them.
const BATCHES: usize = 4;

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
    batches: Batches,
    /// Of changes that must become visible in the order of their ids.
    in_order: Batches,
    wakers: Wakers,
    /// Where signals go to other masters, when there can be any.
    channel: Option<Channel>,
    /// Listens to other masters; ends with the last clone.
    listening: Mutex<JoinSet<()>>,
}

impl SqlStores {
    /// Opens the database at `url` (`sqlite://PATH` or `postgres://…`), makes the file when it is missing, and brings the schema up to date.
    ///
    /// An existing file that needs migrations is copied to `PATH.before-NNNN` first. `Invalid` when the URL makes no sense, the folder
    /// is missing or the file is something else; `Conflict` (`database_newer`) when a newer program wrote it.
    pub async fn connect(url: &str) -> Result<Self> {
        let migrations = if is_postgres(url) {
            migrate::POSTGRES
        } else {
            migrate::SQLITE
        };
        Self::connect_with(url, migrations).await
    }

    /// Like [`SqlStores::connect`], with other migrations than the program's own.
    pub async fn connect_with(url: &str, migrations: &[Migration]) -> Result<Self> {
        sqlx::any::install_default_drivers();
        let inner = if is_postgres(url) {
            Self::open_postgres(url, migrations).await?
        } else {
            Self::open_sqlite(url, migrations).await?
        };
        Ok(Self {
            inner: Arc::new(inner),
        })
    }

    async fn open_sqlite(url: &str, migrations: &[Migration]) -> Result<Inner> {
        let path = sqlite::path_of(url)?;
        let pools = sqlite::open(&path, migrations).await?;
        Ok(Inner {
            engine: Engine::Sqlite,
            batches: Batches::new(Engine::Sqlite, &pools.writer, 1),
            in_order: Batches::new(Engine::Sqlite, &pools.writer, 1),
            writer: pools.writer,
            reader: pools.reader,
            wakers: Wakers::default(),
            channel: None,
            listening: Mutex::default(),
        })
    }

    async fn open_postgres(url: &str, migrations: &[Migration]) -> Result<Inner> {
        let opened = postgres::open(url, migrations).await?;
        let listener = postgres::listener(url, &opened.channel.name).await?;
        let wakers = Wakers::default();
        let mut listening = JoinSet::new();
        listening.spawn(postgres::listen(
            listener,
            opened.channel.sender.clone(),
            wakers.clone(),
        ));
        Ok(Inner {
            engine: Engine::Postgres,
            batches: Batches::new(Engine::Postgres, &opened.pool, BATCHES),
            in_order: Batches::new(Engine::Postgres, &opened.pool, 1),
            writer: opened.pool.clone(),
            reader: opened.pool,
            wakers,
            channel: Some(opened.channel),
            listening: Mutex::new(listening),
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
        self.inner
            .listening
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .abort_all();
        self.inner.reader.close().await;
        self.inner.writer.close().await;
    }

    pub(crate) fn reader(&self) -> &AnyPool {
        &self.inner.reader
    }

    pub(crate) fn writer(&self) -> &AnyPool {
        &self.inner.writer
    }

    /// Makes a change together with those that others want to make at the same time, and answers the rows that it returns.
    pub(crate) async fn change(&self, change: Change) -> Result<Vec<AnyRow>> {
        self.inner.batches.run(change).await
    }

    /// Like [`SqlStores::change`], of several at once; each holds by itself.
    pub(crate) async fn change_all(&self, changes: Vec<Change>) -> Result<Vec<Vec<AnyRow>>> {
        self.inner.batches.run_all(changes).await
    }

    /// Like [`SqlStores::change`], one batch at a time: a change that waits for what only one may do must not make other changes wait.
    pub(crate) async fn change_in_order(&self, change: Change) -> Result<Vec<AnyRow>> {
        self.inner.in_order.run(change).await
    }

    pub(crate) fn engine(&self) -> Engine {
        self.inner.engine
    }

    pub(crate) fn wakers(&self) -> &Wakers {
        &self.inner.wakers
    }

    pub(crate) fn channel(&self) -> Option<&Channel> {
        self.inner.channel.as_ref()
    }

    /// A statement with [`crate::engine::lock`] in it, in this engine's words.
    pub(crate) fn locking(&self, statement: &'static str) -> SqlStr {
        self.inner.engine.locking(statement)
    }

    /// Begins a transaction that only one caller at a time may run for `subject`: it decides by what is true of several rows, or its
    /// rows must become visible in the order of their ids.
    pub(crate) async fn begin_alone(&self, subject: &str) -> Result<Transaction<'static, Any>> {
        let mut transaction = self.begin().await?;
        self.alone(&mut transaction, subject).await?;
        Ok(transaction)
    }

    /// From here to the end of the transaction nobody else is at this point for `subject`. On SQLite every writer is alone already.
    pub(crate) async fn alone(
        &self,
        transaction: &mut Transaction<'static, Any>,
        subject: &str,
    ) -> Result<()> {
        match self.inner.engine {
            Engine::Sqlite => Ok(()),
            Engine::Postgres => sqlx::query(
                "SELECT pg_advisory_xact_lock(hashtextextended(current_schema() || ' ' || $1, 0))",
            )
            .bind(subject)
            .execute(&mut **transaction)
            .await
            .map(drop)
            .map_err(store),
        }
    }

    /// Begins a transaction that writes.
    ///
    /// On Postgres on a task of its own: a caller that goes away while the answer to `BEGIN` is on its way would leave a transaction
    /// open that the driver knows nothing of. A task that ends without its caller drops the transaction, which rolls it back.
    pub(crate) async fn begin(&self) -> Result<Transaction<'static, Any>> {
        let (pool, statement) = (self.writer().clone(), self.inner.engine.begin());
        let begun = match self.inner.engine {
            Engine::Sqlite => pool.begin_with(statement).await,
            Engine::Postgres => tokio::spawn(async move { pool.begin_with(statement).await })
                .await
                .map_err(|why| {
                    Error::internal("a transaction could not be begun").with_source(why)
                })?,
        };
        begun.map_err(store)
    }
}

fn is_postgres(url: &str) -> bool {
    url.starts_with("postgres://") || url.starts_with("postgresql://")
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
