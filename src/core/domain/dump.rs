//! Dumps: the streams that a run of a database task makes, one per database, and how one is put back.

use super::database::{Server, matches, no_path};
use super::secret::Sealed;
use super::wal::RecoveryTarget;
use crate::{FieldError, Result};
use serde::{Deserialize, Serialize};

/// One stream of a database task. Part of the storage format.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Dump {
    /// The database; for a SQLite file its path; for accounts how the kind calls them.
    pub name: String,
    /// What of a server it is.
    pub kind: DumpKind,
    /// How it is written.
    pub format: DumpFormat,
}

/// What of a server a dump is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum DumpKind {
    /// A database.
    Database,
    /// Users, roles and their rights, which belong to the whole server.
    Accounts,
    /// All of a server, as its files.
    Cluster,
}

/// How a dump is written: always as the database's own tool reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum DumpFormat {
    /// SQL of mysqldump or mariadb-dump.
    MysqlSql,
    /// SQL of pg_dump or pg_dumpall.
    PostgresqlSql,
    /// The custom archive of pg_dump.
    PostgresqlCustom,
    /// The tar archive of pg_basebackup.
    PostgresqlBase,
    /// A SQLite database file.
    Sqlite,
    /// The archive of mongodump.
    MongodbArchive,
    /// A tar archive: what HANA's catalogue says of a backup, and the files that it names.
    SaphanaBackup,
}

impl DumpFormat {
    /// What a file of it is called behind its name.
    pub fn extension(self) -> &'static str {
        match self {
            Self::MysqlSql | Self::PostgresqlSql => "sql",
            Self::PostgresqlCustom => "dump",
            Self::PostgresqlBase | Self::SaphanaBackup => "tar",
            Self::Sqlite => "sqlite3",
            Self::MongodbArchive => "archive",
        }
    }
}

impl Dump {
    /// A dump of a database.
    pub fn database(name: impl Into<String>, format: DumpFormat) -> Self {
        Self {
            name: name.into(),
            kind: DumpKind::Database,
            format,
        }
    }

    /// A dump of a server's accounts.
    pub fn accounts(name: impl Into<String>, format: DumpFormat) -> Self {
        Self {
            name: name.into(),
            kind: DumpKind::Accounts,
            format,
        }
    }

    /// A copy of a whole cluster.
    pub fn cluster(name: impl Into<String>, format: DumpFormat) -> Self {
        Self {
            name: name.into(),
            kind: DumpKind::Cluster,
            format,
        }
    }

    /// Whether a restore that names `pattern` (a name, a pattern with `*` and `?`, or the file's name) means it.
    pub fn is_meant(&self, pattern: &str, file: &str) -> bool {
        matches(pattern, &self.name) || matches(pattern, file)
    }
}

/// File names for `dumps`, in their order: readable, plain and each only once, whatever the databases are called.
pub fn file_names(dumps: &[Dump]) -> Vec<String> {
    let mut names: Vec<String> = Vec::with_capacity(dumps.len());
    for dump in dumps {
        let stem = stem(&dump.name);
        let extension = dump.format.extension();
        let mut name = format!("{stem}.{extension}");
        let mut number = 1;
        // Upper and lower case are one name in some storage.
        while names
            .iter()
            .any(|taken| taken.to_lowercase() == name.to_lowercase())
        {
            number += 1;
            name = format!("{stem}~{number}.{extension}");
        }
        names.push(name);
    }
    names
}

/// Letters, digits, `-`, `_` and `.` stay, everything else becomes `_`; at most 100 bytes.
fn stem(name: &str) -> String {
    let mut stem = String::new();
    for c in name.trim_start_matches(['/', '.']).chars() {
        let c = if c.is_alphanumeric() || matches!(c, '-' | '_' | '.') {
            c
        } else {
            '_'
        };
        if stem.len() + c.len_utf8() > 100 {
            break;
        }
        stem.push(c);
    }
    if stem.is_empty() {
        "unnamed".to_owned()
    } else {
        stem
    }
}

/// How dumps are put back into a server.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct DatabaseRestore {
    /// The server; absent means the one that was backed up, with the task's own sign-in. Another one needs its own password.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server: Option<Server>,
    /// A new name, when one database is restored; for SQLite the path of the file, for a whole cluster that of its data folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rename: Option<String>,
    /// Tables to restore out of a database, as `table` or `schema.table`; empty means everything. Not every format can do that.
    pub tables: Vec<String>,
    /// Whether users and rights are restored too when nothing is selected.
    pub accounts: bool,
    /// How many connections restore at once, where the tool can; 0 means one.
    pub jobs: u16,
    /// Folder on the node with the tools; absent means that fitting ones are looked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tools: Option<String>,
    /// For a whole cluster: how far its server goes on with log from an archive, as [`RecoveryTarget`] is written. Absent means not at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// The settings file on the node of the archive that has the log; absent means the one that the task names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wal_archive: Option<String>,
    /// Secrets for that server as one sealed JSON object of strings.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secrets: Option<Sealed>,
}

impl DatabaseRestore {
    /// How far a restored cluster goes on. An archive that is named without a moment means as far as it goes.
    pub fn recovery_target(&self) -> Result<Option<RecoveryTarget>> {
        match (&self.until, &self.wal_archive) {
            (Some(until), _) => until.parse().map(Some),
            (None, Some(_)) => Ok(Some(RecoveryTarget::Latest)),
            (None, None) => Ok(None),
        }
    }

    /// What can be seen to be wrong, by field below `at`.
    pub fn wrong(&self, at: &str) -> Vec<FieldError> {
        let mut errors: Vec<_> = self
            .server
            .iter()
            .flat_map(|server| server.wrong(&format!("{at}.server")))
            .collect();
        let mut wrong = |field: &str, message: &str| {
            errors.push(FieldError {
                field: format!("{at}.{field}"),
                message: message.to_owned(),
            });
        };
        if self
            .rename
            .as_deref()
            .is_some_and(|name| name.is_empty() || name.contains(['\0', '\n']) || name.len() > 4095)
        {
            wrong("rename", "is no name of a database");
        }
        if self.tables.len() > 1000
            || self
                .tables
                .iter()
                .any(|table| table.is_empty() || table.len() > 512)
        {
            wrong("tables", "must be at most 1000 names of 1 to 512 bytes");
        }
        if self.jobs > 64 {
            wrong("jobs", "must be at most 64");
        }
        for (field, path) in [("tools", &self.tools), ("walArchive", &self.wal_archive)] {
            if path.as_deref().and_then(no_path).is_some() {
                wrong(field, "is not an absolute path");
            }
        }
        if let Err(error) = self.recovery_target() {
            wrong("until", error.message());
        }
        errors
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names_are_plain_and_never_twice() {
        let dumps: Vec<_> = [
            "orders",
            "Orders",
            "a/b",
            "a b",
            "grün",
            "",
            "/var/lib/app.db",
            &"x".repeat(300),
            &"x".repeat(301),
        ]
        .into_iter()
        .map(|name| Dump::database(name, DumpFormat::PostgresqlCustom))
        .collect();
        let names = file_names(&dumps);
        assert_eq!(
            names[..7],
            [
                "orders.dump",
                "Orders~2.dump",
                "a_b.dump",
                "a_b~2.dump",
                "grün.dump",
                "unnamed.dump",
                "var_lib_app.db.dump"
            ]
        );
        assert_eq!(names[8], format!("{}~2.dump", "x".repeat(100)));
    }
}
