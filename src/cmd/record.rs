//! `backupx record`: backups, each one run of one task.

mod download;
pub(crate) mod logs;
mod view;

use super::client::{Client, Query, follow, resolve};
use super::failure::{FAILED, Usage, say, usage};
use super::output::{OutputFormat, is_watched};
use super::{drill, node, operation};
use anyhow::Result;
use backupx_api::guard::AcceptRequest;
use backupx_api::operations::{Operation, VerifyMode};
use backupx_api::page::Page;
use backupx_api::records::{LockRequest, Record, RecordStatus, VerifyRequest};
use backupx_api::reports::ListedEntry;
use backupx_api::targets::Target;
use backupx_api::tasks::Task;
use serde_json::json;
use std::path::PathBuf;
use std::process::ExitCode;

/// What to do with records.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// List records, newest first
    Ls {
        /// Of this task: id or name
        #[arg(long)]
        task: Option<String>,
        /// Of this node: id or name
        #[arg(long)]
        node: Option<String>,
        /// In this state: queued, running, success, degraded, failed, cancelled, missed
        #[arg(long, value_parser = status)]
        status: Option<RecordStatus>,
        /// How many at most
        #[arg(long, value_name = "N", default_value_t = 50)]
        limit: usize,
    },
    /// Show a record
    Show {
        /// Id
        record: i64,
    },
    /// Print the log of a record
    Logs {
        /// Id
        record: i64,
        /// Follow it to the record's end
        #[arg(short, long)]
        follow: bool,
    },
    /// List a folder in a backup
    Files {
        /// Id
        record: i64,
        /// Folder in the archive [default: its top]
        path: Option<String>,
        /// How many entries at most
        #[arg(long, value_name = "N", default_value_t = 10_000)]
        limit: usize,
    },
    /// Prove the copies of a backup
    Verify {
        /// Id
        record: i64,
        /// quick looks at sizes and checksums, full reads and opens everything, drill restores it into a throw-away place and asks
        #[arg(long, value_parser = mode, default_value = "quick")]
        mode: VerifyMode,
        /// Only the copy on this target: id or name; may be repeated
        #[arg(long = "target", value_name = "TARGET")]
        targets: Vec<String>,
        /// Wait for its end; exits 1 unless it held
        #[arg(long)]
        wait: bool,
        #[command(flatten)]
        drill: Box<drill::Once>,
    },
    /// Fetch the stored data of a backup into a file
    Download {
        /// Id
        record: i64,
        /// Where to, `-` for standard output [default: the object's name, here]
        #[arg(long, value_name = "FILE")]
        to: Option<PathBuf>,
    },
    /// Keep a record whatever the policy says
    Lock {
        /// Id
        record: i64,
        /// Why
        #[arg(long, default_value = "locked on the command line")]
        reason: String,
    },
    /// Let the policy have a record again
    Unlock {
        /// Id
        record: i64,
    },
    /// Say that an odd run is right: retention goes on
    Accept {
        /// Id
        record: i64,
        /// Why
        #[arg(long, default_value = "")]
        reason: String,
    },
    /// Stop a run
    Cancel {
        /// Id
        record: i64,
    },
    /// Make the copies that are missing from one that is good
    Retry {
        /// Id
        record: i64,
        /// Wait for its end; exits 1 unless it ends in success
        #[arg(long)]
        wait: bool,
    },
    /// Remove a backup from all targets
    Rm {
        /// Id
        record: i64,
        /// Do not ask
        #[arg(short, long)]
        yes: bool,
    },
}

/// Carries it out.
pub(crate) async fn run(command: Command, output: OutputFormat) -> Result<ExitCode> {
    let client = Client::signed_in()?;
    match command {
        Command::Ls {
            task,
            node,
            status,
            limit,
        } => {
            let query = filter(&client, task, node, status).await?;
            let page: Page<Record> = client.list("/records", &query, limit).await?;
            output.print(&page, view::list)?;
        }
        Command::Show { record } => {
            let record: Record = client.get(&format!("/records/{record}")).await?;
            print(output, &record)?;
        }
        Command::Logs { record, follow } => {
            return logs::run(&client, output, &format!("/records/{record}"), follow).await;
        }
        Command::Files {
            record,
            path,
            limit,
        } => {
            let query: Query = path.into_iter().map(|path| ("path", path)).collect();
            let path = format!("/records/{record}/files");
            let page: Page<ListedEntry> = client.list(&path, &query, limit).await?;
            output.print(&page, |page| node::entries_view(&page.items))?;
            if page.next_cursor.is_some() {
                say(&format!(
                    "there are more than {limit} entries; --limit shows more of them"
                ));
            }
        }
        Command::Verify {
            record,
            mode,
            targets,
            wait,
            drill,
        } => {
            let (drill, secrets) = match drill.drill(&client).await? {
                Some(_) if mode != VerifyMode::Drill => {
                    return Err(usage(
                        "--node, --place, --include, --set, --time-limit and --assert-… are for --mode drill",
                    ));
                }
                Some((drill, secrets)) => (Some(drill), secrets),
                None => Default::default(),
            };
            let request = VerifyRequest {
                mode,
                target_ids: resolve::ids::<Target>(&client, &targets).await?,
                drill,
                secrets,
            };
            let path = format!("/records/{record}/verify");
            let operation: Operation = client.post(&path, &request).await?;
            return operation::end(&client, output, operation, wait).await;
        }
        Command::Download { record, to } => download::run(&client, output, record, to).await?,
        Command::Lock { record, reason } => {
            let path = format!("/records/{record}/lock");
            let record: Record = client.post(&path, &LockRequest { reason }).await?;
            print(output, &record)?;
        }
        Command::Unlock { record } => act(&client, output, record, "unlock").await?,
        Command::Accept { record, reason } => {
            let path = format!("/records/{record}/accept");
            let record: Record = client.post(&path, &AcceptRequest { reason }).await?;
            print(output, &record)?;
        }
        Command::Cancel { record } => act(&client, output, record, "cancel").await?,
        Command::Retry { record, wait } => {
            let path = format!("/records/{record}/retry");
            let operation: Operation = client.post(&path, &json!({})).await?;
            return operation::end(&client, output, operation, wait).await;
        }
        Command::Rm { record, yes } => {
            if !yes && is_watched() && !is_sure(record)? {
                return Ok(ExitCode::from(FAILED));
            }
            client.delete(&format!("/records/{record}"), &[]).await?;
            output.done(
                &json!({ "id": record, "removed": true }),
                &format!("record {record}: its copies are being removed from their targets"),
            )?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Prints one record.
pub(crate) fn print(output: OutputFormat, record: &Record) -> Result<()> {
    output.print(record, view::one)
}

/// Waits for a run when asked to, prints it, and answers whether it ended well.
pub(crate) async fn end(
    client: &Client,
    output: OutputFormat,
    mut record: Record,
    wait: bool,
) -> Result<ExitCode> {
    if wait {
        match follow::to_the_end::<Record>(client, record.id).await? {
            Some(ended) => record = ended,
            None => return Ok(ExitCode::from(FAILED)),
        }
    }
    print(output, &record)?;
    let good = !wait || record.status == RecordStatus::Success;
    Ok(if good {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(FAILED)
    })
}

async fn filter(
    client: &Client,
    task: Option<String>,
    node: Option<String>,
    status: Option<RecordStatus>,
) -> Result<Query> {
    let mut query = Query::new();
    if let Some(task) = task {
        // A record outlives its task: an id is good even when there is no such task any more.
        let id = match task.parse::<i64>() {
            Ok(id) => id,
            Err(_) => resolve::find::<Task>(client, &task).await?.id,
        };
        query.push(("taskId", id.to_string()));
    }
    if let Some(node) = node {
        let node: backupx_api::nodes::Node = resolve::find(client, &node).await?;
        query.push(("nodeId", node.id.to_string()));
    }
    if let Some(status) = status {
        query.push(("status", status.to_string()));
    }
    Ok(query)
}

async fn act(client: &Client, output: OutputFormat, record: i64, verb: &str) -> Result<()> {
    let path = format!("/records/{record}/{verb}");
    let record: Record = client.post(&path, &json!({})).await?;
    print(output, &record)
}

fn is_sure(record: i64) -> Result<bool> {
    let sure = dialoguer::Confirm::new()
        .with_prompt(format!(
            "Remove record {record} from all its targets? This can't be undone"
        ))
        .default(false)
        .interact()
        .map_err(|error| Usage(format!("no answer was given ({error}); --yes does not ask")))?;
    if !sure {
        say("nothing was removed");
    }
    Ok(sure)
}

fn status(text: &str) -> Result<RecordStatus, String> {
    by_name(RecordStatus::ALL, RecordStatus::as_str, text)
}

fn mode(text: &str) -> Result<VerifyMode, String> {
    by_name(VerifyMode::ALL, VerifyMode::as_str, text)
}

/// The value of this name, or which names there are.
pub(crate) fn by_name<T: Copy>(
    all: &[T],
    name: impl Fn(T) -> &'static str,
    text: &str,
) -> Result<T, String> {
    all.iter()
        .copied()
        .find(|value| name(*value) == text)
        .ok_or_else(|| {
            let names: Vec<_> = all.iter().map(|value| name(*value)).collect();
            format!("use one of {}", names.join(", "))
        })
}
