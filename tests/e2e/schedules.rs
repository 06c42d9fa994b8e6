//! When tasks run, from the command line to the end of a run that nobody asked for by hand.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use libtest_mimic::Trial;
use serde_json::Value;

use super::scene::Scene;
use super::support::servers::trial;
use super::support::trees::make_noise;
use super::support::wait::wait_for;

/// How long a run may take that begins by itself.
const LIMIT: Duration = Duration::from_secs(60);

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial(
            "schedules::a_task_runs_by_its_schedule_and_another_after_it",
            a_task_runs_by_its_schedule_and_another_after_it,
        ),
        trial(
            "schedules::the_next_runs_are_shown_and_a_pause_has_an_end",
            the_next_runs_are_shown_and_a_pause_has_an_end,
        ),
        trial(
            "schedules::a_timing_that_cannot_work_is_refused",
            a_timing_that_cannot_work_is_refused,
        ),
    ]
}

/// Waits for a successful run of a task that began like this.
fn wait_for_run(scene: &Scene, task: &str, trigger: &str) -> Result<Value> {
    wait_for(&format!("a run of {task}"), LIMIT, || {
        let page = scene.cli.json(["record", "ls", "--task", task])?;
        let records = page["items"].as_array().cloned().unwrap_or_default();
        Ok(records
            .into_iter()
            .find(|record| record["trigger"] == trigger && record["status"] == "success"))
    })
}

fn a_task_runs_by_its_schedule_and_another_after_it() -> Result<()> {
    let scene = Scene::start()?;
    let tree = scene.path("tree");
    make_noise(&tree, 3, 1 << 16)?;
    scene.local_target("storage")?;
    let every_second = ["--cron", "* * * * * *", "--catch-up", "skip"];
    scene.task("first", &tree, &["storage"], &every_second)?;
    scene.task("second", &tree, &["storage"], &["--after", "first"])?;

    wait_for_run(&scene, "first", "schedule")?;
    let second = wait_for_run(&scene, "second", "after")?;

    ensure!(second["taskName"] == "second", "{second}");
    Ok(())
}

fn the_next_runs_are_shown_and_a_pause_has_an_end() -> Result<()> {
    let scene = Scene::start()?;
    let tree = scene.path("tree");
    make_noise(&tree, 1, 1 << 10)?;
    scene.local_target("storage")?;
    let timing = [
        "--cron",
        "30 2 * * *",
        "--timezone",
        "Europe/Berlin",
        "--jitter",
        "10m",
        "--maintenance",
        "mon-fri 22:00-02:00",
    ];
    scene.task("nightly", &tree, &["storage"], &timing)?;

    let shown = scene.cli.json(["task", "show", "nightly"])?;
    let runs = shown["nextRuns"].as_array().context("no next runs")?;
    ensure!(runs.len() == 5 && runs[0] == shown["nextRunAt"], "{shown}");
    ensure!(shown["schedule"]["jitterSecs"] == 600, "{shown}");
    let text = scene.cli.run(["task", "show", "nightly"])?.stdout;
    for part in [
        "next runs",
        "up to 10 min",
        "mon,tue,wed,thu,fri 22:00-02:00",
        "once",
    ] {
        ensure!(text.contains(part), "{part:?} is not in:\n{text}");
    }

    let pause = [
        "task", "disable", "nightly", "--until", "30d", "--reason", "moving",
    ];
    let paused = scene.cli.json(pause)?;
    ensure!(
        paused["enabled"] == true && paused["pauseReason"] == "moving",
        "{paused}"
    );
    ensure!(paused["nextRunAt"].as_str() > runs[4].as_str(), "{paused}");
    let text = scene.cli.run(["task", "show", "nightly"])?.stdout;
    ensure!(
        text.contains("paused until") && text.contains("moving"),
        "{text}"
    );
    let enabled = scene.cli.json(["task", "enable", "nightly"])?;
    ensure!(
        enabled["pausedUntil"].is_null() && enabled["nextRunAt"] == runs[0],
        "{enabled}"
    );

    let edit = [
        "task",
        "edit",
        "nightly",
        "--no-maintenance",
        "--jitter",
        "0",
        "--catch-up",
        "all",
    ];
    let edited = scene.cli.json(edit)?;
    ensure!(
        edited["schedule"]["maintenance"] == serde_json::json!([]),
        "{edited}"
    );
    ensure!(
        edited["schedule"]["catchUp"] == "all" && edited["schedule"]["jitterSecs"] == 0,
        "{edited}"
    );
    let pooled = scene
        .cli
        .json(["task", "edit", "nightly", "--pool", "db"])?;
    ensure!(
        pooled["nodeId"].is_null() && pooled["pool"] == "db",
        "{pooled}"
    );
    let back = scene
        .cli
        .json(["task", "edit", "nightly", "--node", "local", "--no-cron"])?;
    ensure!(
        back["nodeId"] == 0 && back["pool"].is_null() && back["schedule"].is_null(),
        "{back}"
    );
    Ok(())
}

fn a_timing_that_cannot_work_is_refused() -> Result<()> {
    let scene = Scene::start()?;
    let tree = scene.path("tree");
    make_noise(&tree, 1, 1 << 10)?;
    scene.local_target("storage")?;
    scene.task("plain", &tree, &["storage"], &[])?;
    for (arguments, code, part) in [
        (vec!["--jitter", "10m"], 2, "--jitter needs --cron"),
        (vec!["--cron", "@daily", "--jitter", "soon"], 2, "jitter"),
        (
            vec!["--cron", "@daily", "--maintenance", "at night"],
            2,
            "22:00-04:00",
        ),
        (
            vec!["--cron", "@daily", "--maintenance", "00:00-24:00"],
            1,
            "maintenance windows",
        ),
        (vec!["--after", "plain"], 1, "wait for itself"),
        (vec!["--after-when", "any"], 2, "--after-when needs --after"),
        (vec!["--pool", "db", "--node", "local"], 2, "--node"),
    ] {
        let ended = scene
            .cli
            .run(["task", "edit", "plain"].iter().chain(&arguments))?;
        ensure!(
            ended.code == Some(code),
            "{arguments:?}: {:?} {}",
            ended.code,
            ended.stderr
        );
        ensure!(
            ended.stderr.contains(part),
            "{arguments:?}: {}",
            ended.stderr
        );
    }
    let ended = scene
        .cli
        .run(["task", "disable", "plain", "--until", "tomorrow"])?;
    ensure!(
        ended.code == Some(2) && ended.stderr.contains("--until"),
        "{}",
        ended.stderr
    );
    Ok(())
}
