//! `backupx restore`: puts files of a backup back, on its own node or on another.

use super::client::{Client, resolve};
use super::failure::usage;
use super::output::OutputFormat;
use super::record::by_name;
use super::{operation, settings};
use anyhow::Result;
use backupx_api::nodes::Node;
use backupx_api::operations::{Operation, Overwrite, RestoreRequest};
use std::process::ExitCode;

/// What, where and how.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Id of the record
    record: i64,
    /// The node that writes the files: id or name [default: the one that made the backup]
    #[arg(long)]
    node: Option<String>,
    /// Folder on that node below which everything is written [default: where it came from]
    #[arg(long, value_name = "PATH")]
    to: Option<String>,
    /// Only what matches: a folder's path means all below it, `*` stops at `/`, `**` does not. May be repeated
    #[arg(long, value_name = "GLOB")]
    include: Vec<String>,
    /// A setting of the kind of backup; files have none
    #[arg(long = "set", value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// What happens to files that are there already: never, if-changed, always
    #[arg(long, value_parser = overwrite, default_value = "if-changed")]
    overwrite: Overwrite,
    /// Only say what would be written
    #[arg(long)]
    dry_run: bool,
    /// Follow it to its end; exits 1 unless it ends in success
    #[arg(long)]
    wait: bool,
}

/// Begins the restore.
pub(crate) async fn run(args: Args, output: OutputFormat) -> Result<ExitCode> {
    if let Some((key, _)) = settings::parse(&args.set)?.first_key_value() {
        return Err(usage(format!(
            "--set {key}: a restore of files has no such setting"
        )));
    }
    if let Some(to) = &args.to
        && !to.starts_with('/')
    {
        return Err(usage(format!(
            "--to {to:?} must be an absolute path on the node"
        )));
    }
    let client = Client::signed_in()?;
    let node_id = match &args.node {
        Some(node) => Some(resolve::find::<Node>(&client, node).await?.id),
        None => None,
    };
    let request = RestoreRequest {
        record_id: args.record,
        node_id,
        to: args.to,
        include: args.include,
        overwrite: args.overwrite,
        dry_run: args.dry_run,
    };
    let operation: Operation = client.post("/restores", &request).await?;
    operation::end(&client, output, operation, args.wait).await
}

fn overwrite(text: &str) -> Result<Overwrite, String> {
    by_name(Overwrite::ALL, Overwrite::as_str, text)
}
