//! `backupx task test`: whether a source can be read, found out before it has to be.

use crate::cmd::client::{Client, resolve};
use crate::cmd::failure::{FAILED, say};
use crate::cmd::output::{OutputFormat, bytes, or_dash, table, yes_no};
use anyhow::Result;
use backupx_api::nodes::Node;
use backupx_api::sources::{Source, SourceReport, SourceTestRequest};
use backupx_api::tasks::Task;
use std::process::ExitCode;

/// Tries a task's source and prints what was found.
pub(super) async fn run(
    client: &Client,
    output: OutputFormat,
    task: &str,
    node: Option<String>,
) -> Result<ExitCode> {
    let path = resolve::path::<Task>(client, task).await?;
    let node_id = match node {
        Some(node) => Some(resolve::find::<Node>(client, &node).await?.id),
        None => None,
    };
    let report: SourceReport = client
        .post(&format!("{path}/test"), &SourceTestRequest { node_id })
        .await?;
    output.print(&report, view)?;
    Ok(if report.ok {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(FAILED)
    })
}

/// Tries a source that was just saved: what would fail the first run is said now. The task is saved in any case.
pub(super) async fn after_saving(client: &Client, task: &Task) {
    if matches!(task.source, Source::File { .. }) || task.node_id.is_none() {
        return;
    }
    let path = format!("/tasks/{}/test", task.id);
    let tried: Result<SourceReport> = client.post(&path, &SourceTestRequest::default()).await;
    let again = format!("`backupx task test {}` tries it again", task.id);
    match tried {
        Ok(report) => {
            if let Some(step) = report.steps.iter().find(|step| !step.ok) {
                say(&format!(
                    "warning: the source can't be read yet ({}): {}; {again}",
                    step.name, step.message
                ));
            }
        }
        Err(error) => say(&format!(
            "warning: the source was not tried: {error:#}; {again}"
        )),
    }
}

fn view(report: &SourceReport) -> String {
    let steps = table(
        ["step", "ok", "found"],
        &[],
        report
            .steps
            .iter()
            .map(|step| [step.name.clone(), yes_no(step.ok), step.message.clone()]),
    );
    if report.databases.is_empty() {
        return steps;
    }
    let databases = table(
        ["database", "size"],
        &["size"],
        report.databases.iter().map(|found| {
            [
                found.name.clone(),
                or_dash(found.size_bytes.map(bytes).unwrap_or_default()),
            ]
        }),
    );
    format!("{steps}\n\n{databases}")
}
