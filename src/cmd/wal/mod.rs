//! `backupx wal`: what PostgreSQL calls to archive its log and to fetch it again, and what an archive can restore.

mod archive;
mod fetch;
mod ls;
mod prune;
mod push;
mod settings;

pub(crate) use archive::WalSettings;

use super::output::OutputFormat;
use anyhow::Result;
use std::path::PathBuf;
use std::process::ExitCode;

/// What to do with the log.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Archive a file of the log. For postgresql.conf: archive_command = 'backupx wal push %p'
    Push {
        #[command(flatten)]
        settings: SettingsArgs,
        /// The file, as PostgreSQL says it (%p)
        path: PathBuf,
    },
    /// Fetch a file of the log. A restore writes the restore_command that calls it.
    ///
    /// Exits 1 when the archive is there and does not have the file, and 255 when that can't be told, which ends a recovery instead of
    /// taking it for the end of the log.
    Fetch {
        #[command(flatten)]
        settings: SettingsArgs,
        /// Its name (%f)
        name: String,
        /// Where it goes (%p)
        path: PathBuf,
    },
    /// Remove log that is not needed to restore to any moment of the last days: what lies before the newest base backup that is older
    Prune {
        #[command(flatten)]
        settings: SettingsArgs,
        /// For how long back every moment stays restorable, as 14d or 48h
        #[arg(long, value_name = "SPAN")]
        keep: String,
        /// Only say what would go
        #[arg(long)]
        dry_run: bool,
    },
    /// Say what the archive holds: base backups, and the time that each can be restored to
    Ls {
        #[command(flatten)]
        settings: SettingsArgs,
    },
}

/// Which archive.
#[derive(Debug, clap::Args)]
pub(crate) struct SettingsArgs {
    /// File with the archive's storage, prefix and keys (YAML)
    #[arg(
        long,
        value_name = "FILE",
        env = "BACKUPX_WAL_CONFIG",
        default_value = "/etc/backupx/wal.yaml"
    )]
    config: PathBuf,
}

/// Carries it out.
pub(crate) async fn run(command: Command, output: OutputFormat) -> Result<ExitCode> {
    match command {
        Command::Push { settings, path } => push::run(&settings.config, &path).await,
        Command::Fetch {
            settings,
            name,
            path,
        } => Ok(fetch::run(&settings.config, &name, &path).await),
        Command::Prune {
            settings,
            keep,
            dry_run,
        } => prune::run(&settings.config, &keep, dry_run, output).await,
        Command::Ls { settings } => ls::run(&settings.config, output).await,
    }
}
