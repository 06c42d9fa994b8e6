//! The store of targets.

use crate::SqlStores;
use crate::error::{in_use, store, taken};
use crate::nodes::name;
use crate::row::{Columns, json, micros, optional_json};
use crate::stores::{certain, commit, returning};
use async_trait::async_trait;
use backupx_core::domain::check::TargetCheck;
use backupx_core::domain::id::TargetId;
use backupx_core::domain::name::Name;
use backupx_core::domain::page::{Page, PageRequest};
use backupx_core::domain::secret::Sealed;
use backupx_core::domain::target::{Target, TargetKind, TargetTest};
use backupx_core::domain::time::Timestamp;
use backupx_core::ports::targets::{Targets, Usage};
use backupx_core::{Error, Result};
use sqlx::any::{AnyQueryResult, AnyRow};
use std::collections::BTreeMap;

macro_rules! columns {
    () => {
        "id, name, kind, config, secrets, last_test, inventory, created_at, version"
    };
}
pub(crate) use columns;

const GET: &str = concat!("SELECT ", columns!(), " FROM targets WHERE id = $1");
const BY_NAME: &str = concat!("SELECT ", columns!(), " FROM targets WHERE name = $1");
const ADD: &str = concat!(
    "INSERT INTO targets (name, kind, config, created_at, version) VALUES ($1, $2, $3, $4, 1) RETURNING ",
    columns!()
);
const UPDATE: &str = concat!(
    "UPDATE targets SET name = $3, config = $4, secrets = $5, version = version + 1 WHERE id = $1 AND version = $2 RETURNING ",
    columns!()
);
pub(crate) const LIST: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM targets WHERE id > $1 ORDER BY id LIMIT $2"
);
const SET_CHECK: &str =
    "UPDATE targets SET inventory = $3 WHERE id = $1 AND COALESCE(inventory, '') = $2";
pub(crate) const USAGE: &str = "SELECT COUNT(*) AS copies, CAST(COALESCE(SUM(stored_bytes), 0) AS BIGINT) AS stored_bytes FROM record_copies WHERE target_id = $1 AND state = 'good'";
pub(crate) const HOLDS: &str = "SELECT (SELECT COUNT(*) FROM task_targets WHERE target_id = $1) AS tasks, (SELECT COUNT(*) FROM record_copies WHERE target_id = $1 AND state <> 'deleted') AS copies";

#[async_trait]
impl Targets for SqlStores {
    async fn add(
        &self,
        name: &Name,
        kind: TargetKind,
        config: &BTreeMap<String, String>,
        now: Timestamp,
    ) -> Result<Target> {
        let statement = sqlx::query(ADD)
            .bind(name.as_str())
            .bind(kind.as_str())
            .bind(json(config)?)
            .bind(micros(now));
        let row = returning(statement, self.writer())
            .await
            .map_err(name_taken(name))?;
        target(&certain(row)?)
    }

    async fn set_secrets(&self, id: TargetId, secrets: Option<&Sealed>) -> Result<()> {
        let done = sqlx::query("UPDATE targets SET secrets = $2 WHERE id = $1")
            .bind(id.0)
            .bind(secrets.map(|sealed| sealed.0.as_str()))
            .execute(self.writer())
            .await
            .map_err(store)?;
        found(id, &done)
    }

    async fn get(&self, id: TargetId) -> Result<Option<Target>> {
        let row = sqlx::query(GET)
            .bind(id.0)
            .fetch_optional(self.reader())
            .await
            .map_err(store)?;
        row.as_ref().map(target).transpose()
    }

    async fn by_name(&self, name: &str) -> Result<Option<Target>> {
        let row = sqlx::query(BY_NAME)
            .bind(name)
            .fetch_optional(self.reader())
            .await
            .map_err(store)?;
        row.as_ref().map(target).transpose()
    }

    async fn list(&self, page: PageRequest) -> Result<Page<Target>> {
        let rows = sqlx::query(LIST)
            .bind(page.after.unwrap_or(i64::MIN))
            .bind(i64::from(page.limit) + 1)
            .fetch_all(self.reader())
            .await
            .map_err(store)?;
        let targets = rows.iter().map(target).collect::<Result<Vec<_>>>()?;
        Ok(Page::from_rows(targets, page.limit, |target| target.id.0))
    }

    async fn update(
        &self,
        id: TargetId,
        version: i64,
        name: &Name,
        config: &BTreeMap<String, String>,
        secrets: Option<&Sealed>,
    ) -> Result<Target> {
        let statement = sqlx::query(UPDATE)
            .bind(id.0)
            .bind(version)
            .bind(name.as_str())
            .bind(json(config)?)
            .bind(secrets.map(|sealed| sealed.0.as_str()));
        let row = returning(statement, self.writer())
            .await
            .map_err(name_taken(name))?;
        match row {
            Some(row) => target(&row),
            None => Err(match Targets::get(self, id).await? {
                Some(now) => Error::conflict(
                    "stale_version",
                    format!(
                        "target {id} is at version {}, not {version}: somebody else changed it",
                        now.version
                    ),
                ),
                None => not_found(id),
            }),
        }
    }

    async fn set_test(&self, id: TargetId, test: &TargetTest) -> Result<()> {
        let done = sqlx::query("UPDATE targets SET last_test = $2 WHERE id = $1")
            .bind(id.0)
            .bind(json(test)?)
            .execute(self.writer())
            .await
            .map_err(store)?;
        found(id, &done)
    }

    async fn set_check(
        &self,
        id: TargetId,
        expected: Option<&TargetCheck>,
        check: &TargetCheck,
    ) -> Result<bool> {
        let done = sqlx::query(SET_CHECK)
            .bind(id.0)
            .bind(optional_json(expected)?.unwrap_or_default())
            .bind(json(check)?)
            .execute(self.writer())
            .await
            .map_err(store)?;
        Ok(done.rows_affected() > 0)
    }

    async fn usage(&self, id: TargetId) -> Result<Usage> {
        let row = sqlx::query(USAGE)
            .bind(id.0)
            .fetch_one(self.reader())
            .await
            .map_err(store)?;
        Ok(Usage {
            copies: row.count("copies")?,
            stored_bytes: row.count("stored_bytes")?,
        })
    }

    async fn remove(&self, id: TargetId) -> Result<bool> {
        let mut transaction = self.begin().await?;
        let row = sqlx::query(HOLDS)
            .bind(id.0)
            .fetch_one(&mut *transaction)
            .await
            .map_err(store)?;
        let (tasks, copies) = (row.int("tasks")?, row.int("copies")?);
        if tasks > 0 || copies > 0 {
            return Err(Error::conflict(
                "target_in_use",
                format!("target {id} is named by {tasks} tasks and holds {copies} copies"),
            ));
        }
        let done = sqlx::query("DELETE FROM targets WHERE id = $1")
            .bind(id.0)
            .execute(&mut *transaction)
            .await
            .map_err(in_use("target_in_use", || {
                format!("target {id} is named by a task")
            }))?;
        commit(transaction).await?;
        Ok(done.rows_affected() > 0)
    }
}

fn name_taken(name: &Name) -> impl FnOnce(sqlx::Error) -> Error {
    let name = name.clone();
    taken("target_name_taken", move || {
        format!("there is a target called {name} already")
    })
}

fn found(id: TargetId, done: &AnyQueryResult) -> Result<()> {
    if done.rows_affected() == 0 {
        return Err(not_found(id));
    }
    Ok(())
}

fn not_found(id: TargetId) -> Error {
    Error::not_found("target_not_found", format!("there is no target {id}"))
}

/// A row of [`columns`] as a target.
pub(crate) fn target(row: &AnyRow) -> Result<Target> {
    Ok(Target {
        id: TargetId(row.int("id")?),
        name: name(row)?,
        kind: TargetKind::parse(&row.text("kind")?)?,
        config: row.json("config")?,
        secrets: row.optional_text("secrets")?.map(Sealed),
        last_test: row.optional_json("last_test")?,
        check: row.optional_json("inventory")?,
        created_at: row.time("created_at")?,
        version: row.int("version")?,
    })
}
