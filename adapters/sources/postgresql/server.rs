//! A PostgreSQL server as tools reach it: by its settings in their environment, never in their arguments.

use super::tools::Set;
use crate::sign_in;
use crate::tool::{Answer, Tool};
use backupx_core::domain::database::{Server, Tls};
use backupx_core::domain::secret::WireSecret;
use backupx_core::ports::source::StopFlag;
use backupx_core::{Error, Result};
use std::path::Path;
use std::time::Duration;

/// How long a server may think about one question.
const LIMIT: Duration = Duration::from_secs(120);
/// Seconds that a connection may take.
const CONNECT_SECS: &str = "15";
/// Where hosts keep the certificates that they trust.
const BUNDLES: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];
/// Databases that are tried for questions about the whole server.
const COMMON: [&str; 2] = ["postgres", "template1"];

/// How a server is reached, its password at hand.
#[derive(Debug, Clone)]
pub(super) struct SignIn {
    server: Server,
    password: Option<WireSecret>,
}

/// A server that answered.
#[derive(Debug, Clone)]
pub(super) struct Reached {
    pub(super) sign_in: SignIn,
    /// The database that questions about the whole server go to.
    pub(super) common: String,
    /// The version's first number.
    pub(super) major: u32,
    /// The whole version.
    pub(super) version: String,
}

impl SignIn {
    /// With the password of the task, or else of its file.
    pub(super) fn new(server: &Server, password: Option<&WireSecret>) -> Result<Self> {
        Ok(Self {
            server: server.clone(),
            password: sign_in::password(password, server)?,
        })
    }

    /// The tool at `path`, about to sign in to `database`.
    pub(super) fn tool(&self, path: &Path, database: &str) -> Tool {
        let server = &self.server;
        let mut tool = Tool::new(path)
            .env("PGDATABASE", database)
            .env("PGAPPNAME", "backupx")
            .env("PGCONNECT_TIMEOUT", CONNECT_SECS)
            .env("PGSSLMODE", ssl_mode(server.tls));
        if let Some(host) = server.socket.as_ref().or(server.host.as_ref()) {
            tool = tool.env("PGHOST", host);
        }
        if let Some(port) = server.port {
            tool = tool.env("PGPORT", port.to_string());
        }
        if let Some(user) = &server.user {
            tool = tool.env("PGUSER", user);
        }
        if server.tls == Tls::Verify
            && let Some(bundle) = server.tls_ca.as_deref().or_else(|| bundle())
        {
            tool = tool.env("PGSSLROOTCERT", bundle);
        }
        match &self.password {
            Some(password) => tool.env("PGPASSWORD", password.expose()).secret(password),
            None => tool,
        }
    }

    /// The rows that `sql` answers in `database`, each of `columns` texts.
    pub(super) fn ask(
        &self,
        set: &Set,
        database: &str,
        sql: &str,
        columns: usize,
        stop: &StopFlag,
    ) -> Result<Vec<Vec<String>>> {
        let psql = self.tool(&set.path("psql"), database);
        let text = self.answer(psql, sql, LIMIT, stop)?;
        let text = text.strip_suffix('\0').unwrap_or(&text);
        if text.is_empty() {
            return Ok(Vec::new());
        }
        let fields: Vec<_> = text.split('\0').map(str::to_owned).collect();
        Ok(fields.chunks(columns).map(<[String]>::to_vec).collect())
    }

    /// What `psql` prints for `sql`, each field and record ended by a NUL, which no name can hold.
    pub(super) fn answer(
        &self,
        psql: Tool,
        sql: &str,
        limit: Duration,
        stop: &StopFlag,
    ) -> Result<String> {
        let Answer { text, ended } = psql
            .env("PGCLIENTENCODING", "UTF8")
            .args(["-XAtqw", "-z", "-0", "-v", "ON_ERROR_STOP=1", "-c", sql])
            .ask(stop, limit)?;
        if !ended.status.success() {
            return Err(refused(&ended.failure("psql"), ended.status.code(), self));
        }
        Ok(text)
    }

    /// Signs in and asks who answers. The databases that the task names are tried too: a sign-in may be let into them alone.
    pub(super) fn reach(&self, set: &Set, named: &[String], stop: &StopFlag) -> Result<Reached> {
        let candidates = COMMON[..1].iter().map(|name| (*name).to_owned());
        let candidates = candidates.chain(named.iter().take(3).cloned());
        let candidates = candidates.chain([COMMON[1].to_owned()]);
        let mut first = None;
        for common in candidates {
            let sql =
                "select current_setting('server_version_num'), current_setting('server_version')";
            match self.ask(set, &common, sql, 2, stop) {
                Ok(rows) => return self.reached(common, &rows),
                Err(error) if matches!(error.code(), "source_missing" | "rights_missing") => {
                    first.get_or_insert(error);
                }
                Err(error) => return Err(error),
            }
        }
        Err(first.unwrap_or_else(|| Error::internal("no database was tried")))
    }

    fn reached(&self, common: String, rows: &[Vec<String>]) -> Result<Reached> {
        let number = rows.first().and_then(|row| row[0].parse::<u32>().ok());
        let number = number.ok_or_else(|| {
            Error::invalid(
                "server_version_mismatch",
                "the server does not say its version",
            )
        })?;
        let said = rows.first().and_then(|row| row.get(1));
        let version = said.and_then(|said| said.split_whitespace().next());
        Ok(Reached {
            sign_in: self.clone(),
            common,
            major: number / 10_000,
            version: version.unwrap_or("?").to_owned(),
        })
    }

    fn place(&self) -> String {
        let server = &self.server;
        match (&server.socket, &server.host) {
            (Some(socket), _) => format!("in {socket}"),
            (None, Some(host)) => format!("at {host}:{}", server.port.unwrap_or(5432)),
            (None, None) => "at its local socket".to_owned(),
        }
    }
}

impl Reached {
    /// Rows about the whole server.
    pub(super) fn ask(
        &self,
        set: &Set,
        sql: &str,
        columns: usize,
        stop: &StopFlag,
    ) -> Result<Vec<Vec<String>>> {
        self.sign_in.ask(set, &self.common, sql, columns, stop)
    }
}

/// What a tool's words mean when it did not come through to a server.
pub(super) fn refused(failure: &str, code: Option<i32>, sign_in: &SignIn) -> Error {
    let has = |words: &[&str]| words.iter().any(|word| failure.contains(word));
    let place = sign_in.place();
    if has(&["permission denied"]) && !has(&["connection to server"]) {
        return Error::forbidden("rights_missing", failure.to_owned());
    }
    // psql says so: 2 is a connection that failed.
    if code != Some(2) {
        return Error::invalid("query_failed", failure.to_owned());
    }
    if has(&["permission denied for database", "does not have CONNECT"]) {
        return Error::forbidden("rights_missing", failure.to_owned());
    }
    if has(&["database \""]) && has(&["does not exist"]) {
        return Error::not_found("source_missing", failure.to_owned());
    }
    let busy = [
        "starting up",
        "shutting down",
        "too many",
        "slots",
        "recovery",
        "terminating connection",
    ];
    if has(&["FATAL", "no password supplied", "authentication"]) && !has(&busy) {
        return Error::forbidden(
            "sign_in_failed",
            format!(
                "the PostgreSQL server {place} does not let the sign-in in; check user, password and pg_hba.conf: {failure}"
            ),
        );
    }
    Error::unavailable(
        "database_unreachable",
        format!(
            "the PostgreSQL server {place} can't be reached; check that it runs, its address and the TLS setting: {failure}"
        ),
    )
}

/// `name` as SQL writes a name, whatever is in it.
pub(super) fn ident(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// `text` as SQL writes a text, whatever is in it.
pub(super) fn literal(text: &str) -> String {
    format!("E'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

/// `name` as the value of a tool's `--dbname` that no tool takes for anything but a name.
pub(super) fn connection_to(name: &str) -> String {
    format!(
        "dbname='{}'",
        name.replace('\\', "\\\\").replace('\'', "\\'")
    )
}

fn ssl_mode(tls: Tls) -> &'static str {
    match tls {
        Tls::Off => "disable",
        Tls::Prefer => "prefer",
        Tls::Require => "require",
        Tls::Verify => "verify-full",
    }
}

fn bundle() -> Option<&'static str> {
    BUNDLES.into_iter().find(|path| Path::new(path).is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_names_whatever_is_in_them() {
        assert_eq!(ident("a\"b"), "\"a\"\"b\"");
        assert_eq!(literal("it's \\"), "E'it\\'s \\\\'");
        assert_eq!(
            connection_to("postgres://x host=y'"),
            "dbname='postgres://x host=y\\''"
        );
    }

    #[test]
    fn what_a_tool_says_becomes_a_code() {
        let sign_in = SignIn::new(&Server::default(), None).expect("settings");
        for (said, code, expected) in [
            (
                "FATAL:  password authentication failed for user \"x\"",
                2,
                "sign_in_failed",
            ),
            ("fe_sendauth: no password supplied", 2, "sign_in_failed"),
            ("FATAL:  no pg_hba.conf entry for host", 2, "sign_in_failed"),
            (
                "FATAL:  sorry, too many clients already",
                2,
                "database_unreachable",
            ),
            (
                "connection failed: Connection refused",
                2,
                "database_unreachable",
            ),
            ("FATAL:  database \"x\" does not exist", 2, "source_missing"),
            (
                "connection to server failed: FATAL:  permission denied for database \"x\"",
                2,
                "rights_missing",
            ),
            ("ERROR:  permission denied for table t", 3, "rights_missing"),
            ("ERROR:  syntax error", 3, "query_failed"),
        ] {
            assert_eq!(
                refused(said, Some(code), &sign_in).code(),
                expected,
                "{said}"
            );
        }
    }
}
