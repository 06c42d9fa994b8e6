//! Reading: one database as the SQL that its own tool writes, and what shows that it is whole.

use super::session::{Session, refused};
use super::sql;
use super::tools::{Found, Maker, Version};
use crate::tool::{Ends, Tool, lift};
use backupx_core::domain::log::Level;
use backupx_core::ports::dumps::Notes;
use backupx_core::ports::source::StopFlag;
use backupx_core::{Error, Result};
use std::io::Write;
use std::sync::Mutex;
use std::sync::PoisonError;

/// What the last line of a whole dump begins with.
pub(super) const END: &str = "-- Dump completed";
/// What one of the first lines begins with.
const BEGINNINGS: [&str; 2] = ["-- MariaDB dump", "-- MySQL dump"];
/// What tools say when a part of the dump is missing, even if they go on.
const FAILURES: [&str; 4] = [
    "Got error:",
    "Couldn't execute",
    ": Error:",
    "insufficent privileges",
];

/// Writes `database` into `out`.
pub(super) fn read(
    session: &Session,
    database: &str,
    out: &mut dyn Write,
    notes: &dyn Notes,
    stop: &StopFlag,
) -> Result<()> {
    let found = session.tools.dump_for(&session.server)?;
    let collation = collation(session, database, stop)?;
    // Without a name it means the database that is restored into, whatever that is called.
    writeln!(
        out,
        "ALTER DATABASE CHARACTER SET {} COLLATE {};",
        collation.0, collation.1
    )
    .map_err(|error| lift(error, "the dump could not be kept"))?;

    let mut ends = Ends::new(out);
    let failure = Mutex::new(None);
    let said = |line: &str| {
        if FAILURES.iter().any(|mark| line.contains(mark)) {
            failure
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .get_or_insert_with(|| line.to_owned());
        } else if is_harmless(line) {
            notes.log(Level::Info, line.to_owned());
        } else {
            notes.warn(format!("{database}: {line}"));
        }
    };
    let ended = tool(session, found, database).read(&mut ends, &said, stop)?;
    if !ended.status.success() {
        return Err(refused(&ended.failure(found.name), "dump_failed"));
    }
    if let Some(line) = failure.into_inner().unwrap_or_else(PoisonError::into_inner) {
        return Err(Error::invalid(
            "dump_failed",
            format!("{} went on after an error: {line}", found.name),
        ));
    }
    is_whole(&ends, found.name)
}

fn tool(session: &Session, found: &Found, database: &str) -> Tool {
    let is_versioned =
        |version: &Version| version.maker == Maker::Mariadb && version.number >= (10, 11);
    let tool = session.tool(found).args([
        "--single-transaction",
        "--quick",
        "--routines",
        "--triggers",
        "--events",
        "--hex-blob",
        // A table whose default draws from a sequence can't be filled under a lock of its own.
        "--skip-add-locks",
        // It would take the right PROCESS, and tablespaces are no part of a database.
        "--no-tablespaces",
        "--max-allowed-packet=1G",
    ]);
    match found.version.maker {
        // The rows that tables with system versioning remember.
        Maker::Mariadb if is_versioned(&found.version) && is_versioned(&session.server) => {
            tool.arg("--dump-history")
        }
        Maker::Mariadb => tool,
        // What it adds otherwise can't be restored into another server, or asks MariaDB for what that does not have.
        Maker::Mysql if found.version.number.0 >= 8 => {
            tool.args(["--set-gtid-purged=OFF", "--column-statistics=0"])
        }
        Maker::Mysql => tool.arg("--set-gtid-purged=OFF"),
    }
    .args(["--", database])
}

/// The character set and the collation that new tables of `database` get.
fn collation(session: &Session, database: &str, stop: &StopFlag) -> Result<(String, String)> {
    let question = format!(
        "SELECT DEFAULT_CHARACTER_SET_NAME, DEFAULT_COLLATION_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = {}",
        sql::text(database)
    );
    let answer = session.ask(&question, stop)?;
    match answer.first().map(Vec::as_slice) {
        Some([set, collation]) => Ok((set.clone(), collation.clone())),
        _ => Err(Error::invalid(
            "source_missing",
            format!("there is no database {database:?} on the server any more"),
        )),
    }
}

fn is_harmless(line: &str) -> bool {
    [
        "Using a password on the command line",
        "A partial dump from a server that has GTIDs",
        "Deprecated program name",
    ]
    .iter()
    .any(|known| line.contains(known))
}

/// Whether what passed is a dump from its beginning to its end.
fn is_whole(ends: &Ends<'_>, name: &str) -> Result<()> {
    let head = String::from_utf8_lossy(ends.head());
    let tail = String::from_utf8_lossy(ends.tail());
    let begins = head
        .lines()
        .take(3)
        .any(|line| BEGINNINGS.iter().any(|mark| line.starts_with(mark)));
    let ended = tail
        .trim_end()
        .lines()
        .last()
        .is_some_and(|line| line.starts_with(END));
    let why = match (begins, ended) {
        (true, true) => return Ok(()),
        _ if ends.count() == 0 => "wrote nothing".to_owned(),
        (false, _) => "wrote something that does not begin like a dump".to_owned(),
        (true, false) => format!(
            "stopped after {} bytes, before its end marker \"{END}\"",
            ends.count()
        ),
    };
    Err(Error::invalid(
        "dump_incomplete",
        format!("{name} ended with exit code 0 but {why}"),
    ))
}
