//! The store of nodes.

use crate::SqlStores;
use crate::batch::Change;
use crate::connections::Transaction;
use crate::error::{in_use, store, taken, unreadable};
use crate::row::{Columns, json, micros};
use crate::stores::{certain, commit, returning};
use async_trait::async_trait;
use backupx_core::domain::id::NodeId;
use backupx_core::domain::name::Name;
use backupx_core::domain::node::{Node, NodeFacts, NodeToken};
use backupx_core::domain::page::{Page, PageRequest};
use backupx_core::domain::target::Reach;
use backupx_core::domain::time::Timestamp;
use backupx_core::ports::nodes::Nodes;
use backupx_core::{Error, Result};
use sqlx::any::AnyRow;

macro_rules! columns {
    () => {
        "id, name, labels, facts, created_at, version"
    };
}

const GET: &str = concat!("SELECT ", columns!(), " FROM nodes WHERE id = $1");
const BY_NAME: &str = concat!("SELECT ", columns!(), " FROM nodes WHERE name = $1");
const ADD: &str = concat!(
    "INSERT INTO nodes (name, labels, token_hash, created_at, version) VALUES ($1, $2, $3, $4, 1) RETURNING ",
    columns!()
);
const ADD_LOCAL: &str = concat!(
    "INSERT INTO nodes (id, name, labels, created_at, version) VALUES (0, $1, '[]', $2, 1) RETURNING ",
    columns!()
);
const UPDATE: &str = concat!(
    "UPDATE nodes SET name = $3, labels = $4, version = version + 1 WHERE id = $1 AND version = $2 RETURNING ",
    columns!()
);
pub(crate) const LIST: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM nodes WHERE id > $1 ORDER BY id LIMIT $2"
);
/// Each arm has its index. With an `OR`, an order or a limit Postgres may think that it finds the one row sooner by walking the table.
pub(crate) const BY_TOKEN: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM nodes WHERE token_hash = $1 UNION ALL SELECT ",
    columns!(),
    " FROM nodes WHERE previous_token_hash = $1 AND previous_token_until > $2"
);
const TASKS: &str = "SELECT COUNT(*) AS tasks FROM tasks WHERE node_id = $1";
/// The targets on which records of a node have copies that are not confirmed gone.
const HOLDING: &str = concat!(
    "SELECT ",
    crate::targets::columns!(),
    " FROM targets WHERE id IN (SELECT c.target_id FROM records r JOIN record_copies c ON c.record_id = r.id WHERE r.node_id = $1 AND c.state <> 'deleted')"
);

#[async_trait]
impl Nodes for SqlStores {
    async fn add(
        &self,
        name: &Name,
        labels: &[String],
        token_hash: &str,
        now: Timestamp,
    ) -> Result<Node> {
        let statement = sqlx::query(ADD)
            .bind(name.as_str())
            .bind(json(labels)?)
            .bind(token_hash)
            .bind(micros(now));
        let row = returning(statement, self.writer())
            .await
            .map_err(name_taken(name))?;
        node(&certain(row)?)
    }

    async fn ensure_local(&self, name: &Name, now: Timestamp) -> Result<Node> {
        let mut transaction = self.begin_alone("local node").await?;
        let known = sqlx::query(GET)
            .bind(NodeId::LOCAL.0)
            .fetch_optional(&mut *transaction)
            .await
            .map_err(store)?;
        if let Some(row) = known {
            return node(&row);
        }
        let name = free_name(&mut transaction, name).await?;
        let statement = sqlx::query(ADD_LOCAL).bind(name.as_str()).bind(micros(now));
        let row = returning(statement, &mut *transaction)
            .await
            .map_err(store)?;
        let local = node(&certain(row)?)?;
        commit(transaction).await?;
        Ok(local)
    }

    async fn get(&self, id: NodeId) -> Result<Option<Node>> {
        let row = sqlx::query(GET)
            .bind(id.0)
            .fetch_optional(self.reader())
            .await
            .map_err(store)?;
        row.as_ref().map(node).transpose()
    }

    async fn by_name(&self, name: &str) -> Result<Option<Node>> {
        let row = sqlx::query(BY_NAME)
            .bind(name)
            .fetch_optional(self.reader())
            .await
            .map_err(store)?;
        row.as_ref().map(node).transpose()
    }

    async fn list(&self, page: PageRequest) -> Result<Page<Node>> {
        let rows = sqlx::query(LIST)
            .bind(page.after.unwrap_or(i64::MIN))
            .bind(i64::from(page.limit) + 1)
            .fetch_all(self.reader())
            .await
            .map_err(store)?;
        let nodes = rows.iter().map(node).collect::<Result<Vec<_>>>()?;
        Ok(Page::from_rows(nodes, page.limit, |node| node.id.0))
    }

    async fn update(
        &self,
        id: NodeId,
        version: i64,
        name: &Name,
        labels: &[String],
    ) -> Result<Node> {
        let statement = sqlx::query(UPDATE)
            .bind(id.0)
            .bind(version)
            .bind(name.as_str())
            .bind(json(labels)?);
        let row = returning(statement, self.writer())
            .await
            .map_err(name_taken(name))?;
        match row {
            Some(row) => node(&row),
            None => Err(match Nodes::get(self, id).await? {
                Some(now) => stale(id, version, now.version),
                None => not_found(id),
            }),
        }
    }

    async fn set_facts(&self, id: NodeId, facts: &NodeFacts) -> Result<()> {
        let change = Change::new("UPDATE nodes SET facts = $2 WHERE id = $1 RETURNING id")
            .bind(id.0)
            .bind(json(facts)?);
        if self.change(change).await?.is_empty() {
            return Err(not_found(id));
        }
        Ok(())
    }

    async fn rotate_token(
        &self,
        id: NodeId,
        token_hash: &str,
        previous_until: Timestamp,
    ) -> Result<bool> {
        let done = sqlx::query(
            "UPDATE nodes SET previous_token_hash = token_hash, previous_token_until = $3, token_hash = $2 WHERE id = $1",
        )
        .bind(id.0)
        .bind(token_hash)
        .bind(micros(previous_until))
        .execute(self.writer())
        .await
        .map_err(store)?;
        Ok(done.rows_affected() > 0)
    }

    async fn by_token(&self, token_hash: &str, now: Timestamp) -> Result<Option<Node>> {
        let row = sqlx::query(BY_TOKEN)
            .bind(token_hash)
            .bind(micros(now))
            .fetch_optional(self.reader())
            .await
            .map_err(store)?;
        row.as_ref().map(node).transpose()
    }

    async fn token(&self, id: NodeId) -> Result<Option<NodeToken>> {
        let row = sqlx::query(
            "SELECT token_hash, previous_token_hash, previous_token_until FROM nodes WHERE id = $1 AND token_hash IS NOT NULL",
        )
        .bind(id.0)
        .fetch_optional(self.reader())
        .await
        .map_err(store)?;
        row.map(|row| {
            Ok(NodeToken {
                hash: row.text("token_hash")?,
                previous_hash: row.optional_text("previous_token_hash")?,
                previous_until: row.optional_time("previous_token_until")?,
            })
        })
        .transpose()
    }

    async fn remove(&self, id: NodeId) -> Result<bool> {
        let mut transaction = self.begin().await?;
        refuse_in_use(&mut transaction, id).await?;
        let done = sqlx::query("DELETE FROM nodes WHERE id = $1")
            .bind(id.0)
            .execute(&mut *transaction)
            .await
            .map_err(in_use("node_in_use", || {
                format!("node {id} is named by a task")
            }))?;
        commit(transaction).await?;
        Ok(done.rows_affected() > 0)
    }
}

async fn refuse_in_use(transaction: &mut Transaction, id: NodeId) -> Result<()> {
    let tasks = sqlx::query(TASKS)
        .bind(id.0)
        .fetch_one(&mut **transaction)
        .await
        .map_err(store)?
        .int("tasks")?;
    if tasks > 0 {
        return Err(Error::conflict(
            "node_in_use",
            format!("node {id} is named by {tasks} tasks: remove or move them first"),
        ));
    }
    let holding = sqlx::query(HOLDING)
        .bind(id.0)
        .fetch_all(&mut **transaction)
        .await
        .map_err(store)?;
    for row in &holding {
        let target = crate::targets::target(row)?;
        if target.reach() == Reach::OwnNode {
            return Err(Error::conflict(
                "node_in_use",
                format!(
                    "copies on target {} lie in a folder of node {id}: remove their records first",
                    target.name
                ),
            ));
        }
    }
    Ok(())
}

/// The name, or the first of `name-2`, `name-3` … that is free.
async fn free_name(transaction: &mut Transaction, wanted: &Name) -> Result<Name> {
    let mut candidate = wanted.clone();
    let mut number = 1;
    loop {
        let used = sqlx::query(BY_NAME)
            .bind(candidate.as_str())
            .fetch_optional(&mut **transaction)
            .await
            .map_err(store)?;
        if used.is_none() {
            return Ok(candidate);
        }
        number += 1;
        let suffix = format!("-{number}");
        let kept: String = wanted
            .as_str()
            .chars()
            .take(Name::MAX_CHARS - suffix.len())
            .collect();
        candidate = Name::parse("name", &format!("{kept}{suffix}"))?;
    }
}

fn name_taken(name: &Name) -> impl FnOnce(sqlx::Error) -> Error {
    let name = name.clone();
    taken("node_name_taken", move || {
        format!("there is a node called {name} already")
    })
}

fn not_found(id: NodeId) -> Error {
    Error::not_found("node_not_found", format!("there is no node {id}"))
}

fn stale(id: NodeId, version: i64, now: i64) -> Error {
    Error::conflict(
        "stale_version",
        format!("node {id} is at version {now}, not {version}: somebody else changed it"),
    )
}

fn node(row: &AnyRow) -> Result<Node> {
    Ok(Node {
        id: NodeId(row.int("id")?),
        name: name(row)?,
        labels: row.json("labels")?,
        facts: row.optional_json("facts")?,
        created_at: row.time("created_at")?,
        version: row.int("version")?,
    })
}

/// The column `name` of any table.
pub(crate) fn name(row: &AnyRow) -> Result<Name> {
    Name::parse("name", &row.text("name")?).map_err(|why| unreadable("name", why))
}
