//! Migrations: numbered scripts that are part of the program and bring a schema up to date, each in one transaction.

use crate::engine::Engine;
use crate::error::store;
use crate::row::Columns;
use backupx_core::{Error, Result};
use sqlx::{Any, AnyConnection, AssertSqlSafe, Connection, Transaction};

/// One step of the schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Migration {
    /// Its number; the schema's version is the highest one applied.
    pub number: i64,
    /// What it does, as in its file's name.
    pub name: &'static str,
    /// Its script.
    pub sql: &'static str,
}

/// The migrations for SQLite, in order.
pub const SQLITE: &[Migration] = &[
    Migration {
        number: 1,
        name: "initial",
        sql: include_str!("../../migrations/sqlite/0001_initial.sql"),
    },
    Migration {
        number: 2,
        name: "scheduling",
        sql: include_str!("../../migrations/sqlite/0002_scheduling.sql"),
    },
    Migration {
        number: 3,
        name: "signals",
        sql: include_str!("../../migrations/sqlite/0003_signals.sql"),
    },
    Migration {
        number: 4,
        name: "sources",
        sql: include_str!("../../migrations/sqlite/0004_sources.sql"),
    },
    Migration {
        number: 5,
        name: "alarms",
        sql: include_str!("../../migrations/sqlite/0005_alarms.sql"),
    },
    Migration {
        number: 6,
        name: "verifications",
        sql: include_str!("../../migrations/sqlite/0006_verifications.sql"),
    },
    Migration {
        number: 7,
        name: "adoption",
        sql: include_str!("../../migrations/sqlite/0007_adoption.sql"),
    },
];

/// The migrations for Postgres: the same numbers, the same logical schema.
pub const POSTGRES: &[Migration] = &[
    Migration {
        number: 1,
        name: "initial",
        sql: include_str!("../../migrations/postgres/0001_initial.sql"),
    },
    Migration {
        number: 2,
        name: "scheduling",
        sql: include_str!("../../migrations/postgres/0002_scheduling.sql"),
    },
    Migration {
        number: 3,
        name: "signals",
        sql: include_str!("../../migrations/postgres/0003_signals.sql"),
    },
    Migration {
        number: 4,
        name: "sources",
        sql: include_str!("../../migrations/postgres/0004_sources.sql"),
    },
    Migration {
        number: 5,
        name: "alarms",
        sql: include_str!("../../migrations/postgres/0005_alarms.sql"),
    },
    Migration {
        number: 6,
        name: "verifications",
        sql: include_str!("../../migrations/postgres/0006_verifications.sql"),
    },
    Migration {
        number: 7,
        name: "adoption",
        sql: include_str!("../../migrations/postgres/0007_adoption.sql"),
    },
];

/// The migrations that a database at `version` lacks. `Conflict` when it has more than this program knows.
pub(crate) fn pending(version: i64, migrations: &[Migration]) -> Result<Vec<Migration>> {
    let newest = migrations.last().map_or(0, |migration| migration.number);
    if version > newest {
        return Err(Error::conflict(
            "database_newer",
            format!(
                "the database has schema {version} and this program knows {newest} at most: it was written by a newer backupx, run that one or restore the copy made before its migration"
            ),
        ));
    }
    Ok(migrations
        .iter()
        .filter(|migration| migration.number > version)
        .copied()
        .collect())
}

/// Begins a transaction in which nobody else migrates.
pub(crate) async fn begin(
    connection: &mut AnyConnection,
    engine: Engine,
) -> Result<Transaction<'_, Any>> {
    let mut transaction = connection.begin_with(engine.begin()).await.map_err(store)?;
    if let Some(alone) = engine.migrating() {
        sqlx::raw_sql(alone)
            .execute(&mut *transaction)
            .await
            .map_err(store)?;
    }
    Ok(transaction)
}

/// The schema's version; the table of migrations is made when it is missing. Run once, so prepared under no name.
pub(crate) async fn version(connection: &mut AnyConnection) -> Result<i64> {
    sqlx::query(
        "CREATE TABLE IF NOT EXISTS schema_migrations (number BIGINT NOT NULL PRIMARY KEY, name TEXT NOT NULL)",
    )
    .persistent(false)
    .execute(&mut *connection)
    .await
    .map_err(store)?;
    sqlx::query("SELECT COALESCE(MAX(number), 0) AS version FROM schema_migrations")
        .persistent(false)
        .fetch_one(connection)
        .await
        .map_err(store)?
        .int("version")
}

/// Applies one migration unless another process did so meanwhile.
pub(crate) async fn apply(
    connection: &mut AnyConnection,
    engine: Engine,
    migration: Migration,
) -> Result<()> {
    let mut transaction = begin(connection, engine).await?;
    if version(&mut transaction).await? >= migration.number {
        return transaction.rollback().await.map_err(store);
    }
    sqlx::raw_sql(AssertSqlSafe(migration.sql))
        .execute(&mut *transaction)
        .await
        .map_err(|error| failed(migration, error))?;
    sqlx::query("INSERT INTO schema_migrations (number, name) VALUES ($1, $2)")
        .bind(migration.number)
        .bind(migration.name)
        .persistent(false)
        .execute(&mut *transaction)
        .await
        .map_err(store)?;
    transaction.commit().await.map_err(store)?;
    tracing::info!(
        number = migration.number,
        name = migration.name,
        "applied a migration"
    );
    Ok(())
}

fn failed(migration: Migration, error: sqlx::Error) -> Error {
    let cause = store(error);
    Error::new(
        cause.kind(),
        "migration_failed",
        format!(
            "migration {:04}_{} failed and changed nothing: {}",
            migration.number,
            migration.name,
            cause.message()
        ),
    )
    .with_source(cause)
}
