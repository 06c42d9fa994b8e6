//! The SQLite file: how it is made, copied before a migration, and refused when it is not ours.

use crate::case::block_on;
use crate::samples::refused;
use anyhow::{Context, Result, ensure};
use backupx_core::ports::settings::Settings;
use backupx_sql::SqlStores;
use backupx_sql::migrate::{Migration, SQLITE};
use libtest_mimic::Trial;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// What is asked of this engine alone.
pub(crate) fn trials() -> Vec<Trial> {
    macro_rules! trials {
        ($($name:ident),+ $(,)?) => {
            vec![$(Trial::test(concat!("sqlite_file::", stringify!($name)), || block_on($name()))),+]
        };
    }
    trials!(
        only_the_owner_may_read_the_files,
        a_path_is_taken_literally,
        the_old_file_is_kept_before_a_migration,
        a_migration_that_fails_changes_nothing,
        a_newer_database_is_refused,
        a_missing_folder_is_named,
        a_folder_is_no_database,
        a_file_of_something_else_is_refused_and_left_alone,
        another_programs_database_is_refused_and_left_alone,
        urls_that_make_no_sense_are_refused,
    )
}

fn url(path: &Path) -> String {
    format!("sqlite://{}", path.display())
}

/// A second migration, as a later version of the program would bring.
fn later(sql: &'static str) -> Vec<Migration> {
    let mut migrations = SQLITE.to_vec();
    let number = migrations.last().map_or(1, |last| last.number + 1);
    migrations.push(Migration {
        number,
        name: "later",
        sql,
    });
    migrations
}

fn copy_of(path: &Path, migrations: &[Migration]) -> Result<std::path::PathBuf> {
    let number = migrations.last().context("there are migrations")?.number;
    Ok(format!("{}.before-{number:04}", path.display()).into())
}

async fn only_the_owner_may_read_the_files() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("state.db");
    let stores = SqlStores::connect(&url(&path)).await?;
    stores.set("k", "v").await?;
    let mut seen = 0;
    for entry in fs::read_dir(folder.path())? {
        let entry = entry?;
        let mode = entry.metadata()?.permissions().mode() & 0o777;
        ensure!(mode == 0o600, "{:?} has mode {mode:o}", entry.path());
        seen += 1;
    }
    ensure!(seen == 3, "the file, its log and its index were expected");
    Ok(())
}

async fn a_path_is_taken_literally() -> Result<()> {
    let folder = tempfile::tempdir()?;
    for name in ["with blank.db", "a?mode=memory", "50%41#x.db", "Große.db"] {
        let path = folder.path().join(name);
        let stores = SqlStores::connect(&url(&path)).await?;
        stores.set("k", "v").await?;
        stores.close().await;
        ensure!(fs::metadata(&path)?.len() > 0, "{name} was not used");
    }
    Ok(())
}

async fn the_old_file_is_kept_before_a_migration() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("state.db");
    let stores = SqlStores::connect(&url(&path)).await?;
    stores.set("k", "before").await?;
    stores.close().await;
    ensure!(
        fs::read_dir(folder.path())?.count() == 1,
        "a new file was copied"
    );

    let migrations = later("UPDATE settings SET value = 'after'; CREATE TABLE more (id INTEGER);");
    let stores = SqlStores::connect_with(&url(&path), &migrations).await?;
    ensure!(stores.get("k").await?.as_deref() == Some("after"));
    let copy = copy_of(&path, &migrations)?;
    let mode = fs::metadata(&copy)?.permissions().mode() & 0o777;
    ensure!(mode == 0o600, "the copy has mode {mode:o}");
    let old = SqlStores::connect(&url(&copy)).await?;
    ensure!(old.get("k").await?.as_deref() == Some("before"));
    old.close().await;
    stores.close().await;

    let stores = SqlStores::connect_with(&url(&path), &migrations).await?;
    ensure!(stores.get("k").await?.as_deref() == Some("after"));
    Ok(())
}

async fn a_migration_that_fails_changes_nothing() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("state.db");
    let stores = SqlStores::connect(&url(&path)).await?;
    stores.set("k", "before").await?;
    stores.close().await;
    let migrations = later("UPDATE settings SET value = 'after'; UPDATE nothing SET x = 1;");
    let failed = SqlStores::connect_with(&url(&path), &migrations).await;
    refused(failed, "migration_failed");
    let stores = SqlStores::connect(&url(&path)).await?;
    ensure!(stores.get("k").await?.as_deref() == Some("before"));
    ensure!(copy_of(&path, &migrations)?.exists());
    Ok(())
}

async fn a_newer_database_is_refused() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("state.db");
    let newer = later("CREATE TABLE more (id INTEGER);");
    SqlStores::connect_with(&url(&path), &newer)
        .await?
        .close()
        .await;
    let error = SqlStores::connect(&url(&path)).await;
    let error = error.err().context("a newer database was opened")?;
    ensure!(error.code() == "database_newer", "{error:?}");
    ensure!(error.message().contains("newer backupx"), "{error}");
    ensure!(error.message().contains("state.db"), "{error}");
    Ok(())
}

async fn a_missing_folder_is_named() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("nowhere/state.db");
    let error = SqlStores::connect(&url(&path)).await;
    let error = error.err().context("the folder was made")?;
    ensure!(error.code() == "database_folder_missing", "{error:?}");
    ensure!(error.message().contains("nowhere"), "{error}");
    Ok(())
}

async fn a_folder_is_no_database() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("state.db");
    fs::create_dir(&path)?;
    refused(SqlStores::connect(&url(&path)).await, "not_a_database");
    Ok(())
}

async fn a_file_of_something_else_is_refused_and_left_alone() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("notes.txt");
    let text = "not a database at all, and longer than a header of one hundred bytes. ".repeat(40);
    fs::write(&path, &text)?;
    let error = SqlStores::connect(&url(&path)).await;
    let error = error.err().context("a text file was opened")?;
    ensure!(error.code() == "store_damaged", "{error:?}");
    ensure!(error.message().contains("notes.txt"), "{error}");
    ensure!(fs::read_to_string(&path)? == text);
    Ok(())
}

async fn another_programs_database_is_refused_and_left_alone() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("other.db");
    let foreign = [Migration {
        number: 1,
        name: "foreign",
        sql: "CREATE TABLE songs (id INTEGER); DROP TABLE schema_migrations; CREATE TABLE schema_migrations_2 (number INTEGER); CREATE VIEW schema_migrations AS SELECT 1 AS number, '' AS name; CREATE TRIGGER t INSTEAD OF INSERT ON schema_migrations BEGIN SELECT 1; END;",
    }];
    SqlStores::connect_with(&url(&path), &foreign)
        .await?
        .close()
        .await;
    refused(SqlStores::connect(&url(&path)).await, "not_our_database");
    Ok(())
}

async fn urls_that_make_no_sense_are_refused() -> Result<()> {
    for url in [
        "",
        "sqlite://",
        "sqlite:///tmp/",
        "sqlite://:memory:",
        "mysql://localhost/x",
        "/var/lib/backupx.db",
    ] {
        refused(SqlStores::connect(url).await, "bad_database_url");
    }
    Ok(())
}
