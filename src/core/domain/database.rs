//! Databases as sources: which server a task reads, which of its databases, and how it is reached.

use crate::FieldError;
use serde::{Deserialize, Serialize};

/// How a database server is reached. Passwords are no part of it: they are secrets of the task, or in a file of the node.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
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

/// Whether a connection to a database server is sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tls {
    /// Never.
    Off,
    /// When the server offers it; nobody is checked.
    #[default]
    Prefer,
    /// Always; the server's certificate is not checked.
    Require,
    /// Always, and the server's certificate must be good for its name.
    Verify,
}

impl Tls {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Off, Self::Prefer, Self::Require, Self::Verify];

    /// Its name in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Prefer => "prefer",
            Self::Require => "require",
            Self::Verify => "verify",
        }
    }
}

/// Which databases of a server. Looked up again at each run, so that new ones are not forgotten.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Selection {
    /// Names; empty means all but the server's own. One that is not there fails the run.
    pub only: Vec<String>,
    /// Names, or patterns with `*` and `?`, of what is left out.
    pub except: Vec<String>,
}

impl Selection {
    /// Whether a database that is there is read.
    pub fn takes(&self, name: &str) -> bool {
        let named = self.only.is_empty() || self.only.iter().any(|only| only == name);
        named && !self.except.iter().any(|pattern| matches(pattern, name))
    }

    /// The names that were asked for and are not among those that are there.
    pub fn missing<'a>(&'a self, there: &[&str]) -> Vec<&'a str> {
        let only = self.only.iter().map(String::as_str);
        only.filter(|name| !there.contains(name)).collect()
    }
}

/// Whether `name` is what `pattern` means: `*` stands for any characters, `?` for one, everything else for itself.
pub fn matches(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), name.chars().collect());
    let (mut at, mut seen) = (0, 0);
    // Where the last star was, and how much of the name it stands for so far.
    let mut star: Option<(usize, usize)> = None;
    while seen < name.len() {
        if pattern.get(at) == Some(&'*') {
            star = Some((at, seen));
            at += 1;
        } else if pattern
            .get(at)
            .is_some_and(|c| *c == '?' || *c == name[seen])
        {
            at += 1;
            seen += 1;
        } else if let Some((place, stood_for)) = star {
            star = Some((place, stood_for + 1));
            at = place + 1;
            seen = stood_for + 1;
        } else {
            return false;
        }
    }
    pattern[at..].iter().all(|c| *c == '*')
}

/// MySQL and MariaDB.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MysqlSource {
    /// How it is reached.
    #[serde(default)]
    pub server: Server,
    /// Which databases.
    #[serde(default)]
    pub databases: Selection,
    /// Whether users and their rights are kept beside the databases, where the sign-in may read them.
    #[serde(default = "super::task::yes")]
    pub accounts: bool,
    /// Folder on the node with the tools; absent means that they are looked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tools: Option<String>,
}

/// PostgreSQL, database by database or as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PostgresqlSource {
    /// How it is reached.
    #[serde(default)]
    pub server: Server,
    /// Which databases.
    #[serde(default)]
    pub databases: Selection,
    /// Whether roles and tablespaces are kept beside the databases, where the sign-in may read them.
    #[serde(default = "super::task::yes")]
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

/// How a PostgreSQL server is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum PostgresqlFormat {
    /// The archive of pg_dump, of which single tables can be restored.
    #[default]
    Custom,
    /// SQL text.
    Plain,
    /// The whole cluster as its files, which can go on to any moment with the log behind it.
    Physical,
}

impl PostgresqlSource {
    /// What can be seen to be wrong with the choice of a format, by field below `at`.
    pub fn wrong(&self, at: &str) -> Vec<FieldError> {
        let mut errors = Vec::new();
        let mut wrong = |field: &str, message: String| {
            errors.push(FieldError {
                field: format!("{at}.{field}"),
                message,
            });
        };
        let is_physical = self.format == PostgresqlFormat::Physical;
        if is_physical && self.databases != Selection::default() {
            let message = "a physical copy is always of the whole server: leave the databases out";
            wrong("databases", message.to_owned());
        }
        match &self.wal_archive {
            Some(_) if !is_physical => {
                let message = "is for physical copies: dumps of databases go on with no log";
                wrong("walArchive", message.to_owned());
            }
            Some(path) => {
                if let Some(why) = no_path(path) {
                    wrong("walArchive", why);
                }
            }
            None => {}
        }
        errors
    }
}

/// SQLite files.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SqliteSource {
    /// Absolute paths, or patterns of some, of database files. Looked up again at each run.
    pub paths: Vec<String>,
}

/// MongoDB.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
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

impl Server {
    /// What can be seen to be wrong without asking anybody, by field below `at`.
    pub fn wrong(&self, at: &str) -> Vec<FieldError> {
        let mut errors = Vec::new();
        let mut wrong = |field: &str, message: String| {
            errors.push(FieldError {
                field: format!("{at}.{field}"),
                message,
            });
        };
        if self.host.is_some() && self.socket.is_some() {
            wrong("socket", "name either a host or a socket".to_owned());
        }
        if self.port == Some(0) {
            wrong("port", "must be 1 to 65535".to_owned());
        }
        for (field, text) in [("host", &self.host), ("user", &self.user)] {
            if let Some(why) = text.as_deref().and_then(unfit) {
                wrong(field, why);
            }
        }
        // What begins with a dash would be an option of the tool that it is handed to.
        if self
            .host
            .as_deref()
            .is_some_and(|host| host.starts_with('-'))
        {
            wrong("host", "must not begin with '-'".to_owned());
        }
        for (field, path) in [
            ("socket", &self.socket),
            ("passwordFile", &self.password_file),
            ("tlsCa", &self.tls_ca),
        ] {
            if let Some(why) = path.as_deref().and_then(no_path) {
                wrong(field, why);
            }
        }
        errors
    }
}

impl Selection {
    /// What can be seen to be wrong, by field below `at`.
    pub fn wrong(&self, at: &str) -> Vec<FieldError> {
        let mut errors = Vec::new();
        for (field, names) in [("only", &self.only), ("except", &self.except)] {
            let field = format!("{at}.{field}");
            if names.len() > 1000 {
                let message = "has more than 1000 names".to_owned();
                errors.push(FieldError { field, message });
            } else if let Some(message) = names.iter().find_map(|name| unfit(name)) {
                errors.push(FieldError { field, message });
            }
        }
        errors
    }
}

/// Why `text` is no name that can be handed to a tool.
pub(super) fn unfit(text: &str) -> Option<String> {
    match text.len() {
        0 => Some("must not be empty".to_owned()),
        1..=512 if !text.contains(['\0', '\n', '\r']) => None,
        1..=512 => Some(format!("{text:?} has a line end or a NUL")),
        more => Some(format!("has {more} bytes, 512 at most are accepted")),
    }
}

/// Why `path` is no absolute path.
pub(crate) fn no_path(path: &str) -> Option<String> {
    if !path.starts_with('/') || path.contains('\0') {
        return Some(format!("{path:?} is not an absolute path"));
    }
    (path.len() > 4095)
        .then(|| format!("a path has {} bytes, 4095 at most are accepted", path.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_stand_for_names() {
        for (pattern, name) in [
            ("a", "a"),
            ("*", ""),
            ("*", "abc"),
            ("a*c", "abbc"),
            ("a?c", "aüc"),
            ("*_test", "x_test"),
            ("a*b*c", "axbxbc"),
        ] {
            assert!(matches(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [
            ("a", "b"),
            ("a?", "a"),
            ("a*c", "abcd"),
            ("", "a"),
            ("[ab]", "a"),
        ] {
            assert!(!matches(pattern, name), "{pattern} {name}");
        }
    }

    #[test]
    fn a_selection_takes_what_it_names_and_nothing_it_leaves_out() {
        let all = Selection::default();
        assert!(all.takes("orders"));
        let some = Selection {
            only: vec!["orders".to_owned(), "test_1".to_owned(), "gone".to_owned()],
            except: vec!["test_*".to_owned()],
        };
        assert!(some.takes("orders") && !some.takes("test_1") && !some.takes("other"));
        assert_eq!(some.missing(&["orders", "test_1"]), ["gone"]);
    }

    #[test]
    fn a_host_is_no_option_of_a_tool() {
        let server = Server {
            host: Some("--help".to_owned()),
            socket: Some("relative".to_owned()),
            ..Server::default()
        };
        let fields: Vec<_> = server
            .wrong("source.server")
            .into_iter()
            .map(|error| error.field)
            .collect();
        assert_eq!(
            fields,
            [
                "source.server.socket",
                "source.server.host",
                "source.server.socket"
            ]
        );
    }
}
