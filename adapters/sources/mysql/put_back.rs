//! Putting back: a database is made, filled by the client up to the first error, and dropped again when that fails.

use super::restored::Restored;
use super::session::{Session, refused};
use super::sql;
use backupx_core::domain::log::Level;
use backupx_core::ports::dumps::{Existing, Notes, PutBack};
use backupx_core::ports::source::StopFlag;
use backupx_core::{Error, Result};
use std::io::Read;

/// A database that is there already.
struct There {
    /// Tables, views, routines and events in it.
    things: u64,
    /// How it is made again as it was.
    make: String,
}

/// Restores the dump of `database` from `input`.
pub(super) fn put_back(
    session: &Session,
    database: &str,
    input: &mut dyn Read,
    how: &PutBack,
    notes: &dyn Notes,
    stop: &StopFlag,
) -> Result<()> {
    let name = &how.name;
    if sql::is_own(name) {
        return Err(Error::invalid(
            "unsupported",
            format!(
                "{name} belongs to the server itself and is never restored into: choose another name"
            ),
        ));
    }
    let there = look(session, name, stop)?;
    let make = format!("CREATE DATABASE {}", sql::name(name));
    let drop = format!("DROP DATABASE IF EXISTS {}", sql::name(name));
    // What is left when the restore fails: nothing, or the empty database that was there.
    let mut undo = drop.clone();
    match (&there, how.existing) {
        (Some(there), Existing::Refuse) if there.things > 0 => {
            return Err(Error::conflict(
                "database_exists",
                format!(
                    "there is a database {name} with {} tables, views, routines or events: restore under another name, or say that it is replaced",
                    there.things
                ),
            ));
        }
        (Some(there), Existing::Refuse) => undo = format!("{drop}; {}", there.make),
        (Some(_), Existing::Replace) => {
            session
                .ask(&format!("{drop}; {make}"), stop)
                .map_err(failed)?;
        }
        (None, Existing::Refuse | Existing::Replace) => {
            session.ask(&make, stop).map_err(failed)?;
        }
    }
    let outcome = fill(session, database, input, how, notes, stop);
    if outcome.is_err() {
        // The run may have been stopped; cleaning up is not.
        match session.ask(&undo, &StopFlag::default()) {
            Ok(_) => notes.log(
                Level::Info,
                format!("what was restored of {name} has been removed again"),
            ),
            Err(error) => notes.warn(format!(
                "what was restored of {name} could not be removed again and is not whole: {}",
                error.message()
            )),
        }
    }
    outcome
}

fn fill(
    session: &Session,
    database: &str,
    input: &mut dyn Read,
    how: &PutBack,
    notes: &dyn Notes,
    stop: &StopFlag,
) -> Result<()> {
    let mut dump = Restored::new(input, database, &how.name, &how.tables);
    let said = |line: &str| notes.log(Level::Warn, format!("{}: {line}", how.name));
    let ended = session
        .client()
        // Without the first, a dump could tell the client to run programs; without the second, routines lose their comments.
        .args(["--binary-mode", "--comments", "--max-allowed-packet=1G"])
        .arg(format!("--database={}", how.name))
        .write(&mut dump, &said, stop)?;
    if !ended.status.success() {
        return Err(failed(refused(
            &ended.failure("the client"),
            "restore_failed",
        )));
    }
    if !dump.ended() {
        return Err(Error::invalid(
            "restore_failed",
            "the dump is not whole: it ends before its end marker",
        ));
    }
    let missing = dump.missing();
    if !missing.is_empty() {
        return Err(Error::invalid(
            "source_missing",
            format!(
                "the dump of {database} holds no table {}",
                missing.join(", ")
            ),
        ));
    }
    let expected = dump.tables();
    let tables = count(
        session,
        "TABLES",
        "TABLE_SCHEMA",
        &how.name,
        " AND TABLE_TYPE NOT IN ('VIEW', 'SEQUENCE')",
        stop,
    )?;
    if tables < expected {
        return Err(Error::invalid(
            "restore_failed",
            format!("the dump holds {expected} tables, and {tables} are there after the restore"),
        ));
    }
    notes.log(
        Level::Info,
        format!("{} restored with {expected} tables", how.name),
    );
    Ok(())
}

/// The database `name` as it is now.
fn look(session: &Session, name: &str, stop: &StopFlag) -> Result<Option<There>> {
    let question = format!(
        "SELECT DEFAULT_CHARACTER_SET_NAME, DEFAULT_COLLATION_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = {}",
        sql::text(name)
    );
    let answer = session.ask(&question, stop)?;
    let Some([set, collation]) = answer.first().map(Vec::as_slice) else {
        return Ok(None);
    };
    let mut things = 0;
    for (table, column) in [
        ("TABLES", "TABLE_SCHEMA"),
        ("ROUTINES", "ROUTINE_SCHEMA"),
        ("EVENTS", "EVENT_SCHEMA"),
    ] {
        things += count(session, table, column, name, "", stop)?;
    }
    Ok(Some(There {
        things,
        make: format!(
            "CREATE DATABASE {} CHARACTER SET {set} COLLATE {collation}",
            sql::name(name)
        ),
    }))
}

fn count(
    session: &Session,
    table: &str,
    column: &str,
    name: &str,
    more: &str,
    stop: &StopFlag,
) -> Result<u64> {
    let question = format!(
        "SELECT COUNT(*) FROM information_schema.{table} WHERE {column} = {}{more}",
        sql::text(name)
    );
    session
        .ask_one(&question, stop)?
        .and_then(|count| count.parse().ok())
        .ok_or_else(|| Error::unavailable("database_unreachable", "the server answered no count"))
}

/// An error of a statement, as one of the restore.
fn failed(error: Error) -> Error {
    match error.code() {
        // The last one is what the server says of things that a dump names and that are not there.
        "dump_failed" | "source_missing" => {
            Error::invalid("restore_failed", error.message().to_owned())
        }
        _ => error,
    }
}
