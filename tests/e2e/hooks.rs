//! Hooks: what a host runs around a backup, and nothing that its policy does not name.

use std::fs;
use std::path::Path;

use anyhow::{Result, ensure};
use libtest_mimic::Trial;
use serde_json::Value;

use super::scene::id_of;
use super::support::agent::Agent;
use super::support::cli::Cli;
use super::support::master::Master;
use super::support::servers::trial;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial(
            "hooks::hooks_run_in_order_and_know_how_it_went",
            hooks_run_in_order_and_know_how_it_went,
        ),
        trial(
            "hooks::a_hook_that_fails_before_keeps_anything_from_being_read",
            a_hook_that_fails_before_keeps_anything_from_being_read,
        ),
        trial(
            "hooks::a_hook_that_hangs_is_ended",
            a_hook_that_hangs_is_ended,
        ),
        trial(
            "hooks::never_31_a_hook_that_the_host_does_not_name_is_refused",
            never_31_a_hook_that_the_host_does_not_name_is_refused,
        ),
    ]
}

/// A host whose policy names the hooks `note` (writes down when it ran), `fail` and `hang`.
struct Host {
    agent: Agent,
    cli: Cli,
    // Goes last.
    _master: Master,
}

impl Host {
    fn start() -> Result<Self> {
        let master = Master::with_settings(&[])?;
        let cli = master.administrator()?;
        let mut agent = Agent::registered(&cli, "host", &cli.url, "policy: policy.yaml\n")?;
        let folder = agent.folder();
        let noted = folder.join("noted").display().to_string();
        let rules = format!(
            "hooks:
  note:
    command: [/bin/sh, -c, 'echo \"$BACKUPX_HOOK $BACKUPX_OUTCOME $BACKUPX_TASK\" >> {noted}; echo heard; echo $1', sh, an argument]
  fail:
    command: [/bin/sh, -c, 'echo no quiet today >&2; exit 7']
  hang:
    command: [/bin/sleep, '600']
    timeoutSecs: 1
"
        );
        fs::write(folder.join("policy.yaml"), rules)?;
        fs::create_dir(folder.join("data"))?;
        fs::create_dir(folder.join("storage"))?;
        fs::write(folder.join("data/file"), "content")?;
        agent.resume()?;
        agent.wait_until_online(&cli)?;
        let path = format!("path={}", folder.join("storage").display());
        cli.json([
            "target", "add", "storage", "--type", "local", "--set", &path,
        ])?;
        Ok(Self {
            agent,
            cli,
            _master: master,
        })
    }

    /// Runs a new task with these hooks to its end.
    fn run(&self, hooks: &[&str]) -> Result<Value> {
        let source = self.agent.folder().join("data").display().to_string();
        let mut words = vec![
            "task", "add", "web site", "--node", "host", "--target", "storage", "--source", &source,
        ];
        for hook in hooks {
            words.extend(["--hook", hook]);
        }
        self.cli.json(words)?;
        self.cli
            .run(["task", "run", "web site", "--wait", "-o", "json"])?
            .json()
    }

    fn noted(&self) -> Vec<String> {
        let text = fs::read_to_string(self.agent.folder().join("noted")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    fn log(&self, record: &Value) -> Result<String> {
        Ok(self
            .cli
            .run(["record", "logs", &id_of(record)?.to_string()])?
            .stdout)
    }
}

const EVERYWHERE: [&str; 5] = [
    "before=note",
    "after=note",
    "on-success=note",
    "on-failure=note",
    "always=note",
];

fn hooks_run_in_order_and_know_how_it_went() -> Result<()> {
    let host = Host::start()?;
    let node = host.cli.json(["node", "show", "host"])?;
    ensure!(
        node["facts"]["hooks"] == serde_json::json!(["fail", "hang", "note"]),
        "{node:#}"
    );
    let record = host.run(&EVERYWHERE)?;
    ensure!(record["status"] == "success", "{record:#}");
    let expected = [
        "before  web site",
        "after success web site",
        "success success web site",
        "always success web site",
    ];
    ensure!(host.noted() == expected, "{:?}", host.noted());
    let log = host.log(&record)?;
    ensure!(
        log.contains("note: heard") && log.contains("note: an argument"),
        "{log}"
    );
    // A hook behind the backup that fails takes nothing of it away.
    host.cli.json([
        "task",
        "edit",
        "web site",
        "--hook",
        "after=fail",
        "--hook",
        "always=note",
    ])?;
    let record = host
        .cli
        .run(["task", "run", "web site", "--wait", "-o", "json"])?
        .json()?;
    ensure!(record["status"] == "success", "{record:#}");
    ensure!(
        host.log(&record)?.contains("hook fail (after) ended with"),
        "{}",
        host.log(&record)?
    );
    Ok(())
}

fn a_hook_that_fails_before_keeps_anything_from_being_read() -> Result<()> {
    let host = Host::start()?;
    let record = host.run(&[
        "before=fail",
        "after=note",
        "on-success=note",
        "on-failure=note",
        "always=note",
    ])?;
    ensure!(
        record["status"] == "failed" && record["error"]["code"] == "hook_failed",
        "{record:#}"
    );
    ensure!(
        host.noted() == ["failure failed web site", "always failed web site"],
        "{:?}",
        host.noted()
    );
    ensure!(
        host.log(&record)?.contains("no quiet today"),
        "{}",
        host.log(&record)?
    );
    ensure!(
        is_empty(&host.agent.folder().join("storage"))?,
        "something was stored"
    );
    Ok(())
}

fn a_hook_that_hangs_is_ended() -> Result<()> {
    let host = Host::start()?;
    let record = host.run(&["before=hang"])?;
    ensure!(
        record["status"] == "failed" && record["error"]["code"] == "hook_failed",
        "{record:#}"
    );
    ensure!(
        record["error"]["message"]
            .as_str()
            .is_some_and(|text| text.contains("not over after 1 s")),
        "{record:#}"
    );
    Ok(())
}

fn never_31_a_hook_that_the_host_does_not_name_is_refused() -> Result<()> {
    let host = Host::start()?;
    let record = host.run(&["before=note", "always=rm -rf"])?;
    ensure!(
        record["status"] == "failed" && record["error"]["code"] == "policy_denied",
        "{record:#}"
    );
    ensure!(host.noted().is_empty(), "{:?}", host.noted());
    Ok(())
}

/// Whether no file lies below a folder.
fn is_empty(folder: &Path) -> Result<bool> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if !path.is_dir() || !is_empty(&path)? {
            return Ok(false);
        }
    }
    Ok(true)
}
