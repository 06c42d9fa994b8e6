//! Hooks: what this host runs around a backup. The host's policy says what a name runs; a task only picks names (never 31).

use crate::policy::Policy;
use crate::runtime::Job;
use backupx_core::domain::hook::{Hooks, Moment};
use backupx_core::domain::log::Level;
use backupx_core::domain::name::Name;
use backupx_core::domain::work::BackupWork;
use backupx_core::ports::observer::Observer;
use backupx_core::{Error, Result};
use backupx_engine::stopped;
use futures::FutureExt;
use futures::future::FusedFuture;
use rustix::process::{Pid, Signal, kill_process_group};
use serde::Deserialize;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::Command;

/// Lines of one hook that go to the run's log.
const LOGGED_LINES: usize = 500;
/// How long a hook may run when the policy does not say.
const LIMIT_SECS: u64 = 600;
/// How long what a hook left behind may hold its output open.
const LEFT_OPEN: Duration = Duration::from_secs(2);

/// A program that the host allows as a hook.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Hook {
    /// The program and its arguments, handed over as they are: no shell reads them.
    command: Vec<String>,
    /// How long it may run.
    #[serde(default = "limit")]
    timeout_secs: u64,
    /// Who runs it is the agent's user; where it runs.
    #[serde(default)]
    folder: Option<PathBuf>,
}

fn limit() -> u64 {
    LIMIT_SECS
}

impl Hook {
    /// Why the policy can't be used with it, if it can't.
    pub(crate) fn wrong(&self) -> Option<&'static str> {
        match self.command.first() {
            None => Some("has an empty command"),
            Some(program) if !program.starts_with('/') => {
                Some("has a command whose program is no absolute path")
            }
            Some(_) if self.timeout_secs == 0 => Some("has timeoutSecs 0; 1 is the least"),
            Some(_) => None,
        }
    }
}

/// The hooks of one run.
pub(crate) struct Around<'a> {
    pub(crate) policy: &'a Policy,
    pub(crate) hooks: &'a Hooks,
    pub(crate) job: &'a Arc<Job>,
    /// What a hook finds in its environment.
    pub(crate) facts: Vec<(&'static str, String)>,
}

impl<'a> Around<'a> {
    /// Around the work of a backup.
    pub(crate) fn new(
        policy: &'a Policy,
        hooks: &'a Hooks,
        work: &BackupWork,
        job: &'a Arc<Job>,
    ) -> Self {
        let facts = vec![
            ("BACKUPX_RECORD_ID", work.record_id.to_string()),
            ("BACKUPX_TASK_ID", work.task_id.to_string()),
            ("BACKUPX_TASK", work.task.name.to_string()),
            ("BACKUPX_TASK_TYPE", work.task.source.type_name().to_owned()),
        ];
        Self {
            policy,
            hooks,
            job,
            facts,
        }
    }

    /// Does `work` between the hooks. One that fails before it fails the run (`hook_failed`); one that fails behind it is a warning in
    /// the run's log, since the backup is there.
    pub(crate) async fn run<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        let ready = self.all(Moment::Before, None).await;
        let done = match ready {
            Ok(()) => {
                let done = work.await;
                self.behind(Moment::After, Some(done.is_ok())).await;
                done
            }
            Err(error) => Err(error),
        };
        let outcome = if done.is_ok() {
            Moment::Success
        } else {
            Moment::Failure
        };
        self.behind(outcome, Some(done.is_ok())).await;
        self.behind(Moment::Always, Some(done.is_ok())).await;
        done
    }

    /// All hooks of a moment; the first that fails ends it.
    async fn all(&self, moment: Moment, good: Option<bool>) -> Result<()> {
        for name in self.hooks.at(moment) {
            self.one(name, moment, good).await?;
        }
        Ok(())
    }

    /// All hooks of a moment; those that fail do not keep the others from running.
    async fn behind(&self, moment: Moment, good: Option<bool>) {
        for name in self.hooks.at(moment) {
            if let Err(error) = self.one(name, moment, good).await {
                self.job.log(Level::Warn, error.chain());
            }
        }
    }

    async fn one(&self, name: &Name, moment: Moment, good: Option<bool>) -> Result<()> {
        let hook = self.policy.hook(name)?;
        let failed = |how: String| {
            Error::invalid(
                "hook_failed",
                format!("hook {name} ({}) {how}", moment.as_str()),
            )
        };
        self.job.log(
            Level::Info,
            format!("hook {name} ({}) runs", moment.as_str()),
        );
        let mut command = Command::new(&hook.command[0]);
        command
            .args(&hook.command[1..])
            .envs(self.facts.iter().map(|(name, value)| (name, value)))
            .env("BACKUPX_HOOK", moment.as_str())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .process_group(0);
        // What the agent signs in with is none of a hook's business.
        for secret in ["BACKUPX_AGENT_TOKEN", "BACKUPX_AGENT_TOKEN_FILE"] {
            command.env_remove(secret);
        }
        if let Some(good) = good {
            command.env("BACKUPX_OUTCOME", if good { "success" } else { "failed" });
        }
        if let Some(folder) = &hook.folder {
            command.current_dir(folder);
        }
        let mut child = command
            .spawn()
            .map_err(|error| failed(format!("can't be started: {error}")))?;
        let group = Group(child.id().and_then(|id| Pid::from_raw(id.cast_signed())));
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let heard = async {
            tokio::join!(
                self.hear(name, stdout, Level::Info),
                self.hear(name, stderr, Level::Warn)
            );
        };
        let limit = Duration::from_secs(hook.timeout_secs);
        let asked = self.job.stop_flag();
        let ended = tokio::time::timeout(limit, async {
            let mut heard = std::pin::pin!(heard.fuse());
            let status = loop {
                // Cancel-safe: all three go on where they were.
                tokio::select! {
                    status = child.wait() => break status,
                    () = &mut heard, if !heard.is_terminated() => {}
                    // Nothing was begun yet that the host would have to be brought back from.
                    () = stopped(&asked), if moment == Moment::Before => return None,
                }
            };
            if !heard.is_terminated() {
                // A child of its own that lives on may hold its output open; it is not waited for.
                drop(tokio::time::timeout(LEFT_OPEN, heard).await);
            }
            Some(status)
        })
        .await;
        drop(group);
        match ended {
            Ok(None) => Err(Error::conflict(
                "cancelled",
                "the run was stopped on request",
            )),
            Err(_) => Err(failed(format!("was not over after {} s", limit.as_secs()))),
            Ok(Some(Err(error))) => Err(failed(format!("can't be waited for: {error}"))),
            Ok(Some(Ok(status))) if status.success() => Ok(()),
            Ok(Some(Ok(status))) => Err(failed(format!("ended with {status}"))),
        }
    }

    async fn hear(&self, name: &Name, stream: Option<impl AsyncRead + Unpin>, level: Level) {
        let Some(stream) = stream else { return };
        let mut lines = BufReader::new(stream).lines();
        let mut count = 0;
        while let Ok(Some(line)) = lines.next_line().await {
            count += 1;
            if count <= LOGGED_LINES {
                let line: String = line.chars().take(1000).collect();
                self.job.log(level, format!("{name}: {line}"));
            }
        }
        if count > LOGGED_LINES {
            let more = count - LOGGED_LINES;
            self.job.log(
                Level::Warn,
                format!("{name}: {more} further lines are not shown"),
            );
        }
    }
}

/// A process group that ends when this is dropped: a run that is stopped leaves no hook behind.
struct Group(Option<Pid>);

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            // One that is gone needs no signal.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}
