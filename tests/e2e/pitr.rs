//! A PostgreSQL cluster restored to a moment: its log archived while writes go on, its server destroyed, and exactly what was there then
//! comes back.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use libtest_mimic::Trial;
use serde_json::Value;
use tempfile::TempDir;

use super::scene::{HOST, Scene};
use super::support::cli::{Ended, finish};
use super::support::postgres::{Postgres, give};
use super::support::process::{BACKUPX, program};
use super::support::servers::program_trial;
use super::support::wait::wait_for;

/// A server archives or opens within this time.
const LIMIT: Duration = Duration::from_secs(60);

pub(crate) fn trials() -> Vec<Trial> {
    vec![program_trial(
        "pitr::a_destroyed_cluster_comes_back_as_it_was_at_a_moment",
        &["pg_lsclusters"],
        a_destroyed_cluster_comes_back_as_it_was_at_a_moment,
    )]
}

/// What a server needs to archive: the program, where its user may run it, settings, and storage.
struct Archive {
    folder: TempDir,
}

impl Archive {
    fn new() -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("backupx-wal-").tempdir()?;
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o711))?;
        let archive = Self { folder };
        fs::copy(BACKUPX, archive.program())?;
        fs::create_dir(archive.storage())?;
        give(&archive.storage())?;
        let settings = format!(
            "storage:\n  type: local\n  path: {}\nprefix: wal/main\n",
            archive.storage().display()
        );
        fs::write(archive.settings(), settings)?;
        Ok(archive)
    }

    fn program(&self) -> PathBuf {
        self.folder.path().join("backupx")
    }

    fn settings(&self) -> PathBuf {
        self.folder.path().join("wal.yaml")
    }

    fn storage(&self) -> PathBuf {
        self.folder.path().join("storage")
    }

    /// The setting of a server that archives here.
    fn command(&self) -> String {
        format!(
            "archive_command='{}' wal push --config '{}' '%p'",
            self.program().display(),
            self.settings().display()
        )
    }

    fn run(&self, words: &[&str]) -> Result<Ended> {
        let mut command = program(&self.program());
        command
            .arg("wal")
            .args(words)
            .arg("--config")
            .arg(self.settings());
        finish(&mut command)
    }

    /// What it can restore.
    fn listed(&self) -> Result<Value> {
        let ended = self.run(&["ls", "-o", "json"])?;
        ensure!(ended.code == Some(0), "{ended:?}");
        Ok(serde_json::from_str(&ended.stdout)?)
    }

    /// The file of a segment in storage.
    fn file_of(&self, segment: &str) -> Result<PathBuf> {
        let folder = self.storage().join("wal/main").join(&segment[..16]);
        fs::read_dir(&folder)?
            .filter_map(|entry| Some(entry.ok()?.path()))
            .find(|path| {
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                name.starts_with(segment) && !name.contains("backup")
            })
            .with_context(|| format!("{segment} is not archived"))
    }
}

/// Ends the segment that is written now, and waits until it is archived. Answers its name.
fn archived(server: &Postgres) -> Result<String> {
    let segment = server.sql("select pg_walfile_name(pg_switch_wal())")?;
    wait_for(&format!("segment {segment} in the archive"), LIMIT, || {
        let last = server.sql("select coalesce(last_archived_wal, '') from pg_stat_archiver")?;
        Ok((last >= segment).then_some(()))
    })?;
    Ok(segment)
}

fn note(server: &Postgres, text: &str) -> Result<()> {
    server
        .sql(&format!("insert into ledger values ('{text}')"))
        .map(drop)
}

fn noted(server: &Postgres) -> Result<String> {
    server.sql("select string_agg(entry, ' ' order by at) from ledger")
}

/// A server on a restored folder, once it has opened for writing.
fn opened(data: &Path) -> Result<Postgres> {
    let server = Postgres::on(data)?;
    wait_for("the end of a recovery", LIMIT, || {
        Ok((server.sql("select pg_is_in_recovery()")? == "f").then_some(()))
    })?;
    Ok(server)
}

fn a_destroyed_cluster_comes_back_as_it_was_at_a_moment() -> Result<()> {
    let archive = Archive::new()?;
    let mut scene = Scene::start()?;
    scene.local_target("storage")?;
    // The server's user runs what the restore_command names.
    scene.agent.stop()?;
    scene.agent.become_program(&archive.program());
    scene.agent.resume()?;
    scene.agent.wait_until_online(&scene.cli)?;

    let mut server = Postgres::with_settings(&["archive_mode=on".to_owned(), archive.command()])?;
    server.sql("create table ledger (entry text, at timestamptz default clock_timestamp())")?;
    note(&server, "before")?;
    archived(&server)?;

    let settings = [
        "format=physical".to_owned(),
        format!("walArchive={}", archive.settings().display()),
        "host=127.0.0.1".to_owned(),
        format!("port={}", server.port()),
        "user=backupx".to_owned(),
        format!("tools={}", server.tools().display()),
    ];
    let mut add = [
        "task",
        "add",
        "cluster",
        "--type",
        "postgresql",
        "--node",
        HOST,
    ]
    .map(str::to_owned)
    .to_vec();
    add.extend(["--target", "storage", "--encrypt"].map(str::to_owned));
    add.extend(
        settings
            .into_iter()
            .flat_map(|one| ["--set".to_owned(), one]),
    );
    scene.cli.json(add)?;
    let tried = scene.cli.json(["task", "test", "cluster"])?;
    ensure!(
        tried["ok"] == true && tried.to_string().contains("the log is archived"),
        "{tried:#}"
    );
    let id = scene.run_well("cluster")?.to_string();
    scene
        .cli
        .json(["record", "verify", &id, "--mode", "full", "--wait"])?;

    // Writes go on, and the moment lies between two of them.
    note(&server, "first")?;
    archived(&server)?;
    let moment = server.sql(
        "select to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')",
    )?;
    note(&server, "second")?;
    let between = archived(&server)?;
    note(&server, "third")?;
    archived(&server)?;
    note(&server, "never archived")?;
    server.crash()?;
    fs::remove_dir_all(server.data())?;

    // A piece that is missing is found before anything is offered or written.
    let file = archive.file_of(&between)?;
    let aside = file.with_extension("aside");
    fs::rename(&file, &aside)?;
    let broken = archive.listed()?;
    ensure!(broken["bases"][0]["missing"] == between, "{broken:#}");
    ensure!(
        broken["bases"][0]["until"].as_str() < Some(moment.as_str()),
        "{broken:#}"
    );
    let data = archive.folder.path().join("restored");
    fs::create_dir(&data)?;
    give(&data)?;
    for until in ["latest", &moment] {
        let refused = restore(&scene, &id, &data, Some(until))?;
        ensure!(
            refused.code == Some(1) && refused.stdout.contains(&between),
            "{refused:?}"
        );
        ensure!(
            fs::read_dir(&data)?.next().is_none(),
            "something was written"
        );
    }
    fs::rename(&aside, &file)?;
    let whole = archive.listed()?;
    ensure!(whole["bases"][0]["missing"].is_null(), "{whole:#}");
    ensure!(
        whole["bases"][0]["until"].as_str() > Some(moment.as_str()),
        "{whole:#}"
    );

    let done = restore(&scene, &id, &data, Some(&moment))?;
    ensure!(
        done.code == Some(0),
        "{done:?}\n{}",
        scene.agent.last_words()
    );
    {
        let restored = opened(&data)?;
        ensure!(noted(&restored)? == "before first", "{}", noted(&restored)?);
        // It is a server like any other, and none that goes on archiving over the old one's log.
        note(&restored, "goes on")?;
    }

    // As far as the log goes, and not at all.
    for (name, until, entries) in [
        ("latest", Some("latest"), "before first second third"),
        ("copy", None, "before"),
    ] {
        let data = archive.folder.path().join(name);
        fs::create_dir(&data)?;
        give(&data)?;
        let done = restore(&scene, &id, &data, until)?;
        ensure!(done.code == Some(0), "{done:?}");
        let restored = opened(&data)?;
        ensure!(
            noted(&restored)? == entries,
            "{name}: {}",
            noted(&restored)?
        );
    }

    // What is absent is told from what can't be asked.
    let target = archive.folder.path().join("fetched").display().to_string();
    let absent = archive.run(&["fetch", "0000000100000000000000FF", &target])?;
    ensure!(absent.code == Some(1), "{absent:?}");
    fs::rename(archive.storage(), archive.folder.path().join("away"))?;
    let unknown = archive.run(&["fetch", "0000000100000000000000FF", &target])?;
    ensure!(unknown.code == Some(255), "{unknown:?}");
    Ok(())
}

fn restore(scene: &Scene, id: &str, data: &Path, until: Option<&str>) -> Result<Ended> {
    let mut words = vec!["restore".to_owned(), id.to_owned()];
    words.extend(["--set".to_owned(), format!("dataDir={}", data.display())]);
    words.extend(
        until
            .into_iter()
            .flat_map(|until| ["--set".to_owned(), format!("until={until}")]),
    );
    words.extend(["--wait", "-o", "json"].map(str::to_owned));
    scene.cli.run(words)
}
