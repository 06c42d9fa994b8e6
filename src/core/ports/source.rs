//! Sources of entries: how a file tree is read, by blocking code on its own threads.

use crate::Result;
use crate::domain::entry::Entry;
use crate::domain::report::{Counts, Listing};
use crate::domain::source::SourceSpec;
use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A flag that asks a run to stop. Blocking code looks at it between blocks.
#[derive(Debug, Clone, Default)]
pub struct StopFlag(Arc<AtomicBool>);

impl StopFlag {
    /// Asks to stop.
    pub fn stop(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// True once somebody asked to stop.
    pub fn is_stopped(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// Takes entries in archive order.
pub trait EntrySink {
    /// Takes one entry and, for a file, reads exactly `entry.size` bytes from `content` — for a sparse file the bytes of its
    /// `segments` only, one after the other. An error ends the run.
    fn entry(&mut self, entry: &Entry, content: &mut dyn Read) -> Result<()>;

    /// A warning that belongs in the manifest and in the run's log.
    fn warn(&mut self, message: String);
}

/// How much there is to read, as far as a quick look tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Extent {
    /// Entries of all kinds.
    pub entries: u64,
    /// Bytes of content.
    pub bytes: u64,
}

/// A tree that can be read once.
pub trait EntrySource: Send {
    /// Looks how much there is, without reading any of it: for forecasts alone, since it changes while it is read. Nothing when that
    /// can't be told without reading everything.
    fn measure(&self, _stop: &StopFlag) -> Result<Option<Extent>> {
        Ok(None)
    }

    /// Reads everything into `sink`, in an order in which folders come before what is in them and the first name of a hard link
    /// before the others. What changes, vanishes or can't be read is counted and warned of, never an error by itself
    /// (never 7). A path that the user named and that is not there is an error (`source_missing`).
    fn read(self: Box<Self>, sink: &mut dyn EntrySink, stop: &StopFlag) -> Result<Counts>;
}

/// Opens the sources of this host. Blocking: called from threads that may block.
pub trait SourceOpener: Send + Sync {
    /// A source for `spec`. Checks the settings, reads nothing yet.
    fn open(&self, spec: &SourceSpec) -> Result<Box<dyn EntrySource>>;

    /// What is in the folder `path`, folders first, then by name; at most 1,000 entries. A path that is not there is `NotFound`
    /// (`path_not_found`), one that is no folder `Invalid` (`not_a_folder`), one that may not be read `Forbidden` (`unreadable`).
    fn browse(&self, path: &str) -> Result<Listing>;
}
