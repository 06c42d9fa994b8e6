//! One simulated agent: says hello, sends heartbeats, holds a poll as long as nothing comes, and answers what it is asked.

use crate::figures::Tally;
use crate::wire::{Answer, Connection, Master, Shared};
use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::watch;

const AGENT: &str = "/api/agent/v1";
/// After something went wrong.
const PAUSE: Duration = Duration::from_secs(1);
/// Places of a real agent, for long work and for short questions.
const WORK: u32 = 2;
const SHORT: u32 = 4;

/// What all agents share.
#[derive(Debug)]
pub(crate) struct Fleet {
    pub(crate) master: Arc<Master>,
    /// For all that agents say but polls.
    pub(crate) shared: Shared,
    /// For questions to nodes.
    pub(crate) asking: Shared,
    pub(crate) tally: Arc<Tally>,
    pub(crate) heartbeat: Duration,
    /// Since when times in paths count.
    pub(crate) since: Instant,
    /// How agents poll at the moment.
    pub(crate) mode: watch::Receiver<Mode>,
    /// Agents that hold no poll, because they were told to rest.
    pub(crate) resting: AtomicU64,
}

/// How agents poll.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// With long polls.
    Hold,
    /// Not at all, so that a queue can be filled.
    Rest,
    /// As fast as there is something, without waiting.
    Drain,
}

/// Connects an agent and answers its node's id; then it lives on its own.
pub(crate) async fn start(fleet: &Arc<Fleet>, number: usize, token: &Arc<str>) -> Result<i64> {
    let facts = json!({
        "version": env!("CARGO_PKG_VERSION"), "hostname": format!("simulated-{number}"), "os": "linux", "arch": "x86_64",
        "taskTypes": ["file"], "tools": [],
    });
    let hello = json!({"facts": facts, "leases": []});
    let welcome = tell(fleet, token, "hello", &hello).await?;
    let node = welcome["nodeId"].as_i64().context("no node id")?;
    let wait = welcome["maxWaitSecs"].as_u64().context("no wait")?;
    let connection = Connection::new(&fleet.master, fleet.master.source(number));
    tokio::spawn(polls(
        Arc::clone(fleet),
        connection,
        Arc::clone(token),
        wait,
    ));
    tokio::spawn(heartbeats(Arc::clone(fleet), Arc::clone(token)));
    Ok(node)
}

async fn heartbeats(fleet: Arc<Fleet>, token: Arc<str>) {
    // Agents that started together do not go on together.
    tokio::time::sleep(fleet.heartbeat.mul_f64(rand::random_range(0.0..1.0))).await;
    loop {
        let sent = tell(&fleet, &token, "heartbeat", &json!({"leases": []})).await;
        note(&fleet, sent.map(drop)).await;
        tokio::time::sleep(fleet.heartbeat.mul_f64(rand::random_range(0.9..1.1))).await;
    }
}

async fn polls(fleet: Arc<Fleet>, mut connection: Connection, token: Arc<str>, wait: u64) {
    let mut mode = fleet.mode.clone();
    loop {
        let now = *mode.borrow_and_update();
        let asked = match now {
            Mode::Hold => json!({"wait": wait, "free": WORK}),
            // Long work carries nothing here, so only short questions are drained.
            Mode::Drain => json!({"wait": 0, "free": SHORT, "lane": "short"}),
            Mode::Rest => {
                fleet.resting.fetch_add(1, Ordering::Relaxed);
                let changed = mode.changed().await;
                fleet.resting.fetch_sub(1, Ordering::Relaxed);
                if changed.is_err() {
                    return;
                }
                continue;
            }
        };
        let begun = Instant::now();
        let answer = poll(&fleet, &mut connection, &token, &asked).await;
        let done = match answer {
            Ok(answer) => work(&fleet, &token, now, begun, &answer).await,
            Err(error) => Err(error),
        };
        match done {
            // An empty queue is asked again in a moment.
            Ok(0) if now == Mode::Drain => tokio::time::sleep(PAUSE).await,
            done => note(&fleet, done.map(drop)).await,
        }
    }
}

/// Answers what a poll that began at `begun` brought. Answers how much that was.
async fn work(
    fleet: &Fleet,
    token: &str,
    mode: Mode,
    begun: Instant,
    answer: &Value,
) -> Result<usize> {
    let arrived = Instant::now();
    let commands = answer["commands"].as_array().cloned().unwrap_or_default();
    for command in &commands {
        let path = command["work"]["path"].as_str().unwrap_or_default();
        if let Some(sent) = sent_at(fleet, path) {
            fleet
                .tally
                .handed_out
                .add(arrived.saturating_duration_since(sent));
        }
        let result = match command["work"]["type"].as_str() {
            Some("browse") => json!({
                "lease": command["lease"], "log": [], "outcome": "succeeded",
                "report": {"type": "browse", "path": path, "entries": [], "truncated": false},
            }),
            _ => json!({
                "lease": command["lease"], "log": [], "outcome": "failed",
                "failure": {"code": "simulated", "message": "a simulated agent has nothing to back up"},
            }),
        };
        let name = format!("commands/{}/result", command["commandId"]);
        tell(fleet, token, &name, &result).await?;
        fleet.tally.cycles.fetch_add(1, Ordering::Relaxed);
        let since = match mode {
            Mode::Hold | Mode::Rest => arrived,
            Mode::Drain => begun,
        };
        fleet.tally.cycle.add(since.elapsed());
    }
    Ok(commands.len())
}

/// The path of a question that is asked now.
pub(crate) fn path_of(fleet: &Fleet) -> String {
    format!("/fleet/{}", fleet.since.elapsed().as_nanos())
}

fn sent_at(fleet: &Fleet, path: &str) -> Option<Instant> {
    let nanos = path.strip_prefix("/fleet/")?.parse().ok()?;
    Some(fleet.since + Duration::from_nanos(nanos))
}

/// A poll, over the agent's own connection.
async fn poll(
    fleet: &Fleet,
    connection: &mut Connection,
    token: &str,
    body: &Value,
) -> Result<Value> {
    fleet.tally.requests.fetch_add(1, Ordering::Relaxed);
    let path = format!("{AGENT}/poll");
    let body = body.to_string();
    told(&connection.call(token, "POST", &path, &body).await?)
}

/// Anything else, over a shared connection.
async fn tell(fleet: &Fleet, token: &str, name: &str, body: &Value) -> Result<Value> {
    fleet.tally.requests.fetch_add(1, Ordering::Relaxed);
    let path = format!("{AGENT}/{name}");
    let body = body.to_string();
    told(&fleet.shared.call(token, "POST", &path, &body).await?)
}

fn told(answer: &Answer) -> Result<Value> {
    match answer.status {
        200 => answer.json(),
        204 => Ok(Value::Null),
        status => bail!(
            "{status} {}",
            answer.json().unwrap_or_default()["code"]
                .as_str()
                .unwrap_or_default()
        ),
    }
}

/// Counts a failure and waits a moment behind it.
async fn note(fleet: &Fleet, done: Result<()>) {
    if let Err(error) = done {
        fleet.tally.error(format!("{error:#}"));
        tokio::time::sleep(PAUSE).await;
    }
}
