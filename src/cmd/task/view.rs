//! Tasks as people see them.

use crate::cmd::client::Client;
use crate::cmd::output::{
    OutputFormat, instant, instant_or_dash, key_values, or_dash, table, yes_no,
};
use anyhow::Result;
use backupx_api::nodes::Node;
use backupx_api::page::Page;
use backupx_api::targets::Target;
use backupx_api::tasks::{Retention, RetentionPlan, Source, Task};
use std::collections::BTreeMap;

/// Names of nodes and targets by id. Scripts get ids, so nothing is asked for them.
#[derive(Default)]
pub(crate) struct Names {
    nodes: BTreeMap<i64, String>,
    targets: BTreeMap<i64, String>,
}

/// Prints one task.
pub(crate) async fn print(client: &Client, output: OutputFormat, task: &Task) -> Result<()> {
    let names = Names::read(client, output).await?;
    output.print(task, |task| names.view(task))
}

impl Names {
    /// Asks for the names where a person is to read them.
    pub(crate) async fn read(client: &Client, output: OutputFormat) -> Result<Self> {
        if output == OutputFormat::Json {
            return Ok(Self::default());
        }
        let nodes: Page<Node> = client.list("/nodes", &[], usize::MAX).await?;
        let targets: Page<Target> = client.list("/targets", &[], usize::MAX).await?;
        Ok(Self {
            nodes: nodes
                .items
                .into_iter()
                .map(|node| (node.id, node.name))
                .collect(),
            targets: targets
                .items
                .into_iter()
                .map(|target| (target.id, target.name))
                .collect(),
        })
    }

    /// A list of tasks.
    pub(crate) fn list(&self, page: &Page<Task>) -> String {
        table(
            ["id", "name", "node", "targets", "schedule", "next run"],
            &["id"],
            page.items.iter().map(|task| {
                [
                    task.id.to_string(),
                    task.name.clone(),
                    self.node(task.node_id),
                    self.targets(&task.target_ids),
                    schedule(task),
                    instant_or_dash(task.next_run_at),
                ]
            }),
        )
    }

    /// What retention would do.
    pub(crate) fn plan(&self, plan: &RetentionPlan) -> String {
        if plan.decisions.is_empty() {
            return "There are no good copies yet.".to_owned();
        }
        let rows = table(
            ["record", "target", "received", "decision", "because"],
            &["record"],
            plan.decisions.iter().map(|decision| {
                [
                    decision.record_id.to_string(),
                    self.target(decision.target_id),
                    instant(decision.received_at),
                    if decision.keep { "keep" } else { "remove" }.to_owned(),
                    or_dash(decision.reasons.join(", ")),
                ]
            }),
        );
        let removed = plan
            .decisions
            .iter()
            .filter(|decision| !decision.keep)
            .count();
        let kept = plan.decisions.len() - removed;
        format!("{rows}\n\n{kept} copies would be kept, {removed} removed.")
    }

    fn view(&self, task: &Task) -> String {
        let Source::File {
            paths,
            excludes,
            one_file_system,
            skip_cache_dirs,
        } = &task.source;
        let cores = task
            .max_cores
            .map_or_else(|| "all".to_owned(), |cores| cores.to_string());
        let mut pairs = vec![
            ("id", task.id.to_string()),
            ("name", task.name.clone()),
            ("enabled", yes_no(task.enabled)),
            ("node", self.node(task.node_id)),
            ("source", paths.join("\n")),
            ("left out", or_dash(excludes.join("\n"))),
            ("one file system", yes_no(*one_file_system)),
            ("skip caches", yes_no(*skip_cache_dirs)),
            ("targets", self.targets(&task.target_ids)),
            ("schedule", schedule(task)),
            ("next run", instant_or_dash(task.next_run_at)),
            ("compression", task.compression.to_string()),
            ("encrypted", yes_no(task.encrypt)),
            ("keeps", retention(&task.retention)),
            ("max unreadable", task.max_unreadable.to_string()),
            ("cores", cores),
            ("changed", instant(task.updated_at)),
        ];
        if !task.extra_recipients.is_empty() {
            pairs.push(("recipients", task.extra_recipients.join("\n")));
        }
        key_values(&pairs)
    }

    fn node(&self, id: i64) -> String {
        self.nodes
            .get(&id)
            .cloned()
            .unwrap_or_else(|| format!("#{id}"))
    }

    fn target(&self, id: i64) -> String {
        self.targets
            .get(&id)
            .cloned()
            .unwrap_or_else(|| format!("#{id}"))
    }

    fn targets(&self, ids: &[i64]) -> String {
        let names: Vec<_> = ids.iter().map(|id| self.target(*id)).collect();
        names.join(", ")
    }
}

fn schedule(task: &Task) -> String {
    match &task.schedule {
        None => "by hand".to_owned(),
        Some(schedule) if task.enabled => format!("{} ({})", schedule.cron, schedule.timezone),
        Some(schedule) => format!("{} ({}), disabled", schedule.cron, schedule.timezone),
    }
}

fn retention(policy: &Retention) -> String {
    let rules = [
        ("last", policy.keep_last),
        ("daily", policy.keep_daily),
        ("weekly", policy.keep_weekly),
        ("monthly", policy.keep_monthly),
        ("yearly", policy.keep_yearly),
    ];
    let rules: Vec<_> = rules
        .into_iter()
        .filter(|(_, count)| *count > 0)
        .map(|(name, count)| format!("{count} {name}"))
        .collect();
    if rules.is_empty() {
        "everything".to_owned()
    } else {
        rules.join(", ")
    }
}
