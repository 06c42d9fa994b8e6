//! Postgres: how the server is reached, brought up to date by one master at a time, and listened to.

use crate::engine::Engine;
use crate::error::store;
use crate::migrate::{self, Migration};
use crate::row::Columns;
use crate::wakers::Wakers;
use backupx_core::ports::signals::Topic;
use backupx_core::{Error, Result};
use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::postgres::PgListener;
use sqlx::{AnyConnection, AnyPool, ConnectOptions, Connection};
use std::str::FromStr;
use std::time::Duration;

const CONNECTIONS: u32 = 10;
const PATIENCE: Duration = Duration::from_secs(15);
/// A connection that was idle for so long is asked whether it still stands.
const IDLE: Duration = Duration::from_secs(1);
const RECONNECT: Duration = Duration::from_secs(1);
/// Any fixed number: masters that start together migrate one after the other.
const MIGRATING: &str = "SELECT pg_advisory_lock(8340001)";

/// The pool over one schema of one server, and its channel.
pub(crate) struct Opened {
    pub(crate) pool: AnyPool,
    pub(crate) channel: Channel,
}

/// Where masters tell each other of changes.
#[derive(Debug)]
pub(crate) struct Channel {
    /// One per schema, so that installations that share a database do not wake each other.
    pub(crate) name: String,
    /// Who speaks: a master has woken its own waiters already and does not listen to itself.
    pub(crate) sender: String,
}

impl Channel {
    /// A topic as it is sent.
    pub(crate) fn payload(&self, topic: Topic) -> String {
        format!("{} {topic}", self.sender)
    }
}

/// Connects and brings the schema up to date.
pub(crate) async fn open(url: &str, migrations: &[Migration]) -> Result<Opened> {
    let options = AnyConnectOptions::from_str(url).map_err(|why| {
        Error::invalid(
            "bad_database_url",
            "the database URL is not of the form postgres://USER:PASSWORD@HOST:PORT/DATABASE",
        )
        .with_source(why)
    })?;
    let channel = prepare(&options, migrations).await?;
    let pool = AnyPoolOptions::new()
        .max_connections(CONNECTIONS)
        .acquire_timeout(PATIENCE)
        // One that was just in use is not asked whether it still stands: that would double the round trips of a busy master.
        .test_before_acquire(false)
        .before_acquire(|connection, meta| {
            Box::pin(async move {
                if meta.idle_for > IDLE {
                    connection.ping().await?;
                }
                Ok(true)
            })
        })
        .connect_with(options)
        .await
        .map_err(store)?;
    Ok(Opened { pool, channel })
}

/// On a connection of its own: its end ends the lock as well.
async fn prepare(options: &AnyConnectOptions, migrations: &[Migration]) -> Result<Channel> {
    let connecting = tokio::time::timeout(PATIENCE, options.connect()).await;
    let mut connection = match connecting {
        Ok(connected) => connected.map_err(store)?,
        Err(_) => {
            return Err(Error::unavailable(
                "store_unavailable",
                "the database server does not answer",
            ));
        }
    };
    sqlx::query(MIGRATING)
        .execute(&mut connection)
        .await
        .map_err(store)?;
    let version = migrate::version(&mut connection).await?;
    for migration in migrate::pending(version, migrations)? {
        migrate::apply(&mut connection, Engine::Postgres, migration).await?;
    }
    let channel = channel(&mut connection).await?;
    connection.close().await.map_err(store)?;
    Ok(channel)
}

async fn channel(connection: &mut AnyConnection) -> Result<Channel> {
    let row = sqlx::query(
        "SELECT 'backupx_' || current_schema() AS name, CAST(gen_random_uuid() AS TEXT) AS sender",
    )
    .fetch_one(connection)
    .await
    .map_err(store)?;
    Ok(Channel {
        name: row.text("name")?,
        sender: row.text("sender")?,
    })
}

/// A listener on the channel.
pub(crate) async fn listener(url: &str, channel: &str) -> Result<PgListener> {
    let mut listener = PgListener::connect(url).await.map_err(store)?;
    listener.listen(channel).await.map_err(store)?;
    Ok(listener)
}

/// Passes what other masters say on to the waiters of this one, for ever. After an interruption everybody is woken: nobody knows what
/// was missed.
pub(crate) async fn listen(mut listener: PgListener, own: String, wakers: Wakers) {
    loop {
        match listener.try_recv().await {
            Ok(Some(notification)) => {
                if let Some((sender, topic)) = notification.payload().split_once(' ')
                    && sender != own
                    && let Ok(topic) = topic.parse()
                {
                    wakers.wake(topic);
                }
            }
            Ok(None) => wakers.wake_all(),
            Err(error) => {
                tracing::warn!(error = %error, "the database's signals can't be heard, trying again");
                tokio::time::sleep(RECONNECT).await;
                wakers.wake_all();
            }
        }
    }
}
