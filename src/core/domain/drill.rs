//! Drills: a backup restored into a throw-away place, asked whether it holds what it should, and dropped again.

use super::database::{Server, no_path};
use super::id::{NodeId, OperationId};
use super::report::Failure;
use super::secret::Sealed;
use super::source::SourceSpec;
use crate::FieldError;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;

/// The name of the secret of a task that signs in to the scratch server of its drill.
pub const DRILL_PASSWORD: &str = "drillPassword";
/// What the names of scratch databases begin with. Nothing without it is ever dropped by a drill.
pub const SCRATCH_PREFIX: &str = "backupx_drill_";
/// Bytes of a name that every kind of server takes.
const MOST_NAME: usize = 63;
/// Words that a question may begin with.
const QUESTIONS: [&str; 4] = ["select", "with", "values", "table"];
/// Characters of an answer that are kept.
const MOST_ANSWER: usize = 500;

/// How a backup is drilled.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct DrillSpec {
    /// The node that does it; absent means the one that made the backup.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node_id: Option<NodeId>,
    /// Where to; absent means what fits the kind of source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<DrillPlace>,
    /// Names of databases or globs of archived paths; empty means everything.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub only: Vec<String>,
    /// What has to hold of what was restored.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub assertions: Vec<Assertion>,
    /// How long it may take; absent means a day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_limit_secs: Option<u64>,
    /// Secrets for the scratch server as one sealed JSON object of strings, when a request brought some. Never in a task.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secrets: Option<Sealed>,
}

/// Where a drill restores into.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase", deny_unknown_fields)]
pub enum DrillPlace {
    /// A folder below the agent's own folder for temporary files.
    Folder,
    /// Databases with names of our own on a server.
    #[serde(rename_all = "camelCase")]
    Server {
        /// The server; absent means the one that was backed up.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        server: Option<Server>,
        /// Folder on the node with the tools; absent means that fitting ones are looked for.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        tools: Option<String>,
    },
    /// A server that the node starts for the drill from its own programs, and stops behind it.
    #[serde(rename_all = "camelCase")]
    Throwaway {
        /// Folder on the node with the programs; absent means that fitting ones are looked for.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        tools: Option<String>,
    },
}

impl DrillPlace {
    /// Its name in JSON.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Folder => "folder",
            Self::Server { .. } => "server",
            Self::Throwaway { .. } => "throwaway",
        }
    }

    /// The place of a drill that names none.
    pub fn usual(source: &SourceSpec) -> Self {
        match source {
            SourceSpec::File { .. } | SourceSpec::Sqlite(_) => Self::Folder,
            SourceSpec::Mysql(_) | SourceSpec::Postgresql(_) => Self::Throwaway { tools: None },
            SourceSpec::Mongodb(_) | SourceSpec::Saphana(_) => Self::Server {
                server: None,
                tools: None,
            },
        }
    }
}

/// Something that has to hold of what was restored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase", deny_unknown_fields)]
pub enum Assertion {
    /// A question whose first value is true, `t` or a number other than zero.
    #[serde(rename_all = "camelCase")]
    Sql {
        /// The database, as it was called when it was backed up.
        database: String,
        /// One statement that only reads.
        query: String,
        /// What it means, for people.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
    },
    /// A path is there.
    Path {
        /// As it is archived, with or without its first `/`.
        path: String,
    },
    /// A table has about as many rows as it had when the backup was made.
    #[serde(rename_all = "camelCase")]
    Rows {
        /// The database, as it was called when it was backed up.
        database: String,
        /// The table, as `table` or `schema.table`.
        table: String,
        /// By how many percent of the count at the backup the two may differ.
        within: u16,
    },
}

impl fmt::Display for Assertion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sql {
                name: Some(name), ..
            } => f.write_str(name),
            Self::Sql {
                database, query, ..
            } => write!(f, "{database}: {query}"),
            Self::Path { path } => write!(f, "{path} is there"),
            Self::Rows {
                database,
                table,
                within,
            } => write!(f, "{database}.{table} has its rows within {within} %"),
        }
    }
}

impl DrillSpec {
    /// Most assertions of a drill.
    pub const MAX_ASSERTIONS: usize = 100;
    /// How long a drill may take when nobody said.
    pub const TIME_LIMIT_SECS: u64 = 24 * 60 * 60;

    /// Where it restores a backup of `source` into.
    pub fn place(&self, source: &SourceSpec) -> DrillPlace {
        self.place
            .clone()
            .unwrap_or_else(|| DrillPlace::usual(source))
    }

    /// How long it may take, in seconds.
    pub fn time_limit_secs(&self) -> u64 {
        self.time_limit_secs.unwrap_or(Self::TIME_LIMIT_SECS)
    }

    /// What a backup needs to know of it: the rows that are to be counted. Nothing when there are none.
    pub fn counting(&self) -> Option<Box<Self>> {
        let is_rows = |assertion: &&Assertion| matches!(assertion, Assertion::Rows { .. });
        let assertions: Vec<_> = self.assertions.iter().filter(is_rows).cloned().collect();
        (!assertions.is_empty()).then(|| {
            Box::new(Self {
                assertions,
                ..Self::default()
            })
        })
    }

    /// The tables of `database` whose rows are counted at the backup; of all databases when none is named.
    pub fn counted<'a>(
        &'a self,
        database: Option<&'a str>,
    ) -> impl Iterator<Item = (&'a str, &'a str)> {
        let counted = self
            .assertions
            .iter()
            .filter_map(move |assertion| match assertion {
                Assertion::Rows {
                    database: its,
                    table,
                    ..
                } if database.is_none_or(|database| database == its) => {
                    Some((its.as_str(), table.as_str()))
                }
                Assertion::Rows { .. } | Assertion::Sql { .. } | Assertion::Path { .. } => None,
            });
        counted.collect::<BTreeSet<_>>().into_iter()
    }

    /// What can be seen to be wrong with it for a backup of `source`, by field below `at`.
    pub fn wrong(&self, at: &str, source: &SourceSpec) -> Vec<FieldError> {
        let mut errors = Vec::new();
        let mut wrong = |field: String, message: String| {
            errors.push(FieldError {
                field: format!("{at}.{field}"),
                message,
            });
        };
        let place = self.place(source);
        if let Some(why) = unfit(&place, source) {
            wrong("place".to_owned(), why);
        }
        if let DrillPlace::Server { tools, .. } | DrillPlace::Throwaway { tools } = &place
            && let Some(why) = tools.as_deref().and_then(no_path)
        {
            wrong("place.tools".to_owned(), why);
        }
        if self.only.len() > 1000
            || (self.only.iter()).any(|name| name.is_empty() || name.len() > 4095)
        {
            let message = "must be at most 1000 names or patterns of 1 to 4095 bytes";
            wrong("only".to_owned(), message.to_owned());
        }
        if is_physical(source) && !self.only.is_empty() {
            let message = "a physical copy is restored as a whole: leave this out";
            wrong("only".to_owned(), message.to_owned());
        }
        if self.time_limit_secs == Some(0) {
            wrong("timeLimitSecs".to_owned(), "must be at least 1".to_owned());
        }
        if self.assertions.len() > Self::MAX_ASSERTIONS {
            let message = format!(
                "{} are more than the {} that a drill can have",
                self.assertions.len(),
                Self::MAX_ASSERTIONS
            );
            wrong("assertions".to_owned(), message);
        }
        for (number, assertion) in self.assertions.iter().enumerate() {
            if let Some((field, why)) = assertion.wrong(source) {
                wrong(format!("assertions[{number}].{field}"), why);
            }
        }
        if let DrillPlace::Server {
            server: Some(server),
            ..
        } = &place
        {
            errors.extend(server.wrong(&format!("{at}.place.server")));
        }
        errors
    }
}

fn is_physical(source: &SourceSpec) -> bool {
    use super::database::PostgresqlFormat;
    matches!(source, SourceSpec::Postgresql(source) if source.format == PostgresqlFormat::Physical)
}

/// Why a backup of `source` can't be drilled there, if it can't.
fn unfit(place: &DrillPlace, source: &SourceSpec) -> Option<String> {
    let why = match (place, source) {
        (DrillPlace::Folder, SourceSpec::File { .. } | SourceSpec::Sqlite(_))
        | (DrillPlace::Throwaway { .. }, SourceSpec::Mysql(_) | SourceSpec::Postgresql(_))
        | (DrillPlace::Server { .. }, SourceSpec::Mysql(_) | SourceSpec::Mongodb(_)) => {
            return None;
        }
        (DrillPlace::Server { .. }, SourceSpec::Postgresql(_)) if !is_physical(source) => {
            return None;
        }
        (DrillPlace::Server { .. }, SourceSpec::Postgresql(_)) => {
            "a physical copy is a whole server: it comes up as a throw-away server alone"
        }
        (_, SourceSpec::Saphana(_)) => {
            "backups of SAP HANA are drilled by hand: restore a tenant under another name and look at it"
        }
        (DrillPlace::Server { .. } | DrillPlace::Throwaway { .. }, _) if !source.is_database() => {
            "files are drilled in a folder"
        }
        (DrillPlace::Server { .. } | DrillPlace::Throwaway { .. }, SourceSpec::Sqlite(_)) => {
            "SQLite files are drilled in a folder"
        }
        (DrillPlace::Throwaway { .. }, _) => {
            "no throw-away server of this type can be started; name a server"
        }
        (DrillPlace::Folder | DrillPlace::Server { .. }, _) => {
            "dumps in a folder prove less than a full verification does; name a server or a throw-away one"
        }
    };
    Some(why.to_owned())
}

impl Assertion {
    /// The field that is wrong with it, and why, if something is.
    fn wrong(&self, source: &SourceSpec) -> Option<(&'static str, String)> {
        let said = |field, why: &str| Some((field, why.to_owned()));
        let is_files = !source.is_database();
        match self {
            Self::Path { path } if !is_files => said(
                "type",
                &format!("{path} is a path, and the task reads databases; ask with sql"),
            ),
            Self::Path { path } if path.trim_matches('/').is_empty() || path.len() > 4095 => {
                said("path", "must be a path of 1 to 4095 bytes")
            }
            Self::Path { path }
                if path.split('/').any(|part| part == "..") || path.contains('\0') =>
            {
                said("path", "must have no '..' and no zero")
            }
            Self::Path { .. } => None,
            Self::Sql { .. } | Self::Rows { .. } if is_files => said(
                "type",
                "the task reads files, and they answer no SQL; ask for a path",
            ),
            Self::Sql { .. } | Self::Rows { .. } if matches!(source, SourceSpec::Mongodb(_)) => {
                said(
                    "type",
                    "MongoDB answers no questions here: that it restores is all that a drill of it proves",
                )
            }
            Self::Sql { database, .. } | Self::Rows { database, .. }
                if database.is_empty() || database.len() > 4095 =>
            {
                said("database", "must be the name of a database")
            }
            Self::Sql {
                name: Some(name), ..
            } if name.is_empty() || name.chars().count() > 200 => {
                said("name", "must have 1 to 200 characters")
            }
            Self::Sql { query, .. } => no_question(query).map(|why| ("query", why)),
            Self::Rows { table, .. }
                if table.is_empty() || table.len() > 512 || table.contains('\0') =>
            {
                said("table", "must be a table or schema.table of 1 to 512 bytes")
            }
            Self::Rows { within, .. } if *within > 100 => {
                said("within", "must be 0 to 100 percent")
            }
            Self::Rows { .. } => None,
        }
    }
}

/// Why a text is no single statement that reads. What it does beyond that is refused by the server, in a transaction that only reads.
fn no_question(query: &str) -> Option<String> {
    let text = query.trim().trim_end_matches(';').trim_end();
    if text.is_empty() || text.len() > 10_000 || text.contains('\0') {
        return Some("must have 1 to 10000 bytes".to_owned());
    }
    let first: String = (text.chars())
        .take_while(char::is_ascii_alphabetic)
        .collect();
    if !QUESTIONS.contains(&first.to_ascii_lowercase().as_str()) {
        return Some(format!("must begin with {}", QUESTIONS.join(", ")));
    }
    if text.contains(';') {
        return Some("must be one statement: it may hold no ';'".to_owned());
    }
    let lower = text.to_ascii_lowercase();
    if lower.contains("outfile") || lower.contains("dumpfile") {
        return Some("must write no file".to_owned());
    }
    None
}

/// `query` as it is asked: without what ends a statement.
pub fn question(query: &str) -> &str {
    query.trim().trim_end_matches(';').trim_end()
}

/// Whether the first value of a question's answer says that it holds.
pub fn holds(answer: &str) -> bool {
    let answer = answer.trim();
    match answer.to_ascii_lowercase().as_str() {
        "t" | "true" => true,
        _ => answer
            .parse::<f64>()
            .is_ok_and(|number| number != 0.0 && !number.is_nan()),
    }
}

/// Names for the scratch databases of a drill, in the order of `names`: with our prefix, and each only once.
pub fn scratch_names<'a>(
    operation: OperationId,
    names: impl IntoIterator<Item = &'a str>,
) -> Vec<String> {
    let begin = scratch_begin(operation);
    let mut scratch: Vec<String> = Vec::new();
    for name in names {
        let mut number = 1;
        loop {
            let end = match number {
                1 => String::new(),
                number => format!("~{number}"),
            };
            let mut room = (MOST_NAME - begin.len() - end.len()).min(name.len());
            while !name.is_char_boundary(room) {
                room -= 1;
            }
            let candidate = format!("{begin}{}{end}", &name[..room]);
            // Upper and lower case are one name on some servers.
            let lower = candidate.to_lowercase();
            if scratch.iter().all(|taken| taken.to_lowercase() != lower) {
                scratch.push(candidate);
                break;
            }
            number += 1;
        }
    }
    scratch
}

/// Whether a database is one of a drill, and may be dropped by one.
pub fn is_scratch(name: &str) -> bool {
    name.starts_with(SCRATCH_PREFIX)
}

/// What the names of all scratch databases of a drill begin with.
pub fn scratch_begin(operation: OperationId) -> String {
    format!("{SCRATCH_PREFIX}{operation}_")
}

/// How many rows a table had when it was backed up. Part of the storage format.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RowCount {
    /// The database.
    pub database: String,
    /// The table, as the task names it.
    pub table: String,
    /// Its rows.
    pub rows: u64,
}

/// What came of a drill: the evidence.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct DrillReport {
    /// Where it was restored into: `folder`, `server`, `throwaway`.
    pub place: String,
    /// The server, for people: `postgresql on db.example:5432`, or which programs made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// The databases that were restored, as they were called when they were backed up.
    pub databases: Vec<String>,
    /// Entries restored; of databases the dumps.
    pub restored_entries: u64,
    /// Bytes of content restored.
    pub restored_bytes: u64,
    /// Bytes read from storage.
    pub stored_bytes_read: u64,
    /// How long making the place took.
    pub prepare_ms: u64,
    /// How long the restore took.
    pub restore_ms: u64,
    /// How long all assertions took.
    pub assertions_ms: u64,
    /// How long the whole took, with what was cleared away.
    pub total_ms: u64,
    /// Each assertion, in order, as far as it came.
    pub answers: Vec<DrillAnswer>,
    /// The first hundred things that were not as they should be and fail nothing.
    pub warnings: Vec<String>,
    /// Why it came to no end, each as a sentence.
    pub problems: Vec<String>,
}

/// What an assertion came to.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct DrillAnswer {
    /// The assertion, for people.
    pub assertion: String,
    /// Whether it holds.
    pub ok: bool,
    /// What was answered, or why nothing was.
    pub answer: String,
    /// What it was compared with, where that is not in the assertion.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    /// How long it took.
    pub duration_ms: u64,
}

impl DrillAnswer {
    /// What an assertion came to; a long answer is cut.
    pub fn new(assertion: &Assertion, ok: bool, answer: &str, duration_ms: u64) -> Self {
        let mut kept: String = answer.chars().take(MOST_ANSWER).collect();
        if kept.len() < answer.len() {
            kept.push('…');
        }
        Self {
            assertion: assertion.to_string(),
            ok,
            answer: kept,
            expected: None,
            duration_ms,
        }
    }
}

impl DrillReport {
    /// The code of a drill that did not hold.
    pub const FAILED: &'static str = "drill_failed";

    /// Why it did not hold, if it did not.
    pub fn failure(&self) -> Option<Failure> {
        if let Some(problem) = self.problems.first() {
            return Some(Failure::new(
                Self::FAILED,
                format!("the drill came to no end: {problem}"),
            ));
        }
        let bad: Vec<_> = self.answers.iter().filter(|answer| !answer.ok).collect();
        if let Some(first) = bad.first() {
            let expected = match &first.expected {
                Some(expected) => format!(", expected {expected}"),
                None => String::new(),
            };
            return Some(Failure::new(
                Self::FAILED,
                format!(
                    "{} of {} assertions do not hold; the first: {:?} answered {}{expected}",
                    bad.len(),
                    self.answers.len(),
                    first.assertion,
                    first.answer
                ),
            ));
        }
        (self.restored_entries == 0)
            .then(|| Failure::new(Self::FAILED, "the drill restored nothing"))
    }
}

#[cfg(test)]
#[path = "drill_tests.rs"]
mod tests;
