//! BackupX: a backup manager for servers. One binary that is the master, the agent, and the command line of both.

mod cmd;
mod config;
mod environment;
mod logging;
mod private_file;
mod shutdown;
mod wire;

use clap::Parser;
use cmd::{Cli, failure};
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = Cli::parse_from(cmd::arguments(std::env::args_os()));
    let outcome = start(&cli).and_then(|runtime| {
        let outcome = runtime.block_on(cmd::run(cli.command, cli.output));
        // A thread that hangs in the kernel, on a dead network folder say, must not keep the process from its end.
        runtime.shutdown_timeout(std::time::Duration::from_secs(1));
        outcome
    });
    outcome.unwrap_or_else(|error| failure::report(&error))
}

/// Sets up what every command needs: one crypto provider, the log, and a runtime.
fn start(cli: &Cli) -> anyhow::Result<tokio::runtime::Runtime> {
    rustls::crypto::aws_lc_rs::default_provider()
        .install_default()
        .map_err(|_| anyhow::anyhow!("the crypto provider was installed twice"))?;
    let mut log = cli.log.settle()?;
    if !cli.command.is_service() && !log.is_chosen {
        log.filter = "error".to_owned();
    }
    logging::start(&log);
    if cli.command.is_service() {
        for name in environment::unknown_variables() {
            tracing::warn!(
                "{name} is set, and BackupX knows no such variable: is it a typing error?"
            );
        }
    }
    Ok(tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?)
}
