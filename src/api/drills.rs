//! Drills: a backup restored into a throw-away place, asked whether it holds what it should, and dropped again.

use crate::sources::Server;
use backupx_core::domain::drill;
use backupx_core::domain::id::NodeId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How a backup is drilled.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Drill {
    /// The node that does it; absent means the one that made the backup.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node_id: Option<i64>,
    /// Where to; absent means a folder for files and SQLite, a throw-away server for PostgreSQL and MySQL, the task's server for MongoDB.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<DrillPlace>,
    /// Names of databases or globs of archived paths; empty means everything.
    pub only: Vec<String>,
    /// What has to hold of what was restored; at most 100.
    pub assertions: Vec<Assertion>,
    /// How long it may take, in seconds; absent means a day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_limit_secs: Option<u64>,
}

/// Where a drill restores into.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "camelCase", deny_unknown_fields)]
pub enum DrillPlace {
    /// A folder below the agent's own folder for temporary files.
    Folder,
    /// Databases `backupx_drill_…` on a server.
    #[serde(rename_all = "camelCase")]
    Server {
        /// The server; absent means the one that was backed up. Another one's password is the secret `drillPassword` of a task, or
        /// `password` of a request.
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

/// Something that has to hold of what was restored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = DrillAssertion)]
pub enum Assertion {
    /// A question whose first value is true, `t` or a number other than zero.
    #[serde(rename_all = "camelCase")]
    Sql {
        /// The database, as it was called when it was backed up; for SQLite the path of its file.
        database: String,
        /// One statement that only reads: it begins with SELECT, WITH, VALUES or TABLE and holds no `;`.
        query: String,
        /// What it means, for people.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
    },
    /// A path is there.
    Path {
        /// As it is archived.
        path: String,
    },
    /// A table has about as many rows as it had when the backup was made; counted from the first run on whose task asks for it.
    #[serde(rename_all = "camelCase")]
    Rows {
        /// The database, as it was called when it was backed up.
        database: String,
        /// The table, as `table` or `schema.table`.
        table: String,
        /// By how many percent of the count at the backup the two may differ, 0 to 100.
        within: u16,
    },
}

impl From<Drill> for drill::DrillSpec {
    fn from(drill: Drill) -> Self {
        Self {
            node_id: drill.node_id.map(NodeId),
            place: drill.place.map(Into::into),
            only: drill.only,
            assertions: drill.assertions.into_iter().map(Into::into).collect(),
            time_limit_secs: drill.time_limit_secs,
            secrets: None,
        }
    }
}

impl From<drill::DrillSpec> for Drill {
    fn from(drill: drill::DrillSpec) -> Self {
        Self {
            node_id: drill.node_id.map(|id| id.0),
            place: drill.place.map(Into::into),
            only: drill.only,
            assertions: drill.assertions.into_iter().map(Into::into).collect(),
            time_limit_secs: drill.time_limit_secs,
        }
    }
}

impl From<DrillPlace> for drill::DrillPlace {
    fn from(place: DrillPlace) -> Self {
        match place {
            DrillPlace::Folder => Self::Folder,
            DrillPlace::Server { server, tools } => Self::Server {
                server: server.map(Into::into),
                tools,
            },
            DrillPlace::Throwaway { tools } => Self::Throwaway { tools },
        }
    }
}

impl From<drill::DrillPlace> for DrillPlace {
    fn from(place: drill::DrillPlace) -> Self {
        match place {
            drill::DrillPlace::Folder => Self::Folder,
            drill::DrillPlace::Server { server, tools } => Self::Server {
                server: server.map(Into::into),
                tools,
            },
            drill::DrillPlace::Throwaway { tools } => Self::Throwaway { tools },
        }
    }
}

impl From<Assertion> for drill::Assertion {
    fn from(assertion: Assertion) -> Self {
        match assertion {
            Assertion::Sql {
                database,
                query,
                name,
            } => Self::Sql {
                database,
                query,
                name,
            },
            Assertion::Path { path } => Self::Path { path },
            Assertion::Rows {
                database,
                table,
                within,
            } => Self::Rows {
                database,
                table,
                within,
            },
        }
    }
}

impl From<drill::Assertion> for Assertion {
    fn from(assertion: drill::Assertion) -> Self {
        match assertion {
            drill::Assertion::Sql {
                database,
                query,
                name,
            } => Self::Sql {
                database,
                query,
                name,
            },
            drill::Assertion::Path { path } => Self::Path { path },
            drill::Assertion::Rows {
                database,
                table,
                within,
            } => Self::Rows {
                database,
                table,
                within,
            },
        }
    }
}

/// What came of a drill: the evidence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DrillReport {
    /// Where it was restored into: `folder`, `server`, `throwaway`.
    pub place: String,
    /// The server, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DrillAnswer {
    /// The assertion, for people.
    pub assertion: String,
    /// Whether it holds.
    pub ok: bool,
    /// What was answered, or why nothing was.
    pub answer: String,
    /// What it was compared with, where that is not in the assertion.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    /// How long it took.
    pub duration_ms: u64,
}

impl From<drill::DrillReport> for DrillReport {
    fn from(report: drill::DrillReport) -> Self {
        Self {
            place: report.place,
            server: report.server,
            databases: report.databases,
            restored_entries: report.restored_entries,
            restored_bytes: report.restored_bytes,
            stored_bytes_read: report.stored_bytes_read,
            prepare_ms: report.prepare_ms,
            restore_ms: report.restore_ms,
            assertions_ms: report.assertions_ms,
            total_ms: report.total_ms,
            answers: report.answers.into_iter().map(Into::into).collect(),
            warnings: report.warnings,
            problems: report.problems,
        }
    }
}

impl From<drill::DrillAnswer> for DrillAnswer {
    fn from(answer: drill::DrillAnswer) -> Self {
        Self {
            assertion: answer.assertion,
            ok: answer.ok,
            answer: answer.answer,
            expected: answer.expected,
            duration_ms: answer.duration_ms,
        }
    }
}
