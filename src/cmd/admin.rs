//! `backupx admin`: accounts straight on the master's database. Whoever may read the data dir needs no code.

use super::failure::usage;
use super::output::OutputFormat;
use crate::config::ServerArgs;
use crate::wire;
use anyhow::{Context, Result};
use clap::{Args, Subcommand};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// What can be done with accounts on the master's host.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make an administrator; with `-o json` also an API key for scripts
    Create(Account),
    /// Set a new password, enable the account and end all its sessions
    ResetPassword(Account),
}

/// Whose account, and its password.
#[derive(Debug, Args)]
pub(crate) struct Account {
    /// Name to sign in with
    #[arg(long, value_name = "NAME")]
    username: String,
    /// File that holds the password (its first line); asked for on a terminal when absent
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    #[command(flatten)]
    server: ServerArgs,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Made {
    username: String,
    api_key: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Reset {
    username: String,
}

/// Carries a command out.
pub(crate) async fn run(command: Command, output: OutputFormat) -> Result<ExitCode> {
    match command {
        Command::Create(account) => create(&account, output).await?,
        Command::ResetPassword(account) => reset(&account, output).await?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn create(account: &Account, output: OutputFormat) -> Result<()> {
    let password = account.password()?;
    let app = wire::control_plane(&account.server.settle()?).await?;
    let user = app.create_admin(&account.username, &password).await?;
    let username = user.username.to_string();
    match output {
        OutputFormat::Json => {
            let key = app
                .create_host_api_key(&username, &format!("{username} (made with the account)"))
                .await?;
            super::output::print_json(&Made {
                username,
                api_key: key.plain.expose_secret().to_owned(),
            })
        }
        OutputFormat::Table => {
            super::failure::say(&format!("Administrator {username:?} can sign in now."));
            Ok(())
        }
    }
}

async fn reset(account: &Account, output: OutputFormat) -> Result<()> {
    let password = account.password()?;
    let app = wire::control_plane(&account.server.settle()?).await?;
    let user = app.reset_password(&account.username, &password).await?;
    let username = user.username.to_string();
    let sentence = format!("{username:?} has a new password; all its sessions have ended.");
    output.done(&Reset { username }, &sentence)
}

impl Account {
    fn password(&self) -> Result<SecretString> {
        match &self.password_file {
            Some(path) => first_line(path),
            None => dialoguer::Password::new()
                .with_prompt(format!("Password for {}", self.username))
                .with_confirmation("Once more", "The two differ, try again")
                .interact()
                .map(SecretString::from)
                .map_err(|_| {
                    usage("there is no terminal to ask for a password: give --password-file FILE")
                }),
        }
    }
}

fn first_line(path: &Path) -> Result<SecretString> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("the password file {} can't be read", path.display()))?;
    let line = text.lines().next().unwrap_or_default();
    if line.is_empty() {
        return Err(usage(format!(
            "the password file {} is empty",
            path.display()
        )));
    }
    Ok(SecretString::from(line.to_owned()))
}
