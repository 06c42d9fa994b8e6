//! A Redis server of the test's own that keeps nothing: after each end it comes back empty.

use std::net::{SocketAddr, TcpStream};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;

use super::address::free_address;
use super::process::Process;
use super::wait::wait_for;

const READY: Duration = Duration::from_secs(30);

/// The server.
#[derive(Debug)]
pub(crate) struct Redis {
    process: Option<Process>,
    address: SocketAddr,
    folder: TempDir,
}

impl Redis {
    /// A new server.
    pub(crate) fn start() -> Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("backupx-redis-")
            .tempdir()?;
        let mut server = Self {
            process: None,
            address: free_address()?,
            folder,
        };
        server.resume()?;
        Ok(server)
    }

    /// Starts it (again), empty, and waits until it takes connections.
    pub(crate) fn resume(&mut self) -> Result<()> {
        ensure!(self.process.is_none(), "the server is running");
        let mut command = Command::new("redis-server");
        command.args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]);
        command.args(["--port", &self.address.port().to_string(), "--dir"]);
        command.arg(self.folder.path());
        let log = self.folder.path().join("redis.log");
        self.process = Some(Process::start(&mut command, &log)?);
        wait_for("a Redis server that takes connections", READY, || {
            Ok(TcpStream::connect(self.address).ok().map(drop))
        })
    }

    /// SIGKILL: all that it knew is gone.
    pub(crate) fn kill(&mut self) -> Result<()> {
        self.process
            .take()
            .context("the server is not running")?
            .kill()
    }

    /// Where it is reached.
    pub(crate) fn url(&self) -> String {
        format!("redis://{}", self.address)
    }
}
