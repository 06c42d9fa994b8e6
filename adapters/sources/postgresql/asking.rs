//! Questions to a restored database: asked in a transaction that only reads, and answered by one value.

use super::Postgresql;
use super::create::drop_statement;
use super::server::{SignIn, ident};
use crate::refusals::count_in;
use backupx_core::Result;
use backupx_core::domain::drill::question;
use backupx_core::ports::source::StopFlag;
use std::time::Duration;

/// How long a server may think about one question: a count of a large table takes its time.
const LIMIT: Duration = Duration::from_secs(6 * 60 * 60);
/// How a null is printed.
const NULL: &str = "\u{1}";

/// The first value of the first row that `query` answers in `database`.
pub(super) fn ask(
    source: &Postgresql,
    database: &str,
    query: &str,
    stop: &StopFlag,
) -> Result<Option<String>> {
    let sets = source.sets(stop)?;
    let sign_in = SignIn::new(&source.source.server, source.password.as_ref())?;
    let psql = sign_in
        .tool(&sets[0].path("psql"), database)
        .args(["-P", &format!("null={NULL}")]);
    // As text of the question, since a pooler in between takes no settings of a connection.
    let asked = format!("start transaction read only; {}", question(query));
    let text = sign_in.answer(psql, &asked, LIMIT, stop)?;
    let first = text.split_once('\0').map(|(first, _)| first.to_owned());
    Ok(first.filter(|value| value != NULL))
}

/// The rows of `table`, or `schema.table`, of `database`.
pub(super) fn count(
    source: &Postgresql,
    database: &str,
    table: &str,
    stop: &StopFlag,
) -> Result<u64> {
    let table = match table.split_once('.') {
        Some((schema, table)) => format!("{}.{}", ident(schema), ident(table)),
        None => ident(table),
    };
    let rows = ask(
        source,
        database,
        &format!("select count(*) from {table}"),
        stop,
    )?;
    count_in(rows.as_deref())
}

/// Drops a database, whoever uses it.
pub(super) fn drop_database(source: &Postgresql, name: &str, stop: &StopFlag) -> Result<()> {
    let sets = source.sets(stop)?;
    let reached = source.reach(&sets, stop)?;
    let sql = drop_statement(reached.major, name);
    reached.ask(&sets[0], &sql, 1, stop).map(drop)
}
