//! Backups of a master that is gone, taken over by another one out of what lies in storage.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use libtest_mimic::Trial;
use serde_json::Value;

use super::scene::{HOST, Scene, id_of};
use super::storage::Place;
use super::support::servers::{S3, s3_trial, trial};
use super::support::trees::{ensure_equal, make_nasty};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        s3_trial(
            "imports::never_22_a_new_master_needs_storage_and_the_kit_alone",
            never_22_a_new_master_needs_storage_and_the_kit_alone,
        ),
        s3_trial(
            "imports::copies_of_one_backup_become_one_record",
            copies_of_one_backup_become_one_record,
        ),
        trial(
            "imports::never_19_what_is_not_ours_comes_under_no_policy_that_removes",
            never_19_what_is_not_ours_comes_under_no_policy_that_removes,
        ),
        trial(
            "imports::what_is_no_whole_backup_is_said_and_left",
            what_is_no_whole_backup_is_said_and_left,
        ),
    ]
}

fn tree(scene: &Scene, name: &str) -> Result<PathBuf> {
    let source = scene.path(name);
    make_nasty(&source)?;
    fs::write(source.join("whose"), name)?;
    Ok(source)
}

/// The recovery kit of a master, in a file.
fn kit(scene: &Scene, to: &Path) -> Result<()> {
    let kit = scene.master.on_host(&["key", "export"])?;
    ensure!(kit.code == Some(0), "{kit:?}");
    Ok(fs::write(to, kit.stdout)?)
}

/// A local target whose folder is another scene's.
fn folder_target(scene: &Scene, name: &str, folder: &Path) -> Result<()> {
    let path = format!("path={}", folder.display());
    let add = ["target", "add", name, "--type", "local", "--set", &path];
    scene.cli.json(add)?;
    Ok(())
}

fn records(scene: &Scene) -> Result<Vec<Value>> {
    let listed = scene.cli.json(["record", "ls"])?;
    Ok(listed["items"].as_array().context("no list")?.clone())
}

fn never_22_a_new_master_needs_storage_and_the_kit_alone(s3: S3) -> Result<()> {
    let old = Scene::start()?;
    let prefix = old.s3_target("bucket", &s3)?;
    // What is backed up outlives the master, to be compared with.
    let kept = tempfile::tempdir()?;
    let source = kept.path().join("täglich");
    make_nasty(&source)?;
    old.task("Täglich", &source, &["bucket"], &["--encrypt"])?;
    old.task("plain", &source, &["bucket"], &["--no-encrypt"])?;
    let first = old.run_well("Täglich")?;
    old.run_well("Täglich")?;
    old.run_well("plain")?;
    let kit_file = tempfile::NamedTempFile::new()?;
    kit(&old, kit_file.path())?;
    let was = old.record(first)?;
    drop(old);

    let new = Scene::start()?;
    new.s3_target_in("found", &s3, &prefix)?;
    let look = new
        .cli
        .run(["import", "found", "--dry-run", "-o", "json"])?;
    let seen = look.json()?;
    ensure!(look.code == Some(1), "without the kit: {look:?}");
    ensure!(seen["found"] == 3 && seen["records"] == 0, "{seen:#}");
    ensure!(records(&new)?.is_empty());

    let kit_file = kit_file.path().display().to_string();
    let import = ["import", "found", "--identity", &kit_file];
    let done = new.cli.json(import)?;
    ensure!(done["records"] == 3 && done["known"] == 0, "{done:#}");
    ensure!(
        done["unknownKeys"].as_array().is_some_and(Vec::is_empty),
        "{done:#}"
    );
    ensure!(
        done["tasks"]
            .as_array()
            .is_some_and(|tasks| tasks.len() == 2),
        "{done:#}"
    );
    let again = new.cli.json(import)?;
    ensure!(again["records"] == 0 && again["known"] == 3, "{again:#}");

    let listed = records(&new)?;
    ensure!(listed.len() == 3, "{listed:#?}");
    let found = listed
        .iter()
        .find(|record| record["location"] == was["location"])
        .context("the first one")?;
    ensure!(found["status"] == "success", "{found:#}");
    ensure!(found["trigger"] == "import", "{found:#}");
    ensure!(found["createdAt"] == was["createdAt"], "{found:#}");
    ensure!(found["counts"] == was["counts"], "{found:#}");
    let id = id_of(found)?;
    let to = new.restore(id, &source, &[])?;
    ensure_equal(&source, &to)?;
    new.cli.json([
        "record",
        "verify",
        &id.to_string(),
        "--mode",
        "full",
        "--wait",
    ])?;
    let files = new.cli.json(["record", "files", &id.to_string()])?;
    ensure!(!files["items"].as_array().context("no files")?.is_empty());

    // Templates run nothing by themselves and can be put to work.
    let task = new.cli.json(["task", "show", "Täglich"])?;
    ensure!(task["enabled"] == false, "{task:#}");
    ensure!(task["schedule"].is_null(), "{task:#}");
    let goes_on = tree(&new, "new")?;
    let goes_on = goes_on.display().to_string();
    new.cli
        .json(["task", "edit", "Täglich", "--source", &goes_on])?;
    new.run_well("Täglich")?;

    // The new kit opens what the old one did.
    let both = tempfile::NamedTempFile::new()?;
    kit(&new, both.path())?;
    let old_key = fs::read_to_string(&kit_file)?;
    let old_key = old_key.lines().last().context("a key")?.to_owned();
    ensure!(fs::read_to_string(both.path())?.contains(&old_key));
    Ok(())
}

fn copies_of_one_backup_become_one_record(s3: S3) -> Result<()> {
    let old = Scene::start()?;
    let prefix = old.s3_target("bucket", &s3)?;
    let folder = old.local_target("folder")?;
    let source = tree(&old, "tree")?;
    old.task("both", &source, &["bucket", "folder"], &["--no-encrypt"])?;
    old.run_well("both")?;

    let new = Scene::start()?;
    new.s3_target_in("bucket", &s3, &prefix)?;
    folder_target(&new, "folder", &folder)?;
    let import = |target| new.cli.json(["import", target, "--node", HOST]);
    let one = import("bucket")?;
    ensure!(one["records"] == 1, "{one:#}");
    let other = import("folder")?;
    ensure!(other["records"] == 0 && other["copies"] == 1, "{other:#}");
    let listed = records(&new)?;
    ensure!(listed.len() == 1, "{listed:#?}");
    let record = new.record(id_of(&listed[0])?)?;
    let copies = record["copies"].as_array().context("no copies")?;
    ensure!(
        copies.len() == 2 && copies.iter().all(|copy| copy["status"] == "good"),
        "{record:#}"
    );
    // Either of them is enough.
    let bucket = Place::Bucket(s3, prefix);
    ensure!(!bucket.objects()?.is_empty());
    fs::remove_dir_all(&folder)?;
    let to = new.restore(id_of(&record)?, &source, &[])?;
    ensure_equal(&source, &to)
}

fn never_19_what_is_not_ours_comes_under_no_policy_that_removes() -> Result<()> {
    let other = Scene::start()?;
    let folder = other.local_target("store")?;
    let source = tree(&other, "tree")?;
    other.task("etc", &source, &["store"], &["--encrypt"])?;
    for _ in 0..2 {
        other.run_well("etc")?;
    }

    let ours = Scene::start()?;
    ours.local_target("own")?;
    let tree = tree(&ours, "tree")?;
    ours.task("etc", &tree, &["own"], &["--encrypt", "--keep-last", "1"])?;
    folder_target(&ours, "theirs", &folder)?;
    let import = ["import", "theirs", "--node", HOST];
    let done = ours.cli.run(import.into_iter().chain(["-o", "json"]))?;
    ensure!(done.code == Some(1), "their key is not here: {done:?}");
    let done = done.json()?;
    ensure!(
        done["records"] == 2 && done["tasks"] == serde_json::json!(["etc-2"]),
        "{done:#}"
    );
    // Runs of the task of that name remove none of them.
    for _ in 0..2 {
        ours.run_well("etc")?;
    }
    ours.cli
        .json(["target", "test", "theirs", "--node", HOST])?;
    let manifests = Place::Folder(folder).objects()?;
    let manifests = manifests
        .keys()
        .filter(|key| key.ends_with("/manifest.json"));
    ensure!(manifests.count() == 2);
    Ok(())
}

fn what_is_no_whole_backup_is_said_and_left() -> Result<()> {
    let old = Scene::start()?;
    let folder = old.local_target("store")?;
    let source = tree(&old, "tree")?;
    old.task("t", &source, &["store"], &["--no-encrypt"])?;
    let mut places = Vec::new();
    for _ in 0..4 {
        let id = old.run_well("t")?;
        let record = old.record(id)?;
        let location = record["location"].as_str().context("a place")?;
        places.push(folder.join(location));
    }
    fs::remove_file(places[0].join("manifest.json"))?;
    fs::remove_file(places[1].join("index.jsonl.zst"))?;
    fs::write(places[2].join("manifest.json"), "{\"formatVersion\": 99}")?;
    fs::create_dir_all(folder.join("photos/2026/holiday"))?;
    fs::write(folder.join("photos/2026/holiday/1.jpg"), "no backup")?;

    let new = Scene::start()?;
    folder_target(&new, "store", &folder)?;
    let done = new.cli.json(["import", "store", "--node", HOST])?;
    ensure!(done["found"] == 4 && done["records"] == 1, "{done:#}");
    let skipped = done["skipped"].as_array().context("what was skipped")?;
    let reasons: Vec<_> = skipped
        .iter()
        .filter_map(|folder| folder["reason"].as_str())
        .collect();
    for part in ["no manifest", "index.jsonl.zst is missing", "format 99"] {
        ensure!(
            reasons.iter().any(|reason| reason.contains(part)),
            "{part}: {reasons:?}"
        );
    }
    ensure!(places.iter().all(|place| place.is_dir()));
    let nowhere = new.path("nowhere");
    folder_target(&new, "nowhere", &nowhere)?;
    let refused = new.cli.run(["import", "nowhere", "--node", HOST])?;
    ensure!(
        refused.code == Some(1) && refused.stderr.contains("is not there"),
        "{refused:?}"
    );
    ensure!(!nowhere.exists());
    Ok(())
}
