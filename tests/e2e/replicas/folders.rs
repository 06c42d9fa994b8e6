//! A folder of the master, when there are several masters: relayed where a master has it, refused with the reason where one has not.

use std::fs;
use std::time::Duration;

use anyhow::{Result, ensure};
use libtest_mimic::Trial;
use reqwest::Method;
use serde_json::json;

use super::cluster::{Cluster, Stores, block_on, cluster_trial};
use super::played::Played;
use crate::scene::{id_of, restored};
use crate::support::agent::Agent;
use crate::support::trees::{ensure_equal, make_noise};
use crate::support::wait::wait_for;

const LIMIT: Duration = Duration::from_secs(60);
const LOCAL_NODE: (&str, &str) = ("BACKUPX_LOCAL_NODE", "true");

pub(super) fn trials() -> Vec<Trial> {
    let stores = Stores::Postgres;
    vec![
        cluster_trial(
            "the_relay_is_refused_where_the_folder_is_missing",
            stores,
            |s| block_on(the_relay_is_refused_where_the_folder_is_missing(s)),
        ),
        cluster_trial(
            "a_folder_that_all_masters_mount_is_relayed_by_all",
            stores,
            a_folder_that_all_masters_mount_is_relayed_by_all,
        ),
        cluster_trial("a_folder_of_the_master_needs_a_local_node", stores, |s| {
            block_on(a_folder_of_the_master_needs_a_local_node(s))
        }),
    ]
}

async fn the_relay_is_refused_where_the_folder_is_missing(stores: Stores) -> Result<()> {
    let cluster = Cluster::with_settings(stores, &[], &[LOCAL_NODE])?;
    let played = Played::new(&cluster, "master").await?;
    let doors = &played.doors;
    played.run(&doors.b).await?;
    let held = played.node.claim().await?;
    let object = |name: &str| {
        format!(
            "/api/agent/v1/commands/{}/objects/{}/{name}?lease={}",
            held.command, played.target, held.lease
        )
    };
    let token = &played.node.token;
    let folder = cluster.path("kept/played");

    for (method, body) in [(Method::PUT, "abc"), (Method::GET, "")] {
        let asked = doors.b.ask(method, object("one")).by(token).body(body);
        let problem = asked.send().await?.refusal(503, "relay_folder_missing")?;
        ensure!(
            problem["detail"]
                .to_string()
                .contains(&folder.display().to_string()),
            "{problem}"
        );
    }
    ensure!(
        !cluster.path("kept").exists(),
        "the refusal made the folder"
    );
    // Where node 0 lives the folder is made, and from then on the other one has it as well: both are on one host here.
    for (door, name) in [(&doors.a, "one"), (&doors.b, "two")] {
        let asked = door.ask(Method::PUT, object(name)).by(token).body("abc");
        asked.send().await?.expect(201)?;
    }
    let read = doors.b.ask(Method::GET, object("one")).by(token);
    ensure!(read.send().await?.text == "abc");
    Ok(())
}

fn a_folder_that_all_masters_mount_is_relayed_by_all(stores: Stores) -> Result<()> {
    let cluster = Cluster::with_settings(stores, &[], &[LOCAL_NODE])?;
    let cli = &cluster.cli;
    let mut agent = Agent::start(cli, "host")?;
    let (tree, kept, back) = (
        cluster.path("tree"),
        cluster.path("kept"),
        cluster.path("back"),
    );
    make_noise(&tree, 50, 4 << 20)?;
    fs::create_dir(&kept)?;
    let path = format!("path={}", kept.display());
    cli.json([
        "target",
        "add",
        "kept",
        "--type",
        "local",
        "--set",
        "at=master",
        "--set",
        &path,
    ])?;
    cli.json(["target", "test", "kept"])?;
    let source = tree.display().to_string();
    cli.json([
        "task", "add", "noise", "--type", "file", "--node", "host", "--source", &source,
        "--target", "kept",
    ])?;

    let record = cli.json(["task", "run", "noise", "--wait"])?;
    ensure!(record["status"] == "success", "{record:#}");
    let (id, to) = (id_of(&record)?.to_string(), back.display().to_string());
    cli.json(["record", "verify", &id, "--mode", "full", "--wait"])?;
    cli.json(["restore", &id, "--node", "host", "--to", &to, "--wait"])?;
    ensure_equal(&tree, &restored(&back, &tree))?;
    cli.json(["record", "rm", &id])?;
    wait_for("an empty folder", LIMIT, || {
        Ok(fs::read_dir(&kept)?.next().is_none().then_some(()))
    })?;
    agent.stop()?;
    Ok(())
}

async fn a_folder_of_the_master_needs_a_local_node(stores: Stores) -> Result<()> {
    let cluster = Cluster::start(stores)?;
    let doors = cluster.doors()?;
    let folder = json!({"name": "kept", "type": "local", "config": {"path": cluster.path("kept"), "at": "master"}});
    let refused = doors.both.post(&doors.admin, "/api/v1/targets", &folder);
    let problem = refused.await?.refusal(422, "invalid_input")?;
    ensure!(
        problem["errors"][0]["message"]
            .to_string()
            .contains("BACKUPX_LOCAL_NODE"),
        "{problem}"
    );
    Ok(())
}
