//! Copies that vanish behind the master's back: found by the check of a target, shown, and made again from another copy.

use std::fs;

use anyhow::{Context, Result, ensure};
use libtest_mimic::Trial;
use serde_json::Value;

use super::scene::{HOST, Scene};
use super::storage::Place;
use super::support::servers::{S3, s3_trial, trial};
use super::support::trees::{ensure_equal, make_noise};
use super::support::wait::wait_for;

/// What is lost is made again within this time.
const REPAIR: std::time::Duration = std::time::Duration::from_secs(120);

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        s3_trial(
            "checks::any_object_that_is_deleted_is_found_and_repaired",
            any_object_that_is_deleted_is_found_and_repaired,
        ),
        trial(
            "checks::never_19_a_disk_that_is_away_has_lost_nothing",
            never_19_a_disk_that_is_away_has_lost_nothing,
        ),
        trial(
            "checks::folders_of_many_nodes_are_looked_at_by_each",
            folders_of_many_nodes_are_looked_at_by_each,
        ),
    ]
}

/// Checks a target to the end, whatever it finds.
fn check(scene: &Scene, target: &str) -> Result<Value> {
    let ended = scene
        .cli
        .run(["target", "check", target, "--wait", "-o", "json"])?;
    let check = ended.json()?["lastCheck"].clone();
    let clean = check["lost"] == 0
        && check["failure"].is_null()
        && check["unreached"].as_array().is_some_and(Vec::is_empty);
    ensure!(
        ended.code == Some(i32::from(!clean)),
        "exit code {:?} for {check:#}",
        ended.code
    );
    Ok(check)
}

fn copies(scene: &Scene, id: i64) -> Result<Vec<Value>> {
    let record = scene.record(id)?;
    Ok(record["copies"].as_array().context("no copies")?.clone())
}

fn any_object_that_is_deleted_is_found_and_repaired(s3: S3) -> Result<()> {
    let scene = Scene::start()?;
    let prefix = scene.s3_target("bucket", &s3)?;
    let folder = scene.local_target("folder")?;
    let source = scene.path("tree");
    make_noise(&source, 20, 40 << 20)?;
    scene.task("t", &source, &["bucket", "folder"], &[])?;
    let ids = [
        scene.run_well("t")?,
        scene.run_well("t")?,
        scene.run_well("t")?,
    ];
    let clean = check(&scene, "bucket")?;
    ensure!(clean["checked"] == 3 && clean["lost"] == 0, "{clean:#}");
    ensure!(check(&scene, "folder")?["checked"] == 3);

    let bucket = Place::Bucket(s3, prefix);
    let before = bucket.objects()?;
    let location = scene.record(ids[0])?["location"]
        .as_str()
        .context("a place")?
        .to_owned();
    let of_first: Vec<_> = before
        .keys()
        .filter(|key| key.starts_with(&format!("{location}/")))
        .cloned()
        .collect();
    ensure!(
        of_first.len() >= 4,
        "volumes, index, manifest: {of_first:?}"
    );
    // A volume and the manifest.
    let ends = [of_first.first(), of_first.last()];
    for object in ends.into_iter().flatten() {
        bucket.remove(object)?;
        let found = check(&scene, "bucket")?;
        ensure!(found["lost"] == 1, "{object}: {found:#}");
        // Meanwhile a restore takes the other copy.
        let to = scene.restore(ids[0], &source, &[])?;
        ensure_equal(&source, &to)?;
        wait_for(&format!("{object} made again"), REPAIR, || {
            let all = copies(&scene, ids[0])?;
            Ok(all
                .iter()
                .all(|copy| copy["status"] == "good")
                .then_some(()))
        })
        .with_context(|| format!("{:#?}", copies(&scene, ids[0])))?;
        ensure!(scene.record(ids[0])?["status"] == "success");
        ensure!(bucket.objects()? == before, "after {object}");
    }
    let events = scene.cli.json([
        "record",
        "verify",
        &ids[0].to_string(),
        "--mode",
        "full",
        "--wait",
    ])?;
    ensure!(events["status"] == "success", "{events:#}");

    // The other way round: the folder loses all of a backup, and gets it back from the bucket.
    fs::remove_dir_all(folder.join(&location))?;
    ensure!(check(&scene, "folder")?["lost"] == 1);
    wait_for("the folder repaired", REPAIR, || {
        let all = copies(&scene, ids[0])?;
        Ok(all
            .iter()
            .all(|copy| copy["status"] == "good")
            .then_some(()))
    })?;
    ensure!(folder.join(&location).join("manifest.json").is_file());
    let shown = scene.cli.run(["target", "show", "bucket"])?.stdout;
    ensure!(shown.contains("copies looked for"), "{shown}");
    Ok(())
}

fn never_19_a_disk_that_is_away_has_lost_nothing() -> Result<()> {
    let scene = Scene::start()?;
    let folder = scene.local_target("disk")?;
    let source = scene.path("tree");
    make_noise(&source, 5, 1 << 16)?;
    scene.task("t", &source, &["disk"], &[])?;
    let id = scene.run_well("t")?;
    let away = scene.path("unmounted");
    fs::rename(&folder, &away)?;
    let found = check(&scene, "disk")?;
    ensure!(found["lost"] == 0 && found["checked"] == 0, "{found:#}");
    ensure!(
        found["failure"]
            .as_str()
            .is_some_and(|why| why.contains("is not there")),
        "{found:#}"
    );
    // A mount point that is there, with nothing mounted on it.
    fs::create_dir(&folder)?;
    let found = check(&scene, "disk")?;
    ensure!(found["lost"] == 0, "{found:#}");
    ensure!(
        found["failure"]
            .as_str()
            .is_some_and(|why| why.contains("is its disk mounted")),
        "{found:#}"
    );
    ensure!(copies(&scene, id)?[0]["status"] == "good");
    fs::remove_dir(&folder)?;
    fs::rename(&away, &folder)?;
    let found = check(&scene, "disk")?;
    ensure!(found["lost"] == 0 && found["checked"] == 1, "{found:#}");
    Ok(())
}

fn folders_of_many_nodes_are_looked_at_by_each() -> Result<()> {
    let mut scene = Scene::start()?;
    scene.local_target("disk")?;
    let source = scene.path("tree");
    make_noise(&source, 5, 1 << 16)?;
    scene.task("t", &source, &["disk"], &[])?;
    scene.run_well("t")?;
    // The master's own node keeps its copies in the folder of that name too, and is a node of its own.
    let source = source.display().to_string();
    let own = ["task", "add", "own", "--type", "file", "--node", "local"];
    let own = own.into_iter().chain(["--source", &source]);
    scene.cli.json(own.chain(["--target", "disk"]))?;
    scene.run_well("own")?;
    let found = check(&scene, "disk")?;
    ensure!(found["checked"] == 2 && found["lost"] == 0, "{found:#}");

    scene.agent.stop()?;
    let node = scene.cli.json(["node", "show", HOST])?;
    wait_for("the node offline", REPAIR, || {
        let node = scene.cli.json(["node", "show", HOST])?;
        Ok((node["status"] == "offline").then_some(()))
    })?;
    let found = check(&scene, "disk")?;
    ensure!(
        found["checked"] == 1 && found["unreached"] == serde_json::json!([node["id"]]),
        "{found:#}"
    );
    Ok(())
}
