//! Drills: backups restored into throw-away places on real servers, asked, and gone again.

mod folders;
mod mariadb;
mod postgresql;

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use libtest_mimic::Trial;
use serde_json::Value;

use super::scene::{Scene, id_of};
use super::support::wait::wait_for;

/// A drill of a test is where it should be within this time.
const LIMIT: Duration = Duration::from_secs(120);

pub(crate) fn trials() -> Vec<Trial> {
    [folders::trials(), postgresql::trials(), mariadb::trials()]
        .into_iter()
        .flatten()
        .collect()
}

/// Drills a record to its end; answers the operation, and that it ended as the exit code says.
fn drill(scene: &Scene, record: &str, more: &[&str]) -> Result<Value> {
    let words = [
        "record", "verify", record, "--mode", "drill", "--wait", "-o", "json",
    ];
    let ended = scene.cli.run(words.iter().chain(more))?;
    let operation = ended
        .json()
        .with_context(|| format!("{ended:?}\nagent:\n{}", scene.agent.last_words()))?;
    let good = operation["status"] == "success";
    ensure!(ended.code == Some(i32::from(!good)), "{ended:?}");
    Ok(operation)
}

/// What a drill that held answered.
fn held(scene: &Scene, record: &str, more: &[&str]) -> Result<Value> {
    let operation = drill(scene, record, more)?;
    ensure!(
        operation["status"] == "success",
        "{operation:#}\nagent:\n{}",
        scene.agent.last_words()
    );
    Ok(operation["report"].clone())
}

/// The report of a drill that did not hold, for a reason that says all of this.
fn failed(scene: &Scene, record: &str, more: &[&str], why: &[&str]) -> Result<Value> {
    let operation = drill(scene, record, more)?;
    ensure!(
        operation["status"] == "failed" && operation["error"]["code"] == "drill_failed",
        "{operation:#}"
    );
    let message = operation["error"]["message"].to_string();
    for part in why {
        ensure!(message.contains(part), "{part:?} is not in {message}");
    }
    Ok(operation["report"].clone())
}

/// Folders that drills of the agent with this process id made, and programs that work in them.
fn leftovers(agent: u32, folder: &Path) -> Result<Vec<String>> {
    let begin = format!("backupx-dump-{agent}-");
    let mut left = Vec::new();
    for folder in [folder, &std::env::temp_dir()] {
        for entry in fs::read_dir(folder)? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            if name.starts_with(&begin) {
                left.push(name);
            }
        }
    }
    for process in fs::read_dir("/proc")?.flatten() {
        // One that ended meanwhile has none.
        let arguments = fs::read(process.path().join("cmdline")).unwrap_or_default();
        let arguments = String::from_utf8_lossy(&arguments).replace('\0', " ");
        if arguments.contains(&begin) {
            left.push(format!("{}: {arguments}", process.file_name().display()));
        }
    }
    Ok(left)
}

fn nothing_is_left(scene: &Scene) -> Result<()> {
    let agent = scene.agent.id().context("the agent runs")?;
    let left = leftovers(agent, &scene.agent.folder())?;
    ensure!(left.is_empty(), "{left:?} is left");
    Ok(())
}

/// Begins a drill; answers the operation's id.
fn begin(scene: &Scene, record: &str, more: &[&str]) -> Result<String> {
    let words = ["record", "verify", record, "--mode", "drill"];
    let operation = scene.cli.json(words.iter().chain(more))?;
    Ok(id_of(&operation)?.to_string())
}

/// Waits until the log of an operation has a line with this.
fn logged(scene: &Scene, operation: &str, text: &str) -> Result<()> {
    wait_for(&format!("{text:?} in a log"), LIMIT, || {
        let log = scene.cli.run(["operation", "logs", operation])?.stdout;
        Ok(log.contains(text).then_some(()))
    })
}

/// Waits for the end of an operation.
fn ended(scene: &Scene, operation: &str) -> Result<Value> {
    wait_for("the end of an operation", LIMIT, || {
        let shown = scene.cli.json(["operation", "show", operation])?;
        Ok((shown["finishedAt"].is_string()).then_some(shown))
    })
}
