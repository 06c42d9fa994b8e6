//! Databases of a host: which kind opens which.

use crate::mongodb::{self, Mongodb};
use crate::mysql::{self, Mysql, MysqlThrowaway};
use crate::postgresql::{self, Postgresql, PostgresqlThrowaway};
use crate::refusals::unsupported;
use crate::saphana::{self, Saphana};
use crate::scratch::{self, Place};
use crate::sqlite::{self, Sqlite};
use backupx_core::domain::source::SourceSpec;
use backupx_core::ports::dumps::{
    Abilities, DatabaseAccess, DumpOpener, DumpSource, Scratch, Throwaway,
};
use backupx_core::ports::source::StopFlag;
use backupx_core::ports::wal::WalArchives;
use backupx_core::{Error, Result};
use std::path::Path;
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

    fn scratch(&self, temp_dir: Option<&Path>) -> Result<Box<dyn Scratch>> {
        Ok(Box::new(Place::new(temp_dir)?))
    }

    fn throwaway(
        &self,
        like: &DatabaseAccess,
        version: &str,
        stop: &StopFlag,
    ) -> Result<Box<dyn Throwaway>> {
        match &like.spec {
            SourceSpec::Mysql(source) => {
                let server = MysqlThrowaway::new(source, like, version, stop)?;
                Ok(Box::new(server))
            }
            SourceSpec::Postgresql(source) => {
                let server = PostgresqlThrowaway::new(source, like, version, stop)?;
                Ok(Box::new(server))
            }
            SourceSpec::File { .. }
            | SourceSpec::Sqlite(_)
            | SourceSpec::Mongodb(_)
            | SourceSpec::Saphana(_) => Err(unsupported(format!(
                "no throw-away server of type {} can be started",
                like.spec.type_name()
            ))),
        }
    }

    fn sweep(&self, temp_dir: Option<&Path>, stop: &StopFlag) {
        scratch::sweep(self, temp_dir, stop);
    }
}
