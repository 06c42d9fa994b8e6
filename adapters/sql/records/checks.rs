//! Good copies as a check of a target goes through them: by folder, so that what lies together is looked at together.

use crate::SqlStores;
use crate::error::{store, unreadable};
use crate::row::Columns;
use backupx_core::Result;
use backupx_core::domain::check::KeptCopy;
use backupx_core::domain::id::{NodeId, RecordId, TargetId};
use backupx_core::domain::key::ObjectKey;

/// `$4` is a node, or no node at all for those of all nodes.
pub(crate) const GOOD_ON: &str = "SELECT r.id, r.location, c.stored_bytes FROM record_copies c JOIN records r ON r.id = c.record_id WHERE c.target_id = $1 AND c.state = 'good' AND r.location > $2 AND (r.node_id = $4 OR $4 = $5) ORDER BY r.location, r.id LIMIT $3";
pub(crate) const NODES_ON: &str = "SELECT DISTINCT r.node_id FROM record_copies c JOIN records r ON r.id = c.record_id WHERE c.target_id = $1 AND c.state = 'good' ORDER BY r.node_id";

pub(super) async fn good_copies_on(
    stores: &SqlStores,
    target: TargetId,
    node: Option<NodeId>,
    after: Option<&ObjectKey>,
    limit: u32,
) -> Result<Vec<KeptCopy>> {
    let rows = sqlx::query(GOOD_ON)
        .bind(target.0)
        .bind(after.map_or("", ObjectKey::as_str))
        .bind(i64::from(limit))
        .bind(node.unwrap_or(NodeId::NONE).0)
        .bind(NodeId::NONE.0)
        .fetch_all(stores.reader())
        .await
        .map_err(store)?;
    rows.iter()
        .map(|row| {
            Ok(KeptCopy {
                record_id: RecordId(row.int("id")?),
                location: ObjectKey::parse(&row.text("location")?)
                    .map_err(|why| unreadable("location", why))?,
                stored_bytes: row.count("stored_bytes")?,
            })
        })
        .collect()
}

pub(super) async fn nodes_with_copies_on(
    stores: &SqlStores,
    target: TargetId,
) -> Result<Vec<NodeId>> {
    let rows = sqlx::query(NODES_ON)
        .bind(target.0)
        .fetch_all(stores.reader())
        .await
        .map_err(store)?;
    rows.iter()
        .map(|row| row.int("node_id").map(NodeId))
        .collect()
}
