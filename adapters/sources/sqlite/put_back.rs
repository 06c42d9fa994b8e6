//! A file put back: written beside its place, checked, and moved there in one step.

use super::connection::unsound;
use super::copy::pour;
use super::header;
use super::open_files::holders;
use backupx_core::domain::log::Level;
use backupx_core::ports::dumps::{Existing, Notes, PutBack};
use backupx_core::ports::source::StopFlag;
use backupx_core::{Error, Result};
use std::fs::{File, OpenOptions, Permissions};
use std::io::Read;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Puts the file that `input` holds at the path `how.name`.
pub(super) fn put_back(
    input: &mut dyn Read,
    how: &PutBack,
    notes: &dyn Notes,
    stop: &StopFlag,
) -> Result<()> {
    let path = Path::new(&how.name);
    let (Some(folder), Some(name), true) = (path.parent(), path.file_name(), path.is_absolute())
    else {
        return Err(Error::field(
            "rename",
            format!("{:?} is no absolute path of a file", how.name),
        ));
    };
    may_be_written(path, how.existing)?;
    std::fs::create_dir_all(folder).map_err(|error| failed(folder, &error))?;
    let beside = folder.join(format!(
        ".{}.restoring-{}",
        name.to_string_lossy(),
        std::process::id()
    ));
    let restored = Beside(beside.clone());
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&beside)
        .map_err(|error| failed(&beside, &error))?;
    pour(input, &mut file, stop)?;
    file.sync_all().map_err(|error| failed(&beside, &error))?;
    let sound = header::check(&beside).and_then(|()| unsound(&beside, stop));
    let wrong = match sound {
        Ok(wrong) => wrong,
        Err(error) if error.code() == "cancelled" => return Err(error),
        Err(error) => vec![error.message().to_owned()],
    };
    if !wrong.is_empty() {
        return Err(Error::invalid(
            "restore_failed",
            format!(
                "what was restored is no sound SQLite database: {}",
                wrong.join("; ")
            ),
        ));
    }
    // As the one that it replaces, so that its application finds it as it was.
    if let Ok(old) = path.metadata() {
        let owner = std::os::unix::fs::fchown(&file, Some(old.uid()), Some(old.gid()));
        if let Err(error) = owner {
            notes.warn(format!(
                "{} has another owner than before: {error}",
                how.name
            ));
        }
        file.set_permissions(Permissions::from_mode(old.mode() & 0o7777))
            .map_err(|error| failed(&beside, &error))?;
    }
    // Once more: it took a while.
    may_be_written(path, how.existing)?;
    // What is left of the old file would be played into the new one.
    for end in ["-wal", "-shm", "-journal"] {
        let companion = PathBuf::from(format!("{}{end}", how.name));
        match std::fs::remove_file(&companion) {
            Ok(()) => notes.log(Level::Info, format!("{} is removed", companion.display())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(failed(&companion, &error)),
        }
    }
    std::fs::rename(&beside, path).map_err(|error| failed(path, &error))?;
    drop(restored);
    let folder = File::open(folder).and_then(|folder| folder.sync_all());
    folder.map_err(|error| failed(path, &error))
}

fn may_be_written(path: &Path, existing: Existing) -> Result<()> {
    if path.symlink_metadata().is_err() {
        return Ok(());
    }
    let is_empty = path
        .metadata()
        .is_ok_and(|data| data.is_file() && data.len() == 0);
    if existing == Existing::Refuse && !is_empty {
        return Err(Error::conflict(
            "database_exists",
            format!(
                "{} exists; restore to another path, or let it be replaced",
                path.display()
            ),
        ));
    }
    if path.is_dir() {
        return Err(Error::conflict(
            "database_exists",
            format!("{} is a folder and is never replaced", path.display()),
        ));
    }
    // A program that goes on writing into a file that was replaced loses all of it.
    let holders = holders(path);
    if holders.is_empty() {
        return Ok(());
    }
    Err(Error::conflict(
        "database_in_use",
        format!(
            "{} is open in process {}; stop it first, then restore",
            path.display(),
            holders.join(", ")
        ),
    ))
}

fn failed(path: &Path, error: &std::io::Error) -> Error {
    Error::unavailable(
        "restore_failed",
        format!("{} can't be written: {error}", path.display()),
    )
}

/// A file in the making: gone on every path but the last.
struct Beside(PathBuf);

impl Drop for Beside {
    fn drop(&mut self) {
        // After the last step there is none.
        let _ = std::fs::remove_file(&self.0);
    }
}
