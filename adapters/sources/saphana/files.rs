//! Files of HANA's backups on its host: where they are, which are a run's own, and that none of those stays behind.

use super::catalogue::Catalogue;
use super::entry::Part;
use super::session::Session;
use super::sql;
use crate::temp::hold;
use backupx_core::domain::saphana::{SaphanaLevel, SaphanaSource};
use backupx_core::ports::source::StopFlag;
use backupx_core::{Error, Result};
use rustix::fs::{Access, OFlags, access};
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// How the files of every run begin.
const OURS: &str = "backupx-";
/// How the file is called that holds the lock of a run, behind its prefix.
const LOCK: &str = ".lock";
/// Bytes of a database's name in a lock.
const MOST_NAME: u64 = 1024;
/// Random bytes in a prefix.
const RANDOM: usize = 8;
/// How a log backup of HANA begins.
pub(super) const LOG: &str = "log_backup_";

/// The folder that the task names, or else HANA's own.
pub(super) fn folder(
    source: &SaphanaSource,
    session: &Session,
    stop: &StopFlag,
) -> Result<PathBuf> {
    if let Some(folder) = &source.folder {
        return Ok(PathBuf::from(folder));
    }
    let key = match source.level {
        SaphanaLevel::Log => "basepath_logbackup",
        SaphanaLevel::Full | SaphanaLevel::Incremental | SaphanaLevel::Differential => {
            "basepath_databackup"
        }
    };
    let question = format!(
        "SELECT LAYER_NAME, VALUE FROM SYS.M_INIFILE_CONTENTS WHERE FILE_NAME = 'global.ini' AND SECTION = 'persistence' AND KEY = {}",
        sql::text(key)
    );
    let rows = session.ask(&question, stop)?;
    // The narrowest layer counts.
    let layer = |wanted: &str| {
        let of = rows.iter().find_map(|row| match &row[..] {
            [Some(layer), Some(value)] if layer == wanted => Some(value.clone()),
            _ => None,
        });
        of.filter(|value| !value.is_empty())
    };
    let unknown = || {
        Error::invalid(
            "source_missing",
            format!("HANA does not say where its backups lie ({key}); name the folder in the task"),
        )
    };
    let value = ["HOST", "DATABASE", "SYSTEM", "DEFAULT"]
        .into_iter()
        .find_map(layer)
        .ok_or_else(unknown)?;
    let value = match value.strip_prefix("$(DIR_INSTANCE)") {
        None => value,
        Some(rest) => {
            let question =
                "SELECT VALUE FROM SYS.M_HOST_INFORMATION WHERE KEY = 'sapsystem' LIMIT 1";
            let number = session.ask(question, stop)?;
            let number = number.into_iter().flatten().flatten().next();
            let number = number.ok_or_else(unknown)?;
            format!("/usr/sap/{}/HDB{number}{rest}", session.server.sid)
        }
    };
    if !value.starts_with('/') || value.contains("$(") {
        return Err(unknown());
    }
    Ok(PathBuf::from(value))
}

/// Whether this agent can do with the folder what a run does.
pub(super) fn usable(folder: &Path, level: SaphanaLevel) -> Result<()> {
    let shown = folder.display();
    if !folder.is_dir() {
        return Err(Error::invalid(
            "source_missing",
            format!(
                "{shown} is no folder that this agent sees: it has to run on the host of the database, and as a user that may go there; \
                 or name another folder in the task"
            ),
        ));
    }
    let (wanted, what) = match level {
        SaphanaLevel::Log => (Access::READ_OK | Access::EXEC_OK, "read"),
        SaphanaLevel::Full | SaphanaLevel::Incremental | SaphanaLevel::Differential => (
            Access::READ_OK | Access::WRITE_OK | Access::EXEC_OK,
            "write to",
        ),
    };
    access(folder, wanted).map_err(|error| {
        Error::forbidden(
            "rights_missing",
            format!(
                "the user of the agent may not {what} {shown} ({error}): run the agent as the system's own user (<sid>adm), or as root"
            ),
        )
    })
}

/// The files of a run: all that begin with a prefix that is in use nowhere else. They go with this value, and those of runs that did not
/// live to remove theirs go with the next one.
#[derive(Debug)]
pub(super) struct RunFiles {
    folder: PathBuf,
    prefix: String,
    // Gone with the process, however it ends.
    _held: File,
}

impl RunFiles {
    /// Those of a new run that backs `database` up.
    pub(super) fn new(folder: &Path, database: &str) -> Result<Self> {
        loop {
            // Somebody who sweeps may have taken it at once.
            if let Some(files) = Self::of(folder, random_prefix()?, database)? {
                return Ok(files);
            }
        }
    }

    /// Those of the run that made `attempt`, which come back under the names that they had.
    pub(super) fn again(folder: &Path, attempt: &str) -> Result<Self> {
        let prefix = run_of(attempt).ok_or_else(|| {
            Error::invalid(
                "restore_failed",
                format!("{attempt:?} is no beginning of the files of a run"),
            )
        })?;
        Self::of(folder, prefix.to_owned(), "")?.ok_or_else(|| {
            Error::conflict(
                "database_in_use",
                format!("somebody else works with {prefix} in {}", folder.display()),
            )
        })
    }

    /// Takes the prefix, unless somebody has it. The lock says which database HANA may still be backing up.
    fn of(folder: &Path, prefix: String, database: &str) -> Result<Option<Self>> {
        let path = folder.join(format!("{prefix}{LOCK}"));
        let lock = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .custom_flags(OFlags::NOFOLLOW.bits().cast_signed())
            .open(&path)
            .map_err(|error| failed(&path, "can't be made", error))?;
        let Some(mut held) = hold(&path, Ok(lock)) else {
            return Ok(None);
        };
        held.write_all(database.as_bytes())
            .map_err(|error| failed(&path, "can't be written", error))?;
        Ok(Some(Self {
            folder: folder.to_owned(),
            prefix,
            _held: held,
        }))
    }

    /// The prefix of the files of one attempt.
    pub(super) fn attempt(&self, number: u32) -> String {
        format!("{}-{number}", self.prefix)
    }

    /// Where HANA writes those of an attempt: the beginning of their paths.
    pub(super) fn path(&self, attempt: &str) -> String {
        self.folder.join(attempt).display().to_string()
    }

    /// Where a file of that name lies.
    pub(super) fn place(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Removes the files so far. Says which could not be.
    pub(super) fn clear(&self) -> Vec<String> {
        clear(&self.folder, &self.prefix)
    }
}

impl Drop for RunFiles {
    fn drop(&mut self) {
        for problem in self.clear() {
            tracing::warn!(%problem, "a file of a backup stays behind");
        }
        let lock = self.place(&format!("{}{LOCK}", self.prefix));
        if let Err(error) = std::fs::remove_file(&lock) {
            tracing::warn!(path = %lock.display(), %error, "the lock of a backup stays behind");
        }
    }
}

/// Removes what runs left in `folder` that did not live to do it; a backup that HANA still makes for one is ended first.
pub(super) fn sweep(folder: &Path, catalogue: Catalogue<'_>, stop: &StopFlag) -> Result<()> {
    let entries = std::fs::read_dir(folder)
        .map_err(|error| failed(folder, "can't be listed", error))?
        .flatten();
    for entry in entries {
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        let Some(prefix) = name.strip_suffix(LOCK) else {
            continue;
        };
        let is_ours =
            prefix.starts_with(OURS) && entry.file_type().is_ok_and(|kind| kind.is_file());
        if !is_ours {
            continue;
        }
        let Some(held) = hold(&entry.path(), File::open(entry.path())) else {
            continue;
        };
        // HANA may still write for it, which only the catalogue of its database can tell.
        let mut database = String::new();
        let is_known = (&held).take(MOST_NAME).read_to_string(&mut database);
        if is_known.is_err() || !(database.is_empty() || database == catalogue.database()) {
            continue;
        }
        // Attempts are numbered; the last one may still run.
        for number in 1..=u32::from(backupx_core::domain::saphana::MOST_RETRIES) + 1 {
            let attempt = format!("{prefix}-{number}");
            match catalogue.commented(&super::backup::comment(&attempt), stop)? {
                Some(entry) if entry.is_unfinished() => catalogue.cancel(entry.id, stop)?,
                Some(_) => {}
                None => break,
            }
        }
        for problem in clear(folder, prefix) {
            tracing::warn!(%problem, "a file of an earlier backup stays behind");
        }
        if let Err(error) = std::fs::remove_file(entry.path()) {
            tracing::warn!(path = %entry.path().display(), %error, "the lock of an earlier backup stays behind");
        }
    }
    Ok(())
}

fn clear(folder: &Path, prefix: &str) -> Vec<String> {
    let mut problems = Vec::new();
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries.flatten(),
        Err(error) => return vec![format!("{} can't be listed: {error}", folder.display())],
    };
    let of_run = format!("{prefix}-");
    for entry in entries {
        let is_its_own = entry
            .file_name()
            .to_str()
            .is_some_and(|name| name.starts_with(&of_run));
        if !is_its_own {
            continue;
        }
        if let Err(error) = std::fs::remove_file(entry.path()) {
            problems.push(format!(
                "{} can't be removed: {error}",
                entry.path().display()
            ));
        }
    }
    problems
}

/// The run that an attempt is of: `backupx-0123456789abcdef` of `backupx-0123456789abcdef-1`.
fn run_of(attempt: &str) -> Option<&str> {
    let (run, number) = attempt.rsplit_once('-')?;
    let digits = run.strip_prefix(OURS)?;
    let is_plain = digits.len() == 2 * RANDOM
        && digits.chars().all(|c| c.is_ascii_hexdigit())
        && number.len() <= 2
        && number.parse::<u8>().is_ok();
    is_plain.then_some(run)
}

/// A prefix that nobody can guess: a server can't name a file of this host as one of a run's.
pub(super) fn random_prefix() -> Result<String> {
    let mut bytes = [0; RANDOM];
    File::open("/dev/urandom")
        .and_then(|mut source| source.read_exact(&mut bytes))
        .map_err(|error| {
            Error::unavailable("temp_failed", format!("there is no randomness: {error}"))
        })?;
    Ok(format!("{OURS}{}", hex::encode(bytes)))
}

/// Opens a file that the catalogue names, when it is there in full size. Follows no link at its end.
pub(super) fn open(part: &Part) -> Result<(File, u64)> {
    let path = Path::new(&part.path);
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(OFlags::NOFOLLOW.bits().cast_signed())
        .open(path)
        .map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => incomplete(format!(
                "{} is in HANA's catalogue and not on this host: the agent has to run where HANA writes its backups (with several hosts: on a shared folder)",
                part.path
            )),
            std::io::ErrorKind::PermissionDenied => Error::forbidden(
                "rights_missing",
                format!(
                    "the user of the agent may not read {}: run the agent as the system's own user (<sid>adm), or as root",
                    part.path
                ),
            ),
            _ => failed(path, "can't be read", error),
        })?;
    let data = file
        .metadata()
        .map_err(|error| failed(path, "can't be read", error))?;
    if !data.is_file() {
        return Err(incomplete(format!("{} is no file", part.path)));
    }
    if data.len() < part.size_bytes {
        return Err(incomplete(format!(
            "{} has {} bytes, and HANA's catalogue says {}",
            part.path,
            data.len(),
            part.size_bytes
        )));
    }
    Ok((file, data.len()))
}

/// A backup of which a part is missing.
pub(super) fn incomplete(why: String) -> Error {
    Error::invalid("dump_incomplete", why)
}

fn failed(path: &Path, what: &str, error: std::io::Error) -> Error {
    Error::unavailable("dump_failed", format!("{} {what}: {error}", path.display()))
        .with_source(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_run_left_is_swept_and_what_is_in_use_stays() {
        let folder = tempfile::tempdir().expect("a folder");
        let files = RunFiles::new(folder.path(), "T1").expect("a run");
        let attempt = files.attempt(1);
        std::fs::write(files.place(&format!("{attempt}_databackup_0_1")), b"x").expect("written");
        assert!(RunFiles::again(folder.path(), &attempt).is_err());
        drop(files);
        assert_eq!(std::fs::read_dir(folder.path()).expect("there").count(), 0);
        let again = RunFiles::again(folder.path(), &attempt).expect("free");
        assert_eq!(again.attempt(1), attempt);
    }

    #[test]
    fn only_a_run_is_one() {
        assert_eq!(
            run_of("backupx-0123456789abcdef-11"),
            Some("backupx-0123456789abcdef")
        );
        for other in [
            "backupx-0123456789abcdef",
            "backupx-0123456789abcde/-1",
            "../../0123456789abcdef-1",
            "backupx-0123456789abcdef-x",
            "backupx-0123456789abcdef-1/..",
        ] {
            assert_eq!(run_of(other), None, "{other}");
        }
    }
}
