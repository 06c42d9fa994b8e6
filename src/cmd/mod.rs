//! The command line: one file a sub-command, and what they share.

pub(crate) mod admin;
pub(crate) mod agent;
pub(crate) mod backint;
pub(crate) mod client;
pub(crate) mod completions;
pub(crate) mod display;
pub(crate) mod doctor;
mod drill;
pub(crate) mod extract;
pub(crate) mod failure;
pub(crate) mod import;
pub(crate) mod key;
#[cfg(feature = "lambda")]
pub(crate) mod lambda;
pub(crate) mod login;
pub(crate) mod migrate;
pub(crate) mod node;
pub(crate) mod operation;
pub(crate) mod output;
pub(crate) mod quickstart;
pub(crate) mod record;
pub(crate) mod restore;
pub(crate) mod server;
pub(crate) mod settings;
pub(crate) mod storage;
pub(crate) mod target;
pub(crate) mod task;
pub(crate) mod tick;
pub(crate) mod wal;

use crate::config::{LogArgs, ServerArgs};
use anyhow::Result;
use clap::{Parser, Subcommand};
use output::OutputFormat;
use std::ffi::OsString;
use std::process::ExitCode;

/// Self-hosted backup manager for servers: master and agent in one binary.
#[derive(Debug, Parser)]
#[command(
    name = "backupx",
    version,
    max_term_width = 100,
    propagate_version = false
)]
#[command(after_help = "Start here: backupx quickstart ~/Documents")]
pub(crate) struct Cli {
    /// How results are printed: table or json
    #[arg(
        short,
        long,
        global = true,
        value_enum,
        value_name = "FORMAT",
        default_value_t,
        hide_possible_values = true
    )]
    pub(crate) output: OutputFormat,
    #[command(flatten)]
    pub(crate) log: LogArgs,
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// All sub-commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Back up, verify, restore and compare in one step, on embedded defaults
    Quickstart(quickstart::Args),
    /// Run a master: console, API, scheduler, queue
    Server(ServerArgs),
    /// Serve as an AWS Lambda function: what a function's bootstrap does by itself
    #[cfg(feature = "lambda")]
    Lambda,
    /// Run an agent: back up and restore this host for a master
    Agent(agent::Args),
    /// Sign in at a master and keep an API key for the commands below
    Login(login::Args),
    /// Servers that run work
    #[command(subcommand)]
    Node(node::Command),
    /// Places where backups are kept
    #[command(subcommand)]
    Target(target::Command),
    /// What is backed up, where to, when, and for how long
    #[command(subcommand)]
    Task(task::Command),
    /// Backups: each is one run of one task
    #[command(subcommand)]
    Record(record::Command),
    /// Put files of a backup back, anywhere
    Restore(restore::Args),
    /// Restores, verifications, copies and deletions
    #[command(subcommand)]
    Operation(operation::Command),
    /// Open a stored backup without any master
    Extract(extract::Args),
    /// Take over backups that lie on a target and that the master does not know
    Import(import::Args),
    /// The log of a PostgreSQL server: archived as it is written, fetched for a restore to a moment
    #[command(subcommand)]
    Wal(wal::Command),
    /// Make one pass of scheduler and sweeper, then exit
    Tick(ServerArgs),
    /// Accounts, straight on the master's database
    #[command(subcommand)]
    Admin(admin::Command),
    /// Bring the state store's schema up to date
    Migrate(ServerArgs),
    /// The organisation's key
    #[command(subcommand)]
    Key(key::Command),
    /// Check this host, the settings and the master
    Doctor(doctor::Args),
    /// Take and hand back the backups of a HANA database (SAP's Backint interface)
    #[command(disable_help_flag = true)]
    Backint(backint::Args),
    /// Print the completion script of a shell
    Completions(completions::Args),
}

impl Command {
    /// True for what runs until it is stopped: it logs by default.
    pub(crate) fn is_service(&self) -> bool {
        #[cfg(feature = "lambda")]
        if matches!(self, Self::Lambda) {
            return true;
        }
        matches!(self, Self::Server(_) | Self::Agent(_))
    }
}

/// The arguments of this process. A program that Lambda started without any is its function's bootstrap, and means `backupx lambda`; one
/// that is called by the name of a Backint program means `backupx backint`.
pub(crate) fn arguments(given: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let given: Vec<_> = given.collect();
    if let Some(backint) = backint::arguments(&given) {
        return backint;
    }
    #[cfg(feature = "lambda")]
    if given.len() == 1 && lambda::is_home(given.first()) {
        return given.into_iter().chain(["lambda".into()]).collect();
    }
    given
}

/// Carries a command out.
pub(crate) async fn run(command: Command, output: OutputFormat) -> Result<ExitCode> {
    match command {
        Command::Quickstart(args) => quickstart::run(&args, output).await,
        Command::Server(args) => server::run(&args).await,
        #[cfg(feature = "lambda")]
        Command::Lambda => lambda::run().await,
        Command::Wal(command) => wal::run(command, output).await,
        Command::Tick(args) => tick::run(&args).await,
        Command::Admin(command) => admin::run(command, output).await,
        Command::Migrate(args) => migrate::run(&args, output).await,
        Command::Key(command) => key::run(command, output).await,
        Command::Agent(args) => agent::run(args).await,
        Command::Login(args) => login::run(args, output).await,
        Command::Node(command) => node::run(command, output).await,
        Command::Target(command) => target::run(command, output).await,
        Command::Task(command) => task::run(command, output).await,
        Command::Record(command) => record::run(command, output).await,
        Command::Restore(args) => restore::run(args, output).await,
        Command::Operation(command) => operation::run(command, output).await,
        Command::Import(args) => import::run(args, output).await,
        Command::Extract(args) => extract::run(args, output).await,
        Command::Doctor(args) => doctor::run(args, output).await,
        Command::Backint(args) => backint::run(args).await,
        Command::Completions(args) => completions::run(&args),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[cfg(feature = "lambda")]
    #[test]
    fn a_bootstrap_without_arguments_is_a_function() {
        let read = |given: &[&str]| arguments(given.iter().map(OsString::from));
        assert_eq!(read(&["/var/task/bootstrap"])[1..], ["lambda"]);
        assert_eq!(read(&["/var/task/bootstrap", "tick"])[1..], ["tick"]);
        assert_eq!(read(&["/usr/local/bin/backupx"]).len(), 1);
    }
}
