//! Calls that end before they should: killed, stopped, without storage. Nothing of them may look saved, and nothing may stay for ever.

use std::fs::{self, File};
use std::io::Write;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use libtest_mimic::Trial;
use rustix::process::Signal;

use super::super::storage::Place;
use super::super::support::process::BACKUPX;
use super::super::support::proxy::Proxy;
use super::super::support::servers::{S3, s3_trial};
use super::super::support::wait::wait_for;
use super::scene::{LIMIT, Running, Scene, about, back, called_as, folder_trial, line, on_both};

const MIB: usize = 1 << 20;

pub(super) fn trials() -> Vec<Trial> {
    let mut trials = Vec::new();
    trials.extend(on_both(
        "backint::never_24_what_a_killed_call_left_goes_with_the_next_one",
        killed,
    ));
    trials.extend(on_both(
        "backint::never_01_whatever_is_found_after_a_kill_comes_back_whole",
        killed_at_any_moment,
    ));
    trials.extend(on_both(
        "backint::a_call_that_is_stopped_says_so_and_leaves_nothing",
        stopped,
    ));
    trials.extend([
        s3_trial(
            "backint::storage_that_fails_in_the_middle_is_told",
            storage_fails,
        ),
        s3_trial("backint::never_30_no_secret_is_in_what_it_says", no_secret),
        folder_trial(
            "backint::answers_that_cannot_be_written_are_a_failure",
            no_room_for_answers,
        ),
        folder_trial(
            "backint::never_30_a_parameter_file_that_everybody_reads_is_refused",
            readable,
        ),
    ]);
    trials
}

/// A backup of one pipe that has taken `mib` MiB of noise and waits for more.
fn half_way(scene: &Scene, mib: usize) -> Result<(Running, File)> {
    let path = scene.pipe(&format!("data-{:08x}", rand::random::<u32>()))?;
    let running = scene.start("backup", &about("#PIPE", &path))?;
    let mut pipe = File::options().write(true).open(&path)?;
    noise(&mut pipe, mib)?;
    Ok((running, pipe))
}

fn noise(pipe: &mut File, mib: usize) -> Result<()> {
    let mut block = vec![0; MIB];
    for _ in 0..mib {
        rand::Rng::fill_bytes(&mut rand::rng(), &mut block);
        pipe.write_all(&block)?;
    }
    Ok(())
}

/// Waits until storage holds a part of what is being written.
fn something_there(scene: &Scene) -> Result<()> {
    wait_for("a part in storage", LIMIT, || {
        Ok((!scene.leftovers()?.is_empty()).then_some(()))
    })
}

fn nothing_found(scene: &Scene) -> Result<()> {
    let found = scene.call_well("inquire", "#NULL\n")?;
    ensure!(found.answers == ["#NOTFOUND"], "{found:?}");
    Ok(())
}

fn killed(scene: &Scene) -> Result<()> {
    let (mut running, pipe) = half_way(scene, 40)?;
    something_there(scene)?;
    running.process.kill()?;
    drop(pipe);
    let answers = fs::read_to_string(&running.answers)?;
    ensure!(!answers.contains("#SAVED"), "{answers}");
    nothing_found(scene)?;

    let path = scene.path("file");
    fs::write(&path, "content")?;
    let saved = scene.call_well("backup", &about("#FILE", &path))?;
    saved.ebid_of(&path)?;
    ensure!(
        scene.leftovers()?.is_empty(),
        "{:?}\n{}",
        scene.leftovers()?,
        scene.log()
    );
    let found = scene.call_well("inquire", "#NULL\n")?;
    ensure!(found.all("#BACKUP").len() == 1, "{found:?}");
    Ok(())
}

/// Killed while it begins, reads, stores, describes, answers or ends: what an inquiry shows afterwards is whole.
fn killed_at_any_moment(scene: &Scene) -> Result<()> {
    const ROUNDS: u32 = 8;
    let path = scene.path("file");
    let mut content = vec![0; 24 * MIB];
    rand::Rng::fill_bytes(&mut rand::rng(), &mut content);
    fs::write(&path, &content)?;
    let asked = about("#FILE", &path);
    let began = Instant::now();
    scene.call_well("backup", &asked)?;
    let usual = began.elapsed();

    for _ in 0..ROUNDS {
        let mut running = scene.start("backup", &asked)?;
        // The moment is another one each time; nothing is waited for.
        std::thread::sleep(usual.mul_f64(rand::random_range(0.0..1.2)));
        running.process.kill()?;
        let told = fs::read_to_string(&running.answers)?.contains("#SAVED");
        let found = scene.call_well("inquire", "#NULL\n")?.all("#BACKUP");
        ensure!(!found.is_empty(), "the first one is gone");
        let to = scene.path("back");
        for (number, answer) in found.iter().enumerate() {
            scene.call_well("restore", &back(&answer[0], &path, &to))?;
            ensure!(
                fs::read(&to)? == content,
                "object {number} of {found:?} differs"
            );
            let gone = line("#EBID", &[&answer[0], &path.display().to_string()]);
            // All but the last one go, so that a round takes as long as the one before.
            if number + 1 < found.len() {
                scene.call_well("delete", &gone)?;
            }
        }
        ensure!(
            !told || found.len() == 2,
            "told as saved and not found: {found:?}"
        );
    }
    scene.call_well("backup", &asked)?;
    ensure!(
        scene.leftovers()?.is_empty(),
        "{:?}\n{}",
        scene.leftovers()?,
        scene.log()
    );
    Ok(())
}

fn no_room_for_answers(scene: &Scene) -> Result<()> {
    let path = scene.path("file");
    fs::write(&path, "content")?;
    let (mut options, answers) = scene.options("backup", &about("#FILE", &path))?;
    let answers = answers.display().to_string();
    for option in &mut options {
        if *option == answers {
            "/dev/full".clone_into(option);
        }
    }
    let words: Vec<_> = std::iter::once("backint")
        .chain(options.iter().map(String::as_str))
        .collect();
    let ended = called_as(BACKUPX.as_ref(), &words)?;
    ensure!(ended.code == Some(1), "{ended:?}");
    ensure!(ended.stderr.contains("output file"), "{ended:?}");
    Ok(())
}

fn stopped(scene: &Scene) -> Result<()> {
    let (running, pipe) = half_way(scene, 40)?;
    something_there(scene)?;
    running.process.signal(Signal::TERM)?;
    let called = running.end()?;
    drop(pipe);
    ensure!(called.code == Some(1), "{called:?}");
    ensure!(
        called.answers.len() == 1 && called.all("#ERROR").len() == 1,
        "{called:?}"
    );
    ensure!(
        scene.place.objects()?.is_empty(),
        "{:?}",
        scene.place.objects()?
    );
    nothing_found(scene)
}

fn storage_fails(s3: S3) -> Result<()> {
    let way = Proxy::before(&s3.endpoint)?;
    let scene = Scene::on_s3(s3)?;
    let mut storage = scene.storage();
    storage["endpoint"] = way.url().into();
    scene.set_storage(&storage, &[])?;
    let good = scene.path("file");
    fs::write(&good, "content")?;
    let (running, mut pipe) = half_way(&scene, 40)?;
    something_there(&scene)?;
    drop(way);
    // The reader goes when storage has failed; a database is told the same by its pipe.
    let broke = wait_for("the pipe to break", LIMIT, || Ok(noise(&mut pipe, 1).err()))?;
    drop(pipe);
    let broke = broke
        .downcast_ref::<std::io::Error>()
        .context("no broken pipe")?;
    ensure!(broke.kind() == std::io::ErrorKind::BrokenPipe, "{broke}");
    let called = running.end()?;
    ensure!(called.code == Some(1), "{called:?}");
    ensure!(
        called.answers.len() == 1 && called.all("#ERROR").len() == 1,
        "{called:?}"
    );

    scene.set(&[])?;
    nothing_found(&scene)?;
    scene.call_well("backup", &about("#FILE", &good))?;
    Ok(())
}

fn no_secret(s3: S3) -> Result<()> {
    const SECRET: &str = "a-secret-that-nobody-may-see";
    let path_of = |scene: &Scene| scene.path("file");
    let scene = Scene::on_s3(s3)?;
    fs::write(path_of(&scene), "content")?;
    scene.call_well("backup", &about("#FILE", &path_of(&scene)))?;
    let Place::Bucket(s3, _) = &scene.place else {
        return Ok(());
    };
    ensure!(!scene.log().contains(&s3.secret), "{}", scene.log());

    let mut storage = scene.storage();
    storage["secretAccessKey"] = SECRET.into();
    scene.set_storage(&storage, &[])?;
    for (function, input) in [
        ("backup", about("#FILE", &path_of(&scene))),
        ("inquire", "#NULL\n".to_owned()),
    ] {
        let called = scene.call(function, &input)?;
        ensure!(called.code == Some(1), "{called:?}");
        ensure!(called.all("#ERROR").len() == 1, "{called:?}");
        ensure!(!called.said.contains(SECRET), "{called:?}");
    }
    ensure!(!scene.log().contains(SECRET), "{}", scene.log());
    Ok(())
}

fn readable(scene: &Scene) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    const SECRET: &str = "a-secret-that-nobody-may-see";
    let path = scene.path("backint.ini");
    let text = format!(
        "STORAGE_TYPE = s3\nSTORAGE_CONFIG_JSON = {{\"bucket\":\"b\",\"accessKeyId\":\"k\",\"secretAccessKey\":\"{SECRET}\"}}\n"
    );
    fs::write(&path, text)?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644))?;
    let called = scene.call("inquire", "#NULL\n")?;
    ensure!(called.code == Some(2), "{called:?}");
    ensure!(
        called.said.contains("chmod 600") && !called.said.contains(SECRET),
        "{called:?}"
    );
    Ok(())
}
