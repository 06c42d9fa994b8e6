//! How to read a thing consistently, and put it back: file trees and databases.
//!
//! [`Files`] answers the port `SourceOpener`: it opens a [`FileSource`] for a task's paths and lists folders for people who
//! choose some. [`Databases`] answers `DumpOpener`: databases as complete dumps, by their own tools.

mod browse;
mod databases;
mod files;
mod home;
mod mongodb;
mod mysql;
mod postgresql;
mod refusals;
mod returning;
mod saphana;
mod scratch;
mod sign_in;
mod sqlite;
mod steps;
mod temp;
mod tool;

pub use databases::Databases;
pub use files::FileSource;

use backupx_core::domain::report::Listing;
use backupx_core::domain::source::SourceSpec;
use backupx_core::ports::source::{EntrySource, SourceOpener};
use backupx_core::{Error, Result};

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
            SourceSpec::Mysql(_)
            | SourceSpec::Postgresql(_)
            | SourceSpec::Sqlite(_)
            | SourceSpec::Mongodb(_)
            | SourceSpec::Saphana(_) => Err(Error::internal("a database is no tree of files")),
        }
    }

    fn browse(&self, path: &str) -> Result<Listing> {
        browse::browse(path)
    }
}
