//! What a task reads, as flags and settings on a command line make it.

use crate::cmd::failure::usage;
use anyhow::{Context, Result};
use backupx_api::saphana::{SaphanaLevel, SaphanaSource, SaphanaVia};
use backupx_api::sources::{
    MongodbSource, MysqlSource, PostgresqlFormat, PostgresqlSource, Secrets, Selection, Server,
    Source, SqliteSource, Tls,
};
use std::collections::BTreeMap;
use std::path::Path;

/// Kinds of task.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Kind {
    /// Files and folders
    #[default]
    File,
    /// Databases of MySQL or MariaDB
    #[value(alias = "mariadb")]
    Mysql,
    /// Databases of PostgreSQL
    #[value(alias = "postgres")]
    Postgresql,
    /// SQLite files
    Sqlite,
    /// Databases of MongoDB
    Mongodb,
    /// Databases of SAP HANA
    #[value(alias = "hana")]
    Saphana,
}

impl Kind {
    /// A source of this kind that names nothing yet.
    pub(super) fn empty(self) -> Source {
        let (server, databases) = (Server::default(), Selection::default());
        match self {
            Self::File => Source::File {
                paths: Vec::new(),
                excludes: Vec::new(),
                one_file_system: false,
                skip_cache_dirs: true,
            },
            Self::Mysql => Source::Mysql(MysqlSource {
                server,
                databases,
                accounts: true,
                tools: None,
            }),
            Self::Postgresql => Source::Postgresql(PostgresqlSource {
                server,
                databases,
                accounts: true,
                format: PostgresqlFormat::default(),
                tools: None,
                wal_archive: None,
            }),
            Self::Sqlite => Source::Sqlite(SqliteSource { paths: Vec::new() }),
            Self::Mongodb => Source::Mongodb(MongodbSource {
                server,
                databases,
                auth_database: None,
                tools: None,
            }),
            Self::Saphana => Source::Saphana(SaphanaSource::default()),
        }
    }
}

/// What is said of a source beside its settings.
pub(super) struct Named<'a> {
    /// Paths of files or of SQLite databases; names of databases.
    pub(super) sources: &'a [String],
    /// What is left out.
    pub(super) excludes: &'a [String],
    /// For files alone.
    pub(super) one_file_system: Option<bool>,
    /// For files alone.
    pub(super) skip_cache_dirs: Option<bool>,
}

/// Puts what was said into `source`, and the secrets among the settings into `secrets`.
pub(super) fn apply(
    source: &mut Source,
    secrets: &mut Secrets,
    named: &Named<'_>,
    settings: BTreeMap<String, String>,
) -> Result<()> {
    let mut given = Given(settings);
    if named.one_file_system.is_some() || named.skip_cache_dirs.is_some() {
        let Source::File { .. } = source else {
            return Err(usage(
                "--one-file-system and --skip-cache-dirs are for files",
            ));
        };
    }
    let kind = source.type_name();
    match source {
        Source::File {
            paths,
            excludes,
            one_file_system,
            skip_cache_dirs,
        } => {
            if !named.sources.is_empty() {
                *paths = absolute_all(named.sources)?;
            }
            if !named.excludes.is_empty() {
                *excludes = named.excludes.to_vec();
            }
            if let Some(value) = named.one_file_system {
                *one_file_system = value;
            }
            if let Some(value) = named.skip_cache_dirs {
                *skip_cache_dirs = value;
            }
        }
        Source::Sqlite(source) => {
            if !named.excludes.is_empty() {
                return Err(usage(
                    "--exclude: SQLite files are named one by one or by a pattern in --source",
                ));
            }
            let mut paths = named.sources.to_vec();
            paths.extend(given.list(&["path", "paths"]));
            if !paths.is_empty() {
                source.paths = absolute_all(&paths)?;
            }
        }
        Source::Mysql(source) => {
            given.server(&mut source.server, secrets)?;
            given.selection(&mut source.databases, named);
            given.flag("accounts", &mut source.accounts)?;
            given.text(&["tools"], &mut source.tools);
        }
        Source::Postgresql(source) => {
            given.server(&mut source.server, secrets)?;
            given.selection(&mut source.databases, named);
            given.flag("accounts", &mut source.accounts)?;
            given.text(&["tools"], &mut source.tools);
            given.text(&["walArchive"], &mut source.wal_archive);
            if let Some(format) = given.take(&["format"]) {
                source.format = one_of(
                    PostgresqlFormat::ALL,
                    PostgresqlFormat::as_str,
                    "format",
                    &format,
                )?;
            }
        }
        Source::Mongodb(source) => {
            given.server(&mut source.server, secrets)?;
            given.selection(&mut source.databases, named);
            given.text(&["authDatabase"], &mut source.auth_database);
            given.text(&["tools"], &mut source.tools);
            if let Some(uri) = given.take(&["uri"]) {
                secrets.0.insert("uri".to_owned(), uri);
            }
        }
        Source::Saphana(source) => {
            given.server(&mut source.server, secrets)?;
            given.selection(&mut source.databases, named);
            given.saphana(source)?;
        }
    }
    given.nothing_left(kind)
}

/// Settings that nobody took yet.
pub(crate) struct Given(pub(crate) BTreeMap<String, String>);

impl Given {
    /// Takes the setting of one of these names.
    pub(crate) fn take(&mut self, names: &[&str]) -> Option<String> {
        names.iter().find_map(|name| self.0.remove(*name))
    }

    /// Takes a text; an empty one removes what was there.
    pub(crate) fn text(&mut self, names: &[&str], place: &mut Option<String>) {
        if let Some(value) = self.take(names) {
            *place = Some(value).filter(|value| !value.is_empty());
        }
    }

    /// Takes names that are joined by commas.
    pub(crate) fn list(&mut self, names: &[&str]) -> Vec<String> {
        let list = self.take(names).unwrap_or_default();
        list.split(',')
            .map(str::trim)
            .filter(|name| !name.is_empty())
            .map(str::to_owned)
            .collect()
    }

    /// Takes a yes or no.
    pub(crate) fn flag(&mut self, name: &str, place: &mut bool) -> Result<()> {
        match self.take(&[name]).as_deref() {
            None => {}
            Some("true" | "yes") => *place = true,
            Some("false" | "no") => *place = false,
            Some(other) => return Err(usage(format!("--set {name}={other}: use true or false"))),
        }
        Ok(())
    }

    /// Takes what says how a server is reached and who signs in there.
    pub(crate) fn server(&mut self, server: &mut Server, secrets: &mut Secrets) -> Result<()> {
        self.text(&["host"], &mut server.host);
        self.text(&["socket"], &mut server.socket);
        self.text(&["user", "username"], &mut server.user);
        self.text(&["passwordFile"], &mut server.password_file);
        self.text(&["tlsCa"], &mut server.tls_ca);
        if let Some(port) = self.take(&["port"]) {
            let port =
                port.parse().ok().filter(|port| *port > 0).ok_or_else(|| {
                    usage(format!("--set port={port}: use a number from 1 to 65535"))
                })?;
            server.port = Some(port);
        }
        if let Some(tls) = self.take(&["tls"]) {
            server.tls = one_of(Tls::ALL, Tls::as_str, "tls", &tls)?;
        }
        if let Some(password) = self.take(&["password"]) {
            secrets.0.insert("password".to_owned(), password);
        }
        Ok(())
    }

    fn saphana(&mut self, source: &mut SaphanaSource) -> Result<()> {
        self.text(&["userStoreKey"], &mut source.user_store_key);
        self.text(&["connectTo"], &mut source.connect_to);
        self.text(&["folder"], &mut source.folder);
        self.text(&["tools"], &mut source.tools);
        if let Some(level) = self.take(&["level"]) {
            source.level = one_of(SaphanaLevel::ALL, SaphanaLevel::as_str, "level", &level)?;
        }
        if let Some(via) = self.take(&["via"]) {
            source.via = one_of(SaphanaVia::ALL, SaphanaVia::as_str, "via", &via)?;
        }
        match self.take(&["channels"]).as_deref() {
            None => {}
            Some("") => source.channels = None,
            Some(text) => source.channels = Some(number("channels", text)?),
        }
        if let Some(text) = self.take(&["retries"]) {
            source.retries = number("retries", &text)?;
        }
        if let Some(text) = self.take(&["retryWaitSecs"]) {
            source.retry_wait_secs = number("retryWaitSecs", &text)?;
        }
        Ok(())
    }

    fn selection(&mut self, databases: &mut Selection, named: &Named<'_>) {
        let mut only = named.sources.to_vec();
        only.extend(self.list(&["database", "databases"]));
        if !only.is_empty() {
            databases.only = only;
        }
        if !named.excludes.is_empty() {
            databases.except = named.excludes.to_vec();
        }
    }

    /// Refuses what nobody took.
    pub(crate) fn nothing_left(&self, kind: &str) -> Result<()> {
        let Some(key) = self.0.keys().next() else {
            return Ok(());
        };
        let known = match kind {
            "file" => {
                return Err(usage(format!(
                    "--set {key}: a task of type file has no such setting"
                )));
            }
            "sqlite" => "path",
            "mongodb" => {
                "host, port, user, password, passwordFile, uri, tls, tlsCa, database, authDatabase, tools"
            }
            "saphana" => {
                "host, port, user, password, passwordFile, userStoreKey, connectTo, tls, tlsCa, database, level, via, channels, folder, retries, retryWaitSecs, tools"
            }
            "postgresql" => {
                "host, port, socket, user, password, passwordFile, tls, tlsCa, database, accounts, format, walArchive, tools"
            }
            _ => {
                "host, port, socket, user, password, passwordFile, tls, tlsCa, database, accounts, tools"
            }
        };
        Err(usage(format!(
            "--set {key}: type {kind} has no such setting; it has {known}"
        )))
    }
}

fn number<T: std::str::FromStr>(key: &str, text: &str) -> Result<T> {
    text.parse()
        .map_err(|_| usage(format!("--set {key}={text}: use a number that it can be")))
}

fn one_of<T: Copy>(all: &[T], name: fn(T) -> &'static str, key: &str, text: &str) -> Result<T> {
    all.iter()
        .copied()
        .find(|one| name(*one) == text)
        .ok_or_else(|| {
            let known: Vec<_> = all.iter().map(|one| name(*one)).collect();
            usage(format!("--set {key}={text}: use {}", known.join(", ")))
        })
}

fn absolute_all(paths: &[String]) -> Result<Vec<String>> {
    paths.iter().map(|path| absolute(path)).collect()
}

/// A relative path is one of this host's current folder: right for `--node local`, and for an agent on the same host.
fn absolute(path: &str) -> Result<String> {
    if path.is_empty() {
        return Err(usage("--source must not be empty"));
    }
    let absolute = std::path::absolute(Path::new(path))
        .with_context(|| format!("--source {path:?} can't be made absolute"))?;
    absolute
        .into_os_string()
        .into_string()
        .map_err(|_| usage(format!("--source {path:?} is not valid UTF-8")))
}
