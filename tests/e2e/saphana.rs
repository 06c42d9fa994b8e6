//! SAP HANA from an agent to storage and back, with the stand-in for hdbsql that the tests of its source have.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use libtest_mimic::Trial;
use serde_json::{Value, json};

use super::databases::add;
use super::scene::Scene;
use super::support::cli::finish;
use super::support::servers::program_trial;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        program_trial(
            "saphana::a_tenant_goes_to_storage_and_comes_back",
            &["python3", "tar"],
            a_tenant_goes_to_storage_and_comes_back,
        ),
        program_trial(
            "saphana::never_01_a_backup_without_its_files_is_never_green",
            &["python3"],
            never_01_a_backup_without_its_files_is_never_green,
        ),
        program_trial(
            "saphana::settings_that_do_not_go_together_are_refused_on_save",
            &["python3"],
            settings_that_do_not_go_together_are_refused_on_save,
        ),
    ]
}

/// The password of the stand-in's user.
const PASSWORD: &str = "testsecret";

/// A system of the stand-in.
struct System(PathBuf);

impl System {
    fn install(folder: PathBuf) -> Result<Self> {
        fs::create_dir_all(&folder)?;
        let script = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/adapters/sources/tests/saphana/hana.py"
        );
        let mut python = Command::new("python3");
        python.arg(script).arg("install").arg(&folder);
        let ended = finish(&mut python)?;
        ensure!(ended.code == Some(0), "{ended:?}");
        Ok(Self(folder))
    }

    fn data(&self) -> PathBuf {
        self.0.join("backups/data")
    }

    fn file(&self) -> PathBuf {
        self.0.join("world/world.json")
    }

    fn world(&self) -> Result<Value> {
        Ok(serde_json::from_str(&fs::read_to_string(self.file())?)?)
    }

    fn change(&self, pointer: &str, key: &str, value: &str) -> Result<()> {
        let mut world = self.world()?;
        world.pointer_mut(pointer).context("no such place")?[key] = json!(value);
        Ok(fs::write(self.file(), world.to_string())?)
    }

    fn content(&self, database: &str) -> Result<Value> {
        Ok(self.world()?["databases"][database]["content"].clone())
    }

    /// What a task that reads it is told.
    fn settings(&self, more: &[&str]) -> Vec<String> {
        let tools = format!("tools={}", self.0.display());
        let folder = format!("folder={}", self.data().display());
        let password = format!("password={PASSWORD}");
        let pairs = ["host=127.0.0.1", "port=30013", "user=BACKUP", "tls=require"];
        let pairs = pairs.into_iter().chain([&*password, &*tools, &*folder]);
        pairs
            .chain(more.iter().copied())
            .flat_map(|pair| ["--set".to_owned(), pair.to_owned()])
            .collect()
    }
}

fn nothing_in(folder: &Path) -> Result<()> {
    let left: Vec<_> = fs::read_dir(folder)?.flatten().collect();
    ensure!(left.is_empty(), "{left:?}");
    Ok(())
}

fn a_tenant_goes_to_storage_and_comes_back() -> Result<()> {
    let scene = Scene::start()?;
    scene.local_target("storage")?;
    let system = System::install(scene.path("hana"))?;
    add(
        &scene,
        "hana",
        "saphana",
        &system.settings(&["database=T1", "retries=1", "retryWaitSecs=0"]),
    )?;
    let tried = scene.cli.json(["task", "test", "hana"])?;
    ensure!(tried["ok"] == true, "{tried:#}");
    ensure!(tried["databases"][0]["name"] == "SYSTEMDB", "{tried:#}");
    let shown = scene.cli.run(["task", "show", "hana"])?.stdout;
    for word in ["saphana on 127.0.0.1:30013", "full", "file", "T1"] {
        ensure!(shown.contains(word), "{word}: {shown}");
    }
    let id = scene.run_well("hana")?.to_string();
    nothing_in(&system.data())?;
    scene
        .cli
        .json(["record", "verify", &id, "--mode", "full", "--wait"])?;

    // In its place, only when that is asked for.
    system.change("/databases/T1", "content", "changed since")?;
    let back = ["restore", &id, "--wait"];
    let refused = scene.cli.run(back.into_iter().chain(["-o", "json"]))?;
    ensure!(
        refused.code == Some(1) && refused.stdout.contains("database_exists"),
        "{refused:?}"
    );
    scene
        .cli
        .json(back.into_iter().chain(["--overwrite", "always"]))?;
    ensure!(system.content("T1")? == "first tenant");
    // Beside it, under another name.
    scene
        .cli
        .json(back.into_iter().chain(["--set", "database=T9"]))?;
    ensure!(system.content("T9")? == "first tenant");
    nothing_in(&system.data())?;

    // As files, called as HANA called them.
    let to = scene.path("dumps");
    scene
        .cli
        .json(["restore", &id, "--to", &to.display().to_string(), "--wait"])?;
    let mut tar = Command::new("tar");
    tar.arg("-xf").arg(to.join("T1.tar")).arg("-C").arg(&to);
    let ended = finish(&mut tar)?;
    ensure!(ended.code == Some(0), "{ended:?}");
    let said: Value = serde_json::from_str(&fs::read_to_string(to.join("backup.json"))?)?;
    for part in said["parts"].as_array().context("parts")? {
        let path = Path::new(part["path"].as_str().context("a path")?);
        let size = fs::metadata(to.join(path.file_name().context("a name")?))?.len();
        ensure!(part["sizeBytes"] == size, "{part} {size}");
    }
    for shown in [
        scene.cli.json(["task", "show", "hana"])?.to_string(),
        scene.cli.run(["record", "logs", &id])?.stdout,
        scene.master.last_words(),
        scene.agent.last_words(),
    ] {
        ensure!(!shown.contains(PASSWORD), "{shown}");
    }
    Ok(())
}

fn never_01_a_backup_without_its_files_is_never_green() -> Result<()> {
    let scene = Scene::start()?;
    scene.local_target("storage")?;
    let system = System::install(scene.path("hana"))?;
    add(
        &scene,
        "lies",
        "saphana",
        &system.settings(&["database=SYSTEMDB,T1", "retries=0"]),
    )?;
    for (lie, code) in [
        ("fail", "dump_failed"),
        ("fail_quietly", "dump_failed"),
        ("no_files", "dump_incomplete"),
        ("short", "dump_incomplete"),
    ] {
        system.change("/behave", "backup", lie)?;
        let record = scene.run("lies")?;
        ensure!(
            record["status"] == "failed" && record["error"]["code"] == code,
            "{lie}: {record:#}\n{}",
            scene.agent.last_words()
        );
        let copies = record["copies"].to_string();
        ensure!(!copies.contains("\"good\""), "{copies}");
        nothing_in(&system.data())?;
    }
    Ok(())
}

fn settings_that_do_not_go_together_are_refused_on_save() -> Result<()> {
    let scene = Scene::start()?;
    scene.local_target("storage")?;
    let system = System::install(scene.path("hana"))?;
    for (more, field) in [
        (["channels=4", "via=file"], "source.channels"),
        (["level=log", "via=backint"], "source.via"),
        (["userStoreKey=BACKUP", "level=full"], "source.server.host"),
    ] {
        let words = [
            "task", "add", "wrong", "--type", "saphana", "--target", "storage",
        ];
        let words = words.map(str::to_owned).into_iter();
        let ended = scene.cli.run(
            words
                .chain(system.settings(&more))
                .chain(["-o".to_owned(), "json".to_owned()]),
        )?;
        let said = format!("{}{}", ended.stdout, ended.stderr);
        ensure!(
            ended.code == Some(1) && said.contains(field),
            "{field}: {said}"
        );
    }
    Ok(())
}
