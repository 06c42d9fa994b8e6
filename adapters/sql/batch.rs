//! Batches: changes that several callers want to make at the same time share one transaction, so that the disk is waited for once for all.
//!
//! A change is one statement that holds whole by itself: it stands in the transaction beside others as it would alone. Whoever asks is
//! answered when the transaction is stored. Nothing is delayed for company: what comes while a batch is under way makes the next one.

use crate::connections::Connections;
use crate::error::store;
use backupx_core::{Error, ErrorKind, Result};
use sqlx::any::AnyRow;
use sqlx::{SqlSafeStr, SqlStr};
use std::sync::Arc;
use tokio::sync::{Mutex, mpsc, oneshot};
use tokio::task::JoinSet;

/// Most changes of one batch.
const MOST: usize = 128;
/// Changes that may wait; who comes then waits for a place.
const WAITING: usize = 4096;

/// A value of a change.
#[derive(Debug, Clone)]
pub(crate) enum Value {
    /// An integer that may be absent.
    Int(Option<i64>),
    /// A text.
    Text(String),
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Int(Some(value))
    }
}

impl From<Option<i64>> for Value {
    fn from(value: Option<i64>) -> Self {
        Self::Int(value)
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

/// One statement that writes, with its values. What it changed it has to return: rows are its only answer.
#[derive(Debug)]
pub(crate) struct Change {
    statement: SqlStr,
    values: Vec<Value>,
}

impl Change {
    /// A change by this statement.
    pub(crate) fn new(statement: impl SqlSafeStr) -> Self {
        Self {
            statement: statement.into_sql_str(),
            values: Vec::new(),
        }
    }

    /// The next value.
    pub(crate) fn bind(mut self, value: impl Into<Value>) -> Self {
        self.values.push(value.into());
        self
    }

    /// Runs it to its end: only then it is certain that the change is stored.
    async fn run<'e, E>(&self, executor: E) -> Result<Vec<AnyRow>, sqlx::Error>
    where
        E: sqlx::Executor<'e, Database = sqlx::Any>,
    {
        let mut query = sqlx::query(self.statement.clone());
        for value in &self.values {
            query = match value {
                Value::Int(value) => query.bind(*value),
                Value::Text(value) => query.bind(value.clone()),
            };
        }
        query.fetch_all(executor).await
    }
}

struct Job {
    change: Change,
    answer: oneshot::Sender<Result<Vec<AnyRow>>>,
}

/// The way into the batches of one database.
#[derive(Debug)]
pub(crate) struct Batches {
    jobs: mpsc::Sender<Job>,
    /// Makes the batches; ends with the stores.
    _making: JoinSet<()>,
}

impl Batches {
    /// Batches over `connections`, so many at the same time.
    pub(crate) fn new(connections: &Connections, at_once: usize) -> Self {
        let (jobs, waiting) = mpsc::channel(WAITING);
        let waiting = Arc::new(Mutex::new(waiting));
        let mut making = JoinSet::new();
        for _ in 0..at_once {
            making.spawn(make(connections.clone(), Arc::clone(&waiting)));
        }
        Self {
            jobs,
            _making: making,
        }
    }

    /// Makes a change, and answers the rows that it returns once it is stored.
    pub(crate) async fn run(&self, change: Change) -> Result<Vec<AnyRow>> {
        self.begin(change).await?.await.map_err(|_| ended())?
    }

    /// Makes changes, each by itself, and answers the rows of each in order.
    pub(crate) async fn run_all(&self, changes: Vec<Change>) -> Result<Vec<Vec<AnyRow>>> {
        let mut begun = Vec::with_capacity(changes.len());
        for change in changes {
            begun.push(self.begin(change).await?);
        }
        let mut all = Vec::with_capacity(begun.len());
        for answered in begun {
            all.push(answered.await.map_err(|_| ended())??);
        }
        Ok(all)
    }

    async fn begin(&self, change: Change) -> Result<oneshot::Receiver<Result<Vec<AnyRow>>>> {
        let (answer, answered) = oneshot::channel();
        let job = Job { change, answer };
        self.jobs.send(job).await.map_err(|_| ended())?;
        Ok(answered)
    }
}

/// What a call meets after the end of the stores.
pub(crate) fn ended() -> Error {
    Error::unavailable("store_unavailable", "the database is closed")
}

/// Makes batches of what waits, for ever.
async fn make(connections: Connections, waiting: Arc<Mutex<mpsc::Receiver<Job>>>) {
    let mut batch = Vec::with_capacity(MOST);
    loop {
        // The others of us wait for the lock as they would for the jobs behind it.
        if waiting.lock().await.recv_many(&mut batch, MOST).await == 0 {
            return;
        }
        // Whoever went away meanwhile wants nothing any more.
        batch.retain(|job| !job.answer.is_closed());
        if batch.len() > 1 {
            batch = together(&connections, batch).await;
        }
        for job in batch.drain(..) {
            let rows = job.change.run(&connections).await.map_err(store);
            job.answer.send(rows).ok(); // Whoever asked may be gone.
        }
    }
}

/// Makes a batch in one transaction and answers all of it. What comes back has to be tried alone: one of them was refused, so none was made.
async fn together(connections: &Connections, batch: Vec<Job>) -> Vec<Job> {
    let made = async {
        let mut transaction = connections.begin().await?;
        let mut rows = Vec::with_capacity(batch.len());
        for job in &batch {
            match job.change.run(&mut *transaction).await {
                Ok(row) => rows.push(row),
                Err(sqlx::Error::Database(why)) => {
                    tracing::debug!(error = %why, "a batch was refused; its changes are made one by one");
                    // Dropped, the transaction is rolled back.
                    return Ok(None);
                }
                Err(why) => return Err(why),
            }
        }
        transaction.commit().await?;
        Ok(Some(rows))
    };
    match made.await {
        Ok(Some(rows)) => {
            for (job, rows) in batch.into_iter().zip(rows) {
                job.answer.send(Ok(rows)).ok(); // Whoever asked may be gone.
            }
        }
        Ok(None) => return batch,
        // Nobody knows whether it was stored, as with any change whose answer got lost.
        Err(why) => refuse(batch, store(why)),
    }
    Vec::new()
}

/// Answers all with one failure.
fn refuse(batch: Vec<Job>, why: Error) {
    for (job, error) in batch.into_iter().zip(repeated(why)) {
        job.answer.send(Err(error)).ok(); // Whoever asked may be gone.
    }
}

/// One failure for several callers, without end; the first gets its causes.
pub(crate) fn repeated(why: Error) -> impl Iterator<Item = Error> {
    let (kind, code, message): (ErrorKind, _, _) =
        (why.kind(), why.code(), why.message().to_owned());
    let others = std::iter::repeat_with(move || Error::new(kind, code, message.clone()));
    std::iter::once(why).chain(others)
}

#[cfg(test)]
mod tests {
    use super::Change;
    use crate::SqlStores;
    use crate::row::Columns;
    use anyhow::Result;
    use tokio::task::JoinSet;

    async fn fresh() -> Result<(tempfile::TempDir, SqlStores)> {
        let folder = tempfile::tempdir()?;
        let url = format!("sqlite://{}", folder.path().join("batch.db").display());
        let stores = SqlStores::connect(&url).await?;
        Ok((folder, stores))
    }

    fn put(key: &str) -> Change {
        Change::new("INSERT INTO settings (key, value) VALUES ($1, $2) RETURNING key")
            .bind(key)
            .bind("v")
    }

    #[tokio::test]
    async fn each_caller_gets_its_own_rows() -> Result<()> {
        let (_folder, stores) = fresh().await?;
        let mut callers = JoinSet::new();
        for number in 0..500 {
            let stores = stores.clone();
            callers.spawn(async move {
                let key = format!("key-{number}");
                let rows = stores.change(put(&key)).await?;
                anyhow::ensure!(rows.len() == 1 && rows[0].text("key")? == key);
                Ok(())
            });
        }
        while let Some(done) = callers.join_next().await {
            done??;
        }
        Ok(())
    }

    #[tokio::test]
    async fn a_refused_change_does_not_take_the_others_along() -> Result<()> {
        let (_folder, stores) = fresh().await?;
        let keys: Vec<_> = (0..20)
            .map(|number| format!("key-{}", number % 19))
            .collect();
        let mut callers = JoinSet::new();
        for key in keys {
            let stores = stores.clone();
            callers.spawn(async move { stores.change(put(&key)).await });
        }
        let mut refused = 0;
        while let Some(done) = callers.join_next().await {
            refused += usize::from(done?.is_err());
        }
        assert_eq!(refused, 1);
        let rows = stores.change(Change::new("SELECT key FROM settings WHERE value = 'v'"));
        assert_eq!(rows.await?.len(), 19);
        Ok(())
    }
}
