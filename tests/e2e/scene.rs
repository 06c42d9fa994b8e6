//! A scene: a master, an agent called `host`, someone with a key, and a folder for what is backed up and what comes back.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use tempfile::TempDir;

use super::support::agent::Agent;
use super::support::cli::Cli;
use super::support::function::Function;
use super::support::master::Master;
use super::support::servers::S3;
use super::support::wait::wait_for;

/// The agent's node.
pub(crate) const HOST: &str = "host";

/// A record at its end is found within this time, whatever was killed.
const END: Duration = Duration::from_secs(120);

/// A master that keeps a log.
pub(crate) trait Logs {
    /// Its last lines, for a failure's message.
    fn last_words(&self) -> String;
}

impl Logs for Master {
    fn last_words(&self) -> String {
        self.last_words()
    }
}

impl Logs for Function {
    fn last_words(&self) -> String {
        self.last_words()
    }
}

/// A master and an agent at work.
#[derive(Debug)]
pub(crate) struct Scene<M = Master> {
    /// The agent of node `host`. Declared before the master, so that it goes first.
    pub(crate) agent: Agent,
    /// The master.
    pub(crate) master: M,
    /// The administrator.
    pub(crate) cli: Cli,
    folder: TempDir,
}

impl Scene {
    /// Everything started, the agent online.
    pub(crate) fn start() -> Result<Self> {
        Self::with_settings(&[])
    }

    /// The same with more variables for the master.
    pub(crate) fn with_settings(settings: &[(&str, &str)]) -> Result<Self> {
        let master = Master::with_settings(settings)?;
        let cli = master.administrator()?;
        Self::around(master, cli)
    }
}

impl<M: Logs> Scene<M> {
    /// A scene with this master, which `cli` administers, and an agent that is online.
    pub(crate) fn around(master: M, cli: Cli) -> Result<Self> {
        let agent = Agent::start(&cli, HOST)?;
        let folder = tempfile::Builder::new()
            .prefix("backupx-scene-")
            .tempdir()?;
        Ok(Self {
            agent,
            master,
            cli,
            folder,
        })
    }

    /// A path in the scene's folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A local target in a folder of its own; answers the folder.
    pub(crate) fn local_target(&self, name: &str) -> Result<PathBuf> {
        let path = self.path(name);
        fs::create_dir_all(&path)?;
        self.cli.json([
            "target",
            "add",
            name,
            "--type",
            "local",
            "--set",
            &format!("path={}", path.display()),
        ])?;
        Ok(path)
    }

    /// An S3 target in a folder of its own; answers the prefix.
    pub(crate) fn s3_target(&self, name: &str, s3: &S3) -> Result<String> {
        let prefix = format!(
            "{}-{}",
            name,
            self.folder
                .path()
                .file_name()
                .context("a folder has a name")?
                .to_string_lossy()
        );
        self.s3_target_in(name, s3, &prefix)?;
        Ok(prefix)
    }

    /// An S3 target in this folder of the bucket.
    pub(crate) fn s3_target_in(&self, name: &str, s3: &S3, prefix: &str) -> Result<()> {
        let mut arguments: Vec<String> = ["target", "add", name, "--type", "s3"]
            .map(str::to_owned)
            .to_vec();
        arguments.extend(s3.settings(prefix));
        self.cli.json(arguments)?;
        Ok(())
    }

    /// A task of node `host` that backs `source` up to `targets`.
    pub(crate) fn task(
        &self,
        name: &str,
        source: &Path,
        targets: &[&str],
        more: &[&str],
    ) -> Result<Value> {
        let mut arguments: Vec<OsString> = ["task", "add", name, "--type", "file", "--node", HOST]
            .map(Into::into)
            .to_vec();
        arguments.extend(["--source".into(), source.into()]);
        for target in targets {
            arguments.extend(["--target".into(), target.into()]);
        }
        arguments.extend(more.iter().map(Into::into));
        self.cli.json(arguments)
    }

    /// Runs a task to its end, whatever that is; answers the record.
    pub(crate) fn run(&self, task: &str) -> Result<Value> {
        let ended = self
            .cli
            .run(["task", "run", task, "--wait", "-o", "json"])?;
        let record = ended.json()?;
        let good = record["status"] == "success";
        ensure!(
            ended.code == Some(i32::from(!good)),
            "task run --wait exited with {:?} for {record}",
            ended.code
        );
        Ok(record)
    }

    /// Runs a task that must succeed; answers the record's id.
    pub(crate) fn run_well(&self, task: &str) -> Result<i64> {
        let record = self.run(task)?;
        ensure!(
            record["status"] == "success",
            "the run should have succeeded: {record:#}\nagent:\n{}",
            self.agent.last_words()
        );
        id_of(&record)
    }

    /// Starts a run and answers the record's id at once.
    pub(crate) fn begin(&self, task: &str) -> Result<i64> {
        id_of(&self.cli.json(["task", "run", task])?)
    }

    /// A record as it is now.
    pub(crate) fn record(&self, id: i64) -> Result<Value> {
        self.cli.json(["record", "show", &id.to_string()])
    }

    /// Waits for the end of a record and answers it.
    pub(crate) fn end_of(&self, id: i64) -> Result<Value> {
        wait_for(&format!("the end of record {id}"), END, || {
            let record = self.record(id)?;
            Ok(is_final(&record).then_some(record))
        })
        .with_context(|| {
            format!(
                "record: {:#}\nmaster:\n{}\nagent:\n{}",
                self.record(id).unwrap_or_default(),
                self.master.last_words(),
                self.agent.last_words()
            )
        })
    }

    /// Restores a record on `host` below a new folder; answers where the tree of `source` lies.
    pub(crate) fn restore(&self, id: i64, source: &Path, more: &[&str]) -> Result<PathBuf> {
        let to = tempfile::Builder::new()
            .prefix("restored-")
            .tempdir_in(self.folder.path())?
            .keep();
        let mut arguments: Vec<OsString> = ["restore", &id.to_string(), "--node", HOST, "--to"]
            .map(Into::into)
            .to_vec();
        arguments.push(to.clone().into());
        arguments.push("--wait".into());
        arguments.extend(more.iter().map(Into::into));
        self.cli.json(arguments)?;
        Ok(restored(&to, source))
    }
}

/// Where a tree lies in a folder that it was restored to: below its own path.
pub(crate) fn restored(to: &Path, source: &Path) -> PathBuf {
    to.join(source.strip_prefix("/").unwrap_or(source))
}

/// The id of a resource.
pub(crate) fn id_of(resource: &Value) -> Result<i64> {
    resource["id"]
        .as_i64()
        .with_context(|| format!("no id in {resource}"))
}

/// Whether a record is at its end.
pub(crate) fn is_final(record: &Value) -> bool {
    ["success", "degraded", "failed", "cancelled", "missed"]
        .iter()
        .any(|state| record["status"] == *state)
}
