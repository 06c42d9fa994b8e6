//! `record download`: the stored data of a backup, as it lies on its target, into a file or a pipe.

use crate::cmd::client::Client;
use crate::cmd::display::Display;
use crate::cmd::failure::{Hint, say, usage};
use crate::cmd::output::OutputFormat;
use anyhow::{Context, Result};
use backupx_api::records::{Phase, Progress};
use reqwest::header::{ACCEPT, CONTENT_DISPOSITION};
use reqwest::{Method, Response};
use serde_json::json;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use tokio::fs::{File, OpenOptions};
use tokio::io::{AsyncWrite, AsyncWriteExt};

/// Fetches it. A file appears under its name only when it is whole, and never replaces another.
pub(crate) async fn run(
    client: &Client,
    output: OutputFormat,
    record: i64,
    to: Option<PathBuf>,
) -> Result<()> {
    let path = format!("/api/v1/records/{record}/download");
    let request = client
        .raw(Method::GET, &path)
        .header(ACCEPT, "application/octet-stream");
    let response = client.send(request).await?;
    if to.as_deref().is_some_and(|to| to.as_os_str() == "-") {
        if output == OutputFormat::Json {
            return Err(usage("-o json and --to - both want standard output"));
        }
        let stdout = std::io::stdout()
            .as_fd()
            .try_clone_to_owned()
            .context("standard output can't be written")?;
        let mut stdout = File::from_std(std::fs::File::from(stdout));
        receive(response, &mut stdout).await?;
        return Ok(());
    }
    let to = match to {
        Some(to) if to.is_dir() => to.join(file_name(&response, record)),
        Some(to) => to,
        None => PathBuf::from(file_name(&response, record)),
    };
    if to.try_exists().unwrap_or(true) {
        return Err(Hint::error(
            format!("{} exists already", to.display()),
            "name another file with --to",
        ));
    }
    let bytes = receive_file(response, &to).await?;
    say(&format!("the stored data is in {}", to.display()));
    output.print(&json!({ "id": record, "file": to, "bytes": bytes }), |_| {
        to.display().to_string()
    })
}

async fn receive_file(response: Response, to: &Path) -> Result<u64> {
    let beside = beside(to);
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&beside)
        .await
        .with_context(|| format!("{} can't be made", beside.display()))?;
    let received = match receive(response, &mut file).await {
        Ok(bytes) => keep(file, &beside, to).await.map(|()| bytes),
        Err(error) => Err(error),
    };
    if received.is_err() {
        // The first error is the one to tell.
        let _ = tokio::fs::remove_file(&beside).await;
    }
    received
}

async fn keep(file: File, beside: &Path, to: &Path) -> Result<()> {
    file.sync_all()
        .await
        .with_context(|| format!("{} can't be written", beside.display()))?;
    // A hard link refuses to replace what has come about meanwhile.
    tokio::fs::hard_link(beside, to)
        .await
        .with_context(|| format!("{} can't be made", to.display()))?;
    tokio::fs::remove_file(beside)
        .await
        .with_context(|| format!("{} can't be removed", beside.display()))
}

async fn receive(mut response: Response, to: &mut (impl AsyncWrite + Unpin)) -> Result<u64> {
    let announced = response.content_length();
    let mut display = Display::new();
    let mut bytes = 0;
    while let Some(chunk) = response.chunk().await.context("the download broke off")? {
        to.write_all(&chunk)
            .await
            .context("the data can't be written")?;
        bytes += chunk.len() as u64;
        display.show_own("download", &progress(bytes, announced));
    }
    to.flush().await.context("the data can't be written")?;
    match announced {
        Some(announced) if announced != bytes => {
            anyhow::bail!("the download broke off after {bytes} of {announced} bytes")
        }
        _ => Ok(bytes),
    }
}

fn progress(bytes: u64, total: Option<u64>) -> Progress {
    Progress {
        phase: Phase::Transferring,
        files: 0,
        bytes,
        stored_bytes: bytes,
        total_files: None,
        total_bytes: total,
    }
}

/// The name that the master proposes, reduced to its last segment: it must not choose a folder here.
fn file_name(response: &Response, record: i64) -> String {
    response
        .headers()
        .get(CONTENT_DISPOSITION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split("filename=").nth(1))
        .map(|name| {
            name.split(';')
                .next()
                .unwrap_or(name)
                .trim()
                .trim_matches('"')
        })
        .and_then(|name| name.rsplit(['/', '\\']).next())
        .filter(|name| {
            !name.is_empty() && !name.starts_with('.') && !name.chars().any(char::is_control)
        })
        .map_or_else(|| format!("record-{record}.data"), str::to_owned)
}

fn beside(to: &Path) -> PathBuf {
    let mut name = to.as_os_str().to_owned();
    name.push(".part");
    PathBuf::from(name)
}
