//! `kill -9` at random moments of backups: of the agent, of the master, of both, over both kinds of target. Whatever was killed, every record
//! ends in a true final state, the next run succeeds, nothing without a manifest is offered, and the sweep leaves nothing behind.
//!
//! `BACKUPX_TEST_KILL_ROUNDS` says how many rounds in all (default 12, two per trial).

use std::collections::{BTreeMap, BTreeSet};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use libtest_mimic::Trial;
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use serde_json::Value;

use super::scene::{HOST, Scene, is_final};
use super::storage::Place;
use super::support::servers::{S3, s3_trial, trial};
use super::support::trees::{ensure_equal, make_noise};
use super::support::wait::wait_for;

/// How soon after a kill storage must be clean.
const SWEPT: Duration = Duration::from_secs(120);

#[derive(Debug, Clone, Copy)]
enum Victim {
    Agent,
    Master,
    Both,
}

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("kill::the_agent_over_a_folder", || {
            rounds(Victim::Agent, None)
        }),
        trial("kill::the_master_over_a_folder", || {
            rounds(Victim::Master, None)
        }),
        trial("kill::both_over_a_folder", || rounds(Victim::Both, None)),
        s3_trial("kill::the_agent_over_s3", |s3| {
            rounds(Victim::Agent, Some(s3))
        }),
        s3_trial("kill::the_master_over_s3", |s3| {
            rounds(Victim::Master, Some(s3))
        }),
        s3_trial("kill::both_over_s3", |s3| rounds(Victim::Both, Some(s3))),
    ]
}

fn rounds(victim: Victim, s3: Option<S3>) -> Result<()> {
    let all: u32 = std::env::var("BACKUPX_TEST_KILL_ROUNDS")
        .ok()
        .map_or(Ok(12), |text| text.parse())
        .context("BACKUPX_TEST_KILL_ROUNDS")?;
    // A command that nobody knows of any more must not hold the test up for its usual ten minutes.
    let mut scene = Scene::with_settings(&[
        ("BACKUPX_COMMAND_TIMEOUT", "10s"),
        ("BACKUPX_NODE_OFFLINE_AFTER", "5s"),
    ])?;
    let tree = scene.path("tree");
    make_noise(&tree, 400, 32 << 20)?;
    let place = match s3 {
        Some(s3) => Place::Bucket(s3.clone(), scene.s3_target("storage", &s3)?),
        None => Place::Folder(scene.local_target("storage")?),
    };
    scene.task(
        "noise",
        &tree,
        &["storage"],
        &["--encrypt", "--keep-last", "3"],
    )?;
    let began = Instant::now();
    scene.run_well("noise")?;
    let usual = began.elapsed();

    // Another seed each time: the moments differ from run to run, and the seed is printed for the one that failed.
    let seed = rand::random();
    let mut dice = SmallRng::seed_from_u64(seed);
    for round in 0..all.div_ceil(6) {
        let moment = dice.random_range(Duration::ZERO..usual * 3 / 2);
        strike(&mut scene, victim, moment).with_context(|| {
            format!(
                "round {round} of seed {seed}: {victim:?} was killed {moment:?} after the start"
            )
        })?;
    }

    let last = scene.run_well("noise")?;
    wait_for("storage without leftovers", SWEPT, || {
        Ok(swept(&scene, &place)?.ok())
    })
    .or_else(|_| swept(&scene, &place)?)
    .with_context(|| {
        format!(
            "after the rounds of seed {seed}; removals: {:#}; master:\n{}",
            removals(&scene),
            scene.master.last_words()
        )
    })?;
    ensure_nothing_was_done_twice(&scene.agent.log_text()?)
        .with_context(|| format!("after the rounds of seed {seed}"))?;
    ensure_equal(&tree, &scene.restore(last, &tree, &[])?)
}

/// Fails when the agent, over all its lives, brought one run to its end more than once. Removals and verifications may come again: an
/// agent that was killed between their end and the master's hearing of it does them once more, to the same effect.
fn ensure_nothing_was_done_twice(log: &str) -> Result<()> {
    let mut done = BTreeMap::<&str, u32>::new();
    for line in log.lines().filter(|line| line.contains("work done")) {
        let subject = line
            .split_whitespace()
            .find_map(|word| word.strip_prefix("subject="))
            .with_context(|| format!("a line without its subject: {line}"))?;
        *done.entry(subject).or_default() += 1;
    }
    done.retain(|subject, _| subject.starts_with("record:"));
    ensure!(
        !done.is_empty(),
        "the agent's log names no run that was done"
    );
    let twice: Vec<_> = done.iter().filter(|(_, times)| **times > 1).collect();
    ensure!(
        twice.is_empty(),
        "runs that were done more than once: {twice:?}"
    );
    Ok(())
}

/// What the master knows of removals that did not come off, for a failure's message.
fn removals(scene: &Scene) -> Value {
    let mut listed = scene
        .cli
        .json(["operation", "ls", "--kind", "delete", "--limit", "500"])
        .unwrap_or_default();
    if let Some(items) = listed["items"].as_array_mut() {
        items.retain(|item| item["status"] != "success");
    }
    listed
}

/// One round: a run, a kill at `moment`, a restart, and the checks.
fn strike(scene: &mut Scene, victim: Victim, moment: Duration) -> Result<()> {
    let id = scene.begin("noise")?;
    thread::sleep(moment);
    match victim {
        Victim::Agent => scene.agent.kill()?,
        Victim::Master => scene.master.kill()?,
        Victim::Both => {
            scene.agent.kill()?;
            scene.master.kill()?;
        }
    }
    match victim {
        Victim::Agent => scene.agent.resume()?,
        Victim::Master => scene.master.resume()?,
        Victim::Both => {
            scene.agent.resume()?;
            scene.master.resume()?;
        }
    }

    let record = scene.end_of(id)?;
    let id = id.to_string();
    match record["status"].as_str() {
        Some("success") => {
            scene
                .cli
                .json(["record", "verify", &id, "--mode", "quick", "--wait"])?;
        }
        _ => {
            let to = scene.path("never").display().to_string();
            let refused = scene
                .cli
                .run(["restore", &id, "--node", HOST, "--to", &to, "--wait"])?;
            ensure!(
                refused.code == Some(1),
                "a record that is no success was offered for restore: {record:#}"
            );
            ensure!(
                record["error"]["message"]
                    .as_str()
                    .is_some_and(|message| !message.is_empty()),
                "it does not say why it failed: {record:#}"
            );
        }
    }
    scene.run_well("noise").context("the run after the kill")?;
    Ok(())
}

/// Whether every record is at its end and storage holds exactly the good copies. The outer error is one of the test, the inner one says
/// what is not so yet.
fn swept(scene: &Scene, place: &Place) -> Result<Result<()>> {
    let mut good = BTreeSet::new();
    let records = scene.cli.json(["record", "ls", "--limit", "500"])?;
    for record in records["items"]
        .as_array()
        .context("record ls answered no items")?
    {
        if !is_final(record) {
            return Ok(Err(anyhow::anyhow!(
                "record {} is still {}",
                record["id"],
                record["status"]
            )));
        }
        let copies = record["copies"]
            .as_array()
            .context("a record without copies")?;
        if copies.iter().any(|copy| copy["status"] == "good") {
            good.insert(record["location"].as_str().unwrap_or_default().to_owned());
        }
    }
    Ok(place.ensure_only(&good))
}
