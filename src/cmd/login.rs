//! `backupx login`: signs in at a master once, makes an API key, and keeps it for later commands.

use super::client::Client;
use super::client::credentials::{Credentials, address, parse_master};
use super::failure::{Hint, say, usage};
use super::output::{OutputFormat, key_values};
use anyhow::{Context, Result};
use backupx_api::api_keys::{ApiKeyCreate, NewApiKey};
use backupx_api::sessions::{CurrentSession, SignIn, SignedIn};
use backupx_core::domain::secret::WireSecret;
use secrecy::SecretString;
use serde_json::json;
use std::io::{BufRead, IsTerminal};
use std::path::PathBuf;
use std::process::ExitCode;

/// Where and as whom.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Address of the master, as https://backup.example.com
    #[arg(long, value_name = "URL")]
    master: String,
    /// Your name at the master; asked for on a terminal
    #[arg(long)]
    username: Option<String>,
    /// File with the password, `-` for standard input; asked for on a terminal
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// File with an API key to keep, instead of a name and a password; `-` for standard input
    #[arg(long, value_name = "FILE", conflicts_with_all = ["username", "password_file"])]
    api_key_file: Option<PathBuf>,
    /// Certificate authority of the master, when the system does not know it
    #[arg(long, value_name = "FILE")]
    ca_cert: Option<PathBuf>,
}

/// Signs in and stores the key.
pub(crate) async fn run(args: Args, output: OutputFormat) -> Result<ExitCode> {
    let master = parse_master(&args.master)?;
    let ca_cert = args
        .ca_cert
        .map(|path| {
            std::fs::canonicalize(&path)
                .with_context(|| format!("the certificate {} can't be read", path.display()))
        })
        .transpose()?;
    let client = Client::anonymous(master.clone(), ca_cert.as_deref())?;
    let key = match &args.api_key_file {
        Some(path) => SecretString::from(read_secret(path)?),
        None => {
            let username = match args.username {
                Some(username) => username,
                None => ask_name()?,
            };
            let password = match &args.password_file {
                Some(path) => read_secret(path)?,
                None => ask_password(&username)?,
            };
            new_key(client.clone(), username, password).await?
        }
    };
    let who: CurrentSession = client
        .with_key(key.clone())
        .get("/sessions/current")
        .await?;
    let credentials = Credentials {
        master,
        key,
        ca_cert,
    };
    let path = credentials.store()?;
    say(&format!("the key is kept in {}", path.display()));
    let answer = json!({
        "master": address(&credentials.master),
        "username": who.username,
        "role": who.role.as_str(),
    });
    output.print(&answer, |_| {
        key_values(&[
            ("master", address(&credentials.master).to_owned()),
            ("username", who.username.clone()),
            ("role", who.role.to_string()),
        ])
    })?;
    Ok(ExitCode::SUCCESS)
}

/// A new API key of the user's own role; the session that made it is closed again.
async fn new_key(client: Client, username: String, password: String) -> Result<SecretString> {
    let sign_in = SignIn {
        username,
        password: WireSecret::new(password),
    };
    let signed_in: SignedIn = client.post("/sessions", &sign_in).await?;
    let client = client.with_key(SecretString::from(signed_in.token));
    let create = ApiKeyCreate {
        name: key_name(),
        role: signed_in.user.role,
        expires_at: None,
    };
    let made: Result<NewApiKey> = client.post("/api-keys", &create).await;
    if let Err(error) = client.delete("/sessions/current", &[]).await {
        say(&format!(
            "warning: the session could not be closed: {error}"
        ));
    }
    Ok(SecretString::from(made?.key))
}

/// A name that tells where the key is and is never taken.
fn key_name() -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let host: String = host
        .trim()
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_'))
        .take(60)
        .collect();
    let host = if host.is_empty() {
        "host".to_owned()
    } else {
        host
    };
    format!("login {host} {}", hex::encode(rand::random::<[u8; 4]>()))
}

fn read_secret(path: &PathBuf) -> Result<String> {
    let text = if path.as_os_str() == "-" {
        let mut line = String::new();
        std::io::stdin()
            .lock()
            .read_line(&mut line)
            .context("standard input can't be read")?;
        line
    } else {
        std::fs::read_to_string(path)
            .with_context(|| format!("{} can't be read", path.display()))?
    };
    let text = text.trim_end_matches(['\r', '\n']);
    if text.is_empty() {
        return Err(usage(format!("{} is empty", path.display())));
    }
    Ok(text.to_owned())
}

fn ask_name() -> Result<String> {
    need_terminal("--username")?;
    dialoguer::Input::<String>::new()
        .with_prompt("Username")
        .interact_text()
        .context("no name was given")
}

fn ask_password(username: &str) -> Result<String> {
    need_terminal("--password-file")?;
    dialoguer::Password::new()
        .with_prompt(format!("Password of {username}"))
        .interact()
        .context("no password was given")
}

fn need_terminal(flag: &str) -> Result<()> {
    if std::io::stdin().is_terminal() && std::io::stderr().is_terminal() {
        return Ok(());
    }
    Err(Hint::error(
        "there is no terminal to ask on",
        format!("give {flag}, or --api-key-file with a key"),
    ))
}
