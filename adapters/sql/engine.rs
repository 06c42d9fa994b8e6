//! Engines: which database it is, and the few words in which they differ.

use sqlx::{AssertSqlSafe, SqlSafeStr, SqlStr};

/// Stands in a statement behind the choice of rows that several callers may want to change at once.
macro_rules! lock {
    () => {
        "/* lock */"
    };
}
pub(crate) use lock;

/// Which database it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Engine {
    /// One file, one writer at a time.
    Sqlite,
    /// A server that several masters share.
    Postgres,
}

impl Engine {
    /// How a transaction that writes begins. SQLite takes the writer's lock at once, so that it can't fail half-way for want of it.
    pub(crate) fn begin(self) -> &'static str {
        match self {
            Self::Sqlite => "BEGIN IMMEDIATE",
            Self::Postgres => "BEGIN",
        }
    }

    /// What makes a transaction the only one that migrates, where several masters may start at once. Any fixed number. The lock ends with
    /// the transaction.
    pub(crate) fn migrating(self) -> Option<&'static str> {
        match self {
            Self::Sqlite => None,
            Self::Postgres => Some("SELECT pg_advisory_xact_lock(8340001)"),
        }
    }

    /// A statement with [`lock`] in it: where writers run side by side, a row that another one has in hand is passed over.
    pub(crate) fn locking(self, statement: &'static str) -> SqlStr {
        match self {
            Self::Sqlite => statement.into_sql_str(),
            Self::Postgres => {
                let statement = statement.replace(lock!(), "FOR UPDATE SKIP LOCKED");
                AssertSqlSafe(statement).into_sql_str()
            }
        }
    }
}
