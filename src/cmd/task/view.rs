//! Tasks as people see them.

use super::timing::of_window;
use super::{guard, verify};
use crate::cmd::client::Client;
use crate::cmd::drill;
use crate::cmd::output::{
    OutputFormat, instant, instant_or_dash, key_values, or_dash, span, table, yes_no,
};
use anyhow::Result;
use backupx_api::nodes::Node;
use backupx_api::page::Page;
use backupx_api::saphana::SaphanaSource;
use backupx_api::schedules::{Schedule, SchedulePreview};
use backupx_api::sources::{Selection, Server, Source};
use backupx_api::targets::Target;
use backupx_api::tasks::{Hooks, Retention, RetentionPlan, Task};
use backupx_core::domain::source::SourceSpec;
use backupx_core::ports::clock::{Clock, SystemClock};
use chrono::{DateTime, Utc};
use serde::Serialize;
use std::collections::BTreeMap;
use std::time::Duration;

/// Names of nodes, targets and tasks by id. Scripts get ids, so nothing is asked for them.
#[derive(Default)]
pub(crate) struct Names {
    nodes: BTreeMap<i64, String>,
    targets: BTreeMap<i64, String>,
    tasks: BTreeMap<i64, String>,
}

/// Prints one task.
pub(crate) async fn print(client: &Client, output: OutputFormat, task: &Task) -> Result<()> {
    let names = Names::read(client, output).await?;
    output.print(task, |task| names.view(task))
}

/// A task with its next runs, as one document.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    #[serde(flatten)]
    task: Task,
    next_runs: Vec<DateTime<Utc>>,
}

/// Prints one task and when it runs next.
pub(crate) async fn print_with(
    client: &Client,
    output: OutputFormat,
    task: Task,
    coming: SchedulePreview,
) -> Result<()> {
    let names = Names::read(client, output).await?;
    let shown = Shown {
        task,
        next_runs: coming.next_runs,
    };
    output.print(&shown, |shown| {
        let runs: Vec<_> = shown.next_runs.iter().map(|at| instant(*at)).collect();
        let coming = key_values(&[("next runs", or_dash(runs.join("\n")))]);
        format!("{}\n{coming}", names.view(&shown.task))
    })
}

impl Names {
    /// Asks for the names where a person is to read them.
    pub(crate) async fn read(client: &Client, output: OutputFormat) -> Result<Self> {
        if output == OutputFormat::Json {
            return Ok(Self::default());
        }
        let nodes: Page<Node> = client.list("/nodes", &[], usize::MAX).await?;
        let targets: Page<Target> = client.list("/targets", &[], usize::MAX).await?;
        let tasks: Page<Task> = client.list("/tasks", &[], usize::MAX).await?;
        Ok(Self {
            tasks: tasks
                .items
                .into_iter()
                .map(|task| (task.id, task.name))
                .collect(),
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
                    self.place(task),
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
        let cores = task
            .max_cores
            .map_or_else(|| "all".to_owned(), |cores| cores.to_string());
        let limit = task
            .time_limit_secs
            .map(|seconds| span(Duration::from_secs(seconds)));
        let mut pairs = vec![
            ("id", task.id.to_string()),
            ("name", task.name.clone()),
            ("enabled", yes_no(task.enabled)),
            ("node", self.place(task)),
        ];
        pairs.extend(source(&task.source));
        pairs.extend([
            ("targets", self.targets(&task.target_ids)),
            ("schedule", schedule(task)),
            ("next run", instant_or_dash(task.next_run_at)),
            ("runs after", self.upstreams(task)),
            (
                "catch up",
                timing(task, |schedule| schedule.catch_up.to_string()),
            ),
            ("jitter", timing(task, jitter)),
            ("no runs begin", timing(task, windows)),
            ("compression", task.compression.to_string()),
            ("encrypted", yes_no(task.encrypt)),
            ("keeps", retention(&task.retention)),
            ("max unreadable", task.max_unreadable.to_string()),
            ("cores", cores),
            ("time limit", or_dash(limit.unwrap_or_default())),
            ("verified", or_dash(verify::shown(&task.verify))),
            ("guard", guard::shown(&task.guard)),
            ("changed", instant(task.updated_at)),
        ]);
        pairs.extend(hooks(&task.hooks));
        if let Some(drill) = &task.drill {
            pairs.push(("drill", drill::in_words(drill)));
        }
        if !task.secrets_set.is_empty() {
            pairs.push(("secrets set", task.secrets_set.join(", ")));
        }
        if rests_until(task).is_some()
            && let Some(reason) = &task.pause_reason
        {
            pairs.push(("paused because", reason.clone()));
        }
        if !task.extra_recipients.is_empty() {
            pairs.push(("recipients", task.extra_recipients.join("\n")));
        }
        key_values(&pairs)
    }

    fn upstreams(&self, task: &Task) -> String {
        let Some(after) = &task.after else {
            return "-".to_owned();
        };
        let names: Vec<_> = after.task_ids.iter().map(|id| self.task(*id)).collect();
        match names.as_slice() {
            [one] => one.clone(),
            several => format!("{} of {}", after.when, several.join(", ")),
        }
    }

    fn task(&self, id: i64) -> String {
        self.tasks
            .get(&id)
            .cloned()
            .unwrap_or_else(|| format!("#{id}"))
    }

    /// The node of a task, or its pool.
    fn place(&self, task: &Task) -> String {
        match (task.node_id, &task.pool) {
            (_, Some(pool)) => format!("any of {pool}"),
            (Some(id), None) => self.node(id),
            (None, None) => "-".to_owned(),
        }
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

/// What runs around it, where something does.
fn hooks(hooks: &Hooks) -> Vec<(&'static str, String)> {
    let moments = [
        ("hooks before", &hooks.before),
        ("hooks after", &hooks.after),
        ("hooks on success", &hooks.on_success),
        ("hooks on failure", &hooks.on_failure),
        ("hooks always", &hooks.always),
    ];
    let some = moments.into_iter().filter(|(_, names)| !names.is_empty());
    some.map(|(moment, names)| (moment, names.join(", ")))
        .collect()
}

/// What is read, as pairs of a view.
fn source(source: &Source) -> Vec<(&'static str, String)> {
    let place = SourceSpec::from(source.clone()).place();
    let server = |server: &Server, databases: &Selection| {
        let only = if databases.only.is_empty() {
            "all".to_owned()
        } else {
            databases.only.join("\n")
        };
        vec![
            ("source", place.clone()),
            (
                "signs in as",
                or_dash(server.user.clone().unwrap_or_default()),
            ),
            ("tls", server.tls.to_string()),
            ("databases", only),
            ("left out", or_dash(databases.except.join("\n"))),
        ]
    };
    match source {
        Source::File {
            paths,
            excludes,
            one_file_system,
            skip_cache_dirs,
        } => vec![
            ("source", paths.join("\n")),
            ("left out", or_dash(excludes.join("\n"))),
            ("one file system", yes_no(*one_file_system)),
            ("skip caches", yes_no(*skip_cache_dirs)),
        ],
        Source::Sqlite(source) => vec![
            ("source", place.clone()),
            ("files", source.paths.join("\n")),
        ],
        Source::Mysql(source) => server(&source.server, &source.databases),
        Source::Postgresql(source) => server(&source.server, &source.databases),
        Source::Mongodb(source) => server(&source.server, &source.databases),
        Source::Saphana(source) => {
            let mut pairs = server(&source.server, &source.databases);
            pairs.extend(saphana(source));
            pairs
        }
    }
}

fn saphana(source: &SaphanaSource) -> [(&'static str, String); 5] {
    let channels = source.channels.map(|channels| channels.to_string());
    let wait = span(Duration::from_secs(source.retry_wait_secs.into()));
    [
        ("level", source.level.to_string()),
        ("via", source.via.to_string()),
        ("channels", or_dash(channels.unwrap_or_default())),
        ("folder", or_dash(source.folder.clone().unwrap_or_default())),
        ("retries", format!("{}, after {wait} first", source.retries)),
    ]
}

fn schedule(task: &Task) -> String {
    let Some(schedule) = &task.schedule else {
        return match task.after {
            Some(_) => "after others".to_owned(),
            None => "by hand".to_owned(),
        };
    };
    let rests = match rests_until(task) {
        _ if !task.enabled => ", disabled".to_owned(),
        Some(until) => format!(", paused until {}", instant(until)),
        None => String::new(),
    };
    format!("{} ({}){rests}", schedule.cron, schedule.timezone)
}

/// The end of a pause that is not over.
fn rests_until(task: &Task) -> Option<DateTime<Utc>> {
    let now = SystemClock.now();
    task.paused_until.filter(|until| *until > now)
}

fn timing(task: &Task, of: impl FnOnce(&Schedule) -> String) -> String {
    or_dash(task.schedule.as_ref().map(of).unwrap_or_default())
}

fn jitter(schedule: &Schedule) -> String {
    match schedule.jitter_secs {
        0 => String::new(),
        seconds => format!("up to {}", span(Duration::from_secs(seconds.into()))),
    }
}

fn windows(schedule: &Schedule) -> String {
    let windows: Vec<_> = schedule.maintenance.iter().map(of_window).collect();
    windows.join("\n")
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
