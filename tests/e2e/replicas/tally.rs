//! The tally after a storm: what the masters say became of each run, and what the agents did.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::cluster::Doors;
use super::storm::insist;
use crate::scene::{id_of, is_final};
use crate::support::agent::Agent;

/// Every record, and every end of one that was told of.
pub(super) struct Tally {
    records: BTreeMap<i64, Value>,
    ends: BTreeMap<i64, Vec<String>>,
}

impl Tally {
    /// Reads all of it.
    pub(super) async fn take(doors: &Doors) -> Result<Self> {
        let mut records = BTreeMap::new();
        for record in all(doors, "/api/v1/records").await? {
            records.insert(id_of(&record)?, record);
        }
        let mut ends: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for event in all(doors, "/api/v1/events").await? {
            if event["type"] == "recordFinished" {
                let record = event["recordId"].as_i64().context("an end of nothing")?;
                ends.entry(record).or_default().push(text(&event["status"]));
            }
        }
        Ok(Self { records, ends })
    }

    /// Each run that was asked for has one record, each record one end, and that end is the one that whoever waited saw.
    pub(super) fn ensure_each_once(
        &self,
        seen: &BTreeMap<i64, Value>,
        wanted: usize,
    ) -> Result<()> {
        let known: BTreeSet<_> = self.records.keys().collect();
        let asked: BTreeSet<_> = seen.keys().collect();
        ensure!(
            known == asked && known.len() == wanted,
            "{wanted} runs were asked for, {} were answered and {} are there; unknown: {:?}, lost: {:?}",
            asked.len(),
            known.len(),
            known.difference(&asked).collect::<Vec<_>>(),
            asked.difference(&known).collect::<Vec<_>>()
        );
        for (id, record) in &self.records {
            ensure!(
                is_final(record),
                "record {id} is still {}",
                record["status"]
            );
            ensure_same(record, &seen[id])?;
            let told = self.ends.get(id).map(Vec::as_slice).unwrap_or_default();
            ensure!(
                told == [text(&record["status"])],
                "record {id} is {} and ended as {told:?}",
                record["status"]
            );
            let good = record["status"] == "success";
            let why = record["error"]["message"].as_str().unwrap_or_default();
            ensure!(
                good || !why.is_empty(),
                "record {id} does not say why it failed: {record:#}"
            );
        }
        Ok(())
    }

    /// What was at its end has stayed there.
    pub(super) fn ensure_unchanged_since(&self, before: &Self) -> Result<()> {
        ensure!(
            self.records.len() == before.records.len(),
            "records came or went"
        );
        for (id, record) in &self.records {
            let earlier = before.records.get(id).context("another record")?;
            ensure_same(record, earlier)?;
        }
        Ok(())
    }

    /// The folders of good copies.
    pub(super) fn good_copies(&self) -> Result<BTreeSet<String>> {
        let mut good = BTreeSet::new();
        for record in self.records.values() {
            let copies = record["copies"].as_array().context("no copies")?;
            if copies.iter().any(|copy| copy["status"] == "good") {
                good.insert(text(&record["location"]));
            }
        }
        Ok(good)
    }

    /// How many records are a success.
    pub(super) fn successes(&self) -> usize {
        self.records
            .values()
            .filter(|record| is_success(record))
            .count()
    }

    /// A record that is a success.
    pub(super) fn one_success(&self) -> Result<i64> {
        let found = self.records.iter().find(|(_, record)| is_success(record));
        found.map(|(id, _)| *id).context("no run succeeded")
    }

    /// Runs by state and, for those that failed, by reason.
    pub(super) fn by_state(&self) -> String {
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for record in self.records.values() {
            let state = match record["error"]["code"].as_str() {
                Some(code) => format!("{} ({code})", text(&record["status"])),
                None => text(&record["status"]),
            };
            *counts.entry(state).or_default() += 1;
        }
        let counts: Vec<_> = counts
            .into_iter()
            .map(|(state, count)| format!("{count} {state}"))
            .collect();
        counts.join(", ")
    }
}

fn is_success(record: &Value) -> bool {
    record["status"] == "success"
}

fn ensure_same(a: &Value, b: &Value) -> Result<()> {
    for field in ["status", "finishedAt", "error", "startedAt"] {
        ensure!(
            a[field] == b[field],
            "record {} changed after its end: {field} was {} and is {}",
            a["id"],
            b[field],
            a[field]
        );
    }
    Ok(())
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// Every item of a list, page by page.
async fn all(doors: &Doors, path: &str) -> Result<Vec<Value>> {
    let mut items = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = insist(doors, &format!("{path}?limit=500{cursor}")).await?;
        items.extend(
            page["items"]
                .as_array()
                .context("no items")?
                .iter()
                .cloned(),
        );
        match page["nextCursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return Ok(items),
        }
    }
}

/// How often agents began and finished the work of each record.
#[derive(Debug, Default)]
pub(super) struct Executions {
    begun: BTreeMap<i64, usize>,
    finished: BTreeMap<i64, usize>,
}

/// What the logs of these agents tell of runs.
pub(super) fn executions(fleet: &[Agent]) -> Result<Executions> {
    let mut executions = Executions::default();
    for agent in fleet {
        let log = fs::read_to_string(agent.folder().join("agent.log"))?;
        let mut subjects = BTreeMap::new();
        for line in log.lines() {
            let command = field(line, "command.id");
            if line.contains("work begins") {
                let record =
                    field(line, "subject").and_then(|subject| subject.strip_prefix("record:"));
                if let (Some(command), Some(record)) = (command, record) {
                    let record: i64 = record.parse()?;
                    subjects.insert(command, record);
                    *executions.begun.entry(record).or_default() += 1;
                }
            } else if line.contains("work done")
                && let Some(record) = command.and_then(|command| subjects.get(command))
            {
                *executions.finished.entry(*record).or_default() += 1;
            }
        }
    }
    Ok(executions)
}

/// The value of a field in a line of a log.
fn field<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    line.split(' ')
        .find_map(|word| word.strip_prefix(name)?.strip_prefix('='))
}

impl Executions {
    /// How many were begun.
    pub(super) fn begun(&self) -> usize {
        self.begun.values().sum()
    }

    /// How many came to their end as done.
    pub(super) fn finished(&self) -> usize {
        self.finished.values().sum()
    }

    /// A success was done by one agent, once. What was done and did not count is no success.
    pub(super) fn ensure_no_second_effect(&self, tally: &Tally) -> Result<()> {
        for (id, record) in &tally.records {
            let finished = self.finished.get(id).copied().unwrap_or_default();
            ensure!(
                finished <= 1,
                "the work of record {id} was done {finished} times"
            );
            ensure!(
                !is_success(record) || finished == 1,
                "record {id} is a success and no agent did its work"
            );
        }
        Ok(())
    }
}
