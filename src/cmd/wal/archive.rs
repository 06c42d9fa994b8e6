//! Archives as a restore sees them: opened by their settings file, and fetched from by this very program.

use super::settings;
use backupx_core::domain::wal::Holdings;
use backupx_core::ports::wal::{WalArchive, WalArchives};
use backupx_core::{Error, Result};
use backupx_engine::wal::Archive;
use std::path::{Path, PathBuf};
use tokio::runtime::Handle;

/// Opens archives by the settings files of this host.
#[derive(Debug, Clone, Copy)]
pub(crate) struct WalSettings;

struct Opened {
    archive: Archive,
    settings: PathBuf,
    program: PathBuf,
}

impl WalArchives for WalSettings {
    fn open(&self, settings: &Path) -> Result<Box<dyn WalArchive>> {
        let archive = settings::open(settings)
            .map_err(|error| Error::invalid("bad_setting", format!("{error:#}")))?;
        let program = std::env::current_exe().map_err(|error| {
            Error::internal("this program does not know where it lies").with_source(error)
        })?;
        Ok(Box::new(Opened {
            archive,
            settings: settings.to_owned(),
            program,
        }))
    }
}

impl WalArchive for Opened {
    fn holdings(&self) -> Result<Holdings> {
        Handle::current().block_on(self.archive.holdings())
    }

    fn restore_command(&self) -> String {
        format!(
            "{} wal fetch --config {} %f %p",
            quoted(&self.program),
            quoted(&self.settings)
        )
    }
}

/// A path for the shell, in a setting where `%` begins a placeholder.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    format!("'{}'", text.replace('\'', "'\\''").replace('%', "%%"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_stays_one_word() {
        let path = Path::new("/opt/it's 100%/backupx");
        assert_eq!(quoted(path), "'/opt/it'\\''s 100%%/backupx'");
    }
}
