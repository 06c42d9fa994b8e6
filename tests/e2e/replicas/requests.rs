//! Requests that begin at one master and matter at the other: sign-in, held polls, live logs, and a whole backup whose calls go anywhere.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use libtest_mimic::Trial;
use reqwest::Method;
use serde_json::json;

use super::cluster::{Cluster, Stores, block_on, cluster_trial};
use super::played::Played;
use crate::scene::{id_of, restored};
use crate::support::agent::Agent;
use crate::support::master::PASSWORD;
use crate::support::node::Held;
use crate::support::stream::Stream;
use crate::support::trees::{ensure_equal, make_noise};
use crate::support::wait::wait_for;

const LIMIT: Duration = Duration::from_secs(30);
/// A poll that is not answered within this time is one that is held.
const HELD: Duration = Duration::from_millis(500);
/// A master that heard no signal looks for work every five seconds: of several polls one that is answered sooner was woken.
const SOON: Duration = Duration::from_secs(3);

pub(super) fn trials(stores: Stores) -> Vec<Trial> {
    vec![
        cluster_trial(
            "a_session_of_one_holds_and_ends_on_the_other",
            stores,
            |s| block_on(a_session_of_one_holds_and_ends_on_the_other(s)),
        ),
        cluster_trial("a_poll_held_by_one_is_woken_by_the_other", stores, |s| {
            block_on(a_poll_held_by_one_is_woken_by_the_other(s))
        }),
        cluster_trial(
            "a_log_is_live_on_one_while_the_other_is_told",
            stores,
            |s| block_on(a_log_is_live_on_one_while_the_other_is_told(s)),
        ),
        cluster_trial("nothing_is_sticky", stores, nothing_is_sticky),
    ]
}

async fn a_session_of_one_holds_and_ends_on_the_other(stores: Stores) -> Result<()> {
    let cluster = Cluster::start(stores)?;
    let doors = cluster.doors()?;
    let body = json!({"username": "admin", "password": PASSWORD});
    let signed_in = doors.a.ask(Method::POST, "/api/v1/sessions").json(&body);
    let token = signed_in.send().await?.expect(201)?["token"]
        .as_str()
        .context("no token")?
        .to_owned();

    for door in [&doors.b, &doors.both] {
        door.get(&token, "/api/v1/nodes").await?.expect(200)?;
    }
    let signed_out = doors.b.ask(Method::DELETE, "/api/v1/sessions/current");
    signed_out.by(&token).send().await?.expect(204)?;
    doors
        .a
        .get(&token, "/api/v1/nodes")
        .await?
        .refusal(401, "unauthenticated")?;
    Ok(())
}

async fn a_poll_held_by_one_is_woken_by_the_other(stores: Stores) -> Result<()> {
    let cluster = Cluster::start(stores)?;
    let mut soonest = Duration::MAX;
    // Each time another node: what a run that failed left behind is work as well.
    for name in ["one", "two", "three"] {
        let played = Played::named(&cluster, name, "node").await?;
        let at_a = played.node.at(&played.doors.a);
        let mut poll = tokio::spawn({
            let node = at_a.clone();
            async move { node.poll(25).await }
        });
        let early = tokio::time::timeout(HELD, &mut poll).await;
        ensure!(
            early.is_err(),
            "a poll was answered without work: {early:?}"
        );
        played.run(&played.doors.b).await?;
        let queued = Instant::now();
        let held = Held::of(&poll.await??.expect(200)?)?;
        soonest = soonest.min(queued.elapsed());
        played.node.fail(&held).await?.expect(204)?;
    }
    ensure!(
        soonest < SOON,
        "no poll was woken: the soonest answer took {soonest:?}"
    );
    Ok(())
}

async fn a_log_is_live_on_one_while_the_other_is_told(stores: Stores) -> Result<()> {
    let cluster = Cluster::start(stores)?;
    let played = Played::new(&cluster, "node").await?;
    let doors = &played.doors;
    let record = played.run(&doors.b).await?;
    let held = played.node.claim().await?;
    let path = format!("/api/v1/records/{record}/logs");
    let mut streams = Vec::new();
    for door in [&doors.a, &doors.both] {
        streams.push(Stream::open(door, &doors.admin, &path, None).await?);
    }

    // Without signals, and with an nginx that holds events back, each line would take 15 s and more.
    tokio::time::timeout(LIMIT, async {
        for seq in 1..=8 {
            let message = format!("line {seq}");
            let lines = [(seq, message.as_str())];
            played.node.progress(&held, 1, &lines).await?.expect(200)?;
            for stream in &mut streams {
                while stream.find("line").await?.data["message"] != message.as_str() {}
            }
        }
        anyhow::Ok(())
    })
    .await
    .context("eight lines did not pass in time")??;
    played.node.fail(&held).await?.expect(204)?;
    for stream in &mut streams {
        ensure!(stream.find("end").await?.data["status"] == "failed");
    }
    Ok(())
}

/// A real agent whose calls nginx spreads over both masters backs up, and restores through them.
fn nothing_is_sticky(stores: Stores) -> Result<()> {
    let cluster = Cluster::start(stores)?;
    let mut agent = Agent::start(&cluster.cli, "host")?;
    let (tree, kept, back) = (
        cluster.path("tree"),
        cluster.path("kept"),
        cluster.path("back"),
    );
    make_noise(&tree, 100, 8 << 20)?;
    let path = format!("path={}", kept.display());
    cluster
        .cli
        .json(["target", "add", "kept", "--type", "local", "--set", &path])?;
    let source = tree.display().to_string();
    cluster.cli.json([
        "task",
        "add",
        "noise",
        "--type",
        "file",
        "--node",
        "host",
        "--source",
        &source,
        "--target",
        "kept",
        "--encrypt",
    ])?;

    let record = cluster.cli.json(["task", "run", "noise", "--wait"])?;
    ensure!(record["status"] == "success", "{record:#}");
    let (id, to) = (id_of(&record)?.to_string(), back.display().to_string());
    cluster
        .cli
        .json(["restore", &id, "--node", "host", "--to", &to, "--wait"])?;
    ensure_equal(&tree, &restored(&back, &tree))?;

    wait_for("calls of the agent at both masters", LIMIT, || {
        let both = block_on(async {
            let doors = cluster.doors()?;
            let mut both = true;
            for door in [&doors.a, &doors.b] {
                let metrics = door.ask(Method::GET, "/metrics").send().await?;
                both &= metrics.text.contains("/api/agent/v1/");
            }
            Ok(both)
        })?;
        Ok(both.then_some(()))
    })?;
    agent.stop()?;
    Ok(())
}
