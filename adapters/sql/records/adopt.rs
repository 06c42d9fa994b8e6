//! Records of another master, found in storage: written once, however often and by how many they are found.

use super::life::put_copies_from;
use crate::SqlStores;
use crate::connections::Transaction;
use crate::error::store;
use crate::row::{Columns, json, micros};
use crate::stores::{certain, commit, returning};
use backupx_core::domain::id::{RecordId, TargetId};
use backupx_core::domain::progress::Progress;
use backupx_core::domain::record::{StreamHead, Trigger};
use backupx_core::ports::records::{AdoptedRecord, Adoption};
use backupx_core::{Error, Result};
use std::slice;

/// Changes nothing; whoever else adopts from the same target has to wait for the end of this transaction.
const HOLD: &str = "UPDATE targets SET version = version WHERE id = $1";
const ALIKE: &str =
    "SELECT id, streams FROM records WHERE location = $1 AND created_at = $2 ORDER BY id";
const COPIES: &str =
    "SELECT target_id, position FROM record_copies WHERE record_id = $1 ORDER BY position";
const ADD: &str = "INSERT INTO records (task_id, task, node_id, cause, state, lease, location, progress, counts, streams, created_at, finished_at) VALUES ($1, $2, $3, $4, 'success', 0, $5, $6, $7, $8, $9, $9) RETURNING id";

pub(super) async fn all(
    stores: &SqlStores,
    on: TargetId,
    found: &[AdoptedRecord],
) -> Result<Vec<Adoption>> {
    let mut transaction = stores.begin().await?;
    let held = sqlx::query(HOLD)
        .bind(on.0)
        .execute(&mut *transaction)
        .await
        .map_err(store)?;
    if held.rows_affected() == 0 {
        return Err(Error::not_found(
            "target_not_found",
            format!("there is no target {on}"),
        ));
    }
    let mut adopted = Vec::new();
    for record in found {
        adopted.push(one(&mut transaction, on, record).await?);
    }
    commit(transaction).await?;
    Ok(adopted)
}

async fn one(
    transaction: &mut Transaction,
    on: TargetId,
    found: &AdoptedRecord,
) -> Result<Adoption> {
    let same = same(transaction, found).await?;
    if let Some((id, Streams::NotYet)) = same {
        return Ok(Adoption::Known(id));
    }
    if let Some((id, Streams::Alike)) = same {
        let copies = sqlx::query(COPIES)
            .bind(id.0)
            .fetch_all(&mut **transaction)
            .await
            .map_err(store)?;
        let mut free = 0;
        for copy in &copies {
            if copy.int("target_id")? == on.0 {
                return Ok(Adoption::Known(id));
            }
            free = copy.int("position")? + 1;
        }
        put_copies_from(transaction, id, free, slice::from_ref(&found.copy)).await?;
        return Ok(Adoption::Copy(id));
    }
    let statement = sqlx::query(ADD)
        .bind(found.task_id.0)
        .bind(json(&found.task)?)
        .bind(found.node_id.0)
        .bind(Trigger::Import.as_str())
        .bind(found.location.as_str())
        .bind(json(&Progress::default())?)
        .bind(json(&found.counts)?)
        .bind(json(&found.streams)?)
        .bind(micros(found.created_at));
    let row = returning(statement, &mut **transaction)
        .await
        .map_err(store)?;
    let id = RecordId(certain(row)?.int("id")?);
    put_copies_from(transaction, id, 0, slice::from_ref(&found.copy)).await?;
    Ok(Adoption::New(id))
}

/// What a record knows of the streams that were found.
#[derive(Clone, Copy)]
enum Streams {
    /// They are its own.
    Alike,
    /// None at all: its run is under way, or failed and what it left is on its way out.
    NotYet,
}

/// The record that the backup is one of, when it is there.
async fn same(
    transaction: &mut Transaction,
    found: &AdoptedRecord,
) -> Result<Option<(RecordId, Streams)>> {
    let alike = sqlx::query(ALIKE)
        .bind(found.location.as_str())
        .bind(micros(found.created_at))
        .fetch_all(&mut **transaction)
        .await
        .map_err(store)?;
    for row in &alike {
        let streams: Vec<StreamHead> = row.json("streams")?;
        let id = RecordId(row.int("id")?);
        if streams.is_empty() {
            return Ok(Some((id, Streams::NotYet)));
        }
        if streams == found.streams {
            return Ok(Some((id, Streams::Alike)));
        }
    }
    Ok(None)
}
