//! The guard: a run that is far off its history is told of, holds retention, and goes on when a person says that it is right. And the proof of
//! the newest backup by a timetable.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use libtest_mimic::Trial;
use serde_json::Value;

use super::scene::Scene;
use super::support::servers::trial;
use super::support::trees::make_noise;
use super::support::wait::wait_for;

const LIMIT: Duration = Duration::from_secs(60);

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial(
            "guard::an_empty_folder_is_odd_and_holds_retention_until_it_is_accepted",
            an_empty_folder_is_odd_and_holds_retention_until_it_is_accepted,
        ),
        trial(
            "guard::files_that_somebody_encrypted_are_odd",
            files_that_somebody_encrypted_are_odd,
        ),
        trial(
            "guard::the_newest_backup_is_proven_by_a_timetable",
            the_newest_backup_is_proven_by_a_timetable,
        ),
    ]
}

fn run(scene: &Scene, task: &str) -> Result<Value> {
    let record = scene.cli.json(["task", "run", task, "--wait"])?;
    ensure!(record["status"] == "success", "{record}");
    Ok(record)
}

fn codes(record: &Value) -> Vec<&str> {
    let findings = record["alarm"]["findings"].as_array();
    let codes = findings.into_iter().flatten();
    codes
        .filter_map(|finding| finding["code"].as_str())
        .collect()
}

/// The copies of a task that its policy would decide about, and why they stay.
fn copies(scene: &Scene, task: &str) -> Result<Vec<Value>> {
    let plan = scene.cli.json(["task", "retention", task])?;
    let decisions = plan["decisions"].as_array().context("no decisions")?;
    Ok(decisions.clone())
}

fn an_empty_folder_is_odd_and_holds_retention_until_it_is_accepted() -> Result<()> {
    let scene = Scene::start()?;
    let tree = scene.path("mount");
    make_noise(&tree, 30, 1 << 14)?;
    scene.local_target("storage")?;
    scene.task("mounted", &tree, &["storage"], &["--keep-last", "2"])?;
    for _ in 0..5 {
        let record = run(&scene, "mounted")?;
        ensure!(record["alarm"].is_null(), "{record}");
    }
    wait_for_two(&scene, "mounted")?;
    // What is mounted there is away.
    fs::remove_dir_all(&tree)?;
    fs::create_dir(&tree)?;
    let odd = run(&scene, "mounted")?;
    // Retention left two records, and the history knows of five runs.
    ensure!(codes(&odd) == ["empty", "fewer_entries"], "{odd}");
    let again = run(&scene, "mounted")?;
    ensure!(!codes(&again).is_empty(), "{again}");
    let id = again["id"].to_string();
    let text = scene.cli.run(["record", "show", &id])?.stdout;
    ensure!(
        text.contains("success (odd)") && text.contains(&format!("backupx record accept {id}")),
        "{text}"
    );
    let log = scene.cli.run(["record", "logs", &id])?.stdout;
    ensure!(
        log.contains("no bytes at all") || log.contains("entries"),
        "{log}"
    );
    // Two that the policy keeps, and two good ones that it would let go.
    let held = copies(&scene, "mounted")?;
    ensure!(held.len() == 4, "{held:?}");
    ensure!(
        held[3]["reasons"] == serde_json::json!(["held"]),
        "{held:?}"
    );

    let accepted = scene
        .cli
        .json(["record", "accept", &id, "--reason", "it moved"])?;
    ensure!(
        accepted["alarm"]["accepted"]["reason"] == "it moved",
        "{accepted}"
    );
    let first = scene.cli.json(["record", "show", &odd["id"].to_string()])?;
    ensure!(first["alarm"]["accepted"]["by"] == "admin", "{first}");
    let twice = scene.cli.run(["record", "accept", &id])?;
    ensure!(
        twice.code == Some(1) && twice.stderr.contains("accepted already"),
        "{}",
        twice.stderr
    );
    let next = run(&scene, "mounted")?;
    ensure!(next["alarm"].is_null(), "{next}");
    wait_for_two(&scene, "mounted")
}

/// Waits until retention left two copies.
fn wait_for_two(scene: &Scene, task: &str) -> Result<()> {
    wait_for("retention to leave two", LIMIT, || {
        Ok((copies(scene, task)?.len() == 2).then_some(()))
    })
}

/// Every file anew, and of bytes that nothing makes smaller.
fn encrypt(tree: &Path, count: usize) -> Result<()> {
    fs::remove_dir_all(tree)?;
    make_noise(tree, count, 1 << 21)
}

fn files_that_somebody_encrypted_are_odd() -> Result<()> {
    let scene = Scene::start()?;
    let tree = scene.path("documents");
    fs::create_dir(&tree)?;
    for number in 0..40 {
        let words = format!("line {number} of a document\n").repeat(2500);
        fs::write(tree.join(format!("document-{number}.txt")), words)?;
    }
    let old = std::process::Command::new("find")
        .arg(&tree)
        .args(["-exec", "touch", "-d", "2024-01-01", "{}", "+"])
        .status()?;
    ensure!(old.success(), "touch failed");
    scene.local_target("storage")?;
    scene.task("documents", &tree, &["storage"], &[])?;
    for _ in 0..5 {
        run(&scene, "documents")?;
    }
    let quiet = run(&scene, "documents")?;
    let statistics = &quiet["statistics"];
    ensure!(
        quiet["alarm"].is_null() && statistics["changedShare"] == 0.0,
        "{quiet}"
    );
    ensure!(
        statistics["bytesPerSecond"].as_u64() > Some(0) && statistics["durationMs"].is_u64(),
        "{quiet}"
    );
    encrypt(&tree, 40)?;
    let odd = run(&scene, "documents")?;
    ensure!(codes(&odd) == ["rewritten", "incompressible"], "{odd}");
    ensure!(odd["statistics"]["changedShare"] == 1.0, "{odd}");
    Ok(())
}

fn the_newest_backup_is_proven_by_a_timetable() -> Result<()> {
    let scene = Scene::start()?;
    let tree = scene.path("tree");
    make_noise(&tree, 3, 1 << 14)?;
    scene.local_target("storage")?;
    let plans = [
        "--verify",
        "full=* * * * * *",
        "--verify-timezone",
        "Asia/Tokyo",
    ];
    scene.task("proven", &tree, &["storage"], &plans)?;
    let shown = scene.cli.json(["task", "show", "proven"])?;
    ensure!(
        shown["verify"][0]["mode"] == "full" && shown["verify"][0]["timezone"] == "Asia/Tokyo",
        "{shown}"
    );
    let id = run(&scene, "proven")?["id"].to_string();
    wait_for("a verification that nobody asked for", LIMIT, || {
        let record = scene.cli.json(["record", "show", &id])?;
        Ok(record["copies"][0]["verifiedAt"].as_str().map(|_| ()))
    })?;
    let never = scene
        .cli
        .run(["task", "edit", "proven", "--verify", "full=0 0 30 2 *"])?;
    ensure!(
        never.code == Some(1) && never.stderr.contains("verify[0].cron"),
        "{}",
        never.stderr
    );
    let off = scene.cli.json(["task", "edit", "proven", "--no-verify"])?;
    ensure!(off["verify"] == serde_json::json!([]), "{off}");
    Ok(())
}
