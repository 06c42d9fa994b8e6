//! A master that backs its own database up, loses its host, and begins anew out of that backup and the recovery kit.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use libtest_mimic::Trial;

use super::scene::{HOST, Scene};
use super::storage::Place;
use super::support::cli::finish;
use super::support::process::backupx;
use super::support::servers::{S3, s3_trial, trial};
use super::support::trees::{ensure_equal, make_noise};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        s3_trial(
            "own_state::never_22_a_master_begins_anew_out_of_storage_and_the_kit",
            never_22_a_master_begins_anew_out_of_storage_and_the_kit,
        ),
        trial(
            "own_state::what_can_not_be_begun_with_is_refused_and_changes_nothing",
            what_can_not_be_begun_with_is_refused_and_changes_nothing,
        ),
    ]
}

/// A task of the master's node that backs its own database up, each run encrypted.
fn own_task(scene: &Scene, target: &str) -> Result<()> {
    let database = scene.master.folder().join("data/backupx.db");
    let add = ["task", "add", "own", "--type", "sqlite", "--node", "local"];
    let add = add.into_iter().chain(["--target", target, "--source"]);
    let add = add.chain([database.to_str().context("a path")?, "--encrypt"]);
    scene.cli.json(add)?;
    Ok(())
}

fn kit(scene: &Scene, to: &Path) -> Result<()> {
    let kit = scene.master.on_host(&["key", "export"])?;
    ensure!(kit.code == Some(0), "{kit:?}");
    Ok(fs::write(to, kit.stdout)?)
}

fn never_22_a_master_begins_anew_out_of_storage_and_the_kit(s3: S3) -> Result<()> {
    let mut scene = Scene::start()?;
    let prefix = scene.s3_target("bucket", &s3)?;
    let folder = scene.local_target("folder")?;
    let source = scene.path("tree");
    make_noise(&source, 10, 1 << 20)?;
    scene.task("t", &source, &["bucket"], &["--cron", "0 3 * * *"])?;
    let first = scene.run_well("t")?;
    own_task(&scene, "folder")?;
    scene.run_well("own")?;
    scene.run_well("own")?;
    let since = scene.run_well("t")?;
    let kit_file = scene.path("kit.txt");
    kit(&scene, &kit_file)?;

    // The host is gone with all that the master kept; its agent goes on.
    scene.master.kill()?;
    fs::remove_dir_all(scene.master.folder().join("data"))?;
    let from = folder.display().to_string();
    let kit_file = kit_file.display().to_string();
    scene
        .master
        .resume_with(&["--restore-from", &from, "--identity", &kit_file])?;
    // Whoever had a key has it still, and the agent comes back by itself.
    let listed = scene.cli.json(["record", "ls"])?;
    let listed = listed["items"].as_array().context("no list")?;
    ensure!(
        listed
            .iter()
            .any(|record| record["id"] == first && record["status"] == "success"),
        "{listed:#?}"
    );
    ensure!(
        listed.iter().all(|record| record["id"] != since),
        "{listed:#?}"
    );
    let node = scene.cli.json(["node", "show", HOST])?;
    ensure!(node["name"] == HOST, "{node:#}");
    scene.agent.wait_until_online(&scene.cli)?;
    let to = scene.restore(first, &source, &[])?;
    ensure_equal(&source, &to)?;
    let task = scene.cli.json(["task", "show", "t"])?;
    ensure!(
        task["schedule"]["cron"] == "0 3 * * *" && !task["nextRunAt"].is_null(),
        "{task:#}"
    );
    // The secrets of targets open with the root key of the kit, and the run that came later is taken over.
    let next = scene.run_well("t")?;
    let done = scene.cli.json(["import", "bucket", "--node", HOST])?;
    ensure!(done["records"] == 1 && done["known"] == 2, "{done:#}");
    ensure!(
        done["tasks"].as_array().is_some_and(Vec::is_empty),
        "{done:#}"
    );
    let places: Vec<_> = Place::Bucket(s3, prefix)
        .objects()?
        .into_keys()
        .filter(|key| key.ends_with("/manifest.json"))
        .collect();
    ensure!(
        places.len() == 3,
        "each run has a folder of its own: {places:?}"
    );
    let to = scene.restore(next, &source, &[])?;
    ensure_equal(&source, &to)?;

    // It starts as ever from now on, and begins anew over nothing.
    scene.master.stop()?;
    scene.master.resume()?;
    ensure!(scene.record(next)?["status"] == "success");
    scene.master.stop()?;
    let again =
        scene
            .master
            .on_host(&["server", "--restore-from", &from, "--identity", &kit_file])?;
    ensure!(
        again.code == Some(1) && again.stderr.contains("is there already"),
        "{again:?}"
    );
    Ok(())
}

fn what_can_not_be_begun_with_is_refused_and_changes_nothing() -> Result<()> {
    let scene = Scene::start()?;
    let folder = scene.local_target("folder")?;
    let source = scene.path("tree");
    make_noise(&source, 3, 1 << 12)?;
    scene.task("t", &source, &["folder"], &[])?;
    scene.run_well("t")?;
    let kit_file = scene.path("kit.txt");
    kit(&scene, &kit_file)?;
    let data = scene.path("fresh");
    let refused = |from: &Path, identity: Option<&Path>, part: &str| -> Result<()> {
        let mut command = backupx();
        command.arg("server").arg("--restore-from").arg(from);
        if let Some(identity) = identity {
            command.arg("--identity").arg(identity);
        }
        command.env("BACKUPX_DATA_DIR", &data);
        let ended = finish(&mut command)?;
        ensure!(
            matches!(ended.code, Some(1 | 2)) && ended.stderr.contains(part),
            "{part}: {ended:?}"
        );
        let left = fs::read_dir(&data).into_iter().flatten().count();
        ensure!(left == 0, "{part}: {left} entries were left behind");
        Ok(())
    };
    refused(&folder, Some(&kit_file), "no backup of a master's database")?;
    refused(&scene.path("nowhere"), Some(&kit_file), "can't be opened")?;
    own_task(&scene, "folder")?;
    scene.run_well("own")?;
    refused(&folder, None, "encrypted")?;
    let other = Scene::start()?;
    let wrong = scene.path("wrong.txt");
    kit(&other, &wrong)?;
    refused(&folder, Some(&wrong), "does not open this backup")?;
    // A kit of a master that kept its root key elsewhere.
    let keyless = scene.path("keyless.txt");
    let text = fs::read_to_string(&kit_file)?;
    let text: Vec<_> = text
        .lines()
        .filter(|line| !line.contains("root key:"))
        .collect();
    fs::write(&keyless, text.join("\n"))?;
    refused(&folder, Some(&keyless), "BACKUPX_SECRET_KEY")?;
    Ok(())
}
