//! The main road: back a folder up from an agent to storage, look at it, prove it, and get it back.

use std::fs;

use anyhow::{Result, ensure};
use libtest_mimic::Trial;

use super::scene::{HOST, Scene, restored};
use super::support::servers::{S3, s3_trial, trial};
use super::support::trees::{ensure_equal, make_nasty, make_noise};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial(
            "road::a_disk_that_is_away_loses_no_copy_for_good",
            a_disk_that_is_away_loses_no_copy_for_good,
        ),
        trial(
            "road::a_tree_goes_to_a_folder_and_comes_back",
            a_tree_goes_to_a_folder_and_comes_back,
        ),
        s3_trial(
            "road::a_tree_goes_to_s3_in_volumes_and_comes_back",
            a_tree_goes_to_s3_in_volumes_and_comes_back,
        ),
        s3_trial(
            "road::one_read_feeds_two_targets",
            one_read_feeds_two_targets,
        ),
        s3_trial(
            "road::never_02_a_failed_target_makes_the_run_degraded",
            never_02_a_failed_target_makes_the_run_degraded,
        ),
        trial("road::one_file_comes_back_alone", one_file_comes_back_alone),
        trial("road::a_dry_run_writes_nothing", a_dry_run_writes_nothing),
        trial("road::overwrite_rules_are_kept", overwrite_rules_are_kept),
        trial(
            "road::never_04_a_selection_that_restores_nothing_fails",
            never_04_a_selection_that_restores_nothing_fails,
        ),
        trial(
            "road::a_damaged_object_is_found_by_verify",
            a_damaged_object_is_found_by_verify,
        ),
        trial(
            "road::extract_opens_a_backup_without_a_master",
            extract_opens_a_backup_without_a_master,
        ),
        trial(
            "road::quickstart_holds_every_step",
            quickstart_holds_every_step,
        ),
    ]
}

fn a_tree_goes_to_a_folder_and_comes_back() -> Result<()> {
    let scene = Scene::start()?;
    let tree = scene.path("tree");
    make_nasty(&tree)?;
    scene.local_target("storage")?;
    scene.task("nasty", &tree, &["storage"], &["--encrypt"])?;

    let id = scene.run_well("nasty")?;

    let listed = scene.cli.json(["record", "ls"])?;
    ensure!(
        listed["items"]
            .as_array()
            .is_some_and(|items| items.iter().any(|item| item["id"] == id)),
        "record ls lacks {id}: {listed}"
    );
    scene.cli.json([
        "record",
        "verify",
        &id.to_string(),
        "--mode",
        "quick",
        "--wait",
    ])?;
    scene.cli.json([
        "record",
        "verify",
        &id.to_string(),
        "--mode",
        "full",
        "--wait",
    ])?;
    ensure_equal(&tree, &scene.restore(id, &tree, &[])?)
}

fn a_tree_goes_to_s3_in_volumes_and_comes_back(s3: S3) -> Result<()> {
    let scene = Scene::start()?;
    let tree = scene.path("tree");
    make_noise(&tree, 200, 80 << 20)?;
    scene.s3_target("s3", &s3)?;
    scene.task("noise", &tree, &["s3"], &["--encrypt"])?;

    let id = scene.run_well("noise")?;

    scene.cli.json([
        "record",
        "verify",
        &id.to_string(),
        "--mode",
        "full",
        "--wait",
    ])?;
    ensure_equal(&tree, &scene.restore(id, &tree, &[])?)
}

fn one_read_feeds_two_targets(s3: S3) -> Result<()> {
    let scene = Scene::start()?;
    let tree = scene.path("tree");
    make_noise(&tree, 50, 5 << 20)?;
    scene.local_target("folder")?;
    scene.s3_target("s3", &s3)?;
    scene.task("twice", &tree, &["folder", "s3"], &[])?;

    let id = scene.run_well("twice")?;

    let record = scene.record(id)?;
    let good = record["copies"].as_array().map(|copies| {
        copies
            .iter()
            .filter(|copy| copy["status"] == "good")
            .count()
    });
    ensure!(good == Some(2), "both copies should be good: {record:#}");
    Ok(())
}

fn never_02_a_failed_target_makes_the_run_degraded(s3: S3) -> Result<()> {
    let scene = Scene::start()?;
    let tree = scene.path("tree");
    make_noise(&tree, 20, 2 << 20)?;
    scene.local_target("folder")?;
    let wrong = S3 {
        bucket: "no-such-bucket".to_owned(),
        key: "unknown".to_owned(),
        ..s3
    };
    scene.s3_target("broken", &wrong)?;
    scene.task("half", &tree, &["folder", "broken"], &[])?;

    let record = scene.run("half")?;

    ensure!(
        record["status"] == "degraded",
        "one target failed, so the run is degraded: {record:#}"
    );
    let id = super::scene::id_of(&record)?;
    ensure_equal(&tree, &scene.restore(id, &tree, &[])?)
}

fn one_file_comes_back_alone() -> Result<()> {
    let scene = Scene::start()?;
    let tree = scene.path("tree");
    make_noise(&tree, 300, 30 << 20)?;
    scene.local_target("storage")?;
    scene.task("noise", &tree, &["storage"], &[])?;
    let id = scene.run_well("noise")?;

    let back = scene.restore(id, &tree, &["--include", "**/file-00123"])?;

    let wanted = tree.join("folder-001/file-00123");
    ensure!(
        fs::read(&wanted)? == fs::read(back.join("folder-001/file-00123"))?,
        "the file came back different"
    );
    let files = walk(&back)?;
    ensure!(files == 1, "one file was asked for, {files} came back");
    Ok(())
}

fn a_dry_run_writes_nothing() -> Result<()> {
    let scene = Scene::start()?;
    let tree = scene.path("tree");
    make_noise(&tree, 10, 1 << 20)?;
    scene.local_target("storage")?;
    scene.task("noise", &tree, &["storage"], &[])?;
    let id = scene.run_well("noise")?;

    let back = scene.restore(id, &tree, &["--dry-run"])?;

    ensure!(!back.exists(), "a dry run made {}", back.display());
    Ok(())
}

fn overwrite_rules_are_kept() -> Result<()> {
    let scene = Scene::start()?;
    let tree = scene.path("tree");
    make_noise(&tree, 3, 3 << 10)?;
    scene.local_target("storage")?;
    scene.task("noise", &tree, &["storage"], &[])?;
    let id = scene.run_well("noise")?.to_string();
    let to = scene.path("to");
    let back = restored(&to, &tree).join("folder-000/file-00001");
    let restore = |overwrite: &str| {
        let to = to.display().to_string();
        scene.cli.json([
            "restore",
            &id,
            "--node",
            HOST,
            "--to",
            &to,
            "--overwrite",
            overwrite,
            "--wait",
        ])
    };
    restore("never")?;

    fs::write(&back, "mine")?;
    restore("never")?;
    ensure!(fs::read(&back)? == b"mine", "`never` replaced a file");
    restore("if-changed")?;
    ensure!(
        fs::read(&back)? == fs::read(tree.join("folder-000/file-00001"))?,
        "`if-changed` left a changed file"
    );
    fs::write(&back, "mine again")?;
    restore("always")?;
    ensure_equal(&tree, &restored(&to, &tree))
}

fn never_04_a_selection_that_restores_nothing_fails() -> Result<()> {
    let scene = Scene::start()?;
    let tree = scene.path("tree");
    make_noise(&tree, 3, 3 << 10)?;
    scene.local_target("storage")?;
    scene.task("noise", &tree, &["storage"], &[])?;
    let id = scene.run_well("noise")?.to_string();

    let to = scene.path("to").display().to_string();
    let ended = scene.cli.run([
        "restore",
        &id,
        "--node",
        HOST,
        "--to",
        &to,
        "--include",
        "no/such/file",
        "--wait",
    ])?;

    ensure!(
        ended.code == Some(1),
        "restoring nothing exited with {:?}: {}",
        ended.code,
        ended.stderr
    );
    Ok(())
}

fn a_damaged_object_is_found_by_verify() -> Result<()> {
    let scene = Scene::start()?;
    let tree = scene.path("tree");
    make_noise(&tree, 30, 3 << 20)?;
    let storage = scene.local_target("storage")?;
    scene.task("noise", &tree, &["storage"], &[])?;
    let id = scene.run_well("noise")?.to_string();
    let record = scene.cli.json(["record", "show", &id])?;
    let folder = storage.join(record["location"].as_str().unwrap_or_default());
    let data = super::storage::data_objects(&folder)?.remove(0);
    let mut bytes = fs::read(&data)?;
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&data, bytes)?;

    let ended = scene
        .cli
        .run(["record", "verify", &id, "--mode", "full", "--wait"])?;

    ensure!(
        ended.code == Some(1),
        "a flipped bit was not found: {}",
        ended.stdout
    );
    fs::remove_file(&data)?;
    let ended = scene
        .cli
        .run(["record", "verify", &id, "--mode", "quick", "--wait"])?;
    ensure!(
        ended.code == Some(1),
        "a missing object was not found: {}",
        ended.stdout
    );
    Ok(())
}

fn extract_opens_a_backup_without_a_master() -> Result<()> {
    let mut scene = Scene::start()?;
    let tree = scene.path("tree");
    make_noise(&tree, 30, 3 << 20)?;
    let storage = scene.local_target("storage")?;
    scene.task("noise", &tree, &["storage"], &["--encrypt"])?;
    let id = scene.run_well("noise")?;
    let folder = storage.join(scene.record(id)?["location"].as_str().unwrap_or_default());
    let kit = scene.master.on_host(&["key", "export"])?.stdout;
    let identity = kit
        .split_whitespace()
        .find(|word| word.starts_with("AGE-SECRET-KEY-"));
    fs::write(scene.path("identity"), identity.unwrap_or_default())?;
    scene.master.stop()?;

    let to = scene.path("to");
    let mut command = super::support::process::backupx();
    command
        .arg("extract")
        .arg(&folder)
        .arg("--identity")
        .arg(scene.path("identity"))
        .arg("--to")
        .arg(&to);
    let ended = super::support::cli::finish(&mut command)?;

    ensure!(
        ended.code == Some(0),
        "extract exited with {:?}: {}",
        ended.code,
        ended.stderr
    );
    ensure_equal(&tree, &restored(&to, &tree))
}

fn quickstart_holds_every_step() -> Result<()> {
    let folder = tempfile::tempdir()?;
    make_noise(&folder.path().join("tree"), 40, 4 << 20)?;
    let mut command = super::support::process::backupx();
    command
        .args(["quickstart", "--exit", "tree"])
        .current_dir(folder.path());

    let ended = super::support::cli::finish(&mut command)?;

    ensure!(
        ended.code == Some(0),
        "quickstart exited with {:?}\n{}\n{}",
        ended.code,
        ended.stdout,
        ended.stderr
    );
    ensure!(
        ended.stdout.contains("identical"),
        "the report does not say that both trees are identical:\n{}",
        ended.stdout
    );
    Ok(())
}

/// How many files are below a folder.
fn walk(folder: &std::path::Path) -> Result<usize> {
    let mut files = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        files += if entry.file_type()?.is_dir() {
            walk(&entry.path())?
        } else {
            1
        };
    }
    Ok(files)
}

fn a_disk_that_is_away_loses_no_copy_for_good() -> Result<()> {
    let scene = Scene::start()?;
    let tree = scene.path("tree");
    make_noise(&tree, 5, 1 << 20)?;
    let disk = scene.local_target("disk")?;
    scene.task("noise", &tree, &["disk"], &[])?;
    let id = scene.run_well("noise")?;
    let record = id.to_string();
    let verify = |mode: &str| {
        scene
            .cli
            .run(["record", "verify", &record, "--mode", mode, "--wait"])
    };
    let away = scene.path("away");

    // The folder itself is gone: nobody can say that the copy is.
    fs::rename(&disk, &away)?;
    ensure!(
        verify("quick")?.code == Some(1),
        "nothing was there to verify"
    );
    ensure!(
        scene.record(id)?["copies"][0]["status"] == "good",
        "a disk that is away was taken for a lost copy: {:#}",
        scene.record(id)?
    );

    // An empty folder where the disk is mounted otherwise says nothing either.
    fs::create_dir(&disk)?;
    ensure!(
        verify("quick")?.code == Some(1),
        "nothing was there to verify"
    );
    ensure!(
        scene.record(id)?["copies"][0]["status"] == "good",
        "an empty mount point was taken for a lost copy: {:#}",
        scene.record(id)?
    );

    // Another disk is mounted there: the copy is not on it.
    fs::create_dir(disk.join("lost+found"))?;
    ensure!(
        verify("quick")?.code == Some(1),
        "nothing was there to verify"
    );
    ensure!(
        scene.record(id)?["copies"][0]["status"] == "lost",
        "an absent copy was not found: {:#}",
        scene.record(id)?
    );

    // The disk is back.
    fs::remove_dir_all(&disk)?;
    fs::rename(&away, &disk)?;
    let ended = verify("full")?;
    ensure!(
        ended.code == Some(0),
        "a copy that is whole did not verify: {}",
        ended.stderr
    );
    let healed = scene.record(id)?;
    ensure!(
        healed["status"] == "success" && healed["copies"][0]["status"] == "good",
        "a copy that was proven whole is still lost: {healed:#}"
    );
    ensure_equal(&tree, &scene.restore(id, &tree, &[])?)
}
