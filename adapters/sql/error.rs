//! Driver errors as errors of the core: the one place that knows what a database says when something goes wrong.

use backupx_core::{Error, ErrorKind};
use sqlx::error::DatabaseError;

/// What any statement may fail with.
pub(crate) fn store(error: sqlx::Error) -> Error {
    let (kind, code, message) = classify(&error);
    Error::new(kind, code, message).with_source(error)
}

/// Like [`store`], but a name that is in use is a conflict with `code` and the sentence that `message` makes.
pub(crate) fn taken(
    code: &'static str,
    message: impl FnOnce() -> String,
) -> impl FnOnce(sqlx::Error) -> Error {
    move |error| match error.as_database_error() {
        Some(database) if database.is_unique_violation() => Error::conflict(code, message()),
        _ => store(error),
    }
}

/// Like [`store`], but a row that others still refer to is a conflict with `code` and `message`.
pub(crate) fn in_use(
    code: &'static str,
    message: impl FnOnce() -> String,
) -> impl FnOnce(sqlx::Error) -> Error {
    move |error| match error.as_database_error() {
        Some(database) if database.is_foreign_key_violation() => Error::conflict(code, message()),
        _ => store(error),
    }
}

/// A stored value that this program did not write or can no longer read.
pub(crate) fn unreadable(column: &str, why: impl std::fmt::Display) -> Error {
    Error::internal(format!("column {column} holds what can't be read: {why}"))
}

fn classify(error: &sqlx::Error) -> (ErrorKind, &'static str, &'static str) {
    use ErrorKind::{Internal, Unavailable};
    match error {
        sqlx::Error::Database(database) => classify_answer(database.as_ref()),
        sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed => (
            Unavailable,
            "store_unavailable",
            "the database is too busy or closed",
        ),
        sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::WorkerCrashed => (
            Unavailable,
            "store_unavailable",
            "the database does not answer",
        ),
        _ => (Internal, "internal", "the database refused a statement"),
    }
}

fn classify_answer(error: &dyn DatabaseError) -> (ErrorKind, &'static str, &'static str) {
    use ErrorKind::{Internal, Unavailable};
    let code = error.code().unwrap_or_default();
    match primary_sqlite_code(&code) {
        Some(5 | 6) => (
            Unavailable,
            "store_unavailable",
            "another process keeps the database locked",
        ),
        Some(8) => (
            Unavailable,
            "store_read_only",
            "the database can't be written: it is read-only",
        ),
        Some(10 | 14) => (
            Unavailable,
            "store_unavailable",
            "the database file can't be read or written",
        ),
        Some(13) => (
            Unavailable,
            "store_full",
            "the disk that holds the database is full: make room, nothing that was stored is lost",
        ),
        Some(11 | 26) => (
            Internal,
            "store_damaged",
            "the database file is damaged or no SQLite database",
        ),
        Some(_) => (Internal, "internal", "the database refused a statement"),
        None if is_refused_by_pooler(error) => (
            Unavailable,
            "pooler_refused",
            "the pooler before the database refuses what the driver asks for: let it ignore that (PgBouncer: ignore_startup_parameters = extra_float_digits)",
        ),
        None => classify_sqlstate(&code),
    }
}

/// A pooler knows only some of the settings that a connection may begin with.
fn is_refused_by_pooler(error: &dyn DatabaseError) -> bool {
    error.message().contains("unsupported startup parameter")
}

/// SQLite answers numbers whose lower byte is the primary code; Postgres answers five characters.
fn primary_sqlite_code(code: &str) -> Option<u32> {
    (code.len() < 5)
        .then(|| code.parse::<u32>().ok())
        .flatten()
        .map(|code| code & 0xff)
}

fn classify_sqlstate(code: &str) -> (ErrorKind, &'static str, &'static str) {
    use ErrorKind::{Internal, Unavailable};
    match code {
        "53100" => (
            Unavailable,
            "store_full",
            "the disk that holds the database is full: make room, nothing that was stored is lost",
        ),
        _ if ["08", "40", "53", "57"]
            .iter()
            .any(|class| code.starts_with(class)) =>
        {
            (
                Unavailable,
                "store_unavailable",
                "the database does not answer",
            )
        }
        _ => (Internal, "internal", "the database refused a statement"),
    }
}
