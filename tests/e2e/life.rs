//! The lives of master and agent: who comes first, who goes away, and what goes on meanwhile.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use libtest_mimic::Trial;

use super::scene::{HOST, Scene};
use super::storage::Place;
use super::support::address::free_address;
use super::support::agent::Agent;
use super::support::master::Master;
use super::support::proxy::{Fault, Proxy};
use super::support::servers::{S3, s3_trial, trial};
use super::support::trees::{ensure_equal, make_noise};
use super::support::wait::wait_for;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial(
            "life::never_15_an_agent_may_start_before_its_master",
            never_15_an_agent_may_start_before_its_master,
        ),
        trial(
            "life::never_15_an_agent_outlives_an_absent_master",
            never_15_an_agent_outlives_an_absent_master,
        ),
        s3_trial(
            "life::never_11_browsing_answers_during_a_backup",
            never_11_browsing_answers_during_a_backup,
        ),
        s3_trial("life::a_run_can_be_cancelled", a_run_can_be_cancelled),
        trial(
            "life::an_agent_drains_on_sigterm",
            an_agent_drains_on_sigterm,
        ),
        trial(
            "life::a_rotated_token_works_beside_the_old_one",
            a_rotated_token_works_beside_the_old_one,
        ),
        trial(
            "life::the_local_node_runs_tasks_in_the_master",
            the_local_node_runs_tasks_in_the_master,
        ),
    ]
}

fn never_15_an_agent_may_start_before_its_master() -> Result<()> {
    let mut master = Master::start()?;
    let cli = master.administrator()?;
    let mut agent = Agent::registered(&cli, HOST, &master.url(), "")?;
    master.stop()?;

    agent.resume()?;
    wait_for(
        "the agent's word that nobody is there",
        Duration::from_secs(10),
        || Ok(agent.last_words().contains("master").then_some(())),
    )?;
    master.resume()?;

    agent.wait_until_online(&cli)
}

fn never_15_an_agent_outlives_an_absent_master() -> Result<()> {
    let mut scene = Scene::start()?;
    let tree = scene.path("tree");
    make_noise(&tree, 10, 1 << 20)?;
    scene.local_target("storage")?;
    scene.task("noise", &tree, &["storage"], &[])?;

    scene.master.kill()?;
    scene.master.resume()?;

    scene.run_well("noise")?;
    Ok(())
}

fn never_11_browsing_answers_during_a_backup(s3: S3) -> Result<()> {
    let held = HeldRun::begin(s3)?;
    let scene = &held.scene;

    let folder = held.tree.display().to_string();
    let listing = scene.cli.json(["node", "browse", HOST, &folder])?;

    ensure!(
        listing["entries"]
            .as_array()
            .is_some_and(|entries| entries.len() == 20),
        "browse answered {listing}"
    );
    ensure!(
        scene.record(held.id)?["status"] == "running",
        "the browse waited for the end of the backup"
    );
    held.gate.set(Fault::None);
    let record = scene.end_of(held.id)?;
    ensure!(
        record["status"] == "success",
        "a run that was held up and then let go: {record:#}"
    );
    Ok(())
}

fn a_run_can_be_cancelled(s3: S3) -> Result<()> {
    let held = HeldRun::begin(s3)?;
    let scene = &held.scene;

    scene.cli.run(["record", "cancel", &held.id.to_string()])?;

    let record = scene.end_of(held.id)?;
    ensure!(
        record["status"] == "cancelled",
        "a cancelled run ended as {}",
        record["status"]
    );
    held.gate.set(Fault::None);
    wait_for("storage without leftovers", Duration::from_secs(90), || {
        Ok(held.place.objects()?.is_empty().then_some(()))
    })
    .with_context(|| format!("left over: {:?}", held.place.objects()))
}

/// A run that is in its middle for as long as the test wants: the way to its storage is shut.
struct HeldRun {
    scene: Scene,
    gate: Proxy,
    tree: PathBuf,
    place: Place,
    id: i64,
}

impl HeldRun {
    fn begin(s3: S3) -> Result<Self> {
        let scene = Scene::start()?;
        let tree = scene.path("tree");
        make_noise(&tree, 2_000, 32 << 20)?;
        let gate = Proxy::before(&s3.endpoint)?;
        let behind = S3 {
            endpoint: gate.url(),
            ..s3.clone()
        };
        let place = Place::Bucket(s3, scene.s3_target("storage", &behind)?);
        scene.task("noise", &tree, &["storage"], &[])?;
        gate.set(Fault::Shut);
        let id = scene.begin("noise")?;
        wait_for("a running record", Duration::from_secs(20), || {
            Ok((scene.record(id)?["status"] == "running").then_some(()))
        })?;
        Ok(Self {
            scene,
            gate,
            tree,
            place,
            id,
        })
    }
}

fn an_agent_drains_on_sigterm() -> Result<()> {
    let mut scene = Scene::start()?;
    let tree = scene.path("tree");
    make_noise(&tree, 500, 64 << 20)?;
    scene.local_target("storage")?;
    scene.task("noise", &tree, &["storage"], &[])?;
    let id = scene.begin("noise")?;
    wait_for("a running record", Duration::from_secs(20), || {
        Ok((scene.record(id)?["status"] != "queued").then_some(()))
    })?;

    let asked = Instant::now();
    let status = scene.agent.stop()?;

    ensure!(
        status.success(),
        "the agent ended with {status} after SIGTERM"
    );
    ensure!(
        asked.elapsed() < Duration::from_secs(40),
        "the drain took {:?}",
        asked.elapsed()
    );
    let record = scene.end_of(id)?;
    ensure!(
        record["status"] == "success" || record["error"]["message"].is_string(),
        "a drained run is finished or says why not: {record:#}"
    );
    Ok(())
}

fn a_rotated_token_works_beside_the_old_one() -> Result<()> {
    let mut scene = Scene::start()?;
    scene.cli.json(["node", "rotate-token", HOST])?;

    // The agent comes back with the token that it had: it is good for another day.
    scene.agent.kill()?;
    scene.agent.resume()?;

    scene.agent.wait_until_online(&scene.cli)
}

fn the_local_node_runs_tasks_in_the_master() -> Result<()> {
    let scene = Scene::start()?;
    let tree = scene.path("tree");
    make_noise(&tree, 20, 2 << 20)?;
    let path = format!("path={}", scene.path("storage").display());
    scene.cli.json([
        "target", "add", "storage", "--type", "local", "--set", &path,
    ])?;
    let source = tree.display().to_string();
    scene.cli.json([
        "task", "add", "here", "--type", "file", "--node", "local", "--source", &source,
        "--target", "storage",
    ])?;

    let id = scene.run_well("here")?;

    let to = scene.path("to");
    scene.cli.json([
        "restore",
        &id.to_string(),
        "--node",
        "local",
        "--to",
        &to.display().to_string(),
        "--wait",
    ])?;
    ensure_equal(&tree, &super::scene::restored(&to, &tree))?;
    ensure!(free_address().is_ok(), "loopback is there");
    Ok(())
}
