//! Pipes and files, there and back: many at once, in turns, cut off, and left alone.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::thread;

use anyhow::{Context, Result, ensure};
use libtest_mimic::Trial;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use rustix::process::Signal;
use sha2::{Digest, Sha256};

use super::super::support::process::BACKUPX;
use super::super::support::wait::wait_for;
use super::scene::{LIMIT, Scene, about, back, folder_trial, joined, line, on_both, pour};

/// Pipes of one call, and what goes through each of them.
const PIPES: usize = 4;
const BLOCKS: usize = 100;
const BLOCK: usize = 1 << 20;

pub(super) fn trials() -> Vec<Trial> {
    let mut trials = Vec::new();
    trials.extend(on_both(
        "backint::pipes_that_are_written_in_turns_come_back_as_they_were",
        pipes_in_turns,
    ));
    trials.extend([
        folder_trial("backint::an_object_opens_with_zstd_alone", opens_with_zstd),
        folder_trial(
            "backint::a_pipe_that_ends_early_is_what_came_out_of_it",
            ends_early,
        ),
        folder_trial(
            "backint::never_01_what_a_pipe_gave_when_its_caller_died_is_not_saved",
            caller_dies,
        ),
        folder_trial(
            "backint::never_04_a_reader_that_goes_is_no_restore",
            reader_goes,
        ),
        folder_trial(
            "backint::never_11_a_pipe_that_nobody_opens_is_given_up",
            nobody_comes,
        ),
    ]);
    trials
}

/// One block of what goes through a pipe: half noise, half not.
fn block(pipe: usize, number: usize) -> Vec<u8> {
    let seed = (pipe as u64) << 32 | number as u64;
    let mut block = vec![u8::try_from(number % 251).unwrap_or(0); BLOCK];
    SmallRng::seed_from_u64(seed).fill_bytes(&mut block[..BLOCK / 2]);
    block
}

fn digest_of(pipe: usize) -> String {
    let mut hash = Sha256::new();
    for number in 0..BLOCKS {
        hash.update(block(pipe, number));
    }
    hex::encode(hash.finalize())
}

/// Reads a pipe to its end and says what came: a digest, so that the test itself stays small.
fn digested(pipe: &Path) -> Result<String> {
    let mut pipe = File::open(pipe)?;
    let (mut hash, mut block) = (Sha256::new(), vec![0; BLOCK]);
    loop {
        match pipe.read(&mut block)? {
            0 => return Ok(hex::encode(hash.finalize())),
            count => hash.update(&block[..count]),
        }
    }
}

fn pipes_in_turns(scene: &Scene) -> Result<()> {
    let paths: Vec<PathBuf> = (0..PIPES)
        .map(|number| scene.pipe(&format!("data {number}")))
        .collect::<Result<_>>()?;
    let input: String = std::iter::once(line("#SOFTWAREID", &["backint 1.04", "hdb 2.00"]))
        .chain(paths.iter().map(|path| about("#PIPE", path)))
        .collect();
    let running = scene.start("backup", &input)?;
    // A database that stripes over its channels writes into all of them in turns.
    let mut pipes: Vec<File> = paths
        .iter()
        .map(|path| Ok(File::options().write(true).open(path)?))
        .collect::<Result<_>>()?;
    for number in 0..BLOCKS {
        for (pipe, file) in pipes.iter_mut().enumerate() {
            file.write_all(&block(pipe, number))?;
        }
    }
    let peak = running.peak_bytes()?;
    drop(pipes);
    let saved = running.end()?;
    ensure!(saved.code == Some(0), "{saved:?}");
    ensure!(peak < 500 << 20, "{peak} bytes of memory for {PIPES} pipes");
    for answer in saved.all("#SAVED") {
        ensure!(answer[2] == (BLOCKS * BLOCK).to_string(), "{answer:?}");
    }

    let back_to: Vec<PathBuf> = (0..PIPES)
        .map(|number| scene.pipe(&format!("back {number}")))
        .collect::<Result<_>>()?;
    let input: String = paths
        .iter()
        .zip(&back_to)
        .map(|(path, to)| Ok(back(&saved.ebid_of(path)?, path, to)))
        .collect::<Result<_>>()?;
    let readers: Vec<_> = back_to
        .into_iter()
        .map(|path| thread::spawn(move || digested(&path)))
        .collect();
    let restored = scene.call_well("restore", &input)?;
    ensure!(restored.all("#RESTORED").len() == PIPES, "{restored:?}");
    for (pipe, reader) in readers.into_iter().enumerate() {
        ensure!(joined(reader)? == digest_of(pipe), "pipe {pipe} differs");
    }
    Ok(())
}

fn opens_with_zstd(scene: &Scene) -> Result<()> {
    let path = scene.pipe("data")?;
    let content = [block(1, 1), block(1, 2)].concat();
    let running = scene.start("backup", &about("#PIPE", &path))?;
    joined(pour(&path, content.clone()))?;
    running.end()?.ebid_of(&path)?;
    let objects = scene.place.objects()?;
    let key = objects.keys().find(|key| key.ends_with("/data.hana.zst"));
    let key = key.context("no content in storage")?;
    let stored = fs::read(scene.path("storage").join(key))?;
    ensure!(
        zstd::decode_all(stored.as_slice())? == content,
        "it differs"
    );
    Ok(())
}

/// The end of a pipe is all that can be seen of its writer: this is what documentation says of it.
fn ends_early(scene: &Scene) -> Result<()> {
    let path = scene.pipe("data")?;
    let running = scene.start("backup", &about("#PIPE", &path))?;
    let written = scene.path("written");
    let mut writer = std::process::Command::new("sh")
        .args([
            "-c",
            "head -c 3000000 /dev/zero; touch \"$0\"; exec sleep 1000",
        ])
        .arg(&written)
        .stdout(File::options().write(true).open(&path)?)
        .spawn()?;
    wait_for("half of a backup", LIMIT, || {
        Ok(written.exists().then_some(()))
    })?;
    writer.kill()?;
    writer.wait()?;
    let saved = running.end()?;
    ensure!(saved.code == Some(0), "{saved:?}");
    ensure!(saved.all("#SAVED")[0][2] == "3000000", "{saved:?}");
    Ok(())
}

fn caller_dies(scene: &Scene) -> Result<()> {
    let path = scene.pipe("data")?;
    let (options, answers) = scene.options("backup", &about("#PIPE", &path))?;
    // A database whose processes all die at the same time.
    let mut caller = std::process::Command::new("sh")
        .args(["-c", "\"$0\" backint \"$@\"; true", BACKUPX])
        .args(options)
        .spawn()?;
    let mut pipe = File::options().write(true).open(&path)?;
    pipe.write_all(&block(0, 0))?;
    caller.kill()?;
    caller.wait()?;
    drop(pipe);
    let said = wait_for("an answer", LIMIT, || {
        let text = fs::read_to_string(&answers)?;
        Ok(text.contains("#ERROR").then_some(text))
    })?;
    ensure!(!said.contains("#SAVED"), "{said}");
    wait_for("an empty storage", LIMIT, || {
        Ok(scene.place.objects()?.is_empty().then_some(()))
    })?;
    let found = scene.call_well("inquire", "#NULL\n")?;
    ensure!(found.answers == ["#NOTFOUND"], "{found:?}");
    Ok(())
}

fn reader_goes(scene: &Scene) -> Result<()> {
    let path = scene.path("file");
    fs::write(&path, [block(0, 0), block(0, 1), block(0, 2)].concat())?;
    let saved = scene.call_well("backup", &about("#FILE", &path))?;
    let to = scene.pipe("to")?;
    let running = scene.start("restore", &back(&saved.ebid_of(&path)?, &path, &to))?;
    File::open(&to)?.read_exact(&mut [0; 1000])?;
    let restored = running.end()?;
    ensure!(restored.code == Some(1), "{restored:?}");
    ensure!(
        restored.answers == [about("#ERROR", &path).trim_end()],
        "{restored:?}"
    );
    ensure!(
        scene.log().contains("closed by its reader"),
        "{}",
        scene.log()
    );
    Ok(())
}

fn nobody_comes(scene: &Scene) -> Result<()> {
    scene.set(&[("STALL_LIMIT", "1s")])?;
    let path = scene.pipe("data")?;
    let called = scene.call("backup", &about("#PIPE", &path))?;
    ensure!(called.code == Some(1), "{called:?}");
    ensure!(
        called.answers == [about("#ERROR", &path).trim_end()],
        "{called:?}"
    );
    // A restore whose pipe nobody reads ends as well.
    let file = scene.path("file");
    fs::write(&file, "content")?;
    let saved = scene.call_well("backup", &about("#FILE", &file))?;
    let called = scene.call("restore", &back(&saved.ebid_of(&file)?, &file, &path))?;
    ensure!(called.code == Some(1), "{called:?}");
    // And one that is asked to stop while it waits.
    scene.set(&[])?;
    let running = scene.start("backup", &about("#PIPE", &path))?;
    wait_for("the call to begin", LIMIT, || {
        Ok(fs::read_to_string(&running.answers)?
            .contains("#SOFTWAREID")
            .then_some(()))
    })?;
    running.process.signal(Signal::TERM)?;
    let called = running.end()?;
    ensure!(called.code == Some(1), "{called:?}");
    ensure!(called.all("#ERROR").len() == 1, "{called:?}");
    Ok(())
}
