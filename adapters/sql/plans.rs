//! The plans of the statements that lists, claims and sweeps run: none of them may walk a whole table or sort one.

use crate::accounts::{api_keys, sign_in_guard, users};
use crate::row::Columns;
use crate::{SqlStores, events, logs, nodes, operations, presence, queue, records, targets, tasks};
use anyhow::{Context, Result, ensure};
use backupx_core::domain::id::{NodeId, RecordId, TaskId};
use backupx_core::domain::operation::OperationState;
use backupx_core::domain::record::RecordState;
use backupx_core::ports::operations::OperationFilter;
use backupx_core::ports::records::RecordFilter;
use sqlx::AssertSqlSafe;

/// Statements that walk a key in order; what they are allowed to walk is the index that makes the order.
fn statements() -> Vec<(String, &'static [&'static str])> {
    let by_key: &[&str] = &["USING INTEGER PRIMARY KEY"];
    let mut all: Vec<(String, &'static [&'static str])> = vec![
        (nodes::LIST.into(), by_key),
        (
            nodes::BY_TOKEN.into(),
            &["nodes_by_token", "nodes_by_previous_token"],
        ),
        (targets::LIST.into(), by_key),
        (targets::USAGE.into(), &["record_copies_by_target"]),
        (
            targets::HOLDS.into(),
            &["task_targets_by_target", "record_copies_by_target"],
        ),
        (tasks::LIST.into(), by_key),
        (tasks::DUE.into(), &["tasks_due"]),
        (tasks::FOLLOWERS.into(), &["task_upstreams_by_upstream"]),
        (users::LIST.into(), by_key),
        (api_keys::LIST.into(), by_key),
        (sign_in_guard::COUNT.into(), &["sign_in_failures_by_key"]),
        (records::unfinished_sql().into(), &["records_unfinished"]),
        (records::in_pools_sql().into(), &["records_in_pools"]),
        (records::LOAD.into(), &["records_load"]),
        (records::with_copies_sql().into(), &["records_by_task"]),
        (
            records::TASKS_WITH_COPIES.into(),
            &["record_copies_by_state"],
        ),
        (records::TO_BE_REMOVED.into(), &["record_copies_by_state"]),
        (operations::UNFINISHED.into(), &["operations_unfinished"]),
        (logs::READ.into(), &["log_lines_by_subject"]),
        (events::READ.into(), by_key),
        (events::TAKE.into(), &["events_unhandled"]),
        (presence::TAKE_OFFLINE.into(), &["presence_online"]),
        (queue::CLAIM.into(), &["commands_pending"]),
        (
            queue::FIND_ALL_SQLITE.into(),
            &["sqlite_autoindex_commands"],
        ),
        (queue::CLAIMED_BY.into(), &["commands_claimed"]),
        (queue::CLAIMED.into(), &["commands_claimed"]),
        (queue::UNCONFIRMED.into(), &["commands_claimed"]),
        (queue::DUE.into(), &["commands_pending"]),
        (queue::EXPIRE_SILENT.into(), &["commands_silent"]),
        (queue::EXPIRE_WAITING.into(), &["commands_expiring"]),
        (queue::PURGE.into(), &["commands_finished"]),
    ];
    all.extend(filtered());
    all
}

fn filtered() -> Vec<(String, &'static [&'static str])> {
    let record = RecordFilter::default();
    let operation = OperationFilter::default();
    vec![
        (records::list_sql(record).0, &["USING INTEGER PRIMARY KEY"]),
        (
            records::list_sql(RecordFilter {
                task_id: Some(TaskId(1)),
                ..record
            })
            .0,
            &["records_by_task"],
        ),
        (
            records::list_sql(RecordFilter {
                node_id: Some(NodeId(1)),
                ..record
            })
            .0,
            &["records_by_node"],
        ),
        (
            records::list_sql(RecordFilter {
                state: Some(RecordState::Failed),
                ..record
            })
            .0,
            &["records_by_state"],
        ),
        (
            operations::list_sql(operation).0,
            &["USING INTEGER PRIMARY KEY"],
        ),
        (
            operations::list_sql(OperationFilter {
                record_id: Some(RecordId(1)),
                ..operation
            })
            .0,
            &["operations_by_record"],
        ),
        (
            operations::list_sql(OperationFilter {
                kind: Some("verify"),
                ..operation
            })
            .0,
            &["operations_by_kind"],
        ),
        (
            operations::list_sql(OperationFilter {
                state: Some(OperationState::Failed),
                ..operation
            })
            .0,
            &["operations_by_state"],
        ),
    ]
}

#[tokio::test]
async fn every_list_claim_and_sweep_has_its_index() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let url = format!("sqlite://{}", folder.path().join("plans.db").display());
    let stores = SqlStores::connect(&url).await?;
    for (statement, indexes) in statements() {
        let rows = sqlx::query(AssertSqlSafe(format!("EXPLAIN QUERY PLAN {statement}")))
            .fetch_all(stores.reader())
            .await
            .with_context(|| statement.clone())?;
        let plan = rows
            .iter()
            .map(|row| row.text("detail"))
            .collect::<backupx_core::Result<Vec<_>>>()?
            .join("\n");
        for index in indexes {
            ensure!(plan.contains(index), "{statement}\nmisses {index}:\n{plan}");
        }
        for line in plan.lines() {
            let walks = line.starts_with("SCAN") && !line.contains("USING");
            let own_rows = ["picked", "CONSTANT", "json_each"]
                .iter()
                .any(|name| line.contains(name));
            ensure!(!walks || own_rows, "{statement}\nwalks a table:\n{plan}");
        }
    }
    Ok(())
}
