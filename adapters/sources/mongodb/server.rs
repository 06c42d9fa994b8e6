//! A MongoDB server as tools reach it: by a file with its connection string, never in their arguments or environment.

use super::Mongodb;
use super::probe;
use super::uri::{address, has_option, hosts, names_file, secrets, uri, without_database};
use crate::sign_in;
use crate::temp::Temp;
use crate::tool::{Ended, Tool, lift};
use backupx_core::domain::database::{Server, Tls};
use backupx_core::domain::secret::WireSecret;
use backupx_core::{Error, Result};
use std::io::Write;
use std::path::{Path, PathBuf};

/// The file's name.
const CONFIG: &str = "config.yaml";
/// Seconds in which a server has to be found; in 100.7 the tools heed their own option only, and wait for ever without it.
const SELECT_SECS: &str = "15";

/// How a server is reached, its sign-in laid down in a file for as long as this lives.
#[derive(Debug)]
pub(super) struct SignIn {
    temp: Temp,
    secrets: Vec<WireSecret>,
    uri: WireSecret,
    place: String,
    options: Vec<String>,
}

impl SignIn {
    /// By the task's connection string, or else by its settings. `database_unreachable` when nobody listens there.
    pub(super) fn new(source: &Mongodb) -> Result<Self> {
        let (text, place) = match &source.uri {
            Some(uri) => {
                let uri = uri.expose().trim();
                if !uri.starts_with("mongodb") || uri.contains(char::is_control) {
                    return Err(Error::field(
                        "secrets.uri",
                        "must begin with mongodb:// or mongodb+srv:// and be one line",
                    ));
                }
                if names_file(uri) {
                    return Err(Error::field(
                        "secrets.uri",
                        "must name no file of the node; tlsCa does",
                    ));
                }
                let auth_database = source.source.auth_database.as_deref();
                let place = format!("at {}", hosts(uri));
                let tls_ca = source.source.server.tls_ca.as_deref();
                (without_database(uri, auth_database, tls_ca), place)
            }
            None => by_settings(source)?,
        };
        let temp = source.temp()?;
        // In quotes of YAML only a quote has a meaning.
        let config = format!("uri: '{}'\n", text.replace('\'', "''"));
        temp.create(CONFIG)?
            .write_all(config.as_bytes())
            .map_err(|error| lift(error, "the sign-in could not be laid down"))?;
        let mut options = Vec::new();
        // Twice and not the same, it would be refused.
        if !has_option(&text, "serverselectiontimeoutms") {
            options.push(format!("--serverSelectionTimeout={SELECT_SECS}"));
        }
        Ok(Self {
            temp,
            secrets: secrets(&text),
            uri: WireSecret::new(text),
            place,
            options,
        })
    }

    /// The tool at `path`, about to sign in.
    pub(super) fn tool(&self, path: &Path) -> Tool {
        let tool = Tool::new(path)
            .arg("--config")
            .arg(self.temp.path(CONFIG))
            .args(&self.options);
        self.secrets.iter().fold(tool, Tool::secret)
    }

    /// The shell at `path`, which signs in by a script.
    pub(super) fn shell(&self, path: &Path) -> Tool {
        self.secrets.iter().fold(Tool::new(path), Tool::secret)
    }

    /// A script that drops the database `name`, laid down for as long as this lives.
    pub(super) fn script(&self, name: &str) -> Result<PathBuf> {
        // As JSON writes a text, a script does too.
        let text = |text: &str| serde_json::Value::from(text).to_string();
        let script = format!(
            "const answer = connect({}).getSiblingDB({}).dropDatabase();\nif (answer.ok !== 1) {{ throw new Error(JSON.stringify(answer)); }}\n",
            text(self.uri.expose()),
            text(name)
        );
        self.temp
            .create("drop.js")?
            .write_all(script.as_bytes())
            .map_err(|error| lift(error, "the script could not be laid down"))?;
        Ok(self.temp.path("drop.js"))
    }

    /// `line` without secrets.
    pub(super) fn hide(&self, line: &str) -> String {
        let all = self.secrets.iter().chain([&self.uri]);
        all.map(WireSecret::expose)
            .filter(|secret| !secret.is_empty())
            .fold(line.to_owned(), |line, secret| {
                line.replace(secret, "[secret]")
            })
    }

    /// What a tool's words mean; `code` is for those that have no other meaning.
    pub(super) fn refused(&self, failure: &str, code: &'static str) -> Error {
        let has = |words: &[&str]| words.iter().any(|word| failure.contains(word));
        let place = &self.place;
        if has(&[
            "AuthenticationFailed",
            "auth error",
            "requires authentication",
        ]) {
            return Error::forbidden(
                "sign_in_failed",
                format!(
                    "the MongoDB server {place} does not let the sign-in in; check user, password and the database that knows the user: {failure}"
                ),
            );
        }
        if has(&["not authorized", "(Unauthorized)"]) {
            return Error::forbidden(
                "rights_missing",
                format!("{failure}; the user needs the role backup, and restore for a restore"),
            );
        }
        let unreachable = [
            "could not connect to server",
            "server selection",
            "no reachable servers",
            "connection refused",
            "did not answer within",
        ];
        if has(&unreachable) {
            return Error::unavailable("database_unreachable", unreachable_text(place, failure));
        }
        Error::invalid(code, failure.to_owned())
    }
}

fn by_settings(source: &Mongodb) -> Result<(String, String)> {
    let server = &source.source.server;
    let password = sign_in::password(source.password.as_ref(), server)?;
    let (place, tls) = match &server.socket {
        Some(socket) => (format!("in {socket}"), plain_unless_forced(server.tls)),
        None => {
            let (host, port) = address(server);
            let place = format!("at {host}:{port}");
            let tls = offered(server, &place)?;
            (place, tls)
        }
    };
    let auth_database = source.source.auth_database.as_deref();
    Ok((uri(server, tls, auth_database, password.as_ref()), place))
}

/// How the connection is to be sealed, seeing what the server offers.
fn offered(server: &Server, place: &str) -> Result<Tls> {
    let stream = probe::connect(server).map_err(|error| {
        let text = unreachable_text(place, &error.to_string());
        Error::unavailable("database_unreachable", text).with_source(error)
    })?;
    Ok(match server.tls {
        Tls::Prefer if probe::speaks_tls(stream) => Tls::Prefer,
        Tls::Prefer | Tls::Off => Tls::Off,
        Tls::Require => Tls::Require,
        Tls::Verify => Tls::Verify,
    })
}

fn plain_unless_forced(tls: Tls) -> Tls {
    match tls {
        Tls::Off | Tls::Prefer => Tls::Off,
        Tls::Require => Tls::Require,
        Tls::Verify => Tls::Verify,
    }
}

fn unreachable_text(place: &str, why: &str) -> String {
    format!(
        "the MongoDB server {place} can't be reached; check that it runs, its address and the TLS setting: {why}"
    )
}

/// How a tool failed, without what it says of its progress.
pub(super) fn failure(ended: &mut Ended, name: &str) -> String {
    let is_failure = |line: &String| line.contains("Failed") || line.contains("error");
    if ended.last_words.iter().any(is_failure) {
        ended.last_words.retain(is_failure);
    }
    for line in &mut ended.last_words {
        *line = without_time(line).to_owned();
    }
    ended.failure(name)
}

/// A line of a tool without the time at its beginning.
pub(super) fn without_time(line: &str) -> &str {
    match line.split_once('\t') {
        Some((time, text)) if time.starts_with(|c: char| c.is_ascii_digit()) => text.trim(),
        Some(_) | None => line,
    }
}
