//! Archives of write-ahead log, as a restore to a moment needs them. Blocking code, called from threads that may block.

use crate::Result;
use crate::domain::wal::Holdings;
use std::path::Path;

/// An archive that a server's log goes to.
pub trait WalArchive: Send + Sync {
    /// What it holds now. `wal_archive_empty` when no server has ever archived there, `Unavailable` when it can't be asked.
    fn holdings(&self) -> Result<Holdings>;

    /// The command with which a server fetches a file of it: a `restore_command` of PostgreSQL.
    fn restore_command(&self) -> String;
}

/// Opens archives by the settings file that the host has for each.
pub trait WalArchives: Send + Sync {
    /// The archive that `settings` describes. Calls nobody yet. `bad_setting` when the file can't be read or is not right.
    fn open(&self, settings: &Path) -> Result<Box<dyn WalArchive>>;
}
