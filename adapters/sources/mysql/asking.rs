//! Questions to a restored database: asked in a transaction that only reads, and answered by one value.

use super::session::Session;
use super::sql;
use crate::refusals::count_in;
use backupx_core::domain::drill::question;
use backupx_core::ports::source::StopFlag;
use backupx_core::{Error, Result};
use std::time::Duration;

/// How long a server may think about one question: a count of a large table takes its time.
const LIMIT: Duration = Duration::from_secs(6 * 60 * 60);

/// The first value of the first row that `query` answers in `database`.
pub(super) fn ask(
    session: &Session,
    database: &str,
    query: &str,
    stop: &StopFlag,
) -> Result<Option<String>> {
    let client = session
        .client()
        // With the first, no text of a question is a command to the client, which could run programs.
        .args(["--binary-mode", "--quick"])
        .arg(format!("--database={database}"));
    let asked = format!("START TRANSACTION READ ONLY; {}", question(query));
    let rows = session
        .answer(client, &asked, LIMIT, stop)
        .map_err(|error| match error.code() {
            "dump_failed" => Error::invalid("query_failed", error.message().to_owned()),
            _ => error,
        })?;
    let first = rows
        .into_iter()
        .next()
        .and_then(|row| row.into_iter().next());
    Ok(first.filter(|value| value != "NULL"))
}

/// The rows of `table` of `database`.
pub(super) fn count(
    session: &Session,
    database: &str,
    table: &str,
    stop: &StopFlag,
) -> Result<u64> {
    let query = format!("SELECT COUNT(*) FROM {}", sql::name(table));
    let rows = ask(session, database, &query, stop)?;
    count_in(rows.as_deref())
}

/// Drops a database. Who uses it is sent away first, since it would be waited for.
pub(super) fn drop_database(session: &Session, name: &str, stop: &StopFlag) -> Result<()> {
    let users = format!(
        "SELECT ID FROM information_schema.PROCESSLIST WHERE DB = {} AND ID <> CONNECTION_ID()",
        sql::text(name)
    );
    for id in session.ask(&users, stop)?.into_iter().flatten() {
        // One that is gone by now needs none.
        let _ = session.ask(&format!("KILL {id}"), stop);
    }
    let drop = format!("DROP DATABASE IF EXISTS {}", sql::name(name));
    session.ask(&drop, stop).map(std::mem::drop)
}
