//! The Postgres backend: a schema of its own for every case, left behind for whoever wants to look, in a server that is thrown away.

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
    std::env::var("BACKUPX_TEST_POSTGRES_URL")
        .ok()
        .filter(|url| !url.is_empty())
}

/// A store in a schema that nobody had before.
pub(crate) async fn fresh() -> Result<Ports> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let server = server().context("BACKUPX_TEST_POSTGRES_URL is not set")?;
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let schema = format!("case_{}_{number}", std::process::id());
    make(&server, &schema).await?;
    let joint = if server.contains('?') { '&' } else { '?' };
    PostgresHost::open(format!("{server}{joint}options[search_path]={schema}")).await
}

/// The stores run no statement for a stranger, but they run migrations. This one hides from the table of migrations, so that it is
/// never seen as done.
async fn make(server: &str, schema: &str) -> Result<()> {
    let sql = format!(
        "CREATE SCHEMA {schema}; CREATE TEMPORARY TABLE schema_migrations (number BIGINT, name TEXT) ON COMMIT DROP"
    );
    let migrations = [Migration {
        number: 1,
        name: "schema",
        sql: sql.leak(),
    }];
    let made = SqlStores::connect_with(server, &migrations).await?;
    made.close().await;
    Ok(())
}

struct PostgresHost {
    url: String,
    stores: SqlStores,
}

impl PostgresHost {
    async fn open(url: String) -> Result<Ports> {
        let stores = SqlStores::connect(&url).await?;
        let host = Arc::new(Self {
            url,
            stores: stores.clone(),
        });
        Ok(Ports::of_sql(&stores, host))
    }
}

impl Host for PostgresHost {
    fn is_shared(&self) -> bool {
        true
    }

    fn restart(&self) -> BoxFuture<'_, Result<Ports>> {
        async move {
            self.stores.close().await;
            Self::open(self.url.clone()).await
        }
        .boxed()
    }

    fn replica(&self) -> BoxFuture<'_, Result<Ports>> {
        Self::open(self.url.clone()).boxed()
    }
}
