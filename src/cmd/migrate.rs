//! `backupx migrate`: brings the schema of the state store up to date, as every start of a master does by itself.

use super::output::OutputFormat;
use crate::config::ServerArgs;
use crate::wire;
use anyhow::Result;
use serde::Serialize;
use std::process::ExitCode;

#[derive(Serialize)]
struct Migrated {
    migrated: bool,
}

/// Migrates and exits.
pub(crate) async fn run(args: &ServerArgs, output: OutputFormat) -> Result<ExitCode> {
    wire::control_plane(&args.settle()?).await?;
    output.done(
        &Migrated { migrated: true },
        "The state store is up to date.",
    )?;
    Ok(ExitCode::SUCCESS)
}
