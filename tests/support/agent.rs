//! An agent: `backupx agent` on a node of a master, with its token in a file.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;

use super::cli::Cli;
use super::process::{Process, backupx, program};
use super::wait::wait_for;

const ONLINE: Duration = Duration::from_secs(30);

/// An agent that can be killed and started again with the same token.
#[derive(Debug)]
pub(crate) struct Agent {
    /// The node's id.
    pub(crate) node_id: i64,
    /// The node's name.
    pub(crate) name: String,
    folder: TempDir,
    master: String,
    environment: Vec<(String, String)>,
    program: Option<PathBuf>,
    process: Option<Process>,
}

impl Agent {
    /// Makes node `name` and starts its agent; answers when the master calls it online.
    pub(crate) fn start(cli: &Cli, name: &str) -> Result<Self> {
        let mut agent = Self::registered(cli, name, &cli.url, "")?;
        agent.resume()?;
        agent.wait_until_online(cli)?;
        Ok(agent)
    }

    /// Makes node `name` without starting its agent, which will speak to `master` and has `config` as further lines of its YAML file.
    pub(crate) fn registered(cli: &Cli, name: &str, master: &str, config: &str) -> Result<Self> {
        let node = cli.json(["node", "add", name])?;
        let token = node["token"]
            .as_str()
            .with_context(|| format!("node add answered no token: {node}"))?;
        ensure!(
            token.len() == 64 && token.bytes().all(|byte| byte.is_ascii_hexdigit()),
            "the token is not 64 hex digits"
        );
        let folder = tempfile::Builder::new()
            .prefix("backupx-agent-")
            .tempdir()?;
        fs::write(folder.path().join("token"), token)?;
        fs::set_permissions(
            folder.path().join("token"),
            fs::Permissions::from_mode(0o600),
        )?;
        fs::write(
            folder.path().join("agent.yaml"),
            format!("heartbeatInterval: 1s\n{config}"),
        )?;
        let node_id = node["id"].as_i64().context("node add answered no id")?;
        Ok(Self {
            node_id,
            name: name.to_owned(),
            folder,
            master: master.to_owned(),
            environment: Vec::new(),
            program: None,
            process: None,
        })
    }

    /// Sets a variable in its environment from its next start on.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.environment.push((name.to_owned(), value.to_owned()));
    }

    /// Has it be this copy of the program from its next start on.
    pub(crate) fn become_program(&mut self, program: &Path) {
        self.program = Some(program.to_owned());
    }

    /// Starts it (again). Does not wait for anything.
    pub(crate) fn resume(&mut self) -> Result<()> {
        ensure!(self.process.is_none(), "the agent is running");
        let mut command = match &self.program {
            Some(copy) => program(copy),
            None => backupx(),
        };
        command
            .args(["agent", "--master", &self.master, "--token-file"])
            .arg(self.folder.path().join("token"));
        command
            .arg("--config")
            .arg(self.folder.path().join("agent.yaml"));
        command
            .arg("--temp-dir")
            .arg(self.folder.path())
            .env("BACKUPX_LOG", "info")
            .envs(self.environment.iter().cloned());
        self.process = Some(Process::start(&mut command, &self.log())?);
        Ok(())
    }

    /// Waits until the master calls its node online.
    pub(crate) fn wait_until_online(&mut self, cli: &Cli) -> Result<()> {
        let name = self.name.clone();
        wait_for("an online agent", ONLINE, || {
            let node = cli.json(["node", "show", &name])?;
            Ok((node["online"] == true || node["status"] == "online").then_some(()))
        })
        .with_context(|| format!("the agent's log ends in:\n{}", self.last_words()))
    }

    /// SIGKILL.
    pub(crate) fn kill(&mut self) -> Result<()> {
        self.process
            .take()
            .context("the agent is not running")?
            .kill()
    }

    /// SIGTERM, and the wait for its end.
    pub(crate) fn stop(&mut self) -> Result<ExitStatus> {
        self.process
            .take()
            .context("the agent is not running")?
            .terminate(Duration::from_secs(45))
    }

    /// The last lines of its log.
    pub(crate) fn last_words(&self) -> String {
        self.process
            .as_ref()
            .map(Process::last_words)
            .unwrap_or_default()
    }

    /// Everything that it has logged, over all its lives.
    pub(crate) fn log_text(&self) -> Result<String> {
        Ok(fs::read_to_string(self.log())?)
    }

    /// The process id while it runs.
    pub(crate) fn id(&self) -> Option<u32> {
        self.process.as_ref().map(Process::id)
    }

    /// Where its token, settings and log are.
    pub(crate) fn folder(&self) -> PathBuf {
        self.folder.path().to_owned()
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("agent.log")
    }
}
