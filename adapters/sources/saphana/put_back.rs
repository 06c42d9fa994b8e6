//! Putting a tenant back: its files onto the host, then the statements that recover it, made from the system database.

use super::archive::{self, Description};
use super::entry::Part;
use super::files::{self, RunFiles};
use super::list::known;
use super::session::{SYSTEM, Session};
use super::{Saphana, sql};
use crate::refusals::unsupported;
use backupx_core::domain::dump::Dump;
use backupx_core::domain::log::Level;
use backupx_core::domain::saphana::{SaphanaLevel, SaphanaVia};
use backupx_core::ports::dumps::{Existing, Notes, PutBack};
use backupx_core::ports::source::StopFlag;
use backupx_core::{Error, Result};
use std::fs::{File, OpenOptions};
use std::io::Read;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, fchown};
use std::path::PathBuf;

/// Puts `dump` back from `input` as the tenant `how.name`.
pub(super) fn put_back(
    source: &Saphana,
    dump: &Dump,
    input: &mut dyn Read,
    how: &PutBack,
    notes: &dyn Notes,
    stop: &StopFlag,
) -> Result<()> {
    if !how.tables.is_empty() {
        return Err(unsupported(
            "a backup of HANA is restored as a whole; restore it under another name and copy the tables"
                .to_owned(),
        ));
    }
    if how.until.is_some() {
        return Err(unsupported(
            "a moment is reached by hand: restore the backups and the log into a folder (--to), then RECOVER DATABASE … UNTIL TIMESTAMP"
                .to_owned(),
        ));
    }
    if dump.name == SYSTEM || how.name == SYSTEM {
        return Err(by_hand_only());
    }
    let session = source.open(stop)?;
    if !session.is_system() {
        return Err(unsupported(format!(
            "a tenant is recovered from the system database, and {} is signed in to: restore with the sign-in of {SYSTEM}",
            session.server.database
        )));
    }
    let is_there = known(&session, stop)?
        .iter()
        .any(|known| known.name == how.name);
    if is_there && how.existing == Existing::Refuse {
        return Err(Error::conflict(
            "database_exists",
            format!(
                "the system {} has a database {}; restore under another name, or let it be replaced",
                session.server.sid, how.name
            ),
        ));
    }
    let known = |description: &Description| {
        recoverable(description, how)?;
        match description.via {
            SaphanaVia::Backint => Ok(None),
            SaphanaVia::File => Laid::new(source, &session, description, stop).map(Some),
        }
    };
    let place = |laid: &Option<Laid>, part: &Part| match laid {
        Some(laid) => laid.file(part),
        None => Err(Error::internal("a file comes that has no place")),
    };
    // All of it is on the host before anything is touched.
    let (description, laid) = archive::unpack(input, known, place, stop)?;
    let recovery = Recovery {
        session: &session,
        name: &how.name,
        notes,
        stop,
    };
    let from = match &laid {
        Some(laid) => format!("FILE ({})", sql::text(&laid.its.path(&laid.attempt))),
        None => format!(
            "BACKINT ({})",
            sql::text(description.prefix.as_deref().unwrap_or_default())
        ),
    };
    recovery.recover(is_there, &from)
}

/// `unsupported` for what one statement does not bring back, with what does.
fn recoverable(description: &Description, how: &PutBack) -> Result<()> {
    let name = sql::name(&how.name);
    if description.database == SYSTEM {
        return Err(by_hand_only());
    }
    match description.level {
        SaphanaLevel::Full => {}
        SaphanaLevel::Incremental | SaphanaLevel::Differential => {
            return Err(unsupported(format!(
                "this backup holds only what changed: restore it and the full one that it goes on from into one folder (--to), unpack both, \
                 then RECOVER DATABASE FOR {name} UNTIL TIMESTAMP '…' CLEAR LOG USING CATALOG PATH ('…') USING DATA PATH ('…')"
            )));
        }
        SaphanaLevel::Log => {
            return Err(unsupported(format!(
                "these are log backups: restore them into a folder (--to), unpack them, then \
                 RECOVER DATABASE FOR {name} UNTIL TIMESTAMP '…' USING CATALOG PATH ('…') USING LOG PATH ('…') USING DATA PATH ('…')"
            )));
        }
    }
    if description.via == SaphanaVia::Backint && description.database != how.name {
        return Err(unsupported(format!(
            "a backup that lies with a Backint tool comes back under its own name; for another one: \
             RECOVER DATA FOR {name} USING SOURCE '{}@{}' USING BACKINT ('{}') CLEAR LOG",
            description.database,
            description.sid,
            description.prefix.as_deref().unwrap_or_default()
        )));
    }
    Ok(())
}

fn by_hand_only() -> Error {
    unsupported(
        "the system database is recovered on its host while it is down, not through it (--include takes tenants alone): restore the files with --to, unpack them, then as <sid>adm: \
         HDB stop; HDBSettings.sh recoverSys.py --command=\"RECOVER DATA USING FILE ('<folder>/<prefix>') CLEAR LOG\" \
         (the prefix is in backup.json)"
            .to_owned(),
    )
}

/// A backup's files on the host, for as long as they are needed.
struct Laid {
    folder: PathBuf,
    attempt: String,
    its: RunFiles,
}

impl Laid {
    fn new(
        source: &Saphana,
        session: &Session,
        description: &Description,
        stop: &StopFlag,
    ) -> Result<Self> {
        let folder = files::folder(&source.source, session, stop)?;
        files::usable(&folder, SaphanaLevel::Full)?;
        let attempt = description.prefix.clone().unwrap_or_default();
        let its = RunFiles::again(&folder, &attempt)?;
        Ok(Self {
            folder,
            attempt,
            its,
        })
    }

    /// A new file for a part, which HANA may read.
    fn file(&self, part: &Part) -> Result<File> {
        let name = part.name();
        let end = name.strip_prefix(&self.attempt).unwrap_or_default();
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.');
        if end.is_empty() || !end.chars().all(is_plain) {
            return Err(Error::invalid(
                "restore_failed",
                format!("{name:?} is not called as a file of this backup is"),
            ));
        }
        let path = self.its.place(name);
        let failed = |error: std::io::Error| {
            Error::invalid(
                "restore_failed",
                format!("{} can't be made: {error}", path.display()),
            )
            .with_source(error)
        };
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o640)
            .open(&path)
            .map_err(failed)?;
        if rustix::process::geteuid().is_root() {
            let owner = self.folder.metadata().map_err(failed)?;
            fchown(&file, Some(owner.uid()), Some(owner.gid())).map_err(failed)?;
        }
        Ok(file)
    }
}

/// A tenant on its way back.
struct Recovery<'a> {
    session: &'a Session,
    name: &'a str,
    notes: &'a dyn Notes,
    stop: &'a StopFlag,
}

impl Recovery<'_> {
    fn recover(&self, is_there: bool, from: &str) -> Result<()> {
        let name = sql::name(self.name);
        if !is_there {
            self.create(&name)?;
        }
        let recovered = self.replaced(&name, from);
        if recovered.is_err() && !is_there {
            // It was empty, and nobody's.
            let calm = StopFlag::default();
            if let Err(error) = self.order(&format!("DROP DATABASE {name}"), &calm) {
                self.notes.warn(format!(
                    "{} was made for this restore and stays behind: {}",
                    self.name,
                    error.message()
                ));
            }
        }
        recovered
    }

    /// Makes the tenant, with a password that nobody knows: the recovery brings back its users and theirs.
    fn create(&self, name: &str) -> Result<()> {
        self.notes
            .log(Level::Info, format!("{} is made", self.name));
        let password = format!("Aa1{}", files::random_prefix()?.replace('-', "_"));
        let statement = format!(
            "CREATE DATABASE {name} SYSTEM USER PASSWORD {}",
            sql::name(&password)
        );
        self.order(&statement, self.stop).map_err(|error| {
            let message = error.message().replace(&password, "[secret]");
            Error::new(error.kind(), error.code(), message)
        })
    }

    fn replaced(&self, name: &str, from: &str) -> Result<()> {
        self.notes
            .log(Level::Info, format!("{} is stopped", self.name));
        self.order(&format!("ALTER SYSTEM STOP DATABASE {name}"), self.stop)?;
        self.notes
            .log(Level::Info, format!("{} is recovered", self.name));
        let statement = format!("RECOVER DATA FOR {name} USING {from} CLEAR LOG");
        self.order(&statement, self.stop).map_err(|error| {
            Error::new(
                error.kind(),
                error.code(),
                format!(
                    "{}; the database is stopped and not whole until a recovery succeeds",
                    error.message()
                ),
            )
        })?;
        if !self.is_started()? {
            self.order(&format!("ALTER SYSTEM START DATABASE {name}"), self.stop)?;
        }
        match self.is_started()? {
            true => Ok(()),
            false => Err(Error::invalid(
                "restore_failed",
                format!(
                    "{} is recovered, but HANA does not call it started",
                    self.name
                ),
            )),
        }
    }

    fn order(&self, statement: &str, stop: &StopFlag) -> Result<()> {
        self.session.order(statement, "restore_failed", stop)
    }

    fn is_started(&self) -> Result<bool> {
        let known = known(self.session, self.stop)?;
        Ok(known
            .iter()
            .any(|known| known.name == self.name && known.is_active))
    }
}
