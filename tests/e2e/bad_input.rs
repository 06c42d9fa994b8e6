//! Bad input: each gets a clear error where a person meets it, within a bounded time, and nothing is lost.

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use backupx_core::ports::clock::{Clock, SystemClock};
use chrono::{DateTime, TimeDelta, Utc};
use libtest_mimic::Trial;
use serde_json::Value;

use super::scene::{HOST, Scene};
use super::support::address::free_address;
use super::support::agent::Agent;
use super::support::cli::{Cli, Ended};
use super::support::master::Master;
use super::support::servers::{S3, s3_trial, trial};
use super::support::trees::make_noise;
use super::support::wait::wait_for;

/// Debian's package faketime has it.
const FAKETIME: &str = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1";

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        s3_trial(
            "bad_input::an_unreachable_endpoint_is_named",
            an_unreachable_endpoint_is_named,
        ),
        s3_trial("bad_input::a_wrong_key_is_named", a_wrong_key_is_named),
        s3_trial(
            "bad_input::a_missing_bucket_is_named",
            a_missing_bucket_is_named,
        ),
        trial(
            "bad_input::a_missing_folder_fails_the_run",
            a_missing_folder_fails_the_run,
        ),
        trial(
            "bad_input::never_31_a_path_outside_the_policy_is_refused_by_the_agent",
            never_31_a_path_outside_the_policy_is_refused_by_the_agent,
        ),
        trial(
            "bad_input::a_full_disk_fails_the_run_and_leaves_nothing",
            a_full_disk_fails_the_run_and_leaves_nothing,
        ),
        s3_trial(
            "bad_input::a_clock_that_is_an_hour_off_is_said",
            a_clock_that_is_an_hour_off_is_said,
        ),
        trial(
            "bad_input::a_wrong_token_is_said_by_the_agent",
            a_wrong_token_is_said_by_the_agent,
        ),
        trial(
            "bad_input::a_wrong_key_of_the_api_is_refused",
            a_wrong_key_of_the_api_is_refused,
        ),
        trial(
            "bad_input::odd_names_are_refused_or_kept",
            odd_names_are_refused_or_kept,
        ),
        trial(
            "bad_input::never_16_a_bad_cron_expression_is_refused_when_saved",
            never_16_a_bad_cron_expression_is_refused_when_saved,
        ),
        trial(
            "bad_input::bad_settings_stop_the_server_at_its_start",
            bad_settings_stop_the_server_at_its_start,
        ),
        trial(
            "bad_input::wrong_usage_exits_with_2",
            wrong_usage_exits_with_2,
        ),
    ]
}

fn an_unreachable_endpoint_is_named(s3: S3) -> Result<()> {
    let endpoint = format!("http://{}", free_address()?);
    let record = run_over(S3 { endpoint, ..s3 })?;
    says(&record, &["connect", "reach"])
}

fn a_wrong_key_is_named(s3: S3) -> Result<()> {
    let record = run_over(S3 {
        key: "no-such-key".to_owned(),
        ..s3
    })?;
    says(&record, &["key", "denied", "credential", "forbidden"])
}

fn a_missing_bucket_is_named(s3: S3) -> Result<()> {
    let record = run_over(S3 {
        bucket: "no-such-bucket-here".to_owned(),
        key: "readonly".to_owned(),
        ..s3
    })?;
    says(&record, &["bucket", "denied", "forbidden", "key"])
}

/// A run over a target that cannot work: it must fail and say why.
fn run_over(s3: S3) -> Result<Value> {
    let scene = Scene::start()?;
    let tree = scene.path("tree");
    make_noise(&tree, 5, 1 << 20)?;
    scene.s3_target("broken", &s3)?;
    let tested = scene.cli.run(["target", "test", "broken"])?;
    ensure!(
        tested.code == Some(1),
        "the target's test should have failed: {}",
        tested.stdout
    );
    scene.task("noise", &tree, &["broken"], &[])?;
    let record = scene.run("noise")?;
    ensure!(
        record["status"] == "failed",
        "the run should have failed: {record:#}"
    );
    Ok(record)
}

fn a_missing_folder_fails_the_run() -> Result<()> {
    let scene = Scene::start()?;
    scene.local_target("storage")?;
    scene.task("nothing", &scene.path("not-there"), &["storage"], &[])?;

    let record = scene.run("nothing")?;

    ensure!(
        record["status"] == "failed",
        "a missing source made a run {}",
        record["status"]
    );
    says(&record, &["not-there"])
}

fn never_31_a_path_outside_the_policy_is_refused_by_the_agent() -> Result<()> {
    let scene = Scene::start()?;
    let tree = scene.path("tree");
    let allowed = scene.path("allowed");
    fs::create_dir(&allowed)?;
    make_noise(&tree, 3, 1 << 10)?;
    let policy = scene.path("policy.yaml");
    let folder = allowed.display();
    fs::write(
        &policy,
        format!("allowedRoots: [{folder}]\nallowedRestoreRoots: [{folder}]\n"),
    )?;
    let config = format!("policy: {}\n", policy.display());
    let mut strict = Agent::registered(&scene.cli, "strict", &scene.cli.url, &config)?;
    strict.resume()?;
    strict.wait_until_online(&scene.cli)?;
    scene.local_target("storage")?;
    let source = tree.display().to_string();
    scene.cli.json([
        "task", "add", "outside", "--type", "file", "--node", "strict", "--source", &source,
        "--target", "storage",
    ])?;

    let record = scene.run("outside")?;
    ensure!(
        record["status"] == "failed",
        "the agent read what its policy forbids: {record:#}"
    );
    says(&record, &["policy", "allowed"])?;

    scene.task("inside", &tree, &["storage"], &[])?;
    let id = scene.run_well("inside")?.to_string();
    let to = scene.path("elsewhere").display().to_string();
    let ended = scene
        .cli
        .run(["restore", &id, "--node", "strict", "--to", &to, "--wait"])?;
    ensure!(
        ended.code == Some(1),
        "the agent wrote where its policy forbids it"
    );
    ensure!(
        !scene.path("elsewhere").exists(),
        "the forbidden folder was made"
    );
    Ok(())
}

fn a_full_disk_fails_the_run_and_leaves_nothing() -> Result<()> {
    let scene = Scene::start()?;
    let tree = scene.path("tree");
    make_noise(&tree, 20, 20 << 20)?;
    let small = Tmpfs::mount(&scene.path("small"), "4m")?;
    let path = format!("path={}", small.path.display());
    scene
        .cli
        .json(["target", "add", "small", "--type", "local", "--set", &path])?;
    scene.task("noise", &tree, &["small"], &[])?;

    let record = scene.run("noise")?;

    ensure!(
        record["status"] == "failed",
        "a full disk made a run {}",
        record["status"]
    );
    says(&record, &["space", "full"])?;
    let place = super::storage::Place::Folder(small.path.clone());
    wait_for("an empty folder", Duration::from_secs(90), || {
        Ok(place.objects()?.is_empty().then_some(()))
    })
}

fn a_clock_that_is_an_hour_off_is_said(s3: S3) -> Result<()> {
    let scene = Scene::start()?;
    let tree = scene.path("tree");
    make_noise(&tree, 5, 1 << 20)?;
    scene.local_target("folder")?;
    scene.s3_target("service", &s3)?;
    let mut fast = Agent::registered(&scene.cli, "fast", &scene.cli.url, "")?;
    fast.set("LD_PRELOAD", FAKETIME);
    fast.set("FAKETIME", "+1h");
    // Only the time of day is off: a host's clock for lengths of time always goes.
    fast.set("FAKETIME_DONT_FAKE_MONOTONIC", "1");
    fast.resume()?;
    fast.wait_until_online(&scene.cli)?;
    ensure!(
        fast.last_words().contains("clock"),
        "the agent says nothing of its clock:\n{}",
        fast.last_words()
    );
    let source = tree.display().to_string();
    for target in ["folder", "service"] {
        scene.cli.json([
            "task", "add", target, "--type", "file", "--node", "fast", "--source", &source,
            "--target", target,
        ])?;
    }

    let record = scene.run("folder")?;
    ensure!(
        record["status"] == "success",
        "only a clock was off: {record:#}"
    );
    let id = record["id"].to_string();
    let log = scene.cli.run(["record", "logs", &id])?.stdout;
    ensure!(
        log.contains("clock"),
        "the log of the run says nothing of the clock:\n{log}"
    );
    for time in ["createdAt", "startedAt", "finishedAt"] {
        let at: DateTime<Utc> = record[time].as_str().context(time)?.parse()?;
        ensure!(
            (SystemClock.now() - at).abs() < TimeDelta::minutes(10),
            "{time} was taken from the agent's clock: {record:#}"
        );
    }

    // A service that signs requests by the time of day refuses it, and the run says why.
    let record = scene.run("service")?;
    ensure!(
        record["status"] == "failed",
        "the service took a request from an hour ahead: {record:#}"
    );
    says(&record, &["clock"])
}

fn a_wrong_token_is_said_by_the_agent() -> Result<()> {
    let scene = Scene::start()?;
    let mut stranger = Agent::registered(&scene.cli, "stranger", &scene.cli.url, "")?;
    fs::write(stranger.folder().join("token"), "0".repeat(64))?;

    stranger.resume()?;

    wait_for(
        "the agent's word on its token",
        Duration::from_secs(20),
        || Ok(stranger.last_words().contains("token").then_some(())),
    )?;
    let node = scene.cli.json(["node", "show", "stranger"])?;
    ensure!(
        node["status"] != "online",
        "a wrong token made the node online"
    );
    Ok(())
}

fn a_wrong_key_of_the_api_is_refused() -> Result<()> {
    let master = Master::start()?;
    let stranger = Cli {
        url: master.url(),
        key: "bxk_not-a-key".to_owned(),
    };

    let ended = stranger.run(["record", "ls"])?;

    ensure!(ended.code == Some(1), "a wrong key was let in");
    ensure!(
        !ended.stderr.is_empty() && !ended.stderr.contains("bxk_not-a-key"),
        "said: {}",
        ended.stderr
    );
    Ok(())
}

fn odd_names_are_refused_or_kept() -> Result<()> {
    let scene = Scene::start()?;
    let long = "n".repeat(10_000);
    for name in ["", "a/b", "../up", "line\nbreak", long.as_str()] {
        let ended = scene.cli.run(["node", "add", name])?;
        refused(
            &ended,
            &format!("node {:?}", name.chars().take(20).collect::<String>()),
        )?;
        let ended = scene.cli.run([
            "target",
            "add",
            name,
            "--type",
            "local",
            "--set",
            "path=/tmp/x",
        ])?;
        refused(
            &ended,
            &format!("target {:?}", name.chars().take(20).collect::<String>()),
        )?;
    }
    let ended = scene.cli.run(["node", "add", HOST])?;
    refused(&ended, "a name that is taken")
}

fn never_16_a_bad_cron_expression_is_refused_when_saved() -> Result<()> {
    let scene = Scene::start()?;
    scene.local_target("storage")?;
    for (cron, zone) in [
        ("every day", "UTC"),
        ("61 * * * *", "UTC"),
        ("0 3 * * *", "Europe/Atlantis"),
    ] {
        let arguments = [
            "task",
            "add",
            "bad",
            "--type",
            "file",
            "--node",
            HOST,
            "--source",
            "/tmp",
            "--target",
            "storage",
            "--cron",
            cron,
            "--timezone",
            zone,
        ];
        refused(&scene.cli.run(arguments)?, &format!("{cron} in {zone}"))?;
    }
    Ok(())
}

fn bad_settings_stop_the_server_at_its_start() -> Result<()> {
    let cases = [
        ("BACKUPX_LISTEN", "nowhere"),
        ("BACKUPX_COMMAND_TIMEOUT", "soon"),
        ("BACKUPX_DATABASE_URL", "oracle://x"),
        ("BACKUPX_SECRET_KEY", "short"),
    ];
    for (name, value) in cases {
        let folder = tempfile::tempdir()?;
        let mut command = super::support::process::backupx();
        command
            .arg("server")
            .env("BACKUPX_DATA_DIR", folder.path())
            .env("BACKUPX_LISTEN", free_address()?.to_string())
            .env(name, value);
        let ended = super::support::cli::finish(&mut command)?;
        ensure!(
            ended.code.is_some_and(|code| code != 0),
            "the server started with {name}={value}"
        );
        ensure!(
            ended.stderr.contains(name),
            "it does not name {name}: {}",
            ended.stderr
        );
        ensure!(
            name != "BACKUPX_SECRET_KEY" || !ended.stderr.contains("short\""),
            "it prints a secret: {}",
            ended.stderr
        );
    }
    Ok(())
}

fn wrong_usage_exits_with_2() -> Result<()> {
    let nobody = Cli {
        url: "http://127.0.0.1:1".to_owned(),
        key: "bxk_x".to_owned(),
    };
    for arguments in [
        vec!["no-such-command"],
        vec!["task", "add"],
        vec!["record", "show", "--no-such-flag"],
    ] {
        let ended = nobody.run(&arguments)?;
        ensure!(
            ended.code == Some(2),
            "{arguments:?} exited with {:?}",
            ended.code
        );
    }
    let ended = nobody.run(["record", "ls"])?;
    ensure!(
        ended.code == Some(1) && ended.stderr.contains("127.0.0.1:1"),
        "an absent master should be named: {}",
        ended.stderr
    );
    Ok(())
}

fn refused(ended: &Ended, what: &str) -> Result<()> {
    ensure!(
        ended.code == Some(1) || ended.code == Some(2),
        "{what} was taken (exit code {:?})",
        ended.code
    );
    ensure!(
        !ended.stderr.trim().is_empty() && ended.stderr.len() < 4_000,
        "{what} got no clear error: {:?}",
        ended.stderr
    );
    Ok(())
}

/// Fails unless the record says why it failed, with one of these words.
fn says(record: &Value, words: &[&str]) -> Result<()> {
    let said =
        record["error"].to_string().to_lowercase() + &record["copies"].to_string().to_lowercase();
    ensure!(
        words.iter().any(|word| said.contains(word)),
        "the failure should speak of one of {words:?}: {record:#}"
    );
    Ok(())
}

/// A small file system of its own.
struct Tmpfs {
    path: std::path::PathBuf,
}

impl Tmpfs {
    fn mount(path: &std::path::Path, size: &str) -> Result<Self> {
        fs::create_dir(path)?;
        let mut command = std::process::Command::new("mount");
        command
            .args(["-t", "tmpfs", "-o", &format!("size={size}"), "backupx-test"])
            .arg(path);
        let ended = super::support::cli::finish(&mut command)?;
        ensure!(ended.code == Some(0), "mount: {}", ended.stderr);
        Ok(Self {
            path: path.to_owned(),
        })
    }
}

impl Drop for Tmpfs {
    fn drop(&mut self) {
        // A test that failed may have left somebody in it; then the lazy unmount takes it away when they go.
        let _ = std::process::Command::new("umount")
            .arg("-l")
            .arg(&self.path)
            .status();
    }
}
