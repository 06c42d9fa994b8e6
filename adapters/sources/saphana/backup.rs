//! Making a data backup: HANA writes it, its catalogue proves it, its files are read and then removed.

use super::archive::{self, Description};
use super::catalogue::Catalogue;
use super::entry::{Entry, Part};
use super::files::{self, RunFiles, incomplete};
use super::retries::{pause, with_retries};
use super::session::Session;
use super::{Saphana, sql};
use backupx_core::domain::log::Level;
use backupx_core::domain::saphana::{SaphanaLevel, SaphanaVia};
use backupx_core::ports::dumps::Notes;
use backupx_core::ports::source::StopFlag;
use backupx_core::{Error, Result};
use std::io::Write;
use std::time::{Duration, Instant};

/// How often the catalogue is asked whether a backup has ended.
const ASK_EVERY: Duration = Duration::from_secs(2);
/// How long a backup that is given up has to end.
const CANCELLED_WITHIN: Duration = Duration::from_secs(60);

/// Backs `database` up and writes it into `out`; `Ok` only when HANA's catalogue and every byte say so.
pub(super) fn read(
    source: &Saphana,
    database: &str,
    out: &mut dyn Write,
    notes: &dyn Notes,
    stop: &StopFlag,
) -> Result<()> {
    let session = with_retries(source, notes, stop, |_| source.open(stop))?;
    let run = Run {
        source,
        session: &session,
        catalogue: Catalogue::new(&session, database),
        database,
        stop,
    };
    match source.source.via {
        SaphanaVia::File => run.by_files(out, notes),
        SaphanaVia::Backint => run.by_backint(out, notes),
    }
}

/// By what a backup is found in the catalogue.
pub(super) fn comment(attempt: &str) -> String {
    format!("made by BackupX: {attempt}")
}

struct Run<'a> {
    source: &'a Saphana,
    session: &'a Session,
    catalogue: Catalogue<'a>,
    database: &'a str,
    stop: &'a StopFlag,
}

impl Run<'_> {
    fn by_files(&self, out: &mut dyn Write, notes: &dyn Notes) -> Result<()> {
        let folder = files::folder(&self.source.source, self.session, self.stop)?;
        files::usable(&folder, self.source.source.level)?;
        files::sweep(&folder, self.catalogue, self.stop)?;
        let its = RunFiles::new(&folder, self.database)?;
        let description = with_retries(self.source, notes, self.stop, |number| {
            let attempt = its.attempt(number);
            let made = self
                .made(
                    &attempt,
                    &format!("FILE ({})", sql::text(&its.path(&attempt))),
                )
                .and_then(|(entry, parts)| self.in_files(&attempt, &entry, parts));
            if made.is_err() {
                // Room for the next attempt.
                its.clear();
            }
            made
        })?;
        self.tell(&description, notes);
        archive::write(&description, out, self.stop)?;
        for problem in its.clear() {
            notes.warn(format!(
                "the backup is read and stays on the host: {problem}"
            ));
        }
        Ok(())
    }

    /// The backup with its files, each of which is there in full size and is one of this run's.
    fn in_files(&self, attempt: &str, entry: &Entry, parts: Vec<Part>) -> Result<Description> {
        // The copy of the catalogue that HANA makes behind each backup lies with the logs.
        let (parts, others): (Vec<_>, Vec<_>) = parts
            .into_iter()
            .partition(|part| part.name().starts_with(attempt));
        if let Some(other) = others.iter().find(|part| part.source != "catalog") {
            return Err(incomplete(format!(
                "HANA's catalogue names {}, which is none of the files of this backup ({attempt}…)",
                other.path
            )));
        }
        if !parts.iter().any(|part| part.source == "volume") {
            return Err(incomplete(
                "HANA calls its backup successful, and its catalogue names no file with data"
                    .to_owned(),
            ));
        }
        for part in &parts {
            files::open(part)?;
        }
        Ok(self.description(attempt, entry, parts))
    }

    fn by_backint(&self, out: &mut dyn Write, notes: &dyn Notes) -> Result<()> {
        if let Some(channels) = self.source.source.channels {
            self.set_channels(channels)?;
        }
        // Unique without a folder that would show it.
        let unique = files::random_prefix()?;
        let description = with_retries(self.source, notes, self.stop, |number| {
            let attempt = format!("{unique}-{number}");
            let (entry, parts) =
                self.made(&attempt, &format!("BACKINT ({})", sql::text(&attempt)))?;
            let has_data = parts.iter().any(|part| part.source == "volume");
            let is_kept = |part: &Part| part.is_external() && part.external_id.is_some();
            if !has_data || !parts.iter().all(is_kept) {
                return Err(incomplete(
                    "HANA calls its backup successful, and its catalogue does not say by what the Backint tool knows all of it".to_owned(),
                ));
            }
            Ok(self.description(&attempt, &entry, parts))
        })?;
        self.tell(&description, notes);
        notes.warn(format!(
            "{}: this record holds what HANA's catalogue says of the backup; the data lies where the Backint tool keeps it, and BackupX neither verifies nor removes it there",
            self.database
        ));
        archive::write(&description, out, self.stop)
    }

    /// Sets how many channels HANA opens to its Backint tool.
    fn set_channels(&self, channels: u8) -> Result<()> {
        let layer = match (self.catalogue.is_of_tenant(), self.session.is_system()) {
            (true, _) => format!("'DATABASE', {}", sql::text(self.database)),
            (false, true) => "'SYSTEM'".to_owned(),
            (false, false) => "'DATABASE'".to_owned(),
        };
        let statement = format!(
            "ALTER SYSTEM ALTER CONFIGURATION ('global.ini', {layer}) SET ('backup', 'parallel_data_backup_backint_channels') = '{channels}' WITH RECONFIGURE"
        );
        self.session.ask(&statement, self.stop).map(drop)
    }

    fn description(&self, attempt: &str, entry: &Entry, parts: Vec<Part>) -> Description {
        let how = (self.source.source.level, self.source.source.via);
        let server = &self.session.server;
        Description {
            prefix: Some(attempt.to_owned()),
            begun_at: entry.begun_at.clone(),
            ended_at: entry.ended_at.clone(),
            ..Description::new(server, self.database, how, entry.id, parts)
        }
    }

    fn tell(&self, description: &Description, notes: &dyn Notes) {
        let bytes: u64 = description.parts.iter().map(|part| part.size_bytes).sum();
        notes.log(
            Level::Info,
            format!(
                "HANA's catalogue calls backup {} successful: {} parts, {bytes} bytes",
                description.backup_id,
                description.parts.len()
            ),
        );
    }

    /// Has HANA make a backup, and finds it in the catalogue. What did not come to a good end is ended.
    fn made(&self, attempt: &str, destination: &str) -> Result<(Entry, Vec<Part>)> {
        let comment = comment(attempt);
        let made = self.order(&comment, destination);
        if made.is_err() {
            self.give_up(&comment);
        }
        made
    }

    fn order(&self, comment: &str, destination: &str) -> Result<(Entry, Vec<Part>)> {
        let level = match self.source.source.level {
            SaphanaLevel::Incremental => "INCREMENTAL ",
            SaphanaLevel::Differential => "DIFFERENTIAL ",
            SaphanaLevel::Full | SaphanaLevel::Log => "",
        };
        let whose = match self.catalogue.is_of_tenant() {
            true => format!("FOR {} ", sql::name(self.database)),
            false => String::new(),
        };
        let statement = format!(
            "BACKUP DATA {level}{whose}USING {destination} COMMENT {}",
            sql::text(comment)
        );
        self.session.order(&statement, "dump_failed", self.stop)?;
        let entry = self.ended(comment)?;
        if !entry.is_successful() {
            return Err(Error::invalid(
                "dump_failed",
                format!(
                    "hdbsql ended well, but HANA's catalogue calls the backup {}: {}",
                    entry.state, entry.message
                ),
            ));
        }
        let parts = self.catalogue.parts(entry.id, self.stop)?;
        Ok((entry, parts))
    }

    /// The entry of a backup, once it is made or not.
    fn ended(&self, comment: &str) -> Result<Entry> {
        loop {
            match self.catalogue.commented(comment, self.stop)? {
                Some(entry) if entry.is_unfinished() => pause(ASK_EVERY, self.stop)?,
                Some(entry) => return Ok(entry),
                None => {
                    return Err(Error::invalid(
                        "dump_failed",
                        "hdbsql ended well, but HANA's catalogue has no such backup",
                    ));
                }
            }
        }
    }

    /// Ends a backup that HANA may still make, also when the run is stopped.
    fn give_up(&self, comment: &str) {
        let calm = StopFlag::default();
        let over = Instant::now() + CANCELLED_WITHIN;
        let mut asked = false;
        loop {
            let entry = match self.catalogue.commented(comment, &calm) {
                Ok(Some(entry)) if entry.is_unfinished() => entry,
                Ok(_) => return,
                Err(error) => {
                    tracing::warn!(error = %error.chain(), "nobody can say whether a backup is still made");
                    return;
                }
            };
            if !asked {
                asked = true;
                if let Err(error) = self.catalogue.cancel(entry.id, &calm) {
                    tracing::warn!(error = %error.chain(), backup.id = entry.id, "a backup can't be ended");
                }
                continue;
            }
            if Instant::now() > over || pause(ASK_EVERY, &calm).is_err() {
                tracing::warn!(
                    backup.id = entry.id,
                    "a backup that was given up has not ended yet"
                );
                return;
            }
        }
    }
}
