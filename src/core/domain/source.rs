//! Sources: what a task reads, by kind.

use super::database::{
    MongodbSource, MysqlSource, PostgresqlSource, Selection, Server, SqliteSource, no_path,
};
use super::saphana::SaphanaSource;
use crate::FieldError;
use serde::{Deserialize, Serialize};

/// What a task reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase", deny_unknown_fields)]
pub enum SourceSpec {
    /// Files and folders.
    #[serde(rename_all = "camelCase")]
    File {
        /// Absolute paths of files or folders.
        paths: Vec<String>,
        /// Patterns in gitignore syntax of what is left out.
        #[serde(default)]
        excludes: Vec<String>,
        /// Stay on the file systems that the paths themselves are on.
        #[serde(default)]
        one_file_system: bool,
        /// Leave out what is below a folder with a valid `CACHEDIR.TAG`.
        #[serde(default = "super::task::yes")]
        skip_cache_dirs: bool,
    },
    /// Databases of a MySQL or MariaDB server.
    Mysql(MysqlSource),
    /// Databases of a PostgreSQL server.
    Postgresql(PostgresqlSource),
    /// SQLite files.
    Sqlite(SqliteSource),
    /// Databases of a MongoDB server.
    Mongodb(MongodbSource),
    /// Databases of an SAP HANA system.
    Saphana(SaphanaSource),
}

impl SourceSpec {
    /// The kind's name as it stands in JSON and after `--type`.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::File { .. } => "file",
            Self::Mysql(_) => "mysql",
            Self::Postgresql(_) => "postgresql",
            Self::Sqlite(_) => "sqlite",
            Self::Mongodb(_) => "mongodb",
            Self::Saphana(_) => "saphana",
        }
    }

    /// Whether its runs make dumps instead of an archive of files.
    pub fn is_database(&self) -> bool {
        match self {
            Self::File { .. } => false,
            Self::Mysql(_)
            | Self::Postgresql(_)
            | Self::Sqlite(_)
            | Self::Mongodb(_)
            | Self::Saphana(_) => true,
        }
    }

    /// Names of the secrets that it may have.
    pub fn secret_names(&self) -> &'static [&'static str] {
        match self {
            Self::File { .. } | Self::Sqlite(_) => &[],
            Self::Mysql(_) | Self::Postgresql(_) | Self::Saphana(_) => &["password"],
            Self::Mongodb(_) => &["password", "uri"],
        }
    }

    /// The server that it reads, if it reads one.
    pub fn server(&self) -> Option<&Server> {
        match self {
            Self::File { .. } | Self::Sqlite(_) => None,
            Self::Mysql(source) => Some(&source.server),
            Self::Postgresql(source) => Some(&source.server),
            Self::Mongodb(source) => Some(&source.server),
            Self::Saphana(source) => Some(&source.server),
        }
    }

    /// Aims it at another server, or has it use other tools; what is not said stays as it is.
    pub fn aim(&mut self, other: Option<&Server>, other_tools: Option<&String>) {
        let (server, tools) = match self {
            Self::File { .. } | Self::Sqlite(_) => return,
            Self::Mysql(source) => (&mut source.server, &mut source.tools),
            Self::Postgresql(source) => (&mut source.server, &mut source.tools),
            Self::Mongodb(source) => (&mut source.server, &mut source.tools),
            Self::Saphana(source) => {
                // The key of the user store says where its own server is.
                if other.is_some() {
                    source.user_store_key = None;
                }
                (&mut source.server, &mut source.tools)
            }
        };
        if let Some(other) = other {
            server.clone_from(other);
        }
        if let Some(other) = other_tools {
            *tools = Some(other.clone());
        }
    }

    /// Where it is, for people: `postgresql on db.example:5432`.
    pub fn place(&self) -> String {
        let kind = self.type_name();
        let Some(server) = self.server() else {
            return format!("{kind} on this host");
        };
        if let Self::Saphana(SaphanaSource {
            user_store_key: Some(key),
            ..
        }) = self
        {
            return format!("{kind} by the user store key {key}");
        }
        match (&server.host, &server.socket, server.port) {
            (Some(host), _, Some(port)) => format!("{kind} on {host}:{port}"),
            (Some(host), _, None) => format!("{kind} on {host}"),
            (None, Some(socket), _) => format!("{kind} at {socket}"),
            (None, None, Some(port)) => format!("{kind} on this host, port {port}"),
            (None, None, None) => format!("{kind} on this host"),
        }
    }

    /// What can be seen to be wrong without asking anybody.
    pub(super) fn wrong(&self) -> Vec<FieldError> {
        match self {
            Self::File {
                paths, excludes, ..
            } => wrong_files(paths, excludes),
            Self::Mysql(source) => {
                wrong_server(&source.server, &source.databases, source.tools.as_deref())
            }
            Self::Postgresql(source) => {
                let mut errors =
                    wrong_server(&source.server, &source.databases, source.tools.as_deref());
                errors.extend(source.wrong("source"));
                errors
            }
            Self::Sqlite(source) => wrong_paths(&source.paths, "name at least one database file"),
            Self::Mongodb(source) => {
                wrong_server(&source.server, &source.databases, source.tools.as_deref())
            }
            Self::Saphana(source) => {
                let mut errors =
                    wrong_server(&source.server, &source.databases, source.tools.as_deref());
                errors.extend(source.wrong("source"));
                errors
            }
        }
    }
}

fn wrong_files(paths: &[String], excludes: &[String]) -> Vec<FieldError> {
    let mut errors = wrong_paths(paths, "name at least one file or folder");
    if excludes.len() > 1000 {
        errors.push(error(
            "source.excludes",
            "has more than 1000 patterns".to_owned(),
        ));
    }
    errors
}

fn wrong_paths(paths: &[String], none: &str) -> Vec<FieldError> {
    match paths.len() {
        0 => vec![error("source.paths", none.to_owned())],
        1..=1000 => paths
            .iter()
            .filter_map(|path| no_path(path))
            .map(|why| error("source.paths", why))
            .collect(),
        more => vec![error(
            "source.paths",
            format!("{more} paths are more than the 1000 that a task can have"),
        )],
    }
}

fn wrong_server(server: &Server, databases: &Selection, tools: Option<&str>) -> Vec<FieldError> {
    let mut errors = server.wrong("source.server");
    errors.extend(databases.wrong("source.databases"));
    errors.extend(
        tools
            .and_then(no_path)
            .map(|why| error("source.tools", why)),
    );
    errors
}

fn error(field: &str, message: String) -> FieldError {
    FieldError {
        field: field.to_owned(),
        message,
    }
}
