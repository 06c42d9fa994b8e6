//! Figures: latencies as a histogram, what processes used, and what a store counted.

use anyhow::{Context, Result};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Upper bounds of the histogram's classes, in milliseconds.
const BOUNDS: [u64; 12] = [1, 2, 5, 10, 20, 50, 100, 150, 250, 500, 1000, 5000];
/// Ticks a second in /proc, on every Linux.
const TICKS: f64 = 100.0;
const PAGE: u64 = 4096;

/// Times of one kind.
#[derive(Debug, Default)]
pub(crate) struct Latencies(Mutex<Vec<u64>>);

impl Latencies {
    pub(crate) fn add(&self, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(micros);
    }

    /// Takes what was measured so far, as JSON.
    pub(crate) fn take(&self) -> Value {
        let mut all = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        all.sort_unstable();
        let at = |share: f64| {
            let index = (all.len() as f64 * share) as usize;
            all.get(index.min(all.len().saturating_sub(1)))
                .map(|micros| *micros as f64 / 1000.0)
        };
        let histogram: Map<_, _> = BOUNDS
            .iter()
            .map(|bound| {
                let within = all.partition_point(|micros| *micros <= bound * 1000);
                (format!("<= {bound} ms"), json!(within))
            })
            .collect();
        json!({
            "count": all.len(), "p50": at(0.5), "p90": at(0.9), "p99": at(0.99), "max": at(1.0), "histogram": histogram,
        })
    }
}

/// What the fleet did, and what went wrong.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) requests: AtomicU64,
    pub(crate) cycles: AtomicU64,
    pub(crate) errors: Mutex<BTreeMap<String, u64>>,
    pub(crate) handed_out: Latencies,
    pub(crate) cycle: Latencies,
    pub(crate) answered: Latencies,
}

impl Tally {
    pub(crate) fn error(&self, what: String) {
        let mut errors = self.errors.lock().unwrap_or_else(PoisonError::into_inner);
        *errors.entry(what).or_default() += 1;
    }
}

/// Processes and counters that are looked at at both ends of a phase.
#[derive(Debug, Clone)]
pub(crate) struct Watched {
    /// Name and process id; its children count with it.
    pub(crate) processes: Vec<(String, u32)>,
    /// Name and shell command that prints a number that grows.
    pub(crate) counters: Vec<(String, String)>,
}

/// The beginning of a phase.
pub(crate) struct Phase {
    name: String,
    began: Instant,
    cpu: Vec<f64>,
    counts: Vec<f64>,
    requests: u64,
    cycles: u64,
}

impl Phase {
    pub(crate) fn begin(name: &str, watched: &Watched, tally: &Tally) -> Result<Self> {
        for latencies in [&tally.handed_out, &tally.cycle, &tally.answered] {
            drop(latencies.take());
        }
        tally
            .errors
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
        Ok(Self {
            name: name.to_owned(),
            counts: watched.count()?,
            cpu: watched.cpu()?,
            began: Instant::now(),
            requests: tally.requests.load(Ordering::Relaxed),
            cycles: tally.cycles.load(Ordering::Relaxed),
        })
    }

    pub(crate) fn end(self, watched: &Watched, tally: &Tally) -> Result<Value> {
        let seconds = self.began.elapsed().as_secs_f64();
        let cpu = watched.cpu()?;
        let counts = watched.count()?;
        let mut processes = Map::new();
        for (index, (name, pid)) in watched.processes.iter().enumerate() {
            let used = (cpu[index] - self.cpu[index]) / seconds;
            processes.insert(
                name.clone(),
                json!({"cores": used, "memory": memory(*pid)?}),
            );
        }
        let mut counters = Map::new();
        for (index, (name, _)) in watched.counters.iter().enumerate() {
            let rate = (counts[index] - self.counts[index]) / seconds;
            counters.insert(name.clone(), json!(rate));
        }
        let errors = tally.errors.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(json!({
            "phase": self.name, "seconds": seconds, "processes": processes, "perSecond": counters,
            "requestsPerSecond": (tally.requests.load(Ordering::Relaxed) - self.requests) as f64 / seconds,
            "cyclesPerSecond": (tally.cycles.load(Ordering::Relaxed) - self.cycles) as f64 / seconds,
            "errors": *errors, "handOut": tally.handed_out.take(), "cycle": tally.cycle.take(), "answer": tally.answered.take(),
        }))
    }
}

impl Watched {
    fn cpu(&self) -> Result<Vec<f64>> {
        self.processes
            .iter()
            .map(|(_, pid)| {
                let ticks = family(*pid)?.values().sum::<u64>();
                Ok(ticks as f64 / TICKS)
            })
            .collect()
    }

    fn count(&self) -> Result<Vec<f64>> {
        self.counters
            .iter()
            .map(|(name, command)| {
                let ran = std::process::Command::new("sh")
                    .args(["-c", command])
                    .output()?;
                let printed = String::from_utf8_lossy(&ran.stdout).trim().to_owned();
                printed
                    .parse()
                    .with_context(|| format!("the counter {name} printed {printed:?}"))
            })
            .collect()
    }
}

/// Ticks of a process and of all that came of it.
fn family(root: u32) -> Result<BTreeMap<u32, u64>> {
    let mut all = BTreeMap::new();
    for entry in std::fs::read_dir("/proc")? {
        let name = entry?.file_name();
        let Some(pid) = name.to_str().and_then(|name| name.parse::<u32>().ok()) else {
            continue;
        };
        // Others come and go meanwhile.
        let Ok(stat) = std::fs::read_to_string(format!("/proc/{pid}/stat")) else {
            continue;
        };
        let fields: Vec<&str> = stat
            .rsplit(") ")
            .next()
            .unwrap_or_default()
            .split(' ')
            .collect();
        let number = |index: usize| fields.get(index).and_then(|field| field.parse().ok());
        // Of itself and of the children that it waited for: utime, stime, cutime, cstime.
        let ticks: u64 = (11..15).filter_map(number).sum();
        all.insert(pid, (number(1).unwrap_or(0) as u32, ticks));
    }
    anyhow::ensure!(all.contains_key(&root), "process {root} is gone");
    let mut family = BTreeSet::from([root]);
    loop {
        let more: Vec<u32> = all
            .iter()
            .filter(|(pid, (parent, _))| family.contains(parent) && !family.contains(pid))
            .map(|(pid, _)| *pid)
            .collect();
        if more.is_empty() {
            break;
        }
        family.extend(more);
    }
    Ok(family.iter().map(|pid| (*pid, all[pid].1)).collect())
}

/// Bytes of memory that a process alone holds.
fn memory(pid: u32) -> Result<u64> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/statm"))?;
    let pages: u64 = text
        .split(' ')
        .nth(1)
        .context("statm has no second field")?
        .parse()?;
    Ok(pages * PAGE)
}
