//! A source into an archive and its index.

use super::index::IndexWriter;
use super::write::ArchiveWriter;
use backupx_core::domain::entry::{Entry, EntryKind};
use backupx_core::domain::log::Level;
use backupx_core::domain::report::Counts;
use backupx_core::domain::time::Timestamp;
use backupx_core::ports::observer::Observer;
use backupx_core::ports::source::{EntrySink, EntrySource, StopFlag};
use backupx_core::{Error, ErrorKind, Result};
use std::io::{Read, Write};
use std::sync::atomic::Ordering;

/// Warnings that are kept for the manifest.
const KEPT_WARNINGS: usize = 100;
/// Warnings that go to the run's log, so that a tree without rights does not drown it.
const LOGGED_WARNINGS: usize = 1000;

/// What was packed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packed {
    /// What was read.
    pub counts: Counts,
    /// The first hundred warnings.
    pub warnings: Vec<String>,
}

/// Reads `source` to its end: writes the archive into `data` and one line per entry into `index`. Blocking.
///
/// Errors of the writers come out as they went in when they carry a [`backupx_core::Error`]. A run that was asked to stop ends
/// with `cancelled`. Files that are newer than `previous_run` are counted by themselves.
pub fn pack(
    source: Box<dyn EntrySource>,
    previous_run: Option<Timestamp>,
    data: &mut dyn Write,
    index: &mut dyn Write,
    observer: &dyn Observer,
    stop: &StopFlag,
) -> Result<Packed> {
    let mut packer = Packer {
        archive: ArchiveWriter::new(data),
        index: IndexWriter::new(index),
        observer,
        stop,
        warnings: Vec::new(),
        warned: 0,
        previous_run: previous_run.map(|at| at.timestamp()),
        new: (0, 0),
    };
    let mut counts = source.read(&mut packer, stop)?;
    let Packer {
        archive,
        index,
        warnings,
        new,
        ..
    } = packer;
    if previous_run.is_some() {
        (counts.new_files, counts.new_bytes) = (Some(new.0), Some(new.1));
    }
    index.finish()?;
    archive.finish()?;
    Ok(Packed { counts, warnings })
}

struct Packer<'a> {
    archive: ArchiveWriter<'a>,
    index: IndexWriter<'a>,
    observer: &'a dyn Observer,
    stop: &'a StopFlag,
    warnings: Vec<String>,
    warned: usize,
    /// When the good run before began, in seconds since 1970.
    previous_run: Option<i64>,
    /// Files that are newer than that, and their bytes.
    new: (u64, u64),
}

impl EntrySink for Packer<'_> {
    fn entry(&mut self, entry: &Entry, content: &mut dyn Read) -> Result<()> {
        if entry.path.is_empty() || entry.path.starts_with(b"/") {
            return Err(Error::internal(format!(
                "{:?} is no archive path",
                entry.display_path()
            )));
        }
        let counters = self.observer.counters();
        self.index.append(entry, self.archive.offset())?;
        self.archive.append(entry, content, |count| {
            counters.bytes.fetch_add(count, Ordering::Relaxed);
            if self.stop.is_stopped() {
                return Err(Error::new(
                    ErrorKind::Conflict,
                    "cancelled",
                    "the run was stopped",
                ));
            }
            Ok(())
        })?;
        counters.files.fetch_add(1, Ordering::Relaxed);
        if entry.kind == EntryKind::File && self.previous_run.is_some_and(|at| entry.mtime.0 >= at)
        {
            self.new.0 += 1;
            self.new.1 += entry.size;
        }
        if let (EntryKind::File, Some(segments)) = (entry.kind, &entry.segments) {
            let data: u64 = segments.iter().map(|(_, length)| length).sum();
            counters
                .bytes
                .fetch_add(entry.size.saturating_sub(data), Ordering::Relaxed);
        }
        Ok(())
    }

    fn warn(&mut self, message: String) {
        self.warned += 1;
        if self.warned <= LOGGED_WARNINGS {
            self.observer.log(Level::Warn, message.clone());
        }
        if self.warned == LOGGED_WARNINGS {
            let text = "further warnings are counted and not shown";
            self.observer.log(Level::Warn, text.to_owned());
        }
        if self.warnings.len() < KEPT_WARNINGS {
            self.warnings.push(message);
        }
    }
}
