//! `backupx wal push`: what `archive_command` calls.

use super::settings;
use anyhow::{Context, Result};
use backupx_core::domain::wal::WalFile;
use chrono::{DateTime, Utc};
use std::path::Path;
use std::process::ExitCode;

/// Archives the file at `path`. Success only when storage has confirmed it: the server throws it away then.
pub(super) async fn run(config: &Path, path: &Path) -> Result<ExitCode> {
    let archive = settings::open(config)?;
    let name = path
        .file_name()
        .and_then(|name| name.to_str())
        .with_context(|| format!("{} has no name", path.display()))?;
    let file: WalFile = name.parse()?;
    let unreadable = || format!("{} can't be read", path.display());
    let raw = std::fs::read(path).with_context(unreadable)?;
    let filled_at: DateTime<Utc> = path
        .metadata()
        .and_then(|data| data.modified())
        .with_context(unreadable)?
        .into();
    archive
        .push(file, raw, filled_at)
        .await
        .with_context(|| format!("{name} could not be archived"))?;
    Ok(ExitCode::SUCCESS)
}
