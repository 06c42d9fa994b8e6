//! PostgreSQL 12 to 18, by the tools that come with it: each database as one dump, roles and tablespaces as another; or all of it as its
//! files ([`physical`]).
//!
//! A dump is complete when pg_dump ended well and its stream says so itself: a custom archive has a table of contents and all the data that
//! it names ([`archive`]), SQL text ends with its end marker ([`plain`]).

mod accounts;
mod archive;
mod asking;
mod check;
mod create;
mod names;
mod physical;
mod plain;
mod put_back;
mod read;
mod server;
mod statements;
mod tables;
mod throwaway;
mod tools;

pub(crate) use throwaway::PostgresqlThrowaway;

use crate::refusals::unsupported;
use crate::temp::Temp;
use backupx_core::domain::database::{PostgresqlFormat, PostgresqlSource};
use backupx_core::domain::dump::{Dump, DumpFormat, DumpKind};
use backupx_core::domain::report::{FoundDatabase, TestStep};
use backupx_core::domain::secret::WireSecret;
use backupx_core::ports::dumps::{DatabaseAccess, DumpPlan, DumpSource, Notes, PutBack};
use backupx_core::ports::source::StopFlag;
use backupx_core::ports::wal::{WalArchive, WalArchives};
use backupx_core::{Error, Result};
use server::{Reached, SignIn};
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tools::Set;

/// The name of the dump that holds roles and tablespaces.
const GLOBALS: &str = "globals";

/// A PostgreSQL server.
pub(crate) struct Postgresql {
    source: PostgresqlSource,
    password: Option<WireSecret>,
    temp_dir: Option<PathBuf>,
    wal: Option<Arc<dyn WalArchives>>,
}

impl Postgresql {
    pub(crate) fn new(
        source: &PostgresqlSource,
        access: &DatabaseAccess,
        wal: Option<Arc<dyn WalArchives>>,
    ) -> Self {
        Self {
            source: source.clone(),
            password: access.secrets.get("password").cloned(),
            temp_dir: access.temp_dir.clone(),
            wal,
        }
    }

    fn sets(&self, stop: &StopFlag) -> Result<Vec<Set>> {
        tools::sets(self.source.tools.as_deref(), stop)
    }

    fn reach(&self, sets: &[Set], stop: &StopFlag) -> Result<Reached> {
        let sign_in = SignIn::new(&self.source.server, self.password.as_ref())?;
        sign_in.reach(&sets[0], &self.source.databases.only, stop)
    }

    fn is_physical(&self) -> bool {
        self.source.format == PostgresqlFormat::Physical
    }

    /// The archive that the server's log goes to: the one of a restore, else the task's own. Nothing when neither names one.
    fn wal_archive(&self, named: Option<&str>) -> Result<Option<Box<dyn WalArchive>>> {
        let Some(settings) = named.or(self.source.wal_archive.as_deref()) else {
            return Ok(None);
        };
        let archives = self
            .wal
            .as_ref()
            .ok_or_else(|| unsupported("this program opens no archives of log".to_owned()))?;
        archives.open(Path::new(settings)).map(Some)
    }

    fn plan_of_cluster(&self, reached: Reached, set: &Set, stop: &StopFlag) -> Result<DumpPlan> {
        physical::copyable(&reached, set, stop)?;
        let mut warnings = Vec::new();
        if let Some(archive) = self.wal_archive(None)?
            && let Err(error) = physical::archived(&reached, set, archive.as_ref(), stop)
        {
            // The copy is good without it; what comes after it could not be restored.
            warnings.push(format!(
                "restores can't go on from this copy: {}",
                error.chain()
            ));
        }
        Ok(DumpPlan {
            dumps: vec![Dump::cluster(physical::CLUSTER, DumpFormat::PostgresqlBase)],
            tools: BTreeMap::from([
                ("pg_basebackup".to_owned(), set.version.clone()),
                ("server".to_owned(), reached.version),
            ]),
            warnings,
        })
    }

    fn put_back_cluster(
        &self,
        input: &mut dyn Read,
        how: &PutBack,
        notes: &dyn Notes,
        stop: &StopFlag,
    ) -> Result<()> {
        let archive = match how.until {
            Some(_) => self.wal_archive(how.wal_archive.as_deref())?,
            None => None,
        };
        let go_on = match (&how.until, &archive) {
            (Some(target), Some(archive)) => Some(physical::GoOn {
                archive: archive.as_ref(),
                target,
            }),
            (Some(_), None) => {
                return Err(Error::field(
                    "database.walArchive",
                    "is required to go on to a moment: name the settings file of the archive that has the log",
                ));
            }
            (None, _) => None,
        };
        physical::put_back(input, how, go_on.as_ref(), notes, stop)
    }

    fn temp(&self) -> Result<Temp> {
        Temp::new(self.temp_dir.as_deref())
    }

    fn format(&self) -> DumpFormat {
        match self.source.format {
            PostgresqlFormat::Custom => DumpFormat::PostgresqlCustom,
            PostgresqlFormat::Plain => DumpFormat::PostgresqlSql,
            PostgresqlFormat::Physical => DumpFormat::PostgresqlBase,
        }
    }
}

impl DumpSource for Postgresql {
    fn check(&self, stop: &StopFlag) -> Vec<TestStep> {
        check::check(self, stop)
    }

    fn discover(&self, stop: &StopFlag) -> Result<Vec<FoundDatabase>> {
        let sets = self.sets(stop)?;
        names::found(&self.reach(&sets, stop)?, &sets[0], stop)
    }

    fn plan(&self, stop: &StopFlag) -> Result<DumpPlan> {
        let sets = self.sets(stop)?;
        let reached = self.reach(&sets, stop)?;
        let set = tools::fit_to_dump(&sets, reached.major, &reached.version)?;
        if self.is_physical() {
            return self.plan_of_cluster(reached, set, stop);
        }
        let names = names::selected(&self.source.databases, &reached, set, stop)?;
        for name in &names {
            check::readable(&reached, set, name, stop)?;
        }
        let (mut dumps, mut warnings) = (Vec::new(), Vec::new());
        if self.source.accounts {
            dumps.push(Dump::accounts(GLOBALS, DumpFormat::PostgresqlSql));
            if !check::may_read_passwords(&reached, set, stop)? {
                warnings.push(
                    "roles are kept without their passwords: the sign-in may not read pg_authid, as a superuser or a member of pg_read_all_data may".to_owned(),
                );
            }
        }
        let format = self.format();
        dumps.extend(names.into_iter().map(|name| Dump::database(name, format)));
        Ok(DumpPlan {
            dumps,
            tools: BTreeMap::from([
                ("pg_dump".to_owned(), set.version.clone()),
                ("server".to_owned(), reached.version),
            ]),
            warnings,
        })
    }

    fn read(
        &self,
        dump: &Dump,
        out: &mut dyn Write,
        notes: &dyn Notes,
        stop: &StopFlag,
    ) -> Result<()> {
        read::read(self, dump, out, notes, stop)
    }

    fn put_back(
        &self,
        dump: &Dump,
        input: &mut dyn Read,
        how: &PutBack,
        notes: &dyn Notes,
        stop: &StopFlag,
    ) -> Result<()> {
        if dump.kind == DumpKind::Cluster {
            return self.put_back_cluster(input, how, notes, stop);
        }
        put_back::put_back(self, dump, input, how, notes, stop)
    }

    fn ask(&self, database: &str, query: &str, stop: &StopFlag) -> Result<Option<String>> {
        asking::ask(self, database, query, stop)
    }

    fn count(&self, database: &str, table: &str, stop: &StopFlag) -> Result<u64> {
        asking::count(self, database, table, stop)
    }

    fn drop_database(&self, name: &str, stop: &StopFlag) -> Result<()> {
        asking::drop_database(self, name, stop)
    }
}

/// The versions of pg_dump on this host, when there is one.
pub(crate) fn found_tools() -> Option<(String, String)> {
    let sets = tools::sets(None, &StopFlag::default()).ok()?;
    let versions: Vec<_> = sets.iter().map(|set| set.version.as_str()).collect();
    Some(("pg_dump".to_owned(), versions.join(", ")))
}
