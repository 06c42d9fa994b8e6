//! `backupx node`: servers that run work.

use super::client::{Client, resolve};
use super::output::{OutputFormat, bytes, instant, instant_or_dash, key_values, or_dash, table};
use anyhow::Result;
use backupx_api::nodes::{Node, NodeInput, NodeToken};
use backupx_api::page::Page;
use backupx_api::reports::{EntryKind, ListedEntry, Listing};
use serde_json::json;
use std::process::ExitCode;

/// What to do with nodes.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Make a node and print the token of its agent, once
    Add {
        /// Unique name
        name: String,
        /// A label by which tasks choose nodes; may be repeated
        #[arg(long = "label", value_name = "LABEL")]
        labels: Vec<String>,
    },
    /// List nodes
    Ls,
    /// Show a node
    Show {
        /// Id or name; `local` is the master itself
        node: String,
    },
    /// Remove a node
    Rm {
        /// Id or name
        node: String,
    },
    /// Give a node a new token; the one before works for another 24 hours
    RotateToken {
        /// Id or name
        node: String,
    },
    /// List a folder of a node
    Browse {
        /// Id or name; `local` is the master itself
        node: String,
        /// Absolute path
        path: String,
    },
}

/// Carries it out.
pub(crate) async fn run(command: Command, output: OutputFormat) -> Result<ExitCode> {
    let client = Client::signed_in()?;
    match command {
        Command::Add { name, labels } => {
            let made: NodeToken = client.post("/nodes", &NodeInput { name, labels }).await?;
            output.print(&made, |made| token_view(&client, made))?;
        }
        Command::Ls => {
            let page: Page<Node> = client.list("/nodes", &[], usize::MAX).await?;
            output.print(&page, list_view)?;
        }
        Command::Show { node } => {
            let node: Node = resolve::find(&client, &node).await?;
            output.print(&node, view)?;
        }
        Command::Rm { node } => {
            let node: Node = resolve::find(&client, &node).await?;
            client.delete(&format!("/nodes/{}", node.id), &[]).await?;
            output.done(
                &json!({ "id": node.id, "name": node.name, "removed": true }),
                &format!("node {:?} was removed", node.name),
            )?;
        }
        Command::RotateToken { node } => {
            let path = resolve::path::<Node>(&client, &node).await?;
            let made: NodeToken = client
                .post(&format!("{path}/rotate-token"), &json!({}))
                .await?;
            output.print(&made, |made| token_view(&client, made))?;
        }
        Command::Browse { node, path } => {
            let node = resolve::path::<Node>(&client, &node).await?;
            let listing: Listing = client
                .get_with(&format!("{node}/browse"), &[("path", path)])
                .await?;
            output.print(&listing, |listing| {
                let more = if listing.truncated {
                    "\n… and more"
                } else {
                    ""
                };
                entries_view(&listing.entries) + more
            })?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn token_view(client: &Client, made: &NodeToken) -> String {
    let pairs = [
        ("id", made.id.to_string()),
        ("name", made.name.clone()),
        ("token", made.token.clone()),
    ];
    format!(
        "{}\n\nThe token is shown this once. On the host, put it into a file that only its owner reads, then:\n  backupx agent --master {} --token-file FILE",
        key_values(&pairs),
        client.master()
    )
}

fn list_view(page: &Page<Node>) -> String {
    table(
        [
            "id",
            "name",
            "status",
            "last seen",
            "host",
            "version",
            "labels",
        ],
        &["id"],
        page.items.iter().map(|node| {
            let fact = |of: fn(&backupx_api::nodes::NodeFacts) -> &str| {
                or_dash(node.facts.as_ref().map(of).unwrap_or_default())
            };
            [
                node.id.to_string(),
                node.name.clone(),
                node.status.to_string(),
                instant_or_dash(node.last_seen_at),
                fact(|facts| &facts.hostname),
                fact(|facts| &facts.version),
                or_dash(node.labels.join(", ")),
            ]
        }),
    )
}

fn view(node: &Node) -> String {
    let mut pairs = vec![
        ("id", node.id.to_string()),
        ("name", node.name.clone()),
        ("status", node.status.to_string()),
        ("last seen", instant_or_dash(node.last_seen_at)),
        ("labels", or_dash(node.labels.join(", "))),
        ("created", instant(node.created_at)),
    ];
    if let Some(facts) = &node.facts {
        pairs.extend([
            ("host", facts.hostname.clone()),
            ("system", format!("{} {}", facts.os, facts.arch)),
            ("version", facts.version.clone()),
            ("runs", or_dash(facts.task_types.join(", "))),
        ]);
        let tools = facts.tools.iter();
        let tools: Vec<_> = tools
            .map(|tool| format!("{} {}", tool.name, tool.version))
            .collect();
        pairs.push(("tools", or_dash(tools.join("\n"))));
    }
    key_values(&pairs)
}

/// Entries of a folder or of an archive, as a table.
pub(crate) fn entries_view(entries: &[ListedEntry]) -> String {
    table(
        ["type", "size", "modified", "name"],
        &["size"],
        entries.iter().map(|entry| {
            let size = match entry.kind {
                EntryKind::File | EntryKind::Hardlink => bytes(entry.size),
                EntryKind::Dir
                | EntryKind::Symlink
                | EntryKind::CharDevice
                | EntryKind::BlockDevice
                | EntryKind::Fifo => "-".to_owned(),
            };
            let modified = chrono::DateTime::from_timestamp(entry.mtime, 0);
            [
                entry.kind.to_string(),
                size,
                instant_or_dash(modified),
                entry.name.clone(),
            ]
        }),
    )
}
