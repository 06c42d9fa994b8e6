//! Databases of a host: which kind opens which.

use crate::mysql::{self, Mysql};
use crate::tool::{find, version_of};
use backupx_core::Result;
use backupx_core::domain::source::SourceSpec;
use backupx_core::ports::dumps::{DatabaseAccess, DumpOpener, DumpSource};
use backupx_core::ports::source::StopFlag;
use backupx_core::{Error, ErrorKind};
use std::collections::BTreeMap;

/// Tools that a host may have, and where it keeps them when they are not on its path.
const TOOLS: [(&str, &[&str]); 4] = [
    ("mariadb-dump", &mysql::ELSEWHERE),
    ("mysqldump", &mysql::ELSEWHERE),
    ("mariadb", &mysql::ELSEWHERE),
    ("mysql", &mysql::ELSEWHERE),
];

/// Opens the databases that this host reaches.
#[derive(Debug, Clone, Copy, Default)]
pub struct Databases;

impl DumpOpener for Databases {
    fn open(&self, access: &DatabaseAccess) -> Result<Box<dyn DumpSource>> {
        match &access.spec {
            SourceSpec::File { .. } => Err(Error::internal("a tree of files is no database")),
            SourceSpec::Mysql(source) => Ok(Box::new(Mysql::new(source, access))),
            SourceSpec::Postgresql(_) | SourceSpec::Sqlite(_) | SourceSpec::Mongodb(_) => {
                Err(Error::new(
                    ErrorKind::Invalid,
                    "unsupported",
                    format!("this agent reads no {}", access.spec.type_name()),
                ))
            }
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
            .collect()
    }
}
