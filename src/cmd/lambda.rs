//! `backupx lambda`: the master as an AWS Lambda function. The program is its own `bootstrap`.

use super::server;
use crate::config::{Defaults, ServerArgs, Settings};
use crate::wire;
use anyhow::{Result, anyhow, bail};
use backupx_http::{Door, HttpOptions};
use secrecy::ExposeSecret;
use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

/// Where the runtime API answers.
const RUNTIME_API: &str = "AWS_LAMBDA_RUNTIME_API";
/// What Lambda sets for every runtime.
const RUNTIME: [&str; 4] = [
    RUNTIME_API,
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_VERSION",
];

/// A function holds no poll, since it is paid for while it waits, and serves one request at a time.
const FUNCTION: Defaults = Defaults {
    long_poll_max: Duration::ZERO,
    database_connections: 2,
};

/// Serves invocations until Lambda ends the process. Between two of them it may be frozen: nothing here runs by itself.
pub(crate) async fn run() -> Result<ExitCode> {
    if let Some(missing) = RUNTIME.iter().find(|name| std::env::var_os(name).is_none()) {
        bail!(
            "{missing} is not set: `backupx lambda` runs inside a function of AWS Lambda; `backupx server` is the master everywhere else"
        );
    }
    let settings = settle()?;
    let app = wire::control_plane(&settings).await?;
    if !app.is_set_up().await? {
        // The set-up code is for a host's console; the log of a function has other readers.
        tracing::warn!(
            "nobody has an account yet; make the first administrator with `backupx admin create`, with BACKUPX_DATABASE_URL and BACKUPX_SECRET_KEY as they are here"
        );
    }
    let options = HttpOptions {
        jwt_secret: settings.jwt_secret,
        external_url: settings.external_url,
        door: Door::Function,
        relay: false,
        ..HttpOptions::default()
    };
    let router = backupx_http::router(app.clone(), options);
    tracing::info!(version = env!("CARGO_PKG_VERSION"), "the function is ready");
    backupx_http::serve_function(router, || server::pass(&app))
        .await
        .map_err(|error| anyhow!(error).context("the runtime API can't be reached"))?;
    Ok(ExitCode::SUCCESS)
}

/// The settings of a function, which has no disk: all state is elsewhere, and all keys are given.
fn settle() -> Result<Settings> {
    const DATABASE: &str = "give postgres://USER:PASSWORD@HOST/DATABASE";
    if !is_given("BACKUPX_DATABASE_URL") {
        bail!("BACKUPX_DATABASE_URL is not set, and a function keeps no file: {DATABASE}");
    }
    if !is_given("BACKUPX_SECRET_KEY") {
        bail!(
            "BACKUPX_SECRET_KEY is not set, and a function can't keep a key of its own making: give 32 bytes in base64, as `openssl rand -base64 32` makes, the same for every master of this database"
        );
    }
    let settings = ServerArgs::default().settle_with(FUNCTION)?;
    if settings.database_url.expose_secret().starts_with("sqlite:") {
        bail!("BACKUPX_DATABASE_URL names a SQLite file, and a function keeps no file: {DATABASE}");
    }
    if settings.local_node {
        bail!(
            "BACKUPX_LOCAL_NODE=true is not accepted: a function runs no node of its own; run `backupx agent` where the data is"
        );
    }
    Ok(settings)
}

/// True when a secret is in its variable or in the file that its twin names.
fn is_given(name: &str) -> bool {
    [name.to_owned(), format!("{name}_FILE")]
        .iter()
        .any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()))
}

/// True in a process that Lambda started: by the name of its program, or by the variable of the runtime API.
pub(super) fn is_home(program: Option<&OsString>) -> bool {
    let name = program.and_then(|path| Path::new(path).file_name());
    name.is_some_and(|name| name == "bootstrap") || std::env::var_os(RUNTIME_API).is_some()
}
