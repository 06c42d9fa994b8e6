//! Backint with a node's token: the master says where objects go, and to whom it does not.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use libtest_mimic::Trial;

use super::super::scene::{HOST, Scene as Fleet};
use super::super::support::master::Master;
use super::super::support::servers::{S3, s3_trial, trial};
use super::scene::{Scene, about, back};
use crate::storage::Place;

pub(super) fn trials() -> Vec<Trial> {
    vec![
        s3_trial(
            "backint::a_master_says_where_objects_go",
            a_master_says_where_objects_go,
        ),
        s3_trial(
            "backint::never_30_a_token_gets_the_targets_of_its_own_node_alone",
            never_30_a_token_gets_the_targets_of_its_own_node_alone,
        ),
        trial(
            "backint::a_folder_of_the_master_is_no_place_for_it",
            a_folder_of_the_master_is_no_place_for_it,
        ),
    ]
}

/// A task of type `saphana` of `node`, never run.
fn hana_task(fleet: &Fleet, name: &str, node: &str, target: &str) -> Result<()> {
    let words = ["task", "add", name, "--type", "saphana", "--node", node];
    let words = words.into_iter().chain(["--target", target]);
    fleet
        .cli
        .json(words.chain(["--set", "userStoreKey=BACKUP", "--set", "via=backint"]))?;
    Ok(())
}

/// A node that has no agent; answers the file with its token.
fn node(fleet: &Fleet, name: &str) -> Result<PathBuf> {
    let added = fleet.cli.json(["node", "add", name])?;
    let token = added["token"].as_str().context("no token")?;
    let path = fleet.path(&format!("{name}.token"));
    fs::write(&path, token)?;
    private(&path)?;
    Ok(path)
}

fn private(path: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    Ok(fs::set_permissions(
        path,
        fs::Permissions::from_mode(0o600),
    )?)
}

/// The host's parameter file, which names a master and nothing of storage.
fn ask(host: &Scene, master: &Master, token: &Path, target: Option<&str>) -> Result<()> {
    let mut text = format!(
        "MASTER_URL = {}\nNODE_TOKEN_FILE = {}\nCATALOG_DB = {}\nLOG_FILE = {}\n",
        master.url(),
        token.display(),
        host.path("catalogue.db").display(),
        host.path("backint.log").display(),
    );
    if let Some(target) = target {
        text.push_str(&format!("TARGET = {target}\n"));
    }
    Ok(fs::write(host.path("backint.ini"), text)?)
}

fn a_master_says_where_objects_go(s3: S3) -> Result<()> {
    let mut fleet = Fleet::start()?;
    let prefix = fleet.s3_target("bucket", &s3)?;
    hana_task(&fleet, "hn1", HOST, "bucket")?;
    let token = node(&fleet, "hana")?;
    hana_task(&fleet, "hn2", "hana", "bucket")?;
    let host = Scene::in_folder()?;
    ask(&host, &fleet.master, &token, None)?;

    let path = host.path("file");
    fs::write(&path, "what the database holds")?;
    let saved = host.call_well("backup", &about("#FILE", &path))?;
    let ebid = saved.ebid_of(&path)?;
    let bucket = Place::Bucket(s3.clone(), prefix);
    let objects = bucket.objects()?;
    ensure!(
        objects.keys().any(|key| key.ends_with("backint.json")),
        "{objects:?}"
    );
    ensure!(
        host.place.objects()?.is_empty(),
        "the folder of other tests is no place of this one"
    );

    // A master that starts anew is waited for.
    fleet.master.stop()?;
    let to = host.path("back");
    let running = host.start("restore", &back(&ebid, &path, &to))?;
    super::super::support::wait::wait_for("a word about the master", super::scene::LIMIT, || {
        Ok(host.log().contains("it is asked again").then_some(()))
    })?;
    fleet.master.launch()?;
    let restored = running.end()?;
    ensure!(restored.code == Some(0), "{restored:?}\n{}", host.log());
    ensure!(fs::read(&to)? == b"what the database holds");

    let log = host.log();
    let token = fs::read_to_string(&token)?;
    for secret in [s3.secret.as_str(), token.trim()] {
        ensure!(!log.contains(secret) && !restored.said.contains(secret));
    }
    ensure!(log.contains("target bucket of http://"), "{log}");
    Ok(())
}

fn never_30_a_token_gets_the_targets_of_its_own_node_alone(s3: S3) -> Result<()> {
    let fleet = Fleet::start()?;
    for target in ["one", "two", "others"] {
        fleet.s3_target(target, &s3)?;
    }
    let token = node(&fleet, "hana")?;
    let host = Scene::in_folder()?;
    let path = host.path("file");
    fs::write(&path, "content")?;
    let refused = |target: Option<&str>, token: &Path, part: &str| -> Result<()> {
        ask(&host, &fleet.master, token, target)?;
        let called = host.call("backup", &about("#FILE", &path))?;
        ensure!(
            called.code == Some(1) && called.said.contains(part),
            "{target:?}, {part}: {called:?}"
        );
        ensure!(called.all("#SAVED").is_empty(), "{called:?}");
        ensure!(host.log().contains(part), "{part}: {}", host.log());
        ensure!(!called.said.contains(&s3.secret), "{called:?}");
        Ok(())
    };

    refused(None, &token, "add a task of type saphana")?;
    // A task of another node is none of this one, nor is one of another type.
    hana_task(&fleet, "elsewhere", HOST, "others")?;
    let files = ["task", "add", "files", "--type", "file", "--node", "hana"];
    let files = files.into_iter().chain(["--target", "others"]);
    fleet.cli.json(files.chain(["--source", "/etc"]))?;
    refused(None, &token, "add a task of type saphana")?;
    refused(Some("others"), &token, "no task of type saphana")?;
    refused(Some("nobodys"), &token, "no task of type saphana")?;

    hana_task(&fleet, "first", "hana", "one")?;
    hana_task(&fleet, "second", "hana", "two")?;
    refused(None, &token, "say which one by TARGET (one, two)")?;
    ask(&host, &fleet.master, &token, Some("two"))?;
    host.call_well("backup", &about("#FILE", &path))?;

    let strange = fleet.path("strange.token");
    fs::write(&strange, "bxn_nobody_knows_this")?;
    private(&strange)?;
    refused(Some("two"), &strange, "does not know the token")?;
    Ok(())
}

fn a_folder_of_the_master_is_no_place_for_it() -> Result<()> {
    let fleet = Fleet::start()?;
    let folder = fleet.path("folder");
    let path = format!("path={}", folder.display());
    let add = ["target", "add", "mounted", "--type", "local"];
    let add = add.into_iter().chain(["--set", &path]);
    fleet.cli.json(add.chain(["--set", "at=master"]))?;
    let token = node(&fleet, "hana")?;
    hana_task(&fleet, "hn1", "hana", "mounted")?;
    let host = Scene::in_folder()?;
    ask(&host, &fleet.master, &token, None)?;
    let called = host.call("inquire", "#NULL\n")?;
    ensure!(
        called.code == Some(1) && called.said.contains("is a folder of the master"),
        "{called:?}"
    );
    Ok(())
}
