//! SQLite itself, asked from a thread that may block.

use crate::refusals::cancelled;
use backupx_core::ports::source::StopFlag;
use backupx_core::{Error, Result};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Row};
use std::path::Path;
use std::time::{Duration, Instant};

/// How long one attempt waits for a lock.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long an application may hold a database locked.
const LONGEST: Duration = Duration::from_secs(60);
/// Steps of SQLite between two looks at the flag.
const STEPS: i32 = 10_000;

/// How a file is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// Nothing of it is changed.
    Read,
    /// As its application would: a transaction that a crash left half done is rolled back.
    Recover,
    /// Nobody can write it, as on a read-only file system.
    Immutable,
}

/// The version of SQLite that copies.
pub(super) fn version() -> Result<String> {
    block(async {
        let mut connection = SqliteConnectOptions::new()
            .in_memory(true)
            .connect()
            .await
            .map_err(|error| failed("SQLite", &error))?;
        let row = sqlx::query("select sqlite_version()")
            .fetch_one(&mut connection)
            .await;
        row.and_then(|row| row.try_get(0))
            .map_err(|error| failed("SQLite", &error))
    })
}

/// Reads a little of the database at `path`.
pub(super) fn try_read(path: &Path, stop: &StopFlag) -> Result<()> {
    run(path, "select count(*) from sqlite_schema", None, stop).map(drop)
}

/// Copies the database at `path` into the empty file `into`, as one transaction sees it.
pub(super) fn copy_into(path: &Path, into: &Path, stop: &StopFlag) -> Result<()> {
    let into = into
        .to_str()
        .ok_or_else(|| Error::invalid("temp_failed", "the temporary folder's path is no UTF-8"))?;
    run(path, "vacuum into ?", Some(into), stop).map(drop)
}

/// What is wrong with the database at `path`, which nobody else writes; nothing when it is sound.
pub(super) fn unsound(path: &Path, stop: &StopFlag) -> Result<Vec<String>> {
    let said = run(path, "pragma integrity_check(20)", None, stop)?;
    Ok(if said == ["ok"] { Vec::new() } else { said })
}

/// The first value that `query` answers in the database at `path`; nothing when there is no row or the value is null.
pub(super) fn ask(path: &Path, query: &str, stop: &StopFlag) -> Result<Option<String>> {
    // A comment at its end ends with its line.
    let first = format!("select * from ({query}\n) limit 1");
    let rows = run(path, &first, None, stop)?;
    Ok(rows.into_iter().next().filter(|value| !value.is_empty()))
}

/// The first column of what `sql` answers, in the mode that the file needs.
fn run(path: &Path, sql: &str, bind: Option<&str>, stop: &StopFlag) -> Result<Vec<String>> {
    let began = Instant::now();
    let mut mode = Mode::Read;
    loop {
        // What an attempt before this one left there would be in the way.
        if let Some(into) = bind {
            std::fs::File::options()
                .write(true)
                .truncate(true)
                .open(into)
                .map_err(|error| crate::tool::lift(error, "the copy can't be written"))?;
        }
        let outcome = block(async { Ok(attempt(path, sql, bind, mode, stop).await) })?;
        let error = match outcome {
            Ok(rows) => return Ok(rows),
            Err(error) => error,
        };
        if stop.is_stopped() {
            return Err(cancelled());
        }
        match code(&error).map(|code| code & 0xff) {
            // Busy or locked.
            Some(5 | 6) if began.elapsed() < LONGEST => {}
            Some(5 | 6) => {
                return Err(Error::unavailable(
                    "database_locked",
                    format!(
                        "{} stayed locked for {} s: an application holds it in exclusive mode or in a long transaction; \
                         let it use WAL mode, or stop it for the backup",
                        path.display(),
                        LONGEST.as_secs()
                    ),
                ));
            }
            // Read-only, or no companion file can be made: there is something to roll back, or nobody can write there.
            Some(8 | 14) if mode == Mode::Read => {
                mode = if is_read_only(path) {
                    Mode::Immutable
                } else {
                    Mode::Recover
                };
            }
            _ => return Err(failed(&path.display().to_string(), &error)),
        }
    }
}

async fn attempt(
    path: &Path,
    sql: &str,
    bind: Option<&str>,
    mode: Mode,
    stop: &StopFlag,
) -> Result<Vec<String>, sqlx::Error> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .busy_timeout(PATIENCE)
        .read_only(mode != Mode::Recover)
        .immutable(mode == Mode::Immutable)
        .disable_statement_logging();
    let mut connection = SqliteConnection::connect_with(&options).await?;
    let flag = stop.clone();
    connection
        .lock_handle()
        .await?
        .set_progress_handler(STEPS, move || !flag.is_stopped());
    // Ours, or a question of whoever may ask: read-only is what keeps it from changing anything.
    let query = sqlx::query(AssertSqlSafe(sql.to_owned()));
    let query = match bind {
        Some(text) => query.bind(text.to_owned()),
        None => query,
    };
    let rows = query.fetch_all(&mut connection).await;
    let closed = connection.close().await;
    let rows = rows?;
    closed?;
    let texts = rows.iter().map(|row| {
        // Of any type, as SQLite writes it.
        let value = row.try_get_unchecked::<Option<String>, _>(0);
        value.map(Option::unwrap_or_default)
    });
    texts.collect()
}

fn block<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Error::internal(format!("no runtime for SQLite: {error}")))?
        .block_on(work)
}

/// The extended result code of SQLite.
fn code(error: &sqlx::Error) -> Option<i32> {
    error.as_database_error()?.code()?.parse().ok()
}

fn failed(what: &str, error: &sqlx::Error) -> Error {
    let said = error
        .as_database_error()
        .map_or_else(|| error.to_string(), |error| error.message().to_owned());
    let message = format!("{what} can't be read by SQLite: {said}");
    match code(error).map(|code| code & 0xff) {
        // Corrupt, or no database.
        Some(11 | 26) => Error::invalid("database_damaged", message),
        Some(3 | 8 | 14 | 23) => Error::forbidden("rights_missing", message),
        // I/O and full.
        Some(10 | 13) => Error::unavailable("dump_failed", message),
        _ => Error::invalid("dump_failed", message),
    }
}

fn is_read_only(path: &Path) -> bool {
    rustix::fs::statvfs(path).is_ok_and(|system| {
        system
            .f_flag
            .contains(rustix::fs::StatVfsMountFlags::RDONLY)
    })
}
