//! MySQL and MariaDB: dumped by mysqldump or mariadb-dump, whichever fits the server, and put back by the client.

mod accounts;
mod asking;
mod option_file;
mod put_back;
mod read;
mod renamed;
mod restored;
mod rights;
mod session;
mod sql;
mod throwaway;
mod tools;

pub(crate) use throwaway::MysqlThrowaway;
pub(crate) use tools::found_tools;

use crate::refusals::unsupported;
use crate::steps::Steps;
use backupx_core::domain::database::MysqlSource;
use backupx_core::domain::dump::{Dump, DumpFormat, DumpKind};
use backupx_core::domain::report::{FoundDatabase, TestStep};
use backupx_core::ports::dumps::{DatabaseAccess, DumpPlan, DumpSource, Notes, PutBack};
use backupx_core::ports::source::StopFlag;
use backupx_core::{Error, Result};
use rights::Rights;
use session::Session;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use tools::Tools;

/// How the dump of users and their rights is called.
const ACCOUNTS: &str = "accounts";
/// Tables that a warning names at most.
const MOST_NAMED: usize = 10;

/// Databases of a MySQL or MariaDB server.
pub(crate) struct Mysql {
    source: MysqlSource,
    access: DatabaseAccess,
}

impl Mysql {
    pub(crate) fn new(source: &MysqlSource, access: &DatabaseAccess) -> Self {
        Self {
            source: source.clone(),
            access: access.clone(),
        }
    }

    fn open(&self, stop: &StopFlag) -> Result<Session> {
        Session::open(&self.source, &self.access, stop)
    }

    /// The databases that the task takes.
    fn chosen(&self, session: &Session, stop: &StopFlag) -> Result<Vec<String>> {
        let there = databases(session, stop)?;
        let names: Vec<_> = there.iter().map(|found| found.name.as_str()).collect();
        let missing = self.source.databases.missing(&names);
        if !missing.is_empty() {
            return Err(Error::invalid(
                "source_missing",
                format!(
                    "not on the server, or not to be seen by this sign-in: {}",
                    missing.join(", ")
                ),
            ));
        }
        let chosen: Vec<_> = there
            .into_iter()
            .map(|found| found.name)
            .filter(|name| self.source.databases.takes(name))
            .collect();
        if chosen.is_empty() {
            return Err(Error::invalid(
                "nothing_selected",
                "the server has no database that the task takes",
            ));
        }
        Ok(chosen)
    }
}

impl DumpSource for Mysql {
    fn check(&self, stop: &StopFlag) -> Vec<TestStep> {
        let mut steps = Steps::default();
        // Each step asks for what the one before it has found.
        let mut all = || {
            let tools = steps.take("tools", || {
                let tools = Tools::find(self.source.tools.as_deref(), stop)?;
                tools.can_dump()?;
                let found = tools.describe();
                Ok((tools, found))
            })?;
            let session = steps.take("connect", || {
                let session = Session::sign_in(tools, &self.source, &self.access, stop)?;
                let who = session.ask_one("SELECT CURRENT_USER()", stop)?;
                Ok((session, format!("signed in as {}", who.unwrap_or_default())))
            })?;
            steps.take("version", || {
                let tool = session.tools.dump_for(&session.server)?;
                let server = &session.server;
                let message = format!(
                    "{} {}, dumped by {} {}",
                    server.maker.as_str(),
                    server.text,
                    tool.name,
                    tool.version.text
                );
                Ok(((), message))
            })?;
            let chosen = steps.take("rights", || {
                let chosen = self.chosen(&session, stop)?;
                Rights::ask(&session, stop)?.suffice(&chosen)?;
                Ok((chosen, "they suffice".to_owned()))
            })?;
            steps.take("databases", || Ok(((), chosen.join(", "))))
        };
        // What failed is in the steps.
        let _ = all();
        steps.done()
    }

    fn discover(&self, stop: &StopFlag) -> Result<Vec<FoundDatabase>> {
        databases(&self.open(stop)?, stop)
    }

    fn plan(&self, stop: &StopFlag) -> Result<DumpPlan> {
        let session = self.open(stop)?;
        let tool = session.tools.dump_for(&session.server)?;
        let chosen = self.chosen(&session, stop)?;
        let rights = Rights::ask(&session, stop)?;
        rights.suffice(&chosen)?;

        let server = &session.server;
        let mut warnings = Vec::new();
        if tool.version.maker != server.maker {
            warnings.push(format!(
                "a {} server is dumped by {} {} of {}: what only the server's own tool knows (sequences, packages, system versions) may be missing; \
                 install the client package of {}",
                server.maker.as_str(), tool.name, tool.version.text, tool.version.maker.as_str(), server.maker.as_str()
            ));
        }
        if self.source.databases.only.is_empty() && !rights.sees_all() {
            warnings.push(
                "the sign-in may only see some databases of the server: others would not be backed up (grant SHOW DATABASES to see all)"
                    .to_owned(),
            );
        }
        warnings.extend(inconsistent(&session, &chosen, stop)?);

        let mut dumps = Vec::new();
        if self.source.accounts {
            match accounts::list(&session, stop) {
                Ok(_) => dumps.push(Dump::accounts(ACCOUNTS, DumpFormat::MysqlSql)),
                Err(error) if error.code() == "rights_missing" => warnings.push(format!(
                    "users and their rights are not backed up, since the sign-in may not read them ({})",
                    rights.for_accounts()
                )),
                Err(error) => return Err(error),
            }
        }
        dumps.extend(
            chosen
                .into_iter()
                .map(|name| Dump::database(name, DumpFormat::MysqlSql)),
        );
        let tools = BTreeMap::from([
            (tool.name.to_owned(), tool.version.text.clone()),
            (
                "server".to_owned(),
                format!("{} {}", server.maker.as_str(), server.text),
            ),
        ]);
        Ok(DumpPlan {
            dumps,
            tools,
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
        let session = self.open(stop)?;
        match dump.kind {
            DumpKind::Database => read::read(&session, &dump.name, out, notes, stop),
            DumpKind::Accounts => accounts::read(&session, out, notes, stop),
            DumpKind::Cluster => Err(no_cluster()),
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
        let session = self.open(stop)?;
        match dump.kind {
            DumpKind::Database => put_back::put_back(&session, &dump.name, input, how, notes, stop),
            DumpKind::Accounts => accounts::put_back(&session, input, notes, stop),
            DumpKind::Cluster => Err(no_cluster()),
        }
    }

    fn ask(&self, database: &str, query: &str, stop: &StopFlag) -> Result<Option<String>> {
        asking::ask(&self.open(stop)?, database, query, stop)
    }

    fn count(&self, database: &str, table: &str, stop: &StopFlag) -> Result<u64> {
        asking::count(&self.open(stop)?, database, table, stop)
    }

    fn drop_database(&self, name: &str, stop: &StopFlag) -> Result<()> {
        asking::drop_database(&self.open(stop)?, name, stop)
    }
}

fn no_cluster() -> Error {
    unsupported("a server of MySQL is dumped database by database, not as its files".to_owned())
}

/// Every database of the server but its own, by name.
fn databases(session: &Session, stop: &StopFlag) -> Result<Vec<FoundDatabase>> {
    let names = session.ask("SHOW DATABASES", stop)?;
    let sizes: BTreeMap<_, _> = session
        .ask(
            "SELECT TABLE_SCHEMA, CAST(SUM(IFNULL(DATA_LENGTH, 0) + IFNULL(INDEX_LENGTH, 0)) AS UNSIGNED) FROM information_schema.TABLES GROUP BY TABLE_SCHEMA",
            stop,
        )?
        .into_iter()
        .filter_map(|row| match &row[..] {
            [name, size] => Some((name.clone(), size.parse().ok()?)),
            _ => None,
        })
        .collect();
    let names: BTreeSet<_> = names.into_iter().filter_map(|mut row| row.pop()).collect();
    Ok(names
        .into_iter()
        .filter(|name| !sql::is_own(name))
        .map(|name| FoundDatabase {
            size_bytes: Some(sizes.get(&name).copied().unwrap_or(0)),
            name,
        })
        .collect())
}

/// Warnings for tables whose engine knows no transactions: writes that come in between are half in their dump.
fn inconsistent(session: &Session, chosen: &[String], stop: &StopFlag) -> Result<Vec<String>> {
    let rows = session.ask(
        "SELECT TABLE_SCHEMA, TABLE_NAME, ENGINE FROM information_schema.TABLES WHERE TABLE_TYPE = 'BASE TABLE' AND ENGINE NOT IN \
         (SELECT ENGINE FROM information_schema.ENGINES WHERE TRANSACTIONS = 'YES') ORDER BY TABLE_SCHEMA, TABLE_NAME",
        stop,
    )?;
    let mut tables: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for row in &rows {
        if let [database, table, engine] = &row[..]
            && chosen.contains(database)
        {
            tables
                .entry(database)
                .or_default()
                .push(format!("{table} ({engine})"));
        }
    }
    Ok(tables
        .into_iter()
        .map(|(database, mut tables)| {
            let more = tables.len().saturating_sub(MOST_NAMED);
            tables.truncate(MOST_NAMED);
            let mut names = tables.join(", ");
            if more > 0 {
                names.push_str(&format!(" and {more} more"));
            }
            format!("{database}: these tables know no transactions, and what is written to them during the dump may be half in it: {names}")
        })
        .collect())
}
