//! `backupx import`: takes over backups that lie on a target and that the master does not know.

use super::client::{Client, resolve};
use super::extract::keys;
use super::failure::FAILED;
use super::output::{OutputFormat, key_values};
use anyhow::Result;
use backupx_api::imports::{ImportRequest, ImportStep, RecoveryKey, RecoveryKeyCreate};
use backupx_api::nodes::Node;
use backupx_api::targets::Target;
use backupx_core::domain::key::ObjectKey;
use secrecy::ExposeSecret;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

/// Folders that a table names; the rest is counted.
const MOST_SKIPPED: usize = 20;

/// Which target, read by whom, with which keys.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The target: id or name
    target: String,
    /// The node that reads it: id or name. For a folder of a server: that server [default: one that reaches the target]
    #[arg(long)]
    node: Option<String>,
    /// The recovery kit of the master that made the backups: its keys are kept, so that encrypted ones can be restored
    #[arg(long, value_name = "FILE")]
    identity: Option<PathBuf>,
    /// Only say what is there
    #[arg(long)]
    dry_run: bool,
}

/// Goes on until everything was looked at. What was imported stays when it ends early, and another call goes on.
pub(crate) async fn run(args: Args, output: OutputFormat) -> Result<ExitCode> {
    let client = Client::signed_in()?;
    let path = resolve::path::<Target>(&client, &args.target).await?;
    let node_id = match &args.node {
        Some(node) => Some(resolve::find::<Node>(&client, node).await?.id),
        None => None,
    };
    if let Some(file) = &args.identity {
        for identity in keys::read(file)? {
            let key = RecoveryKeyCreate {
                identity: identity.expose_secret().to_owned(),
            };
            let _: RecoveryKey = client.post("/recovery-keys", &key).await?;
        }
    }
    let mut whole = ImportStep::default();
    let mut request = ImportRequest {
        node_id,
        after: None,
        dry_run: args.dry_run,
    };
    loop {
        let step: ImportStep = client.post(&format!("{path}/import"), &request).await?;
        let next = step.next.clone();
        add(&mut whole, step);
        let Some(next) = next else { break };
        request.after = Some(ObjectKey::parse(&next)?);
        if output == OutputFormat::Table {
            let _ = writeln!(std::io::stderr(), "{} folders looked at …", whole.found);
        }
    }
    output.print(&whole, |whole| view(whole, args.dry_run))?;
    Ok(if whole.unknown_keys.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(FAILED)
    })
}

fn add(whole: &mut ImportStep, step: ImportStep) {
    whole.found += step.found;
    whole.records += step.records;
    whole.copies += step.copies;
    whole.known += step.known;
    whole.tasks.extend(step.tasks);
    whole.nodes.extend(step.nodes);
    whole.skipped.extend(step.skipped);
    whole.unknown_keys.extend(step.unknown_keys);
    whole.unknown_keys.sort();
    whole.unknown_keys.dedup();
}

fn view(step: &ImportStep, dry_run: bool) -> String {
    let skipped = step.skipped.len();
    let mut text = key_values(&[
        ("folders", step.found.to_string()),
        ("new records", step.records.to_string()),
        ("new copies", step.copies.to_string()),
        ("known already", step.known.to_string()),
        ("no whole backup", skipped.to_string()),
    ]);
    let mut say = |line: String| {
        text.push('\n');
        text.push_str(&line);
    };
    for folder in step.skipped.iter().take(MOST_SKIPPED) {
        say(format!("  {}: {}", folder.location, folder.reason));
    }
    if skipped > MOST_SKIPPED {
        say(format!("  and {} more", skipped - MOST_SKIPPED));
    }
    if dry_run {
        say("This was only a look: nothing was written.".to_owned());
    }
    if !step.tasks.is_empty() {
        say(format!(
            "Tasks made, turned off and without a schedule: {}",
            step.tasks.join(", ")
        ));
    }
    if !step.nodes.is_empty() {
        say(format!(
            "Nodes made, without an agent (backupx node rotate-token NAME gives one its token): {}",
            step.nodes.join(", ")
        ));
    }
    if !step.unknown_keys.is_empty() {
        say(format!(
            "Some backups are sealed to keys that this master does not have: {}\nGive it the recovery kit of the master that made them: backupx import … --identity kit.txt",
            step.unknown_keys.join(", ")
        ));
    }
    text
}
