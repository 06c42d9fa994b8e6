//! A master: `backupx server` on a free port, with a data folder that lives as long as it does.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use rustix::process::Signal;
use tempfile::TempDir;

use super::address::free_address;
use super::cli::{Cli, finish};
use super::process::{Process, backupx};
use super::wait::wait_for;

const READY: Duration = Duration::from_secs(30);
const STOPPED: Duration = Duration::from_secs(45);
/// The administrator's password.
pub(crate) const PASSWORD: &str = "correct horse battery staple";

/// A master that can be stopped, killed and started again on the same data and the same port.
#[derive(Debug)]
pub(crate) struct Master {
    folder: TempDir,
    address: SocketAddr,
    settings: Vec<(String, String)>,
    process: Option<Process>,
}

impl Master {
    /// A new master that is ready.
    pub(crate) fn start() -> Result<Self> {
        Self::with_settings(&[])
    }

    /// A new master with these variables in its environment.
    pub(crate) fn with_settings(settings: &[(&str, &str)]) -> Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("backupx-master-")
            .tempdir()?;
        let settings = settings
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let mut master = Self {
            folder,
            address: free_address()?,
            settings,
            process: None,
        };
        master.resume()?;
        Ok(master)
    }

    /// Starts it (again) and waits until it is ready.
    pub(crate) fn resume(&mut self) -> Result<()> {
        self.launch()?;
        self.wait_until_ready()
    }

    /// The same with more arguments.
    pub(crate) fn resume_with(&mut self, arguments: &[&str]) -> Result<()> {
        self.launch_with(arguments)?;
        self.wait_until_ready()
    }

    /// Starts it (again) and waits for nothing.
    pub(crate) fn launch(&mut self) -> Result<()> {
        self.launch_with(&[])
    }

    fn launch_with(&mut self, arguments: &[&str]) -> Result<()> {
        ensure!(self.process.is_none(), "the master is running");
        let mut command = backupx();
        command
            .arg("server")
            .args(arguments)
            .envs(self.environment());
        self.process = Some(Process::start(&mut command, &self.log())?);
        Ok(())
    }

    /// True when it was started and has ended by itself; then it can be started again.
    pub(crate) fn has_ended(&mut self) -> Result<bool> {
        let ended = match &mut self.process {
            Some(process) => process.ended()?.is_some(),
            None => false,
        };
        if ended {
            self.process = None;
        }
        Ok(ended)
    }

    /// Asks it to stop and waits for nothing.
    pub(crate) fn ask_to_stop(&self) -> Result<()> {
        let process = self.process.as_ref().context("the master is not running")?;
        process.signal(Signal::TERM)
    }

    /// Waits until it has ended well.
    pub(crate) fn wait_for_end(&mut self) -> Result<()> {
        let mut process = self.process.take().context("the master is not running")?;
        let status = process.wait_for_end(STOPPED)?;
        ensure!(
            status.success(),
            "the master ended with {status} after SIGTERM"
        );
        Ok(())
    }

    /// SIGKILL.
    pub(crate) fn kill(&mut self) -> Result<()> {
        self.process
            .take()
            .context("the master is not running")?
            .kill()
    }

    /// SIGTERM, and the wait for its end.
    pub(crate) fn stop(&mut self) -> Result<()> {
        self.ask_to_stop()?;
        self.wait_for_end()
    }

    /// Makes the administrator on the master's host and answers someone who uses the key.
    pub(crate) fn administrator(&self) -> Result<Cli> {
        make_administrator(self.folder.path(), self.environment(), self.url())
    }

    /// Runs a command of the master's host (`tick`, `key export` …) on its data.
    pub(crate) fn on_host(&self, arguments: &[&str]) -> Result<super::cli::Ended> {
        let mut command = backupx();
        command.args(arguments).envs(self.environment());
        finish(&mut command)
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its address as a URL.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The folder with its database, keys and log.
    pub(crate) fn folder(&self) -> PathBuf {
        self.folder.path().to_owned()
    }

    /// The last lines of its log.
    pub(crate) fn last_words(&self) -> String {
        self.process
            .as_ref()
            .map(Process::last_words)
            .unwrap_or_default()
    }

    /// The process id while it runs.
    pub(crate) fn id(&self) -> Option<u32> {
        self.process.as_ref().map(Process::id)
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("server.log")
    }

    fn environment(&self) -> Vec<(String, String)> {
        let own = [
            ("BACKUPX_LISTEN", self.address.to_string()),
            (
                "BACKUPX_DATA_DIR",
                self.folder.path().join("data").display().to_string(),
            ),
            ("BACKUPX_LOG", "info".to_owned()),
        ];
        own.into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .chain(self.settings.iter().cloned())
            .collect()
    }

    fn wait_until_ready(&mut self) -> Result<()> {
        let address = self.address;
        let Some(process) = self.process.as_mut() else {
            bail!("the master is not running")
        };
        let ready = wait_for("a ready master", READY, || {
            if let Some(status) = process.ended()? {
                bail!("the master ended with {status} at its start");
            }
            Ok((status_of(address, "/ready") == Some(200)).then_some(()))
        });
        ready.with_context(|| format!("its log ends in:\n{}", process.last_words()))
    }
}

/// Makes the administrator of the master at `url`, on its database as `environment` names it, with the password in `folder`.
pub(crate) fn make_administrator(
    folder: &Path,
    environment: Vec<(String, String)>,
    url: String,
) -> Result<Cli> {
    let password = folder.join("password");
    fs::write(&password, PASSWORD)?;
    let mut command = backupx();
    command
        .args(["admin", "create", "--username", "admin", "--password-file"])
        .arg(&password)
        .args(["-o", "json"])
        .envs(environment);
    let ended = finish(&mut command)?;
    ensure!(
        ended.code == Some(0),
        "admin create ended with {:?}: {}",
        ended.code,
        ended.stderr
    );
    let answer = ended.json()?;
    let key = answer["apiKey"]
        .as_str()
        .with_context(|| format!("admin create answered no apiKey: {answer}"))?;
    Ok(Cli {
        url,
        key: key.to_owned(),
    })
}

/// The status code of a plain GET, nothing when nobody answers.
pub(crate) fn status_of(address: SocketAddr, path: &str) -> Option<u16> {
    let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(1)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(2))).ok()?;
    stream
        .write_all(
            format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")
                .as_bytes(),
        )
        .ok()?;
    let mut head = [0; 12];
    stream.read_exact(&mut head).ok()?;
    std::str::from_utf8(&head)
        .ok()?
        .split(' ')
        .nth(1)?
        .parse()
        .ok()
}
