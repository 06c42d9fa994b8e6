//! A PostgreSQL server of the test's own, in a temporary folder, that can be stopped, crashed and started again on the same data.

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use rustix::process::Signal;
use tempfile::TempDir;

use super::address::free_address;
use super::cli::finish;
use super::process::Process;
use super::wait::wait_for;

const READY: Duration = Duration::from_secs(60);
const STOPPED: Duration = Duration::from_secs(30);
/// It refuses to run as root.
const USER: &str = "postgres";

/// The server. Nothing that was committed is lost when it crashes; a power cut it would not survive.
#[derive(Debug)]
pub(crate) struct Postgres {
    process: Option<Process>,
    address: SocketAddr,
    tools: PathBuf,
    data: PathBuf,
    settings: Vec<String>,
    folder: TempDir,
}

impl Postgres {
    /// A new server with an empty database.
    pub(crate) fn start() -> Result<Self> {
        Self::with_settings(&[])
    }

    /// The same with more settings, each as `name=value`.
    pub(crate) fn with_settings(settings: &[String]) -> Result<Self> {
        let server = Self::at(None, settings)?;
        server.made()
    }

    /// A server on a data folder that is there, as a restore leaves one.
    pub(crate) fn on(data: &Path) -> Result<Self> {
        let mut server = Self::at(Some(data), &[])?;
        server.resume()?;
        Ok(server)
    }

    fn at(data: Option<&Path>, settings: &[String]) -> Result<Self> {
        let tools =
            tools().context("no PostgreSQL below /usr/lib/postgresql; `tests/run` installs it")?;
        let folder = tempfile::Builder::new()
            .prefix("backupx-postgres-")
            .tempdir()?;
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o711))?;
        let home = folder.path().join("home");
        fs::create_dir(&home)?;
        give(&home)?;
        Ok(Self {
            process: None,
            address: free_address()?,
            tools,
            data: data.map_or_else(|| home.join("data"), Path::to_owned),
            settings: settings.to_vec(),
            folder,
        })
    }

    /// With a new cluster.
    fn made(mut self) -> Result<Self> {
        let made = self
            .tool("initdb")
            .args([
                "-U",
                "backupx",
                "-A",
                "trust",
                "-E",
                "UTF8",
                "--locale=C.UTF-8",
                "--no-sync",
                "-D",
            ])
            .arg(&self.data)
            .output()?;
        ensure!(
            made.status.success(),
            "initdb: {}",
            String::from_utf8_lossy(&made.stderr)
        );
        self.resume()?;
        Ok(self)
    }

    /// Starts it (again) and waits until it takes connections.
    pub(crate) fn resume(&mut self) -> Result<()> {
        ensure!(self.process.is_none(), "the server is running");
        let mut command = self.tool("postgres");
        command.arg("-D").arg(&self.data);
        command.arg("-k").arg(self.folder.path().join("home"));
        command.args(["-p", &self.address.port().to_string()]);
        for setting in [
            "listen_addresses=127.0.0.1",
            "fsync=off",
            "full_page_writes=off",
        ] {
            command.args(["-c", setting]);
        }
        for setting in &self.settings {
            command.args(["-c", setting.as_str()]);
        }
        let log = self.folder.path().join("postgres.log");
        self.process = Some(Process::start(&mut command, &log)?);
        let port = self.address.port().to_string();
        wait_for("a PostgreSQL server that takes connections", READY, || {
            let ended = finish(Command::new(self.tools.join("pg_isready")).args([
                "-q",
                "-h",
                "127.0.0.1",
                "-p",
                &port,
            ]))?;
            Ok((ended.code == Some(0)).then_some(()))
        })
        .with_context(|| {
            self.process
                .as_ref()
                .map(Process::last_words)
                .unwrap_or_default()
        })
    }

    /// Ends it as the kernel would: no connection hears a farewell, and the next start recovers from the log.
    pub(crate) fn crash(&mut self) -> Result<()> {
        self.end(Signal::QUIT)
    }

    /// Ends it as an administrator would.
    pub(crate) fn stop(&mut self) -> Result<()> {
        self.end(Signal::INT)
    }

    /// Where it is reached.
    pub(crate) fn url(&self) -> String {
        format!("postgres://backupx@{}/postgres", self.address)
    }

    /// Its port on 127.0.0.1.
    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    /// Where its files are.
    pub(crate) fn data(&self) -> &Path {
        &self.data
    }

    /// The folder of its programs.
    pub(crate) fn tools(&self) -> &Path {
        &self.tools
    }

    /// What `sql` answers; it has to.
    pub(crate) fn sql(&self, sql: &str) -> Result<String> {
        let ended = finish(Command::new(self.tools.join("psql")).args([
            "-XAtqw",
            "-v",
            "ON_ERROR_STOP=1",
            &self.url(),
            "-c",
            sql,
        ]))?;
        ensure!(ended.code == Some(0), "{sql}: {}", ended.stderr);
        Ok(ended.stdout.trim().to_owned())
    }

    fn end(&mut self, signal: Signal) -> Result<()> {
        let mut process = self.process.take().context("the server is not running")?;
        process.signal(signal)?;
        process.wait_for_end(STOPPED)?;
        Ok(())
    }

    /// One of the server's programs, as the user that it wants to be run by.
    fn tool(&self, name: &str) -> Command {
        let program = self.tools.join(name);
        let mut command = if is_root() {
            let mut command = Command::new("setpriv");
            command
                .args(["--reuid", USER, "--regid", USER, "--init-groups"])
                .arg(program);
            command
        } else {
            Command::new(program)
        };
        command.current_dir("/");
        command
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // Its own children end with it, unlike after a SIGKILL. One that was stopped already is as well.
        self.end(Signal::QUIT).ok();
    }
}

/// The folder of the newest server's programs.
fn tools() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").ok()?;
    versions
        .filter_map(|version| Some(version.ok()?.path()))
        .filter(|path| path.join("bin/postgres").exists())
        .max_by_key(|path| number(path))
        .map(|path| path.join("bin"))
}

fn number(path: &Path) -> u32 {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.parse().unwrap_or_default()
}

/// Makes the user that servers run as the owner of `path` and all below it.
pub(crate) fn give(path: &Path) -> Result<()> {
    if !is_root() {
        return Ok(());
    }
    succeed(Command::new("chown").arg("-R").arg(USER).arg(path))
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

fn succeed(command: &mut Command) -> Result<()> {
    let ended = finish(command)?;
    ensure!(ended.code == Some(0), "{command:?}: {}", ended.stderr);
    Ok(())
}
