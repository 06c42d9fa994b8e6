//! A signed-in session with a server: the tools that fit it, and short questions to it.

use super::option_file;
use super::tools::{Found, Maker, Tools, Version};
use crate::sign_in;
use crate::temp::Temp;
use crate::tool::Tool;
use backupx_core::domain::database::{MysqlSource, Tls};
use backupx_core::domain::secret::WireSecret;
use backupx_core::ports::dumps::DatabaseAccess;
use backupx_core::ports::source::StopFlag;
use backupx_core::{Error, ErrorKind, Result};
use std::io::Write;
use std::time::Duration;

/// How long the server has for an answer.
const LIMIT: Duration = Duration::from_secs(60);
/// The clients' number for a connection that could not be sealed.
const TLS_FAILED: u16 = 2026;

/// A server that answered, and how it is asked.
pub(super) struct Session {
    pub(super) server: Version,
    pub(super) tools: Tools,
    client: Found,
    password: Option<WireSecret>,
    temp: Temp,
}

impl Session {
    /// Signs in.
    pub(super) fn open(
        source: &MysqlSource,
        access: &DatabaseAccess,
        stop: &StopFlag,
    ) -> Result<Self> {
        let tools = Tools::find(source.tools.as_deref(), stop)?;
        Self::sign_in(tools, source, access, stop)
    }

    /// Signs in with these tools.
    pub(super) fn sign_in(
        tools: Tools,
        source: &MysqlSource,
        access: &DatabaseAccess,
        stop: &StopFlag,
    ) -> Result<Self> {
        let password = sign_in::password(access.secrets.get("password"), &source.server)?;
        let mut refusal = None;
        for client in tools.clients() {
            for tls in attempts(source, client.version.maker) {
                let temp = lay_down(source, tls, password.as_ref(), access)?;
                let mut session = Self {
                    server: client.version.clone(),
                    client: client.clone(),
                    password: password.clone(),
                    temp,
                    tools: Tools::default(),
                };
                match session.hello(source.server.tls, stop) {
                    Ok(server) => {
                        if let Some(client) = tools.client_for(&server) {
                            session.client = client.clone();
                        }
                        session.server = server;
                        session.tools = tools;
                        return Ok(session);
                    }
                    // Another way or another client may still be let in.
                    Err(error) if may_be_the_client(&error) => {
                        refusal.get_or_insert(error);
                    }
                    Err(error) => return Err(error),
                }
            }
        }
        Err(refusal.unwrap_or_else(|| Error::internal("no client was tried")))
    }

    /// The server's version, when it answers as sealed as it has to.
    fn hello(&self, tls: Tls, stop: &StopFlag) -> Result<Version> {
        let answer = self.ask("SELECT VERSION(); SHOW STATUS LIKE 'Ssl_cipher'", stop)?;
        let must_be_sealed = matches!(tls, Tls::Require | Tls::Verify);
        let is_sealed = answer.iter().any(|row| {
            row.first().is_some_and(|name| name == "Ssl_cipher")
                && row.get(1).is_some_and(|cipher| !cipher.is_empty())
        });
        if must_be_sealed && !is_sealed {
            return Err(Error::unavailable(
                "database_unreachable",
                "the server does not offer TLS, which the task asks for: set it up on the server, or set tls to prefer",
            ));
        }
        answer
            .first()
            .and_then(|row| row.first())
            .map(|version| Version::parse(version))
            .ok_or_else(|| {
                Error::unavailable(
                    "database_unreachable",
                    format!("{} answered nothing", self.client.name),
                )
            })
    }

    /// One of the tools, told where the server is and who signs in.
    pub(super) fn tool(&self, found: &Found) -> Tool {
        let file = self.temp.path(file_name(found.version.maker));
        let tool = Tool::new(&found.path)
            // It has to be the first argument; then the host's own files change nothing.
            .arg(format!("--defaults-file={}", file.display()))
            .arg("--default-character-set=utf8mb4")
            // A login path of the agent's user would be read all the same.
            .env("MYSQL_TEST_LOGIN_FILE", "/nonexistent");
        match &self.password {
            Some(password) => tool.secret(password),
            None => tool,
        }
    }

    /// The client, told to read statements.
    pub(super) fn client(&self) -> Tool {
        self.tool(&self.client)
            .arg("--batch")
            .arg("--skip-column-names")
    }

    /// The rows that the server answers to `sql`, all of them to several statements.
    pub(super) fn ask(&self, sql: &str, stop: &StopFlag) -> Result<Vec<Vec<String>>> {
        self.answer(self.client(), sql, LIMIT, stop)
    }

    /// What `client` prints for `sql`, row by row.
    pub(super) fn answer(
        &self,
        client: Tool,
        sql: &str,
        limit: Duration,
        stop: &StopFlag,
    ) -> Result<Vec<Vec<String>>> {
        let answer = client.arg(format!("--execute={sql}")).ask(stop, limit)?;
        if !answer.ended.status.success() {
            let failure = answer.ended.failure(self.client.name);
            return Err(refused(&failure, "dump_failed"));
        }
        Ok(answer
            .text
            .lines()
            .map(|line| line.split('\t').map(unescaped).collect())
            .collect())
    }

    /// One value that the server answers to `sql`.
    pub(super) fn ask_one(&self, sql: &str, stop: &StopFlag) -> Result<Option<String>> {
        let rows = self.ask(sql, stop)?;
        Ok(rows
            .into_iter()
            .next()
            .and_then(|row| row.into_iter().next()))
    }
}

/// How the connection is sealed, in the order of attempts.
fn attempts(source: &MysqlSource, maker: Maker) -> Vec<Tls> {
    let tls = source.server.tls;
    match (tls, &source.server.host, maker) {
        // What never leaves the host needs none.
        (Tls::Prefer, None, _) => vec![Tls::Off],
        // Newer ones insist on what older ones only try.
        (Tls::Prefer, Some(_), Maker::Mariadb) => vec![Tls::Prefer, Tls::Off],
        _ => vec![tls],
    }
}

/// Option files for the tools of both makers.
fn lay_down(
    source: &MysqlSource,
    tls: Tls,
    password: Option<&WireSecret>,
    access: &DatabaseAccess,
) -> Result<Temp> {
    let temp = Temp::new(access.temp_dir.as_deref())?;
    for maker in [Maker::Mariadb, Maker::Mysql] {
        let text = option_file::text(&source.server, tls, password.map(WireSecret::expose), maker)?;
        temp.create(file_name(maker))?
            .write_all(text.as_bytes())
            .map_err(|error| {
                Error::unavailable(
                    "temp_failed",
                    format!("the option file can't be written: {error}"),
                )
                .with_source(error)
            })?;
    }
    Ok(temp)
}

fn file_name(maker: Maker) -> &'static str {
    match maker {
        Maker::Mariadb => "mariadb.cnf",
        Maker::Mysql => "mysql.cnf",
    }
}

fn may_be_the_client(error: &Error) -> bool {
    error.code() == "server_version_mismatch" || number(error.message()) == Some(TLS_FAILED)
}

/// What a failed tool means. `code` is for what says nothing known.
pub(super) fn refused(failure: &str, code: &'static str) -> Error {
    let (kind, code, advice) = match number(failure) {
        Some(1045 | 1698 | 1130 | 1862 | 1820 | 3118 | 1524) => (
            ErrorKind::Invalid,
            "sign_in_failed",
            "; check user, password and from which hosts the account may sign in",
        ),
        Some(1044 | 1142 | 1143 | 1227 | 1370) => (ErrorKind::Forbidden, "rights_missing", ""),
        Some(1049) => (ErrorKind::Invalid, "source_missing", ""),
        Some(1129 | 1040 | 1053 | 1203 | 2002 | 2003 | 2005 | 2006 | 2012 | 2013) => (
            ErrorKind::Unavailable,
            "database_unreachable",
            "; check that the server runs, and host, port or socket",
        ),
        Some(TLS_FAILED) => (
            ErrorKind::Unavailable,
            "database_unreachable",
            "; check the server's certificate and the task's tls settings",
        ),
        Some(1251 | 2059 | 2061 | 2054 | 1043) => (
            ErrorKind::Invalid,
            "server_version_mismatch",
            "; the client of this host does not know how the account signs in: install the client package of the server's maker",
        ),
        _ => (ErrorKind::Invalid, code, ""),
    };
    Error::new(kind, code, format!("{failure}{advice}"))
}

/// The number of the error that a tool said first.
fn number(failure: &str) -> Option<u16> {
    ["ERROR ", "error: ", "Error: ", "Got error: ", "failed: "]
        .iter()
        .find_map(|mark| {
            let (_, rest) = failure.split_once(mark)?;
            let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
            digits.parse().ok()
        })
}

/// A field as the client prints it in batch mode.
fn unescaped(field: &str) -> String {
    let mut text = String::with_capacity(field.len());
    let mut chars = field.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('n') => text.push('\n'),
                Some('t') => text.push('\t'),
                Some('0') => text.push('\0'),
                Some(c) => text.push(c),
                None => text.push('\\'),
            },
            c => text.push(c),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_tools_say_has_its_code() {
        for (failure, code) in [
            (
                "mysql ended with exit code 1: ERROR 1045 (28000): Access denied for user",
                "sign_in_failed",
            ),
            (
                "mysqldump ended with exit code 2: mysqldump: Got error: 2002: \"Can't connect",
                "database_unreachable",
            ),
            (
                "mariadb ended with exit code 1: ERROR 1044 (42000) at line 1: Access denied",
                "rights_missing",
            ),
            (
                "mysql ended with exit code 1 and said nothing",
                "dump_failed",
            ),
        ] {
            assert_eq!(refused(failure, "dump_failed").code(), code, "{failure}");
        }
        assert_eq!(unescaped("a\\tb\\\\n\\n"), "a\tb\\n\n");
    }
}
