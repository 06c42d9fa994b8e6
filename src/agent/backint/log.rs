//! The log of a call: lines of what was done, in a file that grows over the calls, or on standard error.

use backupx_core::domain::log::Level;
use backupx_core::ports::clock::Clock;
use backupx_core::ports::observer::{Counters, Observer};
use backupx_core::{Error, Result};
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;

/// Takes the lines of one call, and its counters.
pub struct Log {
    file: Option<File>,
    clock: Arc<dyn Clock>,
    counters: Counters,
}

impl Log {
    /// Opens the file at `path`, mode 0640 when it is made; without one, lines go to standard error.
    pub fn open(path: Option<&Path>, clock: Arc<dyn Clock>) -> Result<Self> {
        let open = |path: &Path| {
            OpenOptions::new()
                .create(true)
                .append(true)
                .mode(0o640)
                .open(path)
                .map_err(|error| {
                    let message = format!("{} can't be opened: {error}", path.display());
                    Error::field("LOG_FILE", message)
                })
        };
        Ok(Self {
            file: path.map(open).transpose()?,
            clock,
            counters: Counters::default(),
        })
    }

    pub(super) fn info(&self, message: impl Into<String>) {
        self.log(Level::Info, message.into());
    }

    /// Says something that was not as it should be.
    pub fn warn(&self, message: impl Into<String>) {
        self.log(Level::Warn, message.into());
    }

    pub(super) fn error(&self, message: impl Into<String>) {
        self.log(Level::Error, message.into());
    }
}

impl Observer for Log {
    fn counters(&self) -> &Counters {
        &self.counters
    }

    fn log(&self, level: Level, message: String) {
        // A name may hold a line's end; a line of the log is one.
        let message: String = message
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect();
        if let Some(mut file) = self.file.as_ref() {
            let at = self.clock.now().format("%Y-%m-%dT%H:%M:%S%.3fZ");
            let process = std::process::id();
            let line = format!("{at} {} [{process}] {message}\n", level.as_str());
            // A full disk must not keep a backup from being made.
            let _ = file.write_all(line.as_bytes());
        }
        // The database keeps what is said here in its own log.
        if level >= Level::Warn || (self.file.is_none() && level >= Level::Info) {
            let _ = writeln!(std::io::stderr().lock(), "{}: {message}", level.as_str());
        }
    }
}
