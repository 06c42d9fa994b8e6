//! SAP HANA, by hdbsql: the database makes its backup itself, and its own catalogue says whether it is whole.
//!
//! A dump is complete when HANA's catalogue calls the backup successful and every file that it names was read in full size. Built against
//! SAP's documentation and a stand-in for hdbsql, never against a HANA.

mod archive;
mod backup;
mod catalogue;
mod check;
mod entry;
mod failure;
mod files;
mod list;
mod log;
mod put_back;
mod retries;
mod rows;
mod session;
mod sql;
mod store;
mod tools;

pub(crate) use tools::found_tools;

use crate::refusals::unsupported;
use backupx_core::Result;
use backupx_core::domain::dump::{Dump, DumpFormat, DumpKind};
use backupx_core::domain::report::{FoundDatabase, TestStep};
use backupx_core::domain::saphana::{SaphanaLevel, SaphanaSource};
use backupx_core::domain::secret::WireSecret;
use backupx_core::ports::dumps::{DatabaseAccess, DumpPlan, DumpSource, Notes, PutBack};
use backupx_core::ports::source::StopFlag;
use session::Session;
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::path::PathBuf;
use tools::Tools;

/// Databases of an SAP HANA system.
#[derive(Debug)]
pub(crate) struct Saphana {
    source: SaphanaSource,
    password: Option<WireSecret>,
    temp_dir: Option<PathBuf>,
}

impl Saphana {
    pub(crate) fn new(source: &SaphanaSource, access: &DatabaseAccess) -> Self {
        Self {
            source: source.clone(),
            password: access.secrets.get("password").cloned(),
            temp_dir: access.temp_dir.clone(),
        }
    }

    fn tools(&self, stop: &StopFlag) -> Result<Tools> {
        Tools::find(self.source.tools.as_deref(), stop)
    }

    fn open(&self, stop: &StopFlag) -> Result<Session> {
        Session::sign_in(self, self.tools(stop)?, stop)
    }
}

impl DumpSource for Saphana {
    fn check(&self, stop: &StopFlag) -> Vec<TestStep> {
        check::check(self, stop)
    }

    fn discover(&self, stop: &StopFlag) -> Result<Vec<FoundDatabase>> {
        list::found(&self.open(stop)?, stop)
    }

    fn plan(&self, stop: &StopFlag) -> Result<DumpPlan> {
        let session = self.open(stop)?;
        let chosen = list::chosen(&session, &self.source.databases, stop)?;
        list::rights_suffice(&session, &self.source, &chosen.names, stop)?;
        let dump = |name| Dump::database(name, DumpFormat::SaphanaBackup);
        Ok(DumpPlan {
            dumps: chosen.names.into_iter().map(dump).collect(),
            tools: BTreeMap::from([
                ("hdbsql".to_owned(), session.tools.version.clone()),
                ("server".to_owned(), session.server.version.clone()),
            ]),
            warnings: chosen.warnings,
        })
    }

    fn read(
        &self,
        dump: &Dump,
        out: &mut dyn Write,
        notes: &dyn Notes,
        stop: &StopFlag,
    ) -> Result<()> {
        supported(dump)?;
        match self.source.level {
            SaphanaLevel::Full | SaphanaLevel::Incremental | SaphanaLevel::Differential => {
                backup::read(self, &dump.name, out, notes, stop)
            }
            SaphanaLevel::Log => log::read(self, &dump.name, out, notes, stop),
        }
    }

    fn put_back(
        &self,
        dump: &Dump,
        input: &mut dyn Read,
        how: &PutBack,
        notes: &dyn Notes,
        stop: &StopFlag,
    ) -> Result<()> {
        supported(dump)?;
        put_back::put_back(self, dump, input, how, notes, stop)
    }
}

/// `unsupported` for what is no backup of a HANA database.
fn supported(dump: &Dump) -> Result<()> {
    match (dump.kind, dump.format) {
        (DumpKind::Database, DumpFormat::SaphanaBackup) => Ok(()),
        (kind, format) => Err(unsupported(format!(
            "SAP HANA has no dump of {kind:?} as {format:?}"
        ))),
    }
}
