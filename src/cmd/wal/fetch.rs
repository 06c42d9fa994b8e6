//! `backupx wal fetch`: what `restore_command` calls.

use super::settings;
use crate::cmd::failure;
use anyhow::{Context, Result};
use backupx_core::domain::wal::WalFile;
use backupx_engine::wal::Fetched;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

/// A server takes an exit code above 125 for a reason to stop; anything lower for the end of the log.
const CANT_TELL: u8 = 255;

/// Fetches the file called `name` to `path`.
pub(super) async fn run(config: &Path, name: &str, path: &Path) -> ExitCode {
    match fetch(config, name, path).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(failure::FAILED),
        Err(error) => {
            // Its own exit code would be taken for the end of the log.
            let _ = failure::report(&error);
            ExitCode::from(CANT_TELL)
        }
    }
}

/// False when the archive does not have it.
async fn fetch(config: &Path, name: &str, path: &Path) -> Result<bool> {
    let archive = settings::open(config)?;
    let file: WalFile = name.parse()?;
    let raw = match archive.fetch(file).await? {
        Fetched::Found(raw) => raw,
        Fetched::Absent => return Ok(false),
    };
    let folder = path.parent().unwrap_or(Path::new("."));
    let folder = if folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        folder
    };
    let unwritable = || format!("{} can't be written", path.display());
    // A recovery that is killed must not find half a file.
    let beside = folder.join(format!(".{name}.fetching-{}", std::process::id()));
    let mut out = std::fs::File::create(&beside).with_context(unwritable)?;
    let written = out
        .write_all(&raw)
        .and_then(|()| out.sync_all())
        .and_then(|()| std::fs::rename(&beside, path));
    if written.is_err() {
        // It may be gone already.
        let _ = std::fs::remove_file(&beside);
    }
    written.with_context(unwritable)?;
    Ok(true)
}
