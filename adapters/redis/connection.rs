//! The connection that all calls share: the driver sends what comes meanwhile in one go and matches the answers, so one carries a whole fleet.

use crate::error::{pool, store};
use backupx_core::Result;
use deadpool_redis::redis::aio::MultiplexedConnection;
use deadpool_redis::redis::{RedisError, cmd};
use deadpool_redis::{Connection, Pool};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A connection that was idle for so long is asked whether it still stands.
const IDLE: Duration = Duration::from_millis(5);

/// Hands out the one connection, and a new one once it is lost.
pub(crate) struct Shared {
    pool: Pool,
    current: Mutex<Option<Used>>,
}

#[derive(Clone)]
struct Used {
    connection: MultiplexedConnection,
    at: Instant,
}

impl Shared {
    /// Over connections of this pool.
    pub(crate) fn new(pool: Pool) -> Self {
        Self {
            pool,
            current: Mutex::default(),
        }
    }

    /// The connection, for one call.
    pub(crate) async fn get(&self) -> Result<MultiplexedConnection> {
        let used = self.touch();
        if let Some(Used { mut connection, at }) = used {
            let stands =
                at.elapsed() < IDLE || cmd("PING").query_async::<()>(&mut connection).await.is_ok();
            if stands {
                return Ok(connection);
            }
        }
        let fresh = self.pool.get().await.map_err(pool)?;
        let connection = Connection::take(fresh);
        *self.current() = Some(Used {
            connection: connection.clone(),
            at: Instant::now(),
        });
        Ok(connection)
    }

    /// What a call failed with; the connection is given up when it is lost.
    pub(crate) fn failed(&self, error: RedisError) -> backupx_core::Error {
        if error.is_unrecoverable_error() {
            *self.current() = None;
        }
        store(error)
    }

    /// Closes the connection; calls that follow are `Unavailable`.
    pub(crate) fn close(&self) {
        self.pool.close();
        *self.current() = None;
    }

    /// The connection and when it was used before.
    fn touch(&self) -> Option<Used> {
        let mut current = self.current();
        let before = current.clone();
        if let Some(used) = current.as_mut() {
            used.at = Instant::now();
        }
        before
    }

    fn current(&self) -> MutexGuard<'_, Option<Used>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
