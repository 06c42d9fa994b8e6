//! `backupx operation`: restores, verifications, copies and deletions of records.

use super::client::{Client, Query, follow};
use super::drill;
use super::failure::FAILED;
use super::output::{
    OutputFormat, between, bytes, instant, instant_or_dash, key_values, or_dash, table, yes_no,
};
use super::record::{by_name, logs};
use anyhow::Result;
use backupx_api::operations::{Operation, OperationKind, OperationStatus, OperationWork};
use backupx_api::page::Page;
use backupx_api::reports::{OperationReport, RestoreReport, VerifyReport};
use serde_json::json;
use std::process::ExitCode;

/// What to do with operations.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// List operations, newest first
    Ls {
        /// On this record
        #[arg(long, value_name = "ID")]
        record: Option<i64>,
        /// Of this kind: restore, verify, copy, delete
        #[arg(long, value_parser = kind)]
        kind: Option<OperationKind>,
        /// In this state: queued, running, success, failed, cancelled
        #[arg(long, value_parser = status)]
        status: Option<OperationStatus>,
        /// How many at most
        #[arg(long, value_name = "N", default_value_t = 50)]
        limit: usize,
    },
    /// Show an operation
    Show {
        /// Id
        operation: i64,
    },
    /// Print the log of an operation
    Logs {
        /// Id
        operation: i64,
        /// Follow it to the operation's end
        #[arg(short, long)]
        follow: bool,
    },
    /// Stop an operation
    Cancel {
        /// Id
        operation: i64,
    },
}

/// Carries it out.
pub(crate) async fn run(command: Command, output: OutputFormat) -> Result<ExitCode> {
    let client = Client::signed_in()?;
    match command {
        Command::Ls {
            record,
            kind,
            status,
            limit,
        } => {
            let mut query = Query::new();
            query.extend(record.map(|record| ("recordId", record.to_string())));
            query.extend(kind.map(|kind| ("kind", kind.as_str().to_owned())));
            query.extend(status.map(|status| ("status", status.to_string())));
            let page: Page<Operation> = client.list("/operations", &query, limit).await?;
            output.print(&page, list_view)?;
        }
        Command::Show { operation } => {
            let operation: Operation = client.get(&format!("/operations/{operation}")).await?;
            output.print(&operation, view)?;
        }
        Command::Logs { operation, follow } => {
            return logs::run(&client, output, &format!("/operations/{operation}"), follow).await;
        }
        Command::Cancel { operation } => {
            let path = format!("/operations/{operation}/cancel");
            let operation: Operation = client.post(&path, &json!({})).await?;
            output.print(&operation, view)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Waits for an operation when asked to, prints it, and answers whether it ended well.
pub(crate) async fn end(
    client: &Client,
    output: OutputFormat,
    mut operation: Operation,
    wait: bool,
) -> Result<ExitCode> {
    if wait {
        match follow::to_the_end::<Operation>(client, operation.id).await? {
            Some(ended) => operation = ended,
            None => return Ok(ExitCode::from(FAILED)),
        }
    }
    output.print(&operation, view)?;
    let good = !wait || operation.status == OperationStatus::Success;
    Ok(if good {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(FAILED)
    })
}

fn list_view(page: &Page<Operation>) -> String {
    table(
        [
            "id", "kind", "record", "node", "status", "made", "took", "error",
        ],
        &["id", "record", "node", "took"],
        page.items.iter().map(|operation| {
            let error = operation.error.as_ref().map(|error| error.message.clone());
            [
                operation.id.to_string(),
                operation.work.kind().as_str().to_owned(),
                operation.record_id.to_string(),
                operation.node_id.to_string(),
                operation.status.to_string(),
                instant(operation.created_at),
                between(operation.started_at, operation.finished_at),
                or_dash(error.unwrap_or_default()),
            ]
        }),
    )
}

fn view(operation: &Operation) -> String {
    let mut pairs = vec![
        ("id", operation.id.to_string()),
        ("kind", what(&operation.work)),
        ("record", operation.record_id.to_string()),
        ("node", operation.node_id.to_string()),
        ("status", operation.status.to_string()),
        ("made", instant(operation.created_at)),
        ("finished", instant_or_dash(operation.finished_at)),
        ("took", between(operation.started_at, operation.finished_at)),
    ];
    if let Some(error) = &operation.error {
        pairs.push(("error", error.message.clone()));
    }
    let mut tail = String::new();
    match &operation.report {
        None => {}
        Some(OperationReport::Restore(report)) => pairs.extend(restored(report)),
        Some(OperationReport::Verify(report)) => tail = verified(report),
        Some(OperationReport::Drill(report)) => {
            let (more, answers) = drill::view(report);
            pairs.extend(more);
            tail = answers;
        }
        Some(OperationReport::Copy(report)) => {
            tail = table(
                ["target", "copy", "stored", "error"],
                &["target", "stored"],
                report.copies.iter().map(|copy| {
                    let error = copy.error.as_ref().map(|error| error.message.clone());
                    [
                        copy.target_id.to_string(),
                        if copy.error.is_none() {
                            "good"
                        } else {
                            "failed"
                        }
                        .to_owned(),
                        bytes(copy.stored_bytes),
                        or_dash(error.unwrap_or_default()),
                    ]
                }),
            );
        }
        Some(OperationReport::Delete(report)) => {
            pairs.push((
                "removed",
                format!("{} objects, {}", report.objects, bytes(report.bytes)),
            ));
        }
    }
    let head = key_values(&pairs);
    if tail.is_empty() {
        head
    } else {
        format!("{head}\n\n{tail}")
    }
}

/// What a restore did, as names and values.
pub(crate) fn restored(report: &RestoreReport) -> Vec<(&'static str, String)> {
    let amount = |entries: u64, size: u64| format!("{entries} entries, {}", bytes(size));
    let mut pairs = vec![
        ("to", report.to.clone()),
        (
            "selected",
            amount(report.selected_entries, report.selected_bytes),
        ),
        (
            "restored",
            amount(report.restored_entries, report.restored_bytes),
        ),
        ("kept", format!("{} entries", report.kept_entries)),
        ("failed", format!("{} entries", report.failed_entries)),
        ("read from storage", bytes(report.stored_bytes_read)),
    ];
    if !report.warnings.is_empty() {
        pairs.push(("warnings", report.warnings.join("\n")));
    }
    if !report.would_write.is_empty() {
        pairs.push(("would write", report.would_write.join("\n")));
    }
    pairs
}

fn verified(report: &VerifyReport) -> String {
    table(
        ["target", "held", "objects", "read", "entries", "problems"],
        &["target", "objects", "read", "entries"],
        report.copies.iter().map(|copy| {
            [
                copy.target_id.to_string(),
                yes_no(copy.ok),
                copy.objects.to_string(),
                bytes(copy.bytes_read),
                copy.entries.to_string(),
                or_dash(copy.problems.join("; ")),
            ]
        }),
    )
}

fn what(work: &OperationWork) -> String {
    match work {
        OperationWork::Restore { to, dry_run, .. } => {
            let to = to.as_deref().unwrap_or("where it came from");
            let dry = if *dry_run { " (dry run)" } else { "" };
            format!("restore to {to}{dry}")
        }
        OperationWork::Verify { mode, .. } => format!("verify ({mode})"),
        OperationWork::Copy { .. } => "copy".to_owned(),
        OperationWork::Delete { target_id, reason } => {
            format!("delete from target {target_id}: {reason}")
        }
    }
}

fn kind(text: &str) -> Result<OperationKind, String> {
    by_name(OperationKind::ALL, OperationKind::as_str, text)
}

fn status(text: &str) -> Result<OperationStatus, String> {
    by_name(OperationStatus::ALL, OperationStatus::as_str, text)
}
