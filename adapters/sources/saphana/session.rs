//! A signed-in session: statements for hdbsql, one at a time, and what the database answers.

use super::failure::{is_error, refused};
use super::store::Store;
use super::tools::Tools;
use super::{Saphana, rows, sql};
use crate::temp::Temp;
use crate::tool::{Ended, Tool};
use backupx_core::domain::database::Tls;
use backupx_core::ports::source::StopFlag;
use backupx_core::{Error, Result};
use std::io::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// How long the database has for an answer.
const LIMIT: Duration = Duration::from_secs(60);
/// How long a statement may take that makes or recovers a backup: the run has a limit of its own.
const LONG: Duration = Duration::from_secs(30 * 24 * 3600);
/// What hdbsql ends with when a statement of a file fails.
const FAILED: &str = "3";
/// The database that knows all others.
pub(super) const SYSTEM: &str = "SYSTEMDB";

/// A row of an answer; nothing stands for NULL.
pub(super) type Row = Vec<Option<String>>;

/// What the database says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Server {
    /// The database that is signed in to.
    pub(super) database: String,
    /// The system that it belongs to.
    pub(super) sid: String,
    pub(super) version: String,
}

/// A database that answered, and how it is asked.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) server: Server,
    pub(super) tools: Tools,
    store: Store,
    connect_to: Option<String>,
    sealing: Vec<String>,
    statements: AtomicU64,
    temp: Temp,
}

impl Session {
    /// Signs in.
    pub(super) fn sign_in(source: &Saphana, tools: Tools, stop: &StopFlag) -> Result<Self> {
        let temp = Temp::new(source.temp_dir.as_deref())?;
        let store = Store::new(source, &tools, &temp, stop)?;
        let mut session = Self {
            server: Server::default(),
            tools,
            store,
            connect_to: source.source.connect_to.clone(),
            sealing: Vec::new(),
            statements: AtomicU64::new(0),
            temp,
        };
        let server = &source.source.server;
        let mut refusal = None;
        for tls in attempts(server.tls) {
            session.sealing = sealing(*tls, server.tls_ca.as_deref());
            match session.hello(stop) {
                Ok(server) => {
                    session.server = server;
                    return Ok(session);
                }
                Err(error) if error.code() == "database_unreachable" => {
                    refusal.get_or_insert(error);
                }
                Err(error) => return Err(error),
            }
        }
        Err(refusal.unwrap_or_else(|| Error::internal("no connection was tried")))
    }

    fn hello(&self, stop: &StopFlag) -> Result<Server> {
        let rows = self.ask(
            "SELECT DATABASE_NAME, SYSTEM_ID, VERSION FROM SYS.M_DATABASE",
            stop,
        )?;
        match rows.first().map(Vec::as_slice) {
            Some([Some(database), Some(sid), Some(version)]) => Ok(Server {
                database: database.clone(),
                sid: sid.clone(),
                version: version.clone(),
            }),
            _ => Err(Error::unavailable(
                "database_unreachable",
                "the database does not say what it is",
            )),
        }
    }

    /// Whether the system database is signed in to, which knows all others.
    pub(super) fn is_system(&self) -> bool {
        self.server.database == SYSTEM
    }

    /// The rows that a short question is answered with.
    pub(super) fn ask(&self, statement: &str, stop: &StopFlag) -> Result<Vec<Row>> {
        self.run(statement, "query_failed", LIMIT, stop)
    }

    /// Does what may take hours; what fails without a known number is `code`.
    pub(super) fn order(&self, statement: &str, code: &'static str, stop: &StopFlag) -> Result<()> {
        self.run(statement, code, LONG, stop).map(drop)
    }

    fn run(
        &self,
        statement: &str,
        code: &'static str,
        limit: Duration,
        stop: &StopFlag,
    ) -> Result<Vec<Row>> {
        let file = self.lay_down(statement)?;
        let mut tool = Tool::new(&self.tools.hdbsql).args(["-U", self.store.key()]);
        if let Some(database) = &self.connect_to {
            tool = tool.args(["-d", database]);
        }
        let answer = self
            .store
            .told(tool)
            .args(&self.sealing)
            // No header, no count of rows, no pages; the first failure ends it.
            .args(["-a", "-x", "-j", "-E", FAILED, "-I"])
            .arg(&file)
            .ask(stop, limit);
        // Gone with the session in any case.
        let _ = std::fs::remove_file(&file);
        let answer = answer?;
        if let Some(failure) = failed(&answer.ended, &answer.text) {
            return Err(refused(&failure, code));
        }
        Ok(rows::parse(&answer.text))
    }

    /// The statement as a file for hdbsql, so that it is in no argument.
    fn lay_down(&self, statement: &str) -> Result<std::path::PathBuf> {
        sql::one_line(statement)?;
        let number = self.statements.fetch_add(1, Ordering::Relaxed);
        let name = format!("{number}.sql");
        let written = writeln!(self.temp.create(&name)?, "{statement}");
        written.map_err(|error| {
            Error::unavailable(
                "temp_failed",
                format!("a statement can't be laid down: {error}"),
            )
            .with_source(error)
        })?;
        Ok(self.temp.path(&name))
    }
}

/// What hdbsql says when a statement failed, whatever its exit code is.
fn failed(ended: &Ended, printed: &str) -> Option<String> {
    let errors = printed.lines().filter(|line| is_error(line));
    let mut errors: Vec<_> = errors.map(str::to_owned).collect();
    if ended.status.success() {
        let said = ended.last_words.iter().filter(|line| is_error(line));
        errors.extend(said.cloned());
        return (!errors.is_empty()).then(|| format!("hdbsql said: {}", errors.join("; ")));
    }
    let failure = ended.failure("hdbsql");
    Some(match errors.is_empty() {
        true => failure,
        false => format!("{failure}: {}", errors.join("; ")),
    })
}

/// How the connection is sealed, in the order of attempts.
fn attempts(tls: Tls) -> &'static [Tls] {
    match tls {
        Tls::Off => &[Tls::Off],
        Tls::Prefer => &[Tls::Require, Tls::Off],
        Tls::Require => &[Tls::Require],
        Tls::Verify => &[Tls::Verify],
    }
}

/// Options of hdbsql for that.
fn sealing(tls: Tls, authority: Option<&str>) -> Vec<String> {
    let options: Vec<&str> = match (tls, authority) {
        (Tls::Off | Tls::Prefer, _) => Vec::new(),
        (Tls::Require, _) => vec!["-e", "-ssltrustcert"],
        (Tls::Verify, None) => vec!["-e"],
        (Tls::Verify, Some(file)) => vec!["-e", "-ssltruststore", file],
    };
    options.into_iter().map(str::to_owned).collect()
}
