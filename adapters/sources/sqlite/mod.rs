//! SQLite files: each copied by SQLite itself while applications go on writing, and the copy checked before it is handed on.
//!
//! A dump is complete when `VACUUM INTO` made a copy in one transaction, `PRAGMA integrity_check` found nothing in it, and all of its bytes
//! were handed on.

mod connection;
mod copy;
mod header;
mod open_files;
mod paths;
mod put_back;

use crate::refusals::{count_in, unsupported};
use crate::steps::Steps;
use backupx_core::Result;
use backupx_core::domain::database::SqliteSource;
use backupx_core::domain::drill::question;
use backupx_core::domain::dump::{Dump, DumpFormat, DumpKind};
use backupx_core::domain::report::{FoundDatabase, TestStep};
use backupx_core::ports::dumps::{DatabaseAccess, DumpPlan, DumpSource, Notes, PutBack};
use backupx_core::ports::source::StopFlag;
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

/// SQLite files of this host.
#[derive(Debug)]
pub(crate) struct Sqlite {
    source: SqliteSource,
    temp_dir: Option<PathBuf>,
}

impl Sqlite {
    pub(crate) fn new(source: &SqliteSource, access: &DatabaseAccess) -> Self {
        Self {
            source: source.clone(),
            temp_dir: access.temp_dir.clone(),
        }
    }
}

impl DumpSource for Sqlite {
    fn check(&self, stop: &StopFlag) -> Vec<TestStep> {
        let mut steps = Steps::default();
        let version = || Ok(((), format!("SQLite {}", connection::version()?)));
        let readable = || {
            let paths = paths::expand(&self.source.paths)?;
            for path in &paths {
                header::check(Path::new(path))?;
                connection::try_read(Path::new(path), stop)?;
            }
            Ok(((), format!("{} can be read", paths.len())))
        };
        if steps.take("tools", version).is_some() {
            steps.take("databases", readable);
        }
        steps.done()
    }

    fn discover(&self, _stop: &StopFlag) -> Result<Vec<FoundDatabase>> {
        let paths = paths::expand(&self.source.paths)?;
        let found = paths.into_iter().map(|name| FoundDatabase {
            size_bytes: std::fs::metadata(&name).ok().map(|data| data.len()),
            name,
        });
        Ok(found.collect())
    }

    fn plan(&self, _stop: &StopFlag) -> Result<DumpPlan> {
        let paths = paths::expand(&self.source.paths)?;
        for path in &paths {
            header::check(Path::new(path))?;
        }
        let dumps = paths
            .into_iter()
            .map(|path| Dump::database(path, DumpFormat::Sqlite));
        Ok(DumpPlan {
            dumps: dumps.collect(),
            tools: BTreeMap::from([("sqlite".to_owned(), connection::version()?)]),
            warnings: Vec::new(),
        })
    }

    fn read(
        &self,
        dump: &Dump,
        out: &mut dyn Write,
        _notes: &dyn Notes,
        stop: &StopFlag,
    ) -> Result<()> {
        check_kind(dump)?;
        copy::copy(Path::new(&dump.name), self.temp_dir.as_deref(), out, stop)
    }

    fn put_back(
        &self,
        dump: &Dump,
        input: &mut dyn Read,
        how: &PutBack,
        notes: &dyn Notes,
        stop: &StopFlag,
    ) -> Result<()> {
        check_kind(dump)?;
        if !how.tables.is_empty() {
            return Err(unsupported(
                "a SQLite file is restored as a whole; restore it elsewhere and copy the tables"
                    .to_owned(),
            ));
        }
        put_back::put_back(input, how, notes, stop)
    }

    fn ask(&self, database: &str, query: &str, stop: &StopFlag) -> Result<Option<String>> {
        connection::ask(Path::new(database), question(query), stop)
    }

    fn count(&self, database: &str, table: &str, stop: &StopFlag) -> Result<u64> {
        let query = format!("select count(*) from \"{}\"", table.replace('"', "\"\""));
        let rows = connection::ask(Path::new(database), &query, stop)?;
        count_in(rows.as_deref())
    }
}

fn check_kind(dump: &Dump) -> Result<()> {
    if dump.kind == DumpKind::Database && dump.format == DumpFormat::Sqlite {
        return Ok(());
    }
    Err(unsupported(format!(
        "SQLite has no dump of {:?} as {:?}",
        dump.kind, dump.format
    )))
}

/// SQLite is in the agent itself.
pub(crate) fn found_tools() -> Option<(String, String)> {
    Some(("sqlite".to_owned(), connection::version().ok()?))
}
