//! The stores: one value that implements queue, presence and signals over the connections to one Redis.

use crate::connection::Shared;
use crate::error::{silent, store};
use crate::signals::{self, Channel};
use crate::wakers::Wakers;
use backupx_core::{Error, Result};
use deadpool_redis::redis::aio::MultiplexedConnection;
use deadpool_redis::redis::{
    AsyncConnectionConfig, Client, Cmd, FromRedisValue, RedisError, Script, ToRedisArgs, cmd,
};
use deadpool_redis::{Manager, Pool, Runtime};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::task::JoinSet;

/// One is in use; another may be in the making when it gets lost.
const CONNECTIONS: usize = 4;
/// How long a connection, a place among the connections, or an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// Queue, presence and signals on one Redis. Cheap to clone: all clones share the connections.
#[derive(Debug, Clone)]
pub struct RedisStores {
    inner: Arc<Inner>,
}

struct Inner {
    shared: Shared,
    /// What all keys begin with.
    prefix: String,
    wakers: Wakers,
    channel: Channel,
    /// Listens to other masters; ends with the last clone.
    listening: Mutex<JoinSet<()>>,
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inner")
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
    }
}

impl RedisStores {
    /// Connects to the Redis at `url` (`redis://[USER][:PASSWORD@]HOST[:PORT][/DB]`, `rediss://…` with TLS). All keys begin with `prefix`;
    /// masters that share a Redis and a prefix share the state. `Invalid` when the URL makes no sense, `Unavailable` when nobody answers.
    pub async fn connect(url: &str, prefix: &str) -> Result<Self> {
        // The driver's own words are left out: they could repeat the URL and with it the password.
        let client = Client::open(url).map_err(|_| {
            Error::invalid(
                "bad_redis_url",
                "the Redis URL is not of the form redis://USER:PASSWORD@HOST:PORT/DB",
            )
        })?;
        let prefix = format!("{{{prefix}}}");
        let channel = Channel::new(&prefix);
        let subscriber = tokio::time::timeout(PATIENCE, signals::subscriber(&client, &channel))
            .await
            .map_err(|_| silent())?
            .map_err(store)?;
        let wakers = Wakers::default();
        let mut listening = JoinSet::new();
        listening.spawn(signals::listen(
            client.clone(),
            subscriber,
            channel.clone(),
            wakers.clone(),
        ));
        let stores = Self {
            inner: Arc::new(Inner {
                shared: Shared::new(connections(&client)?),
                prefix,
                wakers,
                channel,
                listening: Mutex::new(listening),
            }),
        };
        stores.check().await?;
        Ok(stores)
    }

    /// Asks Redis whether it answers. `Unavailable` when it does not.
    pub async fn check(&self) -> Result<()> {
        self.ask(&cmd("PING")).await
    }

    /// Closes all connections of all clones; calls that follow are `Unavailable`.
    pub fn close(&self) {
        self.inner
            .listening
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .abort_all();
        self.inner.shared.close();
    }

    /// The answer to one command.
    pub(crate) async fn ask<T: FromRedisValue>(&self, command: &Cmd) -> Result<T> {
        let mut connection = self.connection().await?;
        command
            .query_async(&mut connection)
            .await
            .map_err(|error| self.failed(error))
    }

    /// The answer of a script to these arguments.
    pub(crate) async fn run<T: FromRedisValue>(
        &self,
        script: &Script,
        arguments: impl ToRedisArgs,
    ) -> Result<T> {
        let mut connection = self.connection().await?;
        script
            .key(self.inner.prefix.as_str())
            .arg(arguments)
            .invoke_async(&mut connection)
            .await
            .map_err(|error| self.failed(error))
    }

    pub(crate) async fn connection(&self) -> Result<MultiplexedConnection> {
        self.inner.shared.get().await
    }

    /// What a call failed with.
    pub(crate) fn failed(&self, error: RedisError) -> Error {
        self.inner.shared.failed(error)
    }

    /// A key behind the prefix.
    pub(crate) fn key(&self, name: &str) -> String {
        format!("{}:{name}", self.inner.prefix)
    }

    pub(crate) fn wakers(&self) -> &Wakers {
        &self.inner.wakers
    }

    pub(crate) fn channel(&self) -> &Channel {
        &self.inner.channel
    }
}

fn connections(client: &Client) -> Result<Pool> {
    let config = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(PATIENCE))
        .set_response_timeout(Some(PATIENCE));
    let manager =
        Manager::new_with_config(client.get_connection_info().clone(), config).map_err(store)?;
    Pool::builder(manager)
        .max_size(CONNECTIONS)
        .wait_timeout(Some(PATIENCE))
        .create_timeout(Some(PATIENCE))
        .recycle_timeout(Some(PATIENCE))
        .runtime(Runtime::Tokio1)
        .build()
        .map_err(|why| Error::internal("the connections to Redis can't be made").with_source(why))
}
