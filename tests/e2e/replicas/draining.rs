//! A master that is asked to stop: it says so first, lets polls, live streams and relayed objects come to their end, and nobody notices.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use libtest_mimic::Trial;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::cluster::{Cluster, Doors, Stores, block_on, cluster_trial};
use super::played::Played;
use crate::support::master::status_of;
use crate::support::node::Held;
use crate::support::stream::Stream;
use crate::support::wait::wait_for;

const LIMIT: Duration = Duration::from_secs(20);
/// Long enough to be seen on a busy host.
const NOTICE: (&str, &str) = ("BACKUPX_DRAIN_NOTICE", "5s");
const LOCAL_NODE: (&str, &str) = ("BACKUPX_LOCAL_NODE", "true");
/// A poll that is not answered within this time is one that is held.
const HELD: Duration = Duration::from_millis(500);
/// What is relayed: more than the buffers on the way take at once.
const OBJECT: usize = 8 << 20;

pub(super) fn trials(stores: Stores) -> Vec<Trial> {
    vec![cluster_trial(
        "a_master_that_stops_says_so_and_drains",
        stores,
        |s| block_on(a_master_that_stops_says_so_and_drains(s)),
    )]
}

async fn a_master_that_stops_says_so_and_drains(stores: Stores) -> Result<()> {
    let mut cluster = Cluster::with_settings(stores, &[NOTICE], &[LOCAL_NODE])?;
    let played = Played::new(&cluster, "master").await?;
    let doors = played.doors.clone();
    played.run(&doors.b).await?;
    let held = played.node.claim().await?;
    let mut events = Stream::open(&doors.a, &doors.admin, "/api/v1/events", None).await?;
    let mut relayed = Relayed::begin(&cluster, &played, &held).await?;
    let mut poll = tokio::spawn({
        let node = played.node.at(&doors.a);
        async move { node.poll(25).await }
    });
    let early = tokio::time::timeout(HELD, &mut poll).await;
    ensure!(
        early.is_err(),
        "a poll was answered without work: {early:?}"
    );
    let asking = Asking::start(&doors);

    cluster.a.ask_to_stop()?;
    let address = cluster.a.address();
    wait_for("a master that is not ready any more", LIMIT, || {
        Ok((status_of(address, "/ready") == Some(503)).then_some(()))
    })?;
    poll.await??.expect(204)?;
    while events.next().await?.is_some() {}
    relayed.finish().await?;
    // What goes on meanwhile has threads of its own.
    cluster.a.wait_for_end()?;

    ensure!(status_of(address, "/health").is_none(), "it still listens");
    let asked = asking.end().await.context("while a master stopped")?;
    ensure!(asked > 0, "nobody asked anything meanwhile");
    // The other one goes on with what the first began.
    played
        .node
        .progress(&held, OBJECT as u64, &[])
        .await?
        .expect(200)?;
    played.node.fail(&held).await?.expect(204)?;
    Ok(())
}

/// An object half of which has been sent.
struct Relayed {
    connection: TcpStream,
}

impl Relayed {
    async fn begin(cluster: &Cluster, played: &Played, held: &Held) -> Result<Self> {
        let mut connection = TcpStream::connect(cluster.a.address()).await?;
        let head = format!(
            "PUT /api/agent/v1/commands/{}/objects/{}/data.000001?lease={} HTTP/1.1\r\nHost: master\r\nAuthorization: Bearer {}\r\nContent-Type: application/octet-stream\r\nContent-Length: {OBJECT}\r\nConnection: close\r\n\r\n",
            held.command, played.target, held.lease, played.node.token,
        );
        connection.write_all(head.as_bytes()).await?;
        connection.write_all(&vec![7; OBJECT / 2]).await?;
        Ok(Self { connection })
    }

    async fn finish(&mut self) -> Result<()> {
        self.connection.write_all(&vec![7; OBJECT / 2]).await?;
        let mut answer = String::new();
        self.connection.read_to_string(&mut answer).await?;
        ensure!(
            answer.starts_with("HTTP/1.1 201 "),
            "the object was not taken: {answer}"
        );
        Ok(())
    }
}

/// Somebody who asks one thing after the other through nginx, and is refused nothing.
struct Asking {
    stop: Arc<AtomicBool>,
    task: tokio::task::JoinHandle<Result<u32>>,
}

impl Asking {
    fn start(doors: &Doors) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let (doors, stopped) = (doors.clone(), Arc::clone(&stop));
        let task = tokio::spawn(async move {
            let mut asked = 0;
            while !stopped.load(Ordering::Relaxed) {
                let nodes = doors.both.get(&doors.admin, "/api/v1/nodes").await?;
                nodes.expect(200)?;
                asked += 1;
            }
            Ok(asked)
        });
        Self { stop, task }
    }

    async fn end(self) -> Result<u32> {
        self.stop.store(true, Ordering::Relaxed);
        self.task.await?
    }
}
