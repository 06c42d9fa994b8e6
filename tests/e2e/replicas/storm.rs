//! The storm: runs of many real agents while masters are killed and started again at random, the stores restart twice, and the way to the
//! masters breaks at five of a hundred questions. Every run ends once and in a true state; none is lost, none is done twice.
//!
//! `BACKUPX_TEST_STORM_RUNS` says how many runs (default 20), each agent makes ten of them in two tasks: 200 runs are 20 agents.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use libtest_mimic::Trial;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::cluster::{Cluster, Doors, Stores, block_on, cluster_trial};
use super::supervisor::{Fate, Supervisor};
use super::tally::{Tally, executions};
use crate::scene::{id_of, is_final, restored};
use crate::storage::Place;
use crate::support::agent::Agent;
use crate::support::http::Reply;
use crate::support::postgres::Postgres;
use crate::support::proxy::{Fault, Proxy};
use crate::support::redis::Redis;
use crate::support::servers::S3;
use crate::support::trees::{ensure_equal, make_noise};
use crate::support::wait::wait_for;

/// The share of questions at which the connection breaks.
const BROKEN: f64 = 0.05;
const TASKS_PER_AGENT: usize = 2;
const RUNS_PER_TASK: usize = 5;
/// How long a store is away at each of its restarts.
const DOWNTIME: Duration = Duration::from_millis(800);
/// The pause between two looks, and before something is asked again.
const PAUSE: Duration = Duration::from_millis(250);
/// A run is at its end within this time, whatever happened: a hand-out that got lost twice, which is noticed after 30 s, waits five minutes.
const END: Duration = Duration::from_secs(480);
/// How soon after the storm storage holds nothing but good copies.
const SWEPT: Duration = Duration::from_secs(180);
/// What a master that was killed in the middle of a request left undecided is looked at after this time.
const UNDECIDED: Duration = Duration::from_secs(15);

pub(super) fn trials(stores: Stores) -> Vec<Trial> {
    vec![cluster_trial("storm", stores, storm)]
}

fn storm(stores: Stores) -> Result<()> {
    let runs: usize = std::env::var("BACKUPX_TEST_STORM_RUNS")
        .ok()
        .map_or(Ok(20), |text| text.parse())
        .context("BACKUPX_TEST_STORM_RUNS")?;
    let agents = runs.div_ceil(TASKS_PER_AGENT * RUNS_PER_TASK);
    // What nobody knows of any more must not hold the test up for its usual ten minutes. A hand-out that got lost is noticed after 30 s.
    let settings = [
        ("BACKUPX_COMMAND_TIMEOUT", "60s"),
        ("BACKUPX_NODE_OFFLINE_AFTER", "10s"),
    ];
    let cluster = Cluster::with_settings(stores, &settings, &[])?;
    let faulty = Proxy::before(&cluster.nginx.address().to_string())?;
    faulty.set(Fault::Broken(BROKEN));
    let place = place(&cluster, stores)?;
    let tree = cluster.path("tree");
    make_noise(&tree, 20, 1 << 20)?;
    let mut fleet = Vec::new();
    let mut tasks = Vec::new();
    for number in 0..agents {
        let name = format!("host-{number}");
        let mut agent = Agent::registered(&cluster.cli, &name, &faulty.url(), "")?;
        agent.resume()?;
        fleet.push(agent);
        for part in 0..TASKS_PER_AGENT {
            tasks.push(task(&cluster, &name, part)?);
        }
    }

    let doors = cluster.doors()?;
    let Cluster {
        nginx: _nginx,
        a,
        b,
        mut redis,
        mut postgres,
        cli,
        folder,
    } = cluster;
    let began = Instant::now();
    let supervisors = [Supervisor::start(a), Supervisor::start(b)];
    let wanted = tasks.len() * RUNS_PER_TASK;
    let ends = block_on(async {
        let done = Arc::new(AtomicUsize::new(0));
        let mut drivers = JoinSet::new();
        for task in tasks {
            drivers.spawn(drive(doors.clone(), task, Arc::clone(&done)));
        }
        let mut ends = BTreeMap::new();
        // Once when a third of the runs is done, and once more at two thirds.
        for (third, restart) in [(1, Restart::Crash), (2, Restart::Orderly)] {
            while done.load(Ordering::Relaxed) < wanted * third / 3 {
                while let Some(driven) = drivers.try_join_next() {
                    ends.extend(driven??);
                }
                tokio::time::sleep(PAUSE).await;
            }
            // What goes on meanwhile has threads of its own.
            restart_stores(&mut postgres, redis.as_mut(), restart)?;
        }
        while let Some(driven) = drivers.join_next().await {
            ends.extend(driven??);
        }
        Ok(ends)
    })
    .with_context(|| words(&fleet))?;
    let took = began.elapsed();
    let mut fate = Fate::default();
    let mut masters = Vec::new();
    for supervisor in supervisors {
        let (master, one) = supervisor.end()?;
        fate.kills += one.kills;
        fate.restarts += one.restarts;
        masters.push(master);
    }

    let tally = block_on(Tally::take(&doors))?;
    let good = tally.good_copies()?;
    wait_for("storage that holds good copies alone", SWEPT, || {
        Ok(place.ensure_only(&good).ok())
    })
    .or_else(|_| place.ensure_only(&good))?;
    let after = block_on(Tally::take(&doors))?;
    let executions = executions(&fleet)?;

    let counts = faulty.counts();
    writeln!(
        std::io::stderr(),
        "storm on {stores}, backups {place}: {wanted} runs of {agents} agents in {:.0} s\n  runs: {}\n  masters killed {} times and started again {} times; stores restarted {} times\n  {} of {} questions on {} connections broke the connection\n  executions begun {}, finished {}",
        took.as_secs_f64(),
        tally.by_state(),
        fate.kills,
        fate.restarts,
        if redis.is_some() { "2 + 2" } else { "2" },
        counts.dropped.load(Ordering::Relaxed),
        counts.exchanges.load(Ordering::Relaxed),
        counts.connections.load(Ordering::Relaxed),
        executions.begun(),
        executions.finished(),
    )?;

    tally.ensure_each_once(&ends, wanted)?;
    after.ensure_unchanged_since(&tally)?;
    executions.ensure_no_second_effect(&tally)?;
    ensure!(
        tally.successes() * 2 > wanted,
        "less than half of the runs succeeded: {}",
        tally.by_state()
    );
    let good = tally.one_success()?;
    let back = folder.path().join("back");
    let to = back.display().to_string();
    cli.json(["restore", &good.to_string(), "--to", &to, "--wait"])?;
    ensure_equal(&tree, &restored(&back, &tree))
}

/// Where the backups go: a folder that all agents have, or S3 where there is one.
fn place(cluster: &Cluster, stores: Stores) -> Result<Place> {
    let s3 = match stores {
        Stores::Postgres => None,
        Stores::PostgresAndRedis => S3::real().ok(),
    };
    match s3 {
        Some(s3) => {
            let prefix = format!("storm-{:016x}", rand::random::<u64>());
            let mut add: Vec<String> = ["target", "add", "kept", "--type", "s3"]
                .map(str::to_owned)
                .to_vec();
            add.extend(s3.settings(&prefix));
            cluster.cli.json(add)?;
            Ok(Place::Bucket(s3, prefix))
        }
        None => {
            let folder = cluster.path("kept");
            std::fs::create_dir(&folder)?;
            let path = format!("path={}", folder.display());
            cluster
                .cli
                .json(["target", "add", "kept", "--type", "local", "--set", &path])?;
            Ok(Place::Folder(folder))
        }
    }
}

fn task(cluster: &Cluster, node: &str, part: usize) -> Result<i64> {
    let (name, source) = (
        format!("{node}-{part}"),
        cluster.path("tree").display().to_string(),
    );
    let task = cluster.cli.json([
        "task",
        "add",
        &name,
        "--type",
        "file",
        "--node",
        node,
        "--source",
        &source,
        "--target",
        "kept",
        "--encrypt",
    ])?;
    id_of(&task)
}

/// How stores go down.
#[derive(Debug, Clone, Copy)]
enum Restart {
    Crash,
    Orderly,
}

/// Postgres keeps what was committed; Redis comes back empty each time.
fn restart_stores(
    postgres: &mut Postgres,
    redis: Option<&mut Redis>,
    restart: Restart,
) -> Result<()> {
    match restart {
        Restart::Crash => postgres.crash()?,
        Restart::Orderly => postgres.stop()?,
    }
    std::thread::sleep(DOWNTIME);
    postgres.resume()?;
    if let Some(redis) = redis {
        redis.kill()?;
        std::thread::sleep(DOWNTIME);
        redis.resume()?;
    }
    Ok(())
}

/// Has a task run one time after the other; answers each record as it was when its end was first seen.
async fn drive(doors: Doors, task: i64, done: Arc<AtomicUsize>) -> Result<BTreeMap<i64, Value>> {
    let mut ends = BTreeMap::new();
    for _ in 0..RUNS_PER_TASK {
        let known = ends.len();
        let record = begin(&doors, task, known).await?;
        let Ok(ended) = tokio::time::timeout(END, end_of(&doors, record)).await else {
            let shown = insist(&doors, &format!("/api/v1/records/{record}")).await?;
            bail!("record {record} did not come to its end: {shown}");
        };
        let ended = ended?;
        ensure!(
            ends.insert(record, ended).is_none(),
            "record {record} was answered to two requests"
        );
        done.fetch_add(1, Ordering::Relaxed);
    }
    Ok(ends)
}

/// Asks for one run until it is certain that there is one: `known` runs of the task were there before.
async fn begin(doors: &Doors, task: i64, known: usize) -> Result<i64> {
    let path = format!("/api/v1/tasks/{task}/run");
    let mut key = new_key();
    let mut undecided: Option<Instant> = None;
    loop {
        let asked = doors.both.ask(reqwest::Method::POST, path.as_str());
        let asked = asked.by(&doors.admin).header("idempotency-key", &key);
        match asked.json(&json!({})).send().await {
            Ok(reply) if reply.status == 202 => return id_of(&reply.json()?),
            // Nobody knows whether it was done; the same key may tell, and the list of records does.
            Ok(reply) if reply.status == 409 || reply.status >= 500 => {
                let since = *undecided.get_or_insert_with(Instant::now);
                if let Some(record) = newest(doors, task, known).await? {
                    return Ok(record);
                }
                if reply.text.contains("idempotency_key_in_progress") && since.elapsed() > UNDECIDED
                {
                    key = new_key();
                    undecided = None;
                }
            }
            Ok(reply) => reply.expect(202).map(drop)?,
            Err(_) => {}
        }
        tokio::time::sleep(PAUSE).await;
    }
}

fn new_key() -> String {
    format!("{:032x}", rand::random::<u128>())
}

/// The newest record of a task when it has more than `known`.
async fn newest(doors: &Doors, task: i64, known: usize) -> Result<Option<i64>> {
    let listed = insist(doors, &format!("/api/v1/records?taskId={task}&limit=500")).await?;
    let records = listed["items"].as_array().context("no items")?;
    let ids = records.iter().map(id_of).collect::<Result<Vec<_>>>()?;
    Ok(ids.into_iter().max().filter(|_| records.len() > known))
}

async fn end_of(doors: &Doors, record: i64) -> Result<Value> {
    loop {
        let shown = insist(doors, &format!("/api/v1/records/{record}")).await?;
        if is_final(&shown) {
            return Ok(shown);
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// The answer to a GET, as soon as somebody can give one.
pub(super) async fn insist(doors: &Doors, path: &str) -> Result<Value> {
    loop {
        let reply: Result<Reply> = doors.both.get(&doors.admin, path).await;
        match reply {
            Ok(reply) if reply.status < 500 => return reply.expect(200),
            Ok(_) | Err(_) => tokio::time::sleep(PAUSE).await,
        }
    }
}

/// What agents said last, for a failure's message.
fn words(fleet: &[Agent]) -> String {
    let said: Vec<_> = fleet.iter().map(Agent::last_words).collect();
    said.join("\n--\n")
}
