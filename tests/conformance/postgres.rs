//! The Postgres backend, directly and through a pooler: a user with a schema of its own for every case, left behind for whoever wants to
//! look, in a server that is thrown away.

use crate::ports::{Host, Ports};
use anyhow::{Context, Result};
use backupx_sql::SqlStores;
use backupx_sql::migrate::Migration;
use futures::FutureExt;
use futures::future::BoxFuture;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The server, when there is one.
pub(crate) fn server() -> Option<String> {
    given("BACKUPX_TEST_POSTGRES_URL")
}

/// The pooler before the server, when there is one.
pub(crate) fn pooler() -> Option<String> {
    given("BACKUPX_TEST_POOLER_URL").filter(|_| server().is_some())
}

fn given(variable: &str) -> Option<String> {
    std::env::var(variable).ok().filter(|url| !url.is_empty())
}

/// A store in a schema that nobody had before.
pub(crate) async fn fresh() -> Result<Ports> {
    let server = server().context("BACKUPX_TEST_POSTGRES_URL is not set")?;
    PostgresHost::open(&server, user(&server).await?, &server).await
}

/// The same, reached through the pooler.
pub(crate) async fn pooled() -> Result<Ports> {
    let server = server().context("BACKUPX_TEST_POSTGRES_URL is not set")?;
    let pooler = pooler().context("BACKUPX_TEST_POOLER_URL is not set")?;
    PostgresHost::open(&server, user(&server).await?, &pooler).await
}

/// The URL of a schema that nobody had before.
pub(crate) async fn schema() -> Result<String> {
    let server = server().context("BACKUPX_TEST_POSTGRES_URL is not set")?;
    as_user(&server, &user(&server).await?)
}

/// A user that nobody had before, and its schema. A user's own schema is the first that is looked into.
async fn user(server: &str) -> Result<String> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let name = format!("case_{}_{number}", std::process::id());
    let sql = format!("CREATE ROLE {name} LOGIN; CREATE SCHEMA {name} AUTHORIZATION {name}");
    tell(server, sql).await?;
    Ok(name)
}

/// The URL with another user in it.
pub(crate) fn as_user(url: &str, user: &str) -> Result<String> {
    let (scheme, rest) = url.split_once("://").context("the URL has no scheme")?;
    let host = rest.split_once('@').map_or(rest, |(_, host)| host);
    Ok(format!("{scheme}://{user}@{host}"))
}

/// The user in a URL.
pub(crate) fn user_of(url: &str) -> Result<String> {
    let (_, rest) = url.split_once("://").context("the URL has no scheme")?;
    let (user, _) = rest.split_once('@').context("the URL names no user")?;
    Ok(user.to_owned())
}

/// Runs a statement as the server's owner. The stores run none for a stranger, but they run migrations. This one hides from the table of
/// migrations, so that it is never seen as done.
pub(crate) async fn tell(server: &str, sql: String) -> Result<()> {
    let sql = format!(
        "{sql}; CREATE TEMPORARY TABLE schema_migrations (number BIGINT, name TEXT) ON COMMIT DROP"
    );
    let migrations = [Migration {
        number: 1,
        name: "told",
        sql: sql.leak(),
    }];
    let told = SqlStores::connect_with(server, &migrations).await?;
    told.close().await;
    Ok(())
}

/// A schema of a server.
pub(crate) struct PostgresHost {
    server: String,
    user: String,
    /// The server, or what stands before it.
    door: String,
    stores: SqlStores,
}

impl PostgresHost {
    pub(crate) async fn open(server: &str, user: String, door: &str) -> Result<Ports> {
        let stores = SqlStores::connect(&as_user(door, &user)?).await?;
        let host = Arc::new(Self {
            server: server.to_owned(),
            user,
            door: door.to_owned(),
            stores: stores.clone(),
        });
        Ok(Ports::of_sql(&stores, host))
    }

    fn again(&self) -> BoxFuture<'_, Result<Ports>> {
        Self::open(&self.server, self.user.clone(), &self.door).boxed()
    }
}

impl Host for PostgresHost {
    fn is_shared(&self) -> bool {
        true
    }

    fn restart(&self) -> BoxFuture<'_, Result<Ports>> {
        async move {
            self.stores.close().await;
            self.again().await
        }
        .boxed()
    }

    fn replica(&self) -> BoxFuture<'_, Result<Ports>> {
        self.again()
    }

    fn cut(&self) -> BoxFuture<'_, Result<()>> {
        let sql = format!(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{}'",
            self.user
        );
        tell(&self.server, sql).boxed()
    }
}
