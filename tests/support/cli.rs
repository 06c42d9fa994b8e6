//! The command line as a script uses it: `backupx … -o json`, with the master and the key in the environment.

use std::ffi::OsString;
use std::fs::File;
use std::io::Read;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use super::process::backupx;
use super::servers::PASSED_SECRET;
use super::wait::wait_for;

/// No command of the tests takes longer than this.
const LIMIT: Duration = Duration::from_secs(240);

/// Someone at a shell, signed in at a master.
#[derive(Debug, Clone)]
pub(crate) struct Cli {
    /// The master's address.
    pub(crate) url: String,
    /// The key that is sent.
    pub(crate) key: String,
}

/// How a command ended.
#[derive(Debug)]
pub(crate) struct Ended {
    /// Its exit code; none when a signal ended it.
    pub(crate) code: Option<i32>,
    /// What it printed.
    pub(crate) stdout: String,
    /// What it said beside.
    pub(crate) stderr: String,
}

impl Ended {
    /// Its standard output as one JSON document.
    pub(crate) fn json(&self) -> Result<Value> {
        serde_json::from_str(&self.stdout).with_context(|| {
            format!(
                "no JSON document on stdout: {:?}; stderr: {}",
                self.stdout, self.stderr
            )
        })
    }
}

impl Cli {
    /// Runs a command and answers how it ended, whatever that is.
    pub(crate) fn run<I: IntoIterator<Item: Into<OsString>>>(&self, arguments: I) -> Result<Ended> {
        let mut command = backupx();
        command
            .args(arguments.into_iter().map(Into::into))
            .env("BACKUPX_MASTER_URL", &self.url)
            .env("BACKUPX_API_KEY", &self.key);
        if let Ok(secret) = std::env::var("BACKUPX_TEST_S3_SECRET") {
            command.env(PASSED_SECRET, secret);
        }
        finish(&mut command)
    }

    /// Runs a command that must succeed and answers the JSON that it prints.
    pub(crate) fn json<I: IntoIterator<Item: Into<OsString>>>(
        &self,
        arguments: I,
    ) -> Result<Value> {
        let arguments: Vec<OsString> = arguments
            .into_iter()
            .map(Into::into)
            .chain(["-o".into(), "json".into()])
            .collect();
        let ended = self.run(&arguments)?;
        ensure!(
            ended.code == Some(0),
            "{arguments:?} ended with {:?}\nstdout: {}\nstderr: {}",
            ended.code,
            ended.stdout,
            ended.stderr
        );
        ended.json()
    }
}

/// Runs `command` to its end, for a limited time. Its output goes through files, so that no pipe fills up.
pub(crate) fn finish(command: &mut Command) -> Result<Ended> {
    let mut stdout = tempfile::tempfile()?;
    let mut stderr = tempfile::tempfile()?;
    let mut child = command
        .stdin(Stdio::null())
        .stdout(stdout.try_clone()?)
        .stderr(stderr.try_clone()?)
        .spawn()
        .with_context(|| format!("starting {command:?}"))?;
    let ended = wait_for("the end of a command", LIMIT, || Ok(child.try_wait()?));
    let Ok(status) = ended else {
        child.kill()?;
        child.wait()?;
        bail!(
            "{command:?} did not end within {LIMIT:?}\nstdout: {}\nstderr: {}",
            text(&mut stdout)?,
            text(&mut stderr)?
        );
    };
    Ok(Ended {
        code: status.code(),
        stdout: text(&mut stdout)?,
        stderr: text(&mut stderr)?,
    })
}

fn text(file: &mut File) -> Result<String> {
    use std::io::Seek;
    file.rewind()?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
