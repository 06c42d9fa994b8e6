//! Collecting log backups: HANA makes them by itself; they are read, and stay where they are.

use super::Saphana;
use super::archive::{self, Description};
use super::catalogue::Catalogue;
use super::entry::Part;
use super::files::{self, LOG, incomplete};
use super::retries::with_retries;
use super::session::Session;
use backupx_core::domain::log::Level;
use backupx_core::domain::saphana::{SaphanaLevel, SaphanaVia};
use backupx_core::ports::dumps::Notes;
use backupx_core::ports::source::StopFlag;
use backupx_core::{Error, Result};
use std::io::Write;
use std::path::Path;

/// Writes every log backup of `database` since its last full one into `out`.
pub(super) fn read(
    source: &Saphana,
    database: &str,
    out: &mut dyn Write,
    notes: &dyn Notes,
    stop: &StopFlag,
) -> Result<()> {
    let description = with_retries(source, notes, stop, |_| {
        collected(source, &source.open(stop)?, database, stop)
    })?;
    notes.log(
        Level::Info,
        format!(
            "{} log backups since the full backup {}",
            description.parts.len(),
            description.backup_id
        ),
    );
    archive::write(&description, out, stop)
}

fn collected(
    source: &Saphana,
    session: &Session,
    database: &str,
    stop: &StopFlag,
) -> Result<Description> {
    let catalogue = Catalogue::new(session, database);
    let full = catalogue.last_full(stop)?.ok_or_else(|| {
        Error::invalid(
            "nothing_selected",
            format!("{database} has no full backup yet, and log is of no use without one: make that first"),
        )
    })?;
    let parts = catalogue.logs(full.id, stop)?;
    if parts.is_empty() {
        return Err(Error::invalid(
            "nothing_selected",
            format!(
                "HANA made no log backup of {database} since its full backup {}: check log_mode (normal) and enable_auto_log_backup",
                full.id
            ),
        ));
    }
    let folder = files::folder(&source.source, session, stop)?;
    for part in &parts {
        readable(part, &folder)?;
        files::open(part)?;
    }
    let how = (SaphanaLevel::Log, SaphanaVia::File);
    Ok(Description::new(
        &session.server,
        database,
        how,
        full.id,
        parts,
    ))
}

/// Only what HANA calls a log backup, and only where those lie: a catalogue names no other file of the host.
fn readable(part: &Part, folder: &Path) -> Result<()> {
    if part.is_external() {
        return Err(Error::invalid(
            "unsupported",
            "HANA's log backups go through Backint, so they are with its tool already: there is nothing to collect",
        ));
    }
    let path = Path::new(&part.path);
    let is_plain = path.starts_with(folder)
        && !path
            .components()
            .any(|part| part == std::path::Component::ParentDir);
    if is_plain && part.name().starts_with(LOG) {
        return Ok(());
    }
    Err(incomplete(format!(
        "HANA's catalogue names {} as a log backup, which lies not below {}: name the folder of its log backups in the task",
        part.path,
        folder.display()
    )))
}
