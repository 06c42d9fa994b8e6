//! The Postgres server that `tests/run` started: a schema of its own for each master, left behind in a server that is thrown away.

use std::env;
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, Result, ensure};

use super::cli::finish;

/// The URL of a schema that nobody had before.
pub(crate) fn fresh_schema() -> Result<String> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let server = env::var("BACKUPX_TEST_POSTGRES_URL").context(
        "BACKUPX_TEST_POSTGRES_URL is not set; `tests/run` starts the server and sets it",
    )?;
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let schema = format!("e2e_{}_{number}", std::process::id());
    let mut psql = Command::new("psql");
    psql.args(["--no-psqlrc", "--quiet", "--command"])
        .arg(format!("CREATE SCHEMA {schema}"))
        .arg(&server);
    let ended = finish(&mut psql)?;
    ensure!(ended.code == Some(0), "psql: {}", ended.stderr);
    let joint = if server.contains('?') { '&' } else { '?' };
    Ok(format!("{server}{joint}options[search_path]={schema}"))
}
