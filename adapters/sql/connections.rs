//! Connections: how statements reach the database - directly, or so that a pooler may stand between.
//!
//! A pooler in transaction mode gives each transaction whichever connection to the server is free. What one client says twice reaches the
//! same one only within a transaction, and what is prepared under a name is found by somebody else. The driver prepares a statement in one
//! step and sends its values in the next. So behind a pooler each statement with values runs in a transaction, and none has a name.

use crate::engine::Engine;
use futures::future::BoxFuture;
use futures::stream::{self, BoxStream};
use futures::{Stream, StreamExt, TryStreamExt};
use sqlx::any::{AnyArguments, AnyQueryResult, AnyRow, AnyStatement, AnyTypeInfo};
use sqlx::error::BoxDynError;
use sqlx::{Any, AnyPool, Either, Error, Execute, Executor, SqlStr};
use std::ops::{Deref, DerefMut};

type Result<T> = std::result::Result<T, Error>;
type Step = Either<AnyQueryResult, AnyRow>;

/// What stands between this program and its database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Between {
    /// Nothing: a connection is one connection of the server.
    Nothing,
    /// A pooler in transaction mode.
    Pooler,
}

/// The connections of one database, for statements one by one and for transactions.
#[derive(Debug, Clone)]
pub(crate) struct Connections {
    pool: AnyPool,
    engine: Engine,
    between: Between,
}

impl Connections {
    pub(crate) fn new(pool: AnyPool, engine: Engine, between: Between) -> Self {
        Self {
            pool,
            engine,
            between,
        }
    }

    /// Begins a transaction that writes.
    ///
    /// On Postgres on a task of its own: a caller that goes away while the answer to `BEGIN` is on its way would leave a transaction
    /// open that the driver knows nothing of. A task that ends without its caller drops the transaction, which rolls it back.
    pub(crate) async fn begin(&self) -> Result<Transaction> {
        let (pool, statement) = (self.pool.clone(), self.engine.begin());
        let transaction = match self.engine {
            Engine::Sqlite => pool.begin_with(statement).await?,
            Engine::Postgres => tokio::spawn(async move { pool.begin_with(statement).await })
                .await
                .map_err(|why| Error::Io(std::io::Error::other(why)))??,
        };
        Ok(Transaction(Within {
            transaction,
            between: self.between,
        }))
    }

    /// Closes them all.
    pub(crate) async fn close(&self) {
        self.pool.close().await;
    }

    /// The whole answer to one statement, in a transaction of its own.
    async fn alone<'q>(
        &self,
        statement: impl Execute<'q, Any> + 'q,
    ) -> Result<impl Stream<Item = Result<Step>>> {
        let mut transaction = self.begin().await?;
        let answer: Vec<_> = transaction.fetch_many(statement).try_collect().await?;
        transaction.commit().await?;
        Ok(stream::iter(answer.into_iter().map(Ok)))
    }
}

impl<'c> Executor<'c> for &'c Connections {
    type Database = Any;

    fn fetch_many<'e, 'q: 'e, E>(self, mut statement: E) -> BoxStream<'e, Result<Step>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Any>,
    {
        if self.between == Between::Nothing {
            return self.pool.fetch_many(statement);
        }
        match statement.take_arguments() {
            Ok(Some(values)) => stream::once(self.alone((statement.sql(), Some(values))))
                .try_flatten()
                .boxed(),
            // Without values it is sent in one step.
            Ok(None) => self.pool.fetch_many(statement),
            Err(why) => stream::iter([Err(Error::Encode(why))]).boxed(),
        }
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, statement: E) -> BoxFuture<'e, Result<Option<AnyRow>>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Any>,
    {
        match self.between {
            Between::Nothing => self.pool.fetch_optional(statement),
            Between::Pooler => Box::pin(async move { self.fetch(statement).try_next().await }),
        }
    }

    fn prepare_with<'e>(
        self,
        sql: SqlStr,
        kinds: &'e [AnyTypeInfo],
    ) -> BoxFuture<'e, Result<AnyStatement>>
    where
        'c: 'e,
    {
        self.pool.prepare_with(sql, kinds)
    }
}

/// A transaction; dropped, it is rolled back. Statements go to what it stands for: `&mut *transaction`.
#[derive(Debug)]
pub(crate) struct Transaction(Within);

impl Transaction {
    /// Ends it well.
    pub(crate) async fn commit(self) -> Result<()> {
        self.0.transaction.commit().await
    }
}

impl Deref for Transaction {
    type Target = Within;

    fn deref(&self) -> &Within {
        &self.0
    }
}

impl DerefMut for Transaction {
    fn deref_mut(&mut self) -> &mut Within {
        &mut self.0
    }
}

/// A connection while a transaction has it.
#[derive(Debug)]
pub(crate) struct Within {
    transaction: sqlx::Transaction<'static, Any>,
    between: Between,
}

impl<'c> Executor<'c> for &'c mut Within {
    type Database = Any;

    fn fetch_many<'e, 'q: 'e, E>(self, statement: E) -> BoxStream<'e, Result<Step>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Any>,
    {
        let statement = Named {
            statement,
            between: self.between,
        };
        (&mut *self.transaction).fetch_many(statement)
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, statement: E) -> BoxFuture<'e, Result<Option<AnyRow>>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Any>,
    {
        let statement = Named {
            statement,
            between: self.between,
        };
        (&mut *self.transaction).fetch_optional(statement)
    }

    fn prepare_with<'e>(
        self,
        sql: SqlStr,
        kinds: &'e [AnyTypeInfo],
    ) -> BoxFuture<'e, Result<AnyStatement>>
    where
        'c: 'e,
    {
        (&mut *self.transaction).prepare_with(sql, kinds)
    }
}

/// A statement that is kept under a name only where the name will mean the same the next time.
struct Named<E> {
    statement: E,
    between: Between,
}

impl<'q, E: Execute<'q, Any>> Execute<'q, Any> for Named<E> {
    fn sql(self) -> SqlStr {
        self.statement.sql()
    }

    fn statement(&self) -> Option<&AnyStatement> {
        self.statement.statement()
    }

    fn take_arguments(&mut self) -> std::result::Result<Option<AnyArguments>, BoxDynError> {
        self.statement.take_arguments()
    }

    fn persistent(&self) -> bool {
        self.between == Between::Nothing && self.statement.persistent()
    }
}
