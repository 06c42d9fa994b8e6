//! Databases of a host: which kind opens which.

use crate::postgresql::{self, Postgresql};
use crate::sqlite::{self, Sqlite};
use crate::tool::{find, version_of};
use backupx_core::Result;
use backupx_core::domain::source::SourceSpec;
use backupx_core::ports::dumps::{DatabaseAccess, DumpOpener, DumpSource};
use backupx_core::ports::source::StopFlag;
use backupx_core::{Error, ErrorKind};
use std::collections::BTreeMap;

/// Tools that a host may have, and where it keeps them when they are not on its path.
const TOOLS: [(&str, &[&str]); 0] = [];

/// Opens the databases that this host reaches.
#[derive(Debug, Clone, Copy, Default)]
pub struct Databases;

impl DumpOpener for Databases {
    fn open(&self, access: &DatabaseAccess) -> Result<Box<dyn DumpSource>> {
        match &access.spec {
            SourceSpec::File { .. } => Err(Error::internal("a tree of files is no database")),
            SourceSpec::Postgresql(source) => Ok(Box::new(Postgresql::new(source, access))),
            SourceSpec::Sqlite(source) => Ok(Box::new(Sqlite::new(source, access))),
            SourceSpec::Mysql(_) | SourceSpec::Mongodb(_) => Err(Error::new(
                ErrorKind::Invalid,
                "unsupported",
                format!("this agent reads no {}", access.spec.type_name()),
            )),
        }
    }

    fn tools(&self) -> BTreeMap<String, String> {
        TOOLS
            .iter()
            .filter_map(|(name, elsewhere)| {
                let version =
                    version_of(&find(name, None, elsewhere)?, &StopFlag::default()).ok()?;
                Some(((*name).to_owned(), version))
            })
            .chain(postgresql::found_tools())
            .chain(sqlite::found_tools())
            .collect()
    }
}
