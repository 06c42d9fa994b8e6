//! How to read a thing consistently: the file tree.
//!
//! [`Files`] answers the port `SourceOpener`: it opens a [`FileSource`] for a task's paths and lists folders for people who
//! choose some.

mod browse;
mod files;

pub use files::FileSource;

use backupx_core::Result;
use backupx_core::domain::report::Listing;
use backupx_core::domain::task::SourceSpec;
use backupx_core::ports::source::{EntrySource, SourceOpener};

/// Opens the file trees of this host.
#[derive(Debug, Clone, Copy)]
pub struct Files {
    cores: usize,
}

impl Files {
    /// An opener whose sources read ahead on up to `cores` threads.
    pub fn new(cores: usize) -> Self {
        Self { cores }
    }
}

impl SourceOpener for Files {
    fn open(&self, spec: &SourceSpec) -> Result<Box<dyn EntrySource>> {
        match spec {
            SourceSpec::File {
                paths,
                excludes,
                one_file_system,
                skip_cache_dirs,
            } => Ok(Box::new(
                FileSource::new(paths, excludes)?
                    .one_file_system(*one_file_system)
                    .skip_cache_dirs(*skip_cache_dirs)
                    .cores(self.cores),
            )),
        }
    }

    fn browse(&self, path: &str) -> Result<Listing> {
        browse::browse(path)
    }
}
