//! `backupx wal prune`: log that nobody will restore from is removed.

use super::settings;
use crate::cmd::failure::usage;
use crate::cmd::output::{OutputFormat, bytes};
use anyhow::Result;
use backupx_core::domain::duration;
use backupx_core::ports::clock::{Clock, SystemClock};
use backupx_engine::wal::Prune;
use serde::Serialize;
use std::path::Path;
use std::process::ExitCode;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    kept_from: Option<String>,
    objects: u64,
    bytes: u64,
    dry_run: bool,
}

/// Keeps what a restore to any moment of the last `keep` needs.
pub(super) async fn run(
    config: &Path,
    keep: &str,
    dry_run: bool,
    output: OutputFormat,
) -> Result<ExitCode> {
    let span = duration::parse(keep)
        .ok_or_else(|| usage(format!("--keep {keep}: use {}", duration::ACCEPTED)))?;
    let prune = if dry_run { Prune::Say } else { Prune::Remove };
    let pruned = settings::open(config)?
        .prune(SystemClock.now() - span, prune)
        .await?;
    let shown = Shown {
        kept_from: pruned.kept_from,
        objects: pruned.objects,
        bytes: pruned.bytes,
        dry_run,
    };
    output.print(&shown, |shown| match &shown.kept_from {
        None => "No base backup is older than that: everything stays.\n".to_owned(),
        Some(start) => format!(
            "{} {} objects, {}; everything from {start} on stays.\n",
            if shown.dry_run {
                "Would remove"
            } else {
                "Removed"
            },
            shown.objects,
            bytes(shown.bytes)
        ),
    })?;
    Ok(ExitCode::SUCCESS)
}
