//! SQLite: how its file is found, made, copied before a migration, and opened with one writer and several readers.

use crate::engine::Engine;
use crate::error::store;
use crate::migrate::{self, Migration};
use crate::row::Columns;
use backupx_core::{Error, Result};
use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::{AnyConnection, AnyPool, ConnectOptions, Connection};
use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

const READERS: u32 = 4;
const PATIENCE: Duration = Duration::from_secs(15);

/// `FULL` writes the log through to the disk at every commit: an agent forgets a result once it was accepted, so a power cut must not.
const WRITER: &str = "PRAGMA busy_timeout = 10000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;";
const READER: &str = "PRAGMA busy_timeout = 10000; PRAGMA query_only = ON;";

/// The connections of one file.
#[derive(Debug)]
pub(crate) struct Pools {
    pub(crate) writer: AnyPool,
    pub(crate) reader: AnyPool,
}

/// The path in `sqlite://PATH`, taken literally.
pub(crate) fn path_of(url: &str) -> Result<PathBuf> {
    let invalid = |why: &str| {
        Error::invalid(
            "bad_database_url",
            format!("the database URL {why}; accepted is sqlite://PATH"),
        )
    };
    let path = url
        .strip_prefix("sqlite://")
        .or_else(|| url.strip_prefix("sqlite:"))
        .ok_or_else(|| invalid("does not begin with sqlite://"))?;
    if path.is_empty() || path.ends_with('/') {
        return Err(invalid("names no file"));
    }
    if path.contains(":memory:") {
        return Err(invalid(
            "names a database in memory, which would forget every backup",
        ));
    }
    std::path::absolute(path).map_err(|why| invalid("names no usable path").with_source(why))
}

/// Opens the file, makes it when it is missing, and brings its schema up to date.
pub(crate) async fn open(path: &Path, migrations: &[Migration]) -> Result<Pools> {
    make(path)?;
    prepare(path, migrations)
        .await
        .map_err(|error| at(path, error))?;
    Ok(Pools {
        writer: pool(path, 1, WRITER).await?,
        reader: pool(path, READERS, READER).await?,
    })
}

/// On a connection of its own: a pool would try again and again what can't succeed, and then only say that it took too long.
async fn prepare(path: &Path, migrations: &[Migration]) -> Result<()> {
    let mut connection = options(path)?.connect().await.map_err(store)?;
    sqlx::raw_sql(WRITER)
        .execute(&mut connection)
        .await
        .map_err(store)?;
    refuse_foreign(&mut connection).await?;
    let version = migrate::version(&mut connection).await?;
    let pending = migrate::pending(version, migrations)?;
    if let Some(first) = pending.first()
        && version > 0
    {
        keep_copy(&mut connection, path, first.number).await?;
    }
    for migration in pending {
        migrate::apply(&mut connection, Engine::Sqlite, migration).await?;
    }
    connection.close().await.map_err(store)
}

/// Refuses a file in which another program keeps its tables.
async fn refuse_foreign(connection: &mut AnyConnection) -> Result<()> {
    let row = sqlx::query(
        "SELECT COUNT(*) AS tables, COALESCE(SUM(name = 'schema_migrations'), 0) AS ours FROM sqlite_master WHERE type = 'table'",
    )
    .fetch_one(connection)
    .await
    .map_err(store)?;
    if row.int("tables")? > 0 && row.int("ours")? == 0 {
        return Err(Error::invalid(
            "not_our_database",
            "the file is the database of another program",
        ));
    }
    Ok(())
}

/// Keeps a whole copy of the file as `PATH.before-NNNN`, mode 0600. It gets its name only when it is complete.
async fn keep_copy(connection: &mut AnyConnection, path: &Path, number: i64) -> Result<()> {
    let copy = with_suffix(path, &format!(".before-{number:04}"));
    let partial = with_suffix(path, &format!(".before-{number:04}.partial"));
    remove_if_there(&partial)
        .and_then(|()| make_file(&partial))
        .map_err(|why| file_error(&partial, &why).with_source(why))?;
    let copied = sqlx::query("VACUUM INTO $1")
        .bind(partial.to_string_lossy().into_owned())
        .execute(connection)
        .await;
    if let Err(error) = copied {
        remove_if_there(&partial).ok(); // The first failure is the one to tell of.
        return Err(store(error));
    }
    std::fs::rename(&partial, &copy).map_err(|why| file_error(&copy, &why).with_source(why))?;
    tracing::info!(path = %copy.display(), "kept a copy of the database before its migration");
    Ok(())
}

async fn pool(path: &Path, connections: u32, pragmas: &'static str) -> Result<AnyPool> {
    let options = options(path)?;
    AnyPoolOptions::new()
        .max_connections(connections)
        .min_connections(1)
        .acquire_timeout(PATIENCE)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
        // On some failures, a full disk among them, SQLite ends the transaction by itself, and the driver goes on believing in it. Such a
        // connection is no good any more; the next caller gets a new one.
        .before_acquire(|connection, _| {
            let is_clean = !connection.is_in_transaction();
            Box::pin(async move { Ok(is_clean) })
        })
        .after_connect(move |connection, _| {
            Box::pin(async move {
                sqlx::raw_sql(pragmas).execute(connection).await?;
                Ok(())
            })
        })
        .connect_with(options)
        .await
        .map_err(|error| at(path, store(error)))
}

fn options(path: &Path) -> Result<AnyConnectOptions> {
    AnyConnectOptions::from_str(&driver_url(path)).map_err(store)
}

/// The driver decodes percent signs and reads parameters; our paths are literal.
fn driver_url(path: &Path) -> String {
    let mut url = String::from("sqlite://");
    for byte in path.to_string_lossy().bytes() {
        if byte.is_ascii_alphanumeric() || b"/._-~".contains(&byte) {
            url.push(char::from(byte));
        } else {
            url.push_str(&format!("%{byte:02X}"));
        }
    }
    url.push_str("?mode=rw");
    url
}

/// Makes an empty file that only its owner may read, unless there is one. SQLite gives its log files the same mode.
fn make(path: &Path) -> Result<()> {
    let folder = path.parent().unwrap_or(path);
    if !folder.is_dir() {
        return Err(Error::invalid(
            "database_folder_missing",
            format!("the database's folder {} does not exist", folder.display()),
        ));
    }
    if path.is_dir() {
        return Err(Error::invalid(
            "not_a_database",
            format!("the database {} is a folder", path.display()),
        ));
    }
    if path.exists() {
        return Ok(());
    }
    make_file(path).map_err(|why| file_error(path, &why).with_source(why))
}

fn make_file(path: &Path) -> io::Result<()> {
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
        .map(drop)
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(why) if why.kind() != io::ErrorKind::NotFound => Err(why),
        _ => Ok(()),
    }
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

fn file_error(path: &Path, why: &io::Error) -> Error {
    let message = format!("the database file {} can't be made: {why}", path.display());
    match why.kind() {
        io::ErrorKind::StorageFull => Error::unavailable("store_full", message),
        _ => Error::invalid("database_not_writable", message),
    }
}

/// The same error with the path in its sentence.
fn at(path: &Path, error: Error) -> Error {
    Error::new(
        error.kind(),
        error.code(),
        format!("{} (database {})", error.message(), path.display()),
    )
    .with_source(error)
}
