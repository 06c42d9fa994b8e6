//! Databases of a host: which kind opens which.

use crate::mongodb::{self, Mongodb};
use crate::mysql::{self, Mysql};
use crate::postgresql::{self, Postgresql};
use crate::saphana::{self, Saphana};
use crate::sqlite::{self, Sqlite};
use backupx_core::domain::source::SourceSpec;
use backupx_core::ports::dumps::{Abilities, DatabaseAccess, DumpOpener, DumpSource};
use backupx_core::ports::wal::WalArchives;
use backupx_core::{Error, Result};
use std::sync::Arc;

/// Opens the databases that this host reaches.
#[derive(Clone, Default)]
pub struct Databases {
    wal: Option<Arc<dyn WalArchives>>,
}

impl Databases {
    /// With archives of log, for restores of whole clusters to a moment.
    pub fn with_wal(wal: Arc<dyn WalArchives>) -> Self {
        Self { wal: Some(wal) }
    }
}

impl DumpOpener for Databases {
    fn open(&self, access: &DatabaseAccess) -> Result<Box<dyn DumpSource>> {
        match &access.spec {
            SourceSpec::File { .. } => Err(Error::internal("a tree of files is no database")),
            SourceSpec::Mysql(source) => Ok(Box::new(Mysql::new(source, access))),
            SourceSpec::Postgresql(source) => {
                Ok(Box::new(Postgresql::new(source, access, self.wal.clone())))
            }
            SourceSpec::Sqlite(source) => Ok(Box::new(Sqlite::new(source, access))),
            SourceSpec::Mongodb(source) => Ok(Box::new(Mongodb::new(source, access))),
            SourceSpec::Saphana(source) => Ok(Box::new(Saphana::new(source, access))),
        }
    }

    fn abilities(&self) -> Abilities {
        let mut abilities = Abilities::default();
        for (task_type, found) in [
            ("mysql", mysql::found_tools()),
            ("postgresql", postgresql::found_tools()),
            ("sqlite", sqlite::found_tools()),
            ("mongodb", mongodb::found_tools()),
            ("saphana", saphana::found_tools()),
        ] {
            let Some((tool, version)) = found else {
                continue;
            };
            abilities.task_types.push(task_type.to_owned());
            abilities.tools.insert(tool, version);
        }
        abilities
    }
}
