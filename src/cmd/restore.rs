//! `backupx restore`: puts files of a backup back, on its own node or on another.

use super::client::{Client, resolve};
use super::failure::usage;
use super::output::OutputFormat;
use super::record::by_name;
use super::task::source::Given;
use super::{operation, settings};
use anyhow::Result;
use backupx_api::nodes::Node;
use backupx_api::operations::{DatabaseRestore, Operation, Overwrite, RestoreRequest};
use backupx_api::sources::{Secrets, Server};
use std::collections::BTreeMap;
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
    /// A setting for databases; files have none. `database=NAME` gives one a new name, `tables=A,B` takes single tables, `accounts=true` brings
    /// users back, `jobs=N` restores in parallel; host, port, socket, user, password, passwordFile, tls, tlsCa and tools name another server
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
    let mut secrets = Secrets::default();
    let database = database(settings::parse(&args.set)?, &mut secrets)?;
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
        database,
        secrets,
    };
    let operation: Operation = client.post("/restores", &request).await?;
    operation::end(&client, output, operation, args.wait).await
}

/// How databases are put back; nothing when nothing is said of it.
fn database(
    settings: BTreeMap<String, String>,
    secrets: &mut Secrets,
) -> Result<Option<DatabaseRestore>> {
    if settings.is_empty() {
        return Ok(None);
    }
    let mut given = Given(settings);
    let mut database = DatabaseRestore::default();
    let mut server = Server::default();
    given.server(&mut server, secrets)?;
    if let Some(uri) = given.take(&["uri"]) {
        secrets.0.insert("uri".to_owned(), uri);
    }
    database.server = Some(server).filter(|server| *server != Server::default());
    given.text(&["database", "rename", "path"], &mut database.rename);
    given.text(&["tools"], &mut database.tools);
    given.flag("accounts", &mut database.accounts)?;
    database.tables = given.list(&["tables", "table"]);
    if let Some(jobs) = given.take(&["jobs"]) {
        database.jobs = jobs
            .parse()
            .map_err(|_| usage(format!("--set jobs={jobs}: use a number")))?;
    }
    if let Some(key) = given.0.keys().next() {
        return Err(usage(format!(
            "--set {key}: a restore has no such setting; it has database, tables, accounts, jobs, host, port, socket, user, password, passwordFile, tls, tlsCa, tools"
        )));
    }
    Ok(Some(database))
}

fn overwrite(text: &str) -> Result<Overwrite, String> {
    by_name(Overwrite::ALL, Overwrite::as_str, text)
}
