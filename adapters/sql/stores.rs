//! The stores: one value that implements every state port over the pools of one database.

use crate::batch::{Batches, Change};
use crate::connections::{Between, Connections, Transaction};
use crate::engine::Engine;
use crate::error::store;
use crate::migrate::{self, Migration};
use crate::postgres::{self, Address};
use crate::sqlite;
use crate::telling::Teller;
use crate::wakers::Wakers;
use backupx_core::{Error, Result};
use sqlx::any::AnyRow;
use sqlx::query::Query;
use sqlx::{Any, SqlStr};
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
    writer: Connections,
    reader: Connections,
    batches: Batches,
    /// Of changes that must become visible in the order of their ids.
    in_order: Batches,
    wakers: Wakers,
    /// Where signals go to other masters, when there can be any.
    teller: Option<Teller>,
    /// Listens to other masters; ends with the last clone.
    listening: Mutex<JoinSet<()>>,
}

impl SqlStores {
    /// Opens the database at `url` (`sqlite://PATH` or `postgres://…`), makes the file when it is missing, and brings the schema up to date.
    /// With `?pooler=transaction` a pooler that gives each transaction another connection may stand before Postgres.
    ///
    /// An existing file that needs migrations is copied to `PATH.before-NNNN` first. `Invalid` when the URL makes no sense, the folder
    /// is missing or the file is something else; `Conflict` (`database_newer`) when a newer program wrote it.
    pub async fn connect(url: &str) -> Result<Self> {
        Self::connect_sized(url, postgres::CONNECTIONS).await
    }

    /// Like [`SqlStores::connect`], with at most so many connections to a server at once. One is enough for one call after the other.
    pub async fn connect_sized(url: &str, connections: u32) -> Result<Self> {
        let migrations = if is_postgres(url) {
            migrate::POSTGRES
        } else {
            migrate::SQLITE
        };
        Self::open(url, migrations, connections).await
    }

    /// Like [`SqlStores::connect`], with other migrations than the program's own.
    pub async fn connect_with(url: &str, migrations: &[Migration]) -> Result<Self> {
        Self::open(url, migrations, postgres::CONNECTIONS).await
    }

    async fn open(url: &str, migrations: &[Migration], connections: u32) -> Result<Self> {
        sqlx::any::install_default_drivers();
        let inner = if is_postgres(url) {
            Self::open_postgres(url, migrations, connections).await?
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
        let direct = |pool| Connections::new(pool, Engine::Sqlite, Between::Nothing);
        let writer = direct(pools.writer);
        Ok(Inner {
            engine: Engine::Sqlite,
            batches: Batches::new(&writer, 1),
            in_order: Batches::new(&writer, 1),
            writer,
            reader: direct(pools.reader),
            wakers: Wakers::default(),
            teller: None,
            listening: Mutex::default(),
        })
    }

    async fn open_postgres(url: &str, migrations: &[Migration], connections: u32) -> Result<Inner> {
        let address = Address::parse(url)?;
        let opened = postgres::open(&address, migrations, connections).await?;
        let wakers = Wakers::default();
        let connections = opened.connections;
        let listening = opened
            .channel
            .hear(&address, &connections, wakers.clone())
            .await?;
        Ok(Inner {
            engine: Engine::Postgres,
            batches: Batches::new(&connections, BATCHES),
            in_order: Batches::new(&connections, 1),
            teller: Some(Teller::new(&connections, opened.channel)),
            writer: connections.clone(),
            reader: connections,
            wakers,
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

    pub(crate) fn reader(&self) -> &Connections {
        &self.inner.reader
    }

    pub(crate) fn writer(&self) -> &Connections {
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

    pub(crate) fn teller(&self) -> Option<&Teller> {
        self.inner.teller.as_ref()
    }

    /// A statement with [`crate::engine::lock`] in it, in this engine's words.
    pub(crate) fn locking(&self, statement: &'static str) -> SqlStr {
        self.inner.engine.locking(statement)
    }

    /// Begins a transaction that only one caller at a time may run for `subject`: it decides by what is true of several rows, or its
    /// rows must become visible in the order of their ids.
    pub(crate) async fn begin_alone(&self, subject: &str) -> Result<Transaction> {
        let mut transaction = self.begin().await?;
        self.alone(&mut transaction, subject).await?;
        Ok(transaction)
    }

    /// From here to the end of the transaction nobody else is at this point for `subject`. On SQLite every writer is alone already.
    pub(crate) async fn alone(&self, transaction: &mut Transaction, subject: &str) -> Result<()> {
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
    pub(crate) async fn begin(&self) -> Result<Transaction> {
        self.writer().begin().await.map_err(store)
    }
}

fn is_postgres(url: &str) -> bool {
    url.starts_with("postgres://") || url.starts_with("postgresql://")
}

/// Ends a transaction well.
pub(crate) async fn commit(transaction: Transaction) -> Result<()> {
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
