//! `backupx key`: the organisation's key, for the worst day.

use super::output::OutputFormat;
use crate::config::ServerArgs;
use crate::wire;
use anyhow::Result;
use clap::{Args, Subcommand};
use secrecy::ExposeSecret;
use serde::Serialize;
use std::process::ExitCode;

/// What can be done with the organisation's key.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Print the recovery kit: keep it away from this host
    Export(Export),
}

/// Where the master's state is.
#[derive(Debug, Args)]
pub(crate) struct Export {
    #[command(flatten)]
    server: ServerArgs,
}

#[derive(Serialize)]
struct Kit<'a> {
    identity: &'a str,
    recipient: &'a str,
    /// Keys of masters whose backups were imported.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    further: Vec<Further<'a>>,
}

#[derive(Serialize)]
struct Further<'a> {
    identity: &'a str,
    recipient: &'a str,
}

/// Carries a command out.
pub(crate) async fn run(command: Command, output: OutputFormat) -> Result<ExitCode> {
    let Command::Export(export) = command;
    let app = wire::control_plane(&export.server.settle()?).await?;
    let kit = app.export_key().await?;
    let further = kit.further.iter().map(|key| Further {
        identity: key.identity.expose_secret(),
        recipient: &key.recipient,
    });
    let kit = Kit {
        identity: kit.own.identity.expose_secret(),
        recipient: &kit.own.recipient,
        further: further.collect(),
    };
    output.print(&kit, text)?;
    Ok(ExitCode::SUCCESS)
}

/// The kit as a file that `age -i` takes as it is: all but the keys are comments.
fn text(kit: &Kit<'_>) -> String {
    let mut text = format!(
        "# BackupX recovery kit\n\
         #\n\
         # The key below opens every encrypted backup of this installation. Whoever has it can read them;\n\
         # without it, and without the master, nobody can. Keep a copy on paper or in a safe, never on this host alone.\n\
         #\n\
         # To open a backup without BackupX, with this text in kit.txt (age, zstd and tar are in every distribution):\n\
         #   cat data.tar.zst.age* | age -d -i kit.txt | zstd -d | tar -x\n\
         # With BackupX and without its master:\n\
         #   backupx extract FOLDER-OF-THE-BACKUP --identity kit.txt --to DIR\n\
         # Into a new master, all that lies on a target:\n\
         #   backupx import TARGET --identity kit.txt\n\
         #\n\
         # public key: {}\n\
         {}",
        kit.recipient, kit.identity
    );
    for key in &kit.further {
        text.push_str(&format!(
            "\n# of a master whose backups were imported, public key: {}\n{}",
            key.recipient, key.identity
        ));
    }
    text
}
