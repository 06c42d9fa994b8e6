//! Dumps: databases as streams of their own tool's format, made, proved and put back.
//!
//! A backup of databases has a stream a dump instead of one archive, and an index with one line a dump. Everything around the streams -
//! frames, seal, volumes, fan-out, manifest - is the same as for files.

mod backup;
mod lay_out;
mod marks;
mod put_back;
#[cfg(test)]
mod tests;

pub use backup::backup;
pub use put_back::{DumpRestorePlan, chosen, restore};

pub(crate) use marks::Marks;

use backupx_core::domain::log::Level;
use backupx_core::ports::dumps::Notes;
use backupx_core::ports::observer::Observer;
use std::sync::{Mutex, PoisonError};

/// Warnings that are kept for the manifest or the report.
const KEPT_WARNINGS: usize = 100;
/// Lines of tools that go to the run's log, so that one that never stops talking does not drown it.
const LOGGED_LINES: usize = 2000;

/// What tools said, on its way into the run's log and its manifest.
struct Said<'a> {
    observer: &'a dyn Observer,
    told: Mutex<Told>,
}

#[derive(Default)]
struct Told {
    lines: usize,
    warned: u64,
    warnings: Vec<String>,
}

impl<'a> Said<'a> {
    fn new(observer: &'a dyn Observer) -> Self {
        Self {
            observer,
            told: Mutex::default(),
        }
    }

    /// How many warnings there were, and the first hundred.
    fn warnings(self) -> (u64, Vec<String>) {
        let told = self
            .told
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        (told.warned, told.warnings)
    }

    fn told(&self) -> std::sync::MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Notes for Said<'_> {
    fn log(&self, level: Level, message: String) {
        let lines = {
            let mut told = self.told();
            told.lines += 1;
            told.lines
        };
        if lines <= LOGGED_LINES {
            self.observer.log(level, message);
        }
        if lines == LOGGED_LINES {
            let text = "further lines are not shown";
            self.observer.log(Level::Warn, text.to_owned());
        }
    }

    fn warn(&self, message: String) {
        {
            let mut told = self.told();
            told.warned += 1;
            if told.warnings.len() < KEPT_WARNINGS {
                told.warnings.push(message.clone());
            }
        }
        self.log(Level::Warn, message);
    }
}
