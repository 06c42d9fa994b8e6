//! A fleet: thousands of agents in one process that speak the real protocol to any master, and what that costs the master.
//!
//! `benches/fleet/run` starts stores and masters, runs this against each and writes the table; by hand it is
//! `fleet --master http://HOST:PORT --tokens FILE …`, with the API key in `BACKUPX_API_KEY` where nodes are to be made or asked. Prints
//! one JSON line a phase: *idle*, *rate* (questions at a rate, from the question to the node that has it) and *drain* (a filled queue,
//! emptied as fast as the master lets it).

mod agent;
mod figures;
mod load;
mod wire;

use agent::{Fleet, Mode};
use anyhow::{Context, Result, bail};
use clap::Parser;
use figures::{Phase, Tally, Watched};
use serde_json::{Value, json};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio::task::JoinSet;
use wire::{Master, Shared};

/// Thousands of simulated agents against a master.
#[derive(Debug, Parser)]
struct Arguments {
    /// The master, as http://HOST:PORT
    #[arg(long, default_value = "http://127.0.0.1:8340")]
    master: String,
    /// How many agents
    #[arg(long, default_value_t = 100)]
    agents: usize,
    /// File with one node token a line; tokens of nodes that have to be made are added to it
    #[arg(long)]
    tokens: PathBuf,
    /// An administrator's API key, to make nodes and to ask them
    #[arg(long, env = "BACKUPX_API_KEY", hide_env_values = true)]
    api_key: Option<String>,
    /// Seconds between two heartbeats
    #[arg(long, default_value_t = 15.0)]
    heartbeat: f64,
    /// Connections that all agents share for heartbeats and results, as behind a reverse proxy; as many again for questions to nodes
    #[arg(long, default_value_t = 256)]
    shared: usize,
    /// Agents that connect in a second
    #[arg(long, default_value_t = 400)]
    connect_rate: u32,
    /// Seconds for the fleet to settle before anything is measured
    #[arg(long, default_value_t = 20.0)]
    settle: f64,
    /// Seconds of the idle phase
    #[arg(long, default_value_t = 30.0)]
    idle: f64,
    /// Commands a second in the phase with a rate
    #[arg(long, default_value_t = 100)]
    rate: u32,
    /// Seconds of the phase with a rate
    #[arg(long, default_value_t = 30.0)]
    seconds: f64,
    /// Commands to fill the queue with and to empty it of; needs --database
    #[arg(long, default_value_t = 0)]
    drain: usize,
    /// The master's database, for --drain
    #[arg(long, env = "BACKUPX_DATABASE_URL", hide_env_values = true)]
    database: Option<String>,
    /// The master's Redis, for --drain
    #[arg(long, env = "BACKUPX_REDIS_URL", hide_env_values = true)]
    redis: Option<String>,
    /// NAME=PID: a process whose time and memory are measured, with its children
    #[arg(long = "process", value_parser = named::<u32>)]
    processes: Vec<(String, u32)>,
    /// NAME=COMMAND: a shell command that prints a number that grows, for its rate
    #[arg(long = "counter", value_parser = named::<String>)]
    counters: Vec<(String, String)>,
    /// Set by cargo.
    #[arg(long, hide = true)]
    bench: bool,
}

fn named<T: std::str::FromStr>(text: &str) -> Result<(String, T), String> {
    let (name, value) = text.split_once('=').ok_or("is not NAME=VALUE")?;
    let value = value.parse().map_err(|_| "has no such value".to_owned())?;
    Ok((name.to_owned(), value))
}

#[tokio::main]
async fn main() -> Result<()> {
    // `cargo bench` without arguments: the table is made by benches/fleet/run.
    if std::env::args().skip(1).all(|word| word == "--bench") {
        return Ok(());
    }
    run(Arguments::parse()).await
}

async fn run(arguments: Arguments) -> Result<()> {
    let master = Master::at(&arguments.master).await?;
    let key: Option<Arc<str>> = arguments.api_key.as_deref().map(Arc::from);
    let tokens = tokens(&arguments, &master, key.as_ref()).await?;
    let (modes, mode) = watch::channel(Mode::Hold);
    let fleet = Arc::new(Fleet {
        shared: Shared::new(&master, arguments.shared),
        asking: Shared::new(&master, arguments.shared),
        master,
        tally: Arc::new(Tally::default()),
        heartbeat: Duration::from_secs_f64(arguments.heartbeat),
        since: Instant::now(),
        mode,
        resting: 0.into(),
    });
    let watched = Watched {
        processes: arguments.processes.clone(),
        counters: arguments.counters.clone(),
    };
    let measure = |name: &str| Phase::begin(name, &watched, &fleet.tally);
    let print = |phase: Phase| print(&phase.end(&watched, &fleet.tally)?);

    let phase = measure("connect")?;
    let nodes = connect(&fleet, &tokens, arguments.connect_rate).await?;
    tokio::time::sleep(Duration::from_secs_f64(arguments.settle)).await;
    print(phase)?;
    if arguments.idle > 0.0 {
        let phase = measure("idle")?;
        tokio::time::sleep(Duration::from_secs_f64(arguments.idle)).await;
        print(phase)?;
    }
    if arguments.rate > 0 && arguments.seconds > 0.0 {
        let key = key.context("questions need an API key")?;
        let long = Duration::from_secs_f64(arguments.seconds);
        let phase = measure("rate")?;
        load::ask(&fleet, &key, &nodes, arguments.rate, long).await?;
        print(phase)?;
    }
    if arguments.drain > 0 {
        let database = arguments.database.context("--drain needs --database")?;
        modes.send_replace(Mode::Rest);
        while fleet.resting.load(Ordering::Relaxed) < nodes.len() as u64 {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        load::fill(
            &database,
            arguments.redis.as_deref(),
            &nodes,
            arguments.drain,
        )
        .await?;
        let phase = measure("drain")?;
        let end = fleet.tally.cycles.load(Ordering::Relaxed) + arguments.drain as u64;
        modes.send_replace(Mode::Drain);
        let limit = Instant::now() + Duration::from_secs(120);
        while fleet.tally.cycles.load(Ordering::Relaxed) < end && Instant::now() < limit {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        print(phase)?;
    }
    Ok(())
}

/// Tokens for all agents: those of the file, and those of nodes that are made for the rest.
async fn tokens(
    arguments: &Arguments,
    master: &Arc<Master>,
    key: Option<&Arc<str>>,
) -> Result<Vec<Arc<str>>> {
    let mut tokens = known(&arguments.tokens)?;
    let missing = arguments.agents.saturating_sub(tokens.len());
    if missing > 0 {
        let key = key.context("the file has too few tokens, and nodes are made with an API key")?;
        let mut making = JoinSet::new();
        let shared = Arc::new(Shared::new(master, 16));
        for _ in 0..missing {
            let (shared, key) = (Arc::clone(&shared), Arc::clone(key));
            making.spawn(async move { make_node(&shared, &key).await });
        }
        while let Some(made) = making.join_next().await {
            tokens.push(made??);
        }
        keep(&arguments.tokens, &tokens)?;
    }
    tokens.truncate(arguments.agents);
    Ok(tokens)
}

fn known(path: &Path) -> Result<Vec<Arc<str>>> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(text.lines().map(Arc::from).collect()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error).with_context(|| path.display().to_string()),
    }
}

/// Tokens are secrets: only their owner reads the file.
fn keep(path: &Path, tokens: &[Arc<str>]) -> Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)?;
    for token in tokens {
        writeln!(file, "{token}")?;
    }
    Ok(())
}

async fn make_node(shared: &Shared, key: &str) -> Result<Arc<str>> {
    let name = format!("fleet-{:016x}", rand::random::<u64>());
    let body = json!({"name": name, "labels": ["fleet"]}).to_string();
    let answer = shared.call(key, "POST", "/api/v1/nodes", &body).await?;
    if answer.status != 201 {
        bail!("a node could not be made: {}", answer.status);
    }
    let made = answer.json()?;
    let token = made["token"].as_str().context("no token")?;
    Ok(Arc::from(token))
}

/// Connects all agents, so many a second, and answers the ids of their nodes.
async fn connect(fleet: &Arc<Fleet>, tokens: &[Arc<str>], rate: u32) -> Result<Vec<i64>> {
    let mut beat = tokio::time::interval(Duration::from_secs(1) / rate);
    let mut connecting = JoinSet::new();
    for (number, token) in tokens.iter().enumerate() {
        beat.tick().await;
        let (fleet, token) = (Arc::clone(fleet), Arc::clone(token));
        connecting.spawn(async move { agent::start(&fleet, number, &token).await });
    }
    let mut nodes = Vec::with_capacity(tokens.len());
    while let Some(node) = connecting.join_next().await {
        nodes.push(node??);
    }
    Ok(nodes)
}

fn print(line: &Value) -> Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")?;
    Ok(out.flush()?)
}
