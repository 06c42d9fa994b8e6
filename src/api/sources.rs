//! Sources: what a task reads, by kind, and what a look at a database server finds.

use crate::mirror::{alike, mirrored};
use crate::reports::TestStep;
use crate::saphana::SaphanaSource;
use backupx_core::domain::database;
use backupx_core::domain::report;
use backupx_core::domain::source::SourceSpec;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use utoipa::ToSchema;

/// What a task reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "camelCase", deny_unknown_fields)]
pub enum Source {
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
        #[serde(default = "yes")]
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

impl Source {
    /// The kind's name.
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
}

fn yes() -> bool {
    true
}

/// How a database server is reached. Passwords are among the task's `secrets`, or in a file of the node.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[schema(as = DatabaseServer)]
pub struct Server {
    /// Host name or address; absent means the local socket, or `localhost` for kinds without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// Port; absent means the kind's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// Path of a Unix socket (for PostgreSQL: of the folder that holds it), instead of a host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub socket: Option<String>,
    /// Who signs in; absent means the user that the agent runs as.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// A file on the node whose first line is the password, when it is to stay there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password_file: Option<String>,
    /// Whether the connection is sealed.
    pub tls: Tls,
    /// A file on the node with the certificates (PEM) that a server's must come from; absent means the host's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls_ca: Option<String>,
}
alike!(
    Server,
    database::Server,
    host,
    port,
    socket,
    user,
    password_file,
    tls,
    tls_ca
);

mirrored! {
    /// Whether a connection to a database server is sealed.
    #[derive(Default)]
    #[serde(rename_all = "kebab-case")]
    Tls = database::Tls {
        /// Never.
        Off = "off",
        /// When the server offers it; nobody is checked.
        #[default]
        Prefer = "prefer",
        /// Always; the server's certificate is not checked.
        Require = "require",
        /// Always, and the server's certificate must be good for its name.
        Verify = "verify",
    }
}

/// Which databases of a server. Looked up again at each run, so that new ones are not forgotten.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[schema(as = DatabaseSelection)]
pub struct Selection {
    /// Names; empty means all but the server's own. One that is not there fails the run.
    pub only: Vec<String>,
    /// Names, or patterns with `*` and `?`, of what is left out.
    pub except: Vec<String>,
}
alike!(Selection, database::Selection, only, except);

/// MySQL and MariaDB.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MysqlSource {
    /// How it is reached.
    #[serde(default)]
    pub server: Server,
    /// Which databases.
    #[serde(default)]
    pub databases: Selection,
    /// Whether users and their rights are kept beside the databases, where the sign-in may read them.
    #[serde(default = "yes")]
    pub accounts: bool,
    /// Folder on the node with the tools; absent means that they are looked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tools: Option<String>,
}
alike!(
    MysqlSource,
    database::MysqlSource,
    server,
    databases,
    accounts,
    tools
);

/// PostgreSQL, database by database or as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PostgresqlSource {
    /// How it is reached.
    #[serde(default)]
    pub server: Server,
    /// Which databases.
    #[serde(default)]
    pub databases: Selection,
    /// Whether roles and tablespaces are kept beside the databases, where the sign-in may read them.
    #[serde(default = "yes")]
    pub accounts: bool,
    /// How a database is written.
    #[serde(default)]
    pub format: PostgresqlFormat,
    /// Folder on the node with the tools; absent means that those fitting the server are looked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tools: Option<String>,
    /// For a physical copy: the settings file on the node of the archive that the server's log goes to (`backupx wal push`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wal_archive: Option<String>,
}
alike!(
    PostgresqlSource,
    database::PostgresqlSource,
    server,
    databases,
    accounts,
    format,
    tools,
    wal_archive
);

mirrored! {
    /// How a PostgreSQL server is written.
    #[derive(Default)]
    #[serde(rename_all = "camelCase")]
    PostgresqlFormat = database::PostgresqlFormat {
        /// The archive of pg_dump, of which single tables can be restored.
        #[default]
        Custom = "custom",
        /// SQL text.
        Plain = "plain",
        /// The whole cluster as its files, which can go on to any moment with the log behind it.
        Physical = "physical",
    }
}

/// SQLite files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SqliteSource {
    /// Absolute paths, or patterns of some, of database files. Looked up again at each run.
    pub paths: Vec<String>,
}
alike!(SqliteSource, database::SqliteSource, paths);

/// MongoDB.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MongodbSource {
    /// How it is reached, when no `uri` is among the task's secrets.
    #[serde(default)]
    pub server: Server,
    /// Which databases.
    #[serde(default)]
    pub databases: Selection,
    /// The database that knows the user; absent means `admin`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_database: Option<String>,
    /// Folder on the node with the tools; absent means that they are looked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tools: Option<String>,
}
alike!(
    MongodbSource,
    database::MongodbSource,
    server,
    databases,
    auth_database,
    tools
);

impl From<Source> for SourceSpec {
    fn from(source: Source) -> Self {
        match source {
            Source::File {
                paths,
                excludes,
                one_file_system,
                skip_cache_dirs,
            } => Self::File {
                paths,
                excludes,
                one_file_system,
                skip_cache_dirs,
            },
            Source::Mysql(source) => Self::Mysql(source.into()),
            Source::Postgresql(source) => Self::Postgresql(source.into()),
            Source::Sqlite(source) => Self::Sqlite(source.into()),
            Source::Mongodb(source) => Self::Mongodb(source.into()),
            Source::Saphana(source) => Self::Saphana(source.into()),
        }
    }
}

impl From<SourceSpec> for Source {
    fn from(source: SourceSpec) -> Self {
        match source {
            SourceSpec::File {
                paths,
                excludes,
                one_file_system,
                skip_cache_dirs,
            } => Self::File {
                paths,
                excludes,
                one_file_system,
                skip_cache_dirs,
            },
            SourceSpec::Mysql(source) => Self::Mysql(source.into()),
            SourceSpec::Postgresql(source) => Self::Postgresql(source.into()),
            SourceSpec::Sqlite(source) => Self::Sqlite(source.into()),
            SourceSpec::Mongodb(source) => Self::Mongodb(source.into()),
            SourceSpec::Saphana(source) => Self::Saphana(source.into()),
        }
    }
}

/// Secrets by name, on their way in: `password`, and for MongoDB `uri`. No answer has them.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
pub struct Secrets(pub BTreeMap<String, String>);

impl Secrets {
    /// True when there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// From which node a task's source is tried.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SourceTestRequest {
    /// The node; the task's own when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node_id: Option<i64>,
}

/// What a test of a source found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SourceReport {
    /// True when every step held.
    pub ok: bool,
    /// Each step, in order, up to the one that failed.
    pub steps: Vec<TestStep>,
    /// The databases that are there, whether the task takes them or not; at most 1,000.
    pub databases: Vec<FoundDatabase>,
}

/// A database that a server holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct FoundDatabase {
    /// Its name; for SQLite the path of its file.
    pub name: String,
    /// Its size in bytes as the server says it, when it does.
    pub size_bytes: Option<u64>,
}

impl From<report::SourceReport> for SourceReport {
    fn from(report: report::SourceReport) -> Self {
        let database = |found: report::FoundDatabase| FoundDatabase {
            name: found.name,
            size_bytes: found.size_bytes,
        };
        Self {
            ok: report.ok,
            steps: report.steps.into_iter().map(Into::into).collect(),
            databases: report.databases.into_iter().map(database).collect(),
        }
    }
}
