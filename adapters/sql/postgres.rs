//! Postgres: how the server is reached, brought up to date by one master at a time, and how masters hear each other through it.

use crate::connections::{Between, Connections};
use crate::engine::Engine;
use crate::error::store;
use crate::listening;
use crate::migrate::{self, Migration};
use crate::row::{Columns, json};
use crate::signal_table;
use crate::wakers::Wakers;
use backupx_core::{Error, Result};
use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::{AnyConnection, ConnectOptions, Connection};
use std::collections::BTreeSet;
use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::task::JoinSet;

/// The connections of a master that serves many at once.
pub(crate) const CONNECTIONS: u32 = 10;
const PATIENCE: Duration = Duration::from_secs(15);
/// A connection that was idle for so long is asked whether it still stands.
const IDLE: Duration = Duration::from_secs(1);
/// The parameter of the URL that is ours and not the driver's.
const POOLER: &str = "pooler=";

/// A wake-up may get lost with the server, so nobody waits until the disk has it: the first part holds for this statement alone.
const NOTIFY: &str = "WITH fast AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true)) SELECT pg_notify($1, $2 || ' ' || topic) FROM fast, json_array_elements_text(CAST($3 AS JSON)) AS topic";

/// Where the server is and what stands before it.
#[derive(Debug)]
pub(crate) struct Address {
    /// As the driver reads it.
    url: String,
    between: Between,
}

impl Address {
    /// A URL of the form `postgres://USER:PASSWORD@HOST:PORT/DATABASE?pooler=transaction`.
    pub(crate) fn parse(url: &str) -> Result<Self> {
        let (base, parameters) = url.split_once('?').unwrap_or((url, ""));
        let mut between = Between::Nothing;
        let mut others = Vec::new();
        for parameter in parameters.split('&').filter(|one| !one.is_empty()) {
            match parameter.strip_prefix(POOLER) {
                None => others.push(parameter),
                Some("transaction") => between = Between::Pooler,
                Some(other) => {
                    return Err(Error::invalid(
                        "bad_database_url",
                        format!(
                            "the database URL says {POOLER}{other}; accepted is {POOLER}transaction"
                        ),
                    ));
                }
            }
        }
        let url = match others.is_empty() {
            true => base.to_owned(),
            false => format!("{base}?{}", others.join("&")),
        };
        Ok(Self { url, between })
    }
}

/// The connections to one schema of one server, and its channel.
pub(crate) struct Opened {
    pub(crate) connections: Connections,
    pub(crate) channel: Channel,
}

/// Where masters tell each other of changes.
#[derive(Debug)]
pub(crate) struct Channel {
    /// One per schema, so that installations that share a database do not wake each other.
    name: String,
    /// Who speaks: a master has woken its own waiters already and does not listen to itself.
    sender: String,
    between: Between,
    /// How many wake-ups were left in the table.
    left: AtomicU64,
}

impl Channel {
    /// Tells other masters of these topics.
    pub(crate) async fn tell(
        &self,
        connections: &Connections,
        topics: &BTreeSet<String>,
    ) -> Result<()> {
        match self.between {
            Between::Nothing => sqlx::query(NOTIFY)
                .bind(self.name.as_str())
                .bind(self.sender.as_str())
                .bind(json(topics)?)
                .execute(connections)
                .await
                .map(drop)
                .map_err(store),
            Between::Pooler => {
                signal_table::leave(connections, &self.sender, topics).await?;
                let count = topics.len() as u64;
                let left = self.left.fetch_add(count, Ordering::Relaxed);
                match left % signal_table::REMOVE_EVERY < count {
                    true => signal_table::remove_old(connections).await,
                    false => Ok(()),
                }
            }
        }
    }

    /// Begins to hear other masters.
    pub(crate) async fn hear(
        &self,
        address: &Address,
        connections: &Connections,
        wakers: Wakers,
    ) -> Result<JoinSet<()>> {
        let mut hearing = JoinSet::new();
        let own = self.sender.clone();
        match self.between {
            Between::Nothing => {
                let channel = listening::Channel {
                    url: address.url.clone(),
                    name: self.name.clone(),
                    own,
                };
                let listener = channel.listener().await.map_err(store)?;
                hearing.spawn(channel.listen(listener, wakers));
            }
            Between::Pooler => {
                let seen = signal_table::last_rows(connections).await?;
                hearing.spawn(signal_table::watch(connections.clone(), own, wakers, seen));
            }
        }
        Ok(hearing)
    }
}

/// Connects and brings the schema up to date.
pub(crate) async fn open(
    address: &Address,
    migrations: &[Migration],
    connections: u32,
) -> Result<Opened> {
    let options = AnyConnectOptions::from_str(&address.url).map_err(|why| {
        Error::invalid(
            "bad_database_url",
            "the database URL is not of the form postgres://USER:PASSWORD@HOST:PORT/DATABASE",
        )
        .with_source(why)
    })?;
    let channel = prepare(&options, address.between, migrations).await?;
    let pool = AnyPoolOptions::new()
        .max_connections(connections)
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
    Ok(Opened {
        connections: Connections::new(pool, Engine::Postgres, address.between),
        channel,
    })
}

/// On a connection of its own: a pool would try again and again what can't succeed, and then only say that it took too long.
async fn prepare(
    options: &AnyConnectOptions,
    between: Between,
    migrations: &[Migration],
) -> Result<Channel> {
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
    let mut transaction = migrate::begin(&mut connection, Engine::Postgres).await?;
    let version = migrate::version(&mut transaction).await?;
    let channel = channel(&mut transaction, between).await?;
    transaction.commit().await.map_err(store)?;
    for migration in migrate::pending(version, migrations)? {
        migrate::apply(&mut connection, Engine::Postgres, migration).await?;
    }
    connection.close().await.map_err(store)?;
    Ok(channel)
}

async fn channel(connection: &mut AnyConnection, between: Between) -> Result<Channel> {
    let row = sqlx::query(
        "SELECT 'backupx_' || current_schema() AS name, CAST(gen_random_uuid() AS TEXT) AS sender",
    )
    .persistent(false)
    .fetch_one(connection)
    .await
    .map_err(store)?;
    Ok(Channel {
        name: row.text("name")?,
        sender: row.text("sender")?,
        between,
        left: AtomicU64::new(0),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pooler_is_taken_out_of_the_url() -> Result<()> {
        let url = "postgres://u:p@h:6432/d";
        for (given, left, between) in [
            ("", "", Between::Nothing),
            ("?sslmode=require", "?sslmode=require", Between::Nothing),
            ("?pooler=transaction", "", Between::Pooler),
            (
                "?sslmode=require&pooler=transaction&application_name=x",
                "?sslmode=require&application_name=x",
                Between::Pooler,
            ),
        ] {
            let address = Address::parse(&format!("{url}{given}"))?;
            assert_eq!(address.url, format!("{url}{left}"));
            assert_eq!(address.between, between);
        }
        Ok(())
    }

    #[test]
    fn a_pooler_in_another_mode_is_refused() {
        let error = Address::parse("postgres://h/d?pooler=session").map(drop);
        let error = error.expect_err("nothing is known of it");
        assert!(error.message().contains("pooler=transaction"), "{error}");
    }
}
