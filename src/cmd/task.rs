//! `backupx task`: what is backed up, where to, when, and for how long.

mod form;
mod guard;
pub(crate) mod source;
mod test;
mod timing;
mod verify;
mod view;

use super::client::{Client, resolve};
use super::failure::usage;
use super::output::OutputFormat;
use super::record;
use anyhow::Result;
use backupx_api::page::Page;
use backupx_api::records::Record;
use backupx_api::schedules::SchedulePreview;
use backupx_api::tasks::{DisableTask, RetentionPlan, Task, TaskInput};
use backupx_core::ports::clock::{Clock, SystemClock};
use serde::Serialize;
use serde_json::json;
use std::process::ExitCode;

/// What to do with tasks.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Make a task
    Add(Box<form::Add>),
    /// List tasks
    Ls,
    /// Show a task and its next runs
    Show {
        /// Id or name
        task: String,
    },
    /// Change a task; what is not named stays as it is
    Edit(Box<form::Edit>),
    /// Run a task now
    Run {
        /// Id or name
        task: String,
        /// Follow the run to its end; exits 1 unless it ends in success
        #[arg(long)]
        wait: bool,
    },
    /// Try what a task reads: tools, connection, version, rights; lists the databases that are there
    Test {
        /// Id or name
        task: String,
        /// The node that tries it: id or name [default: the task's]
        #[arg(long)]
        node: Option<String>,
    },
    /// Let a task run by its schedule; a pause is over
    Enable {
        /// Id or name
        task: String,
    },
    /// Keep a task from running by its schedule, for good or until a time
    Disable {
        /// Id or name
        task: String,
        /// Go on by itself after a span (3d, 12h) or at a time ("2026-12-24 08:00"); what falls before is not caught up
        #[arg(long, value_name = "TIME")]
        until: Option<String>,
        /// Why, for whoever looks at the task
        #[arg(long, value_name = "TEXT", requires = "until")]
        reason: Option<String>,
    },
    /// Remove a task; its backups stay
    Rm {
        /// Id or name
        task: String,
    },
    /// Show what retention would keep and remove now; changes nothing
    Retention {
        /// Id or name
        task: String,
    },
}

/// Carries it out.
pub(crate) async fn run(command: Command, output: OutputFormat) -> Result<ExitCode> {
    let client = Client::signed_in()?;
    match command {
        Command::Add(form) => {
            let input = form.input(&client).await?;
            let task: Task = client.post("/tasks", &input).await?;
            view::print(&client, output, &task).await?;
            test::after_saving(&client, &task).await;
        }
        Command::Ls => {
            let page: Page<Task> = client.list("/tasks", &[], usize::MAX).await?;
            let names = view::Names::read(&client, output).await?;
            output.print(&page, |page| names.list(page))?;
        }
        Command::Show { task } => {
            let task: Task = resolve::find(&client, &task).await?;
            let coming: SchedulePreview =
                client.get(&format!("/tasks/{}/next-runs", task.id)).await?;
            view::print_with(&client, output, task, coming).await?;
        }
        Command::Edit(form) => {
            let path = resolve::path::<Task>(&client, &form.task).await?;
            let read = client.get_tagged::<Task>(&path).await?;
            let before = TaskInput::from(read.value);
            let after = form.apply(&client, before.clone()).await?;
            if after == before {
                return Err(usage("nothing is changed; name what is to be different"));
            }
            let task: Task = client.put(&path, read.etag, &after).await?;
            view::print(&client, output, &task).await?;
            test::after_saving(&client, &task).await;
        }
        Command::Test { task, node } => return test::run(&client, output, &task, node).await,
        Command::Run { task, wait } => return run_now(&client, output, &task, wait).await,
        Command::Enable { task } => act(&client, output, &task, "enable", &json!({})).await?,
        Command::Disable {
            task,
            until,
            reason,
        } => {
            let until = until.map(|until| timing::until(&until, SystemClock.now()));
            let body = DisableTask {
                until: until.transpose()?,
                reason,
            };
            act(&client, output, &task, "disable", &body).await?;
        }
        Command::Rm { task } => {
            let task: Task = resolve::find(&client, &task).await?;
            client.delete(&format!("/tasks/{}", task.id), &[]).await?;
            output.done(
                &json!({ "id": task.id, "name": task.name, "removed": true }),
                &format!("task {:?} was removed; its backups stay", task.name),
            )?;
        }
        Command::Retention { task } => {
            let path = resolve::path::<Task>(&client, &task).await?;
            let plan: RetentionPlan = client.get(&format!("{path}/retention")).await?;
            let names = view::Names::read(&client, output).await?;
            output.print(&plan, |plan| names.plan(plan))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn act<B: Serialize>(
    client: &Client,
    output: OutputFormat,
    task: &str,
    verb: &str,
    body: &B,
) -> Result<()> {
    let path = resolve::path::<Task>(client, task).await?;
    let task: Task = client.post(&format!("{path}/{verb}"), body).await?;
    view::print(client, output, &task).await
}

async fn run_now(
    client: &Client,
    output: OutputFormat,
    task: &str,
    wait: bool,
) -> Result<ExitCode> {
    let path = resolve::path::<Task>(client, task).await?;
    let record: Record = client.post(&format!("{path}/run"), &json!({})).await?;
    record::end(client, output, record, wait).await
}
