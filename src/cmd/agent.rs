//! `backupx agent`: the agent of this host, until it is stopped.

use super::failure::Usage;
use crate::{shutdown, wire};
use anyhow::{Context, Result};
use backupx_agent::settings::{AgentFlags, load};
use backupx_agent::{Agent, HttpLink};
use backupx_core::ErrorKind;
use secrecy::SecretString;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

/// Flags of an agent; each wins over the configuration file, and that over the environment (BACKUPX_AGENT_…).
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Address of the master, as https://backup.example.com [env: BACKUPX_AGENT_MASTER]
    #[arg(long, value_name = "URL")]
    master: Option<String>,
    /// The node's token; every user of this host can see it here, so --token-file is better [env: BACKUPX_AGENT_TOKEN]
    #[arg(long, value_parser = secret)]
    token: Option<SecretString>,
    /// File with the node's token [env: BACKUPX_AGENT_TOKEN_FILE]
    #[arg(long, value_name = "FILE", conflicts_with = "token")]
    token_file: Option<PathBuf>,
    /// Configuration file (YAML)
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Folder for temporary files [env: BACKUPX_AGENT_TEMP_DIR]
    #[arg(long, value_name = "DIR")]
    temp_dir: Option<PathBuf>,
    /// Proxy on the way to the master [env: BACKUPX_AGENT_PROXY_URL]
    #[arg(long, value_name = "URL")]
    proxy_url: Option<String>,
    /// Certificate authority of the master, when the system does not know it [env: BACKUPX_AGENT_CA_CERT_FILE]
    #[arg(long, value_name = "FILE")]
    ca_cert: Option<PathBuf>,
    /// Take any certificate: for trials only [env: BACKUPX_AGENT_INSECURE_TLS]
    #[arg(long)]
    insecure_tls: bool,
}

/// Runs until SIGTERM or Ctrl-C, then finishes or hands back what it holds.
pub(crate) async fn run(args: Args) -> Result<ExitCode> {
    let flags = AgentFlags {
        master: args.master,
        token: args.token,
        token_file: args.token_file,
        config: args.config,
        temp_dir: args.temp_dir,
        proxy_url: args.proxy_url,
        ca_cert: args.ca_cert,
        insecure_tls: args.insecure_tls,
    };
    let env: BTreeMap<String, String> = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    let settings = load(&flags, &env).map_err(wrong_settings)?;
    for warning in &settings.warnings {
        tracing::warn!("{warning}");
    }
    let master = settings.link.master().to_owned();
    let link = HttpLink::new(settings.link).map_err(wrong_settings)?;
    let shutdown = shutdown::on_signal()?;
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        "agent starts, its master is {master}"
    );
    Agent::new(Arc::new(link), wire::agent_deps(), settings.agent)
        .run(shutdown)
        .await
        .context("the agent ended")?;
    tracing::info!("agent stopped");
    Ok(ExitCode::SUCCESS)
}

/// A setting that is wrong is a wrong usage; anything else failed.
fn wrong_settings(error: backupx_core::Error) -> anyhow::Error {
    if error.kind() == ErrorKind::Invalid {
        return Usage(error.chain()).into();
    }
    error.into()
}

#[expect(clippy::unnecessary_wraps, reason = "the shape that clap asks for")]
fn secret(text: &str) -> Result<SecretString, std::convert::Infallible> {
    Ok(SecretString::from(text))
}
