//! Databases from an agent to storage and back: a real PostgreSQL server, SQLite files, and tools that lie.

use std::env;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use libtest_mimic::{Completion, Trial};
use serde_json::Value;

use super::scene::{HOST, Scene};
use super::support::cli::finish;
use super::support::servers::{failed, program_trial, trial};

pub(crate) fn trials() -> Vec<Trial> {
    let mut trials = vec![
        server_trial(
            "databases::postgresql_goes_to_storage_and_comes_back",
            postgresql_goes_to_storage_and_comes_back,
        ),
        server_trial(
            "databases::a_password_is_kept_and_never_shown",
            a_password_is_kept_and_never_shown,
        ),
        program_trial(
            "databases::one_sqlite_file_of_many_comes_back_alone",
            &["sqlite3"],
            one_sqlite_file_of_many_comes_back_alone,
        ),
        trial(
            "databases::never_30_a_password_goes_to_its_own_server_alone",
            never_30_a_password_goes_to_its_own_server_alone,
        ),
        trial(
            "databases::a_source_that_can_not_be_read_is_said_on_save",
            a_source_that_can_not_be_read_is_said_on_save,
        ),
    ];
    trials.extend(LIES.iter().map(|(name, script, code)| {
        let trial = format!("databases::never_01_pg_dump_that_{name}");
        server_trial(&trial, move |server| {
            never_01_a_tool_that_lies(&server, name, script, code)
        })
    }));
    trials
}

/// The server that `tests/run` started.
pub(crate) struct Server {
    port: String,
}

/// A trial that needs it. Without one it is ignored with the reason, or fails when all are required.
pub(crate) fn server_trial(
    name: &str,
    body: impl FnOnce(Server) -> Result<()> + Send + 'static,
) -> Trial {
    Trial::ignorable_test(name, move || match Server::find() {
        Ok(server) => body(server).map(|()| Completion::Completed).map_err(failed),
        Err(missing) if env::var_os("BACKUPX_TEST_REQUIRE_ALL").is_some() => Err(failed(missing)),
        Err(missing) => Ok(Completion::ignored_with(format!("{missing:#}"))),
    })
}

impl Server {
    fn find() -> Result<Self> {
        let url = env::var("BACKUPX_TEST_POSTGRES_URL").context(
            "BACKUPX_TEST_POSTGRES_URL is not set; `tests/run` starts the server and sets it",
        )?;
        let port = url
            .split([':', '/'])
            .rev()
            .nth(1)
            .context("the URL has no port")?;
        Ok(Self {
            port: port.to_owned(),
        })
    }

    /// The arguments of a task that reads it.
    pub(crate) fn settings(&self) -> Vec<String> {
        let pairs = [
            "host=127.0.0.1".to_owned(),
            format!("port={}", self.port),
            "user=backupx".to_owned(),
        ];
        pairs
            .into_iter()
            .flat_map(|pair| ["--set".to_owned(), pair])
            .collect()
    }

    pub(crate) fn sql(&self, database: &str, text: &str) -> Result<String> {
        let mut psql = Command::new("psql");
        psql.args([
            "-XAtqv",
            "ON_ERROR_STOP=1",
            "-h",
            "127.0.0.1",
            "-p",
            &self.port,
            "-U",
            "backupx",
            "-d",
            database,
            "-c",
            text,
        ]);
        let ended = finish(&mut psql)?;
        ensure!(ended.code == Some(0), "{text}: {}", ended.stderr);
        Ok(ended.stdout)
    }

    /// A new database of this name with something in it.
    pub(crate) fn database(&self, name: &str) -> Result<()> {
        self.drop_database(name)?;
        self.sql("postgres", &format!("CREATE DATABASE \"{name}\""))?;
        self.sql(
            name,
            "CREATE TABLE orders (id bigserial PRIMARY KEY, customer text, paid numeric(12,2), placed timestamptz, photo bytea);
             INSERT INTO orders (customer, paid, placed, photo)
               SELECT 'Jürgen ' || n, n / 7.0, timestamptz '2026-01-01' + n * interval '1 minute', decode(md5(n::text), 'hex') FROM generate_series(1, 20000) n;
             CREATE VIEW due AS SELECT customer FROM orders WHERE paid > 100;
             CREATE TABLE \"odd name\" (\"a b\" text); INSERT INTO \"odd name\" VALUES ('x');",
        )?;
        Ok(())
    }

    pub(crate) fn drop_database(&self, name: &str) -> Result<()> {
        self.sql(
            "postgres",
            &format!("DROP DATABASE IF EXISTS \"{name}\" WITH (FORCE)"),
        )
        .map(drop)
    }

    /// A checksum over everything in it.
    fn checksum(&self, name: &str) -> Result<String> {
        self.sql(
            name,
            "SELECT count(*), md5(string_agg(orders::text, ',' ORDER BY id)), (SELECT count(*) FROM due), (SELECT \"a b\" FROM \"odd name\"), nextval('orders_id_seq') FROM orders",
        )
    }
}

/// A task of that type on the agent of the scene.
pub(crate) fn add(scene: &Scene, name: &str, kind: &str, more: &[String]) -> Result<Value> {
    let words = [
        "task", "add", name, "--type", kind, "--node", HOST, "--target", "storage",
    ];
    scene.cli.json(
        words
            .map(str::to_owned)
            .into_iter()
            .chain(more.iter().cloned()),
    )
}

fn postgresql_goes_to_storage_and_comes_back(server: Server) -> Result<()> {
    let scene = Scene::start()?;
    scene.local_target("storage")?;
    let names = ["e2e shop", "e2e_other", "e2e_left_out"];
    for name in names {
        server.database(name)?;
    }
    let mut settings = server.settings();
    for word in [
        "--database",
        "e2e shop",
        "--database",
        "e2e_other",
        "--database",
        "e2e_left_out",
        "--exclude",
        "*left*",
    ] {
        settings.push(word.to_owned());
    }
    add(&scene, "shop", "postgresql", &settings)?;
    let tried = scene.cli.json(["task", "test", "shop"])?;
    ensure!(tried["ok"] == true, "{tried:#}");
    let found = tried["databases"].as_array().context("no databases")?;
    ensure!(
        found
            .iter()
            .any(|database| database["name"] == "e2e_left_out"),
        "{tried:#}"
    );

    let id = scene.run_well("shop")?.to_string();
    scene
        .cli
        .json(["record", "verify", &id, "--mode", "full", "--wait"])?;
    let files = scene.cli.json(["record", "files", &id])?;
    let listed: Vec<_> = files["entries"]
        .as_array()
        .or_else(|| files["items"].as_array())
        .context("no entries")?
        .iter()
        .filter_map(|entry| entry["name"].as_str())
        .collect();
    ensure!(
        listed.contains(&"e2e_shop.dump") && listed.contains(&"e2e_other.dump"),
        "{listed:?}"
    );
    ensure!(
        !listed.iter().any(|name| name.contains("left")),
        "{listed:?}"
    );

    // Under another name beside the first, which is refused a second time and replaced when asked for.
    let again = [
        "restore",
        &id,
        "--include",
        "e2e shop",
        "--set",
        "database=e2e_again",
        "--wait",
    ];
    server.drop_database("e2e_again")?;
    scene.cli.json(again)?;
    let restored = server.checksum("e2e_again")?;
    let refused = scene.cli.run(again.into_iter().chain(["-o", "json"]))?;
    ensure!(
        refused.code == Some(1) && refused.stdout.contains("database_exists"),
        "{refused:?}"
    );
    scene
        .cli
        .json(again.into_iter().chain(["--overwrite", "always"]))?;
    ensure!(
        server.checksum("e2e_again")? == restored,
        "it differs after it was replaced"
    );
    ensure!(
        server.checksum("e2e shop")? == restored,
        "the restored database differs"
    );

    // As files, by the master and without it: the tool reads them.
    let to = scene.path("dumps");
    scene
        .cli
        .json(["restore", &id, "--to", &to.display().to_string(), "--wait"])?;
    let mut list = Command::new("pg_restore");
    let ended = finish(list.arg("--list").arg(to.join("e2e_shop.dump")))?;
    ensure!(ended.stdout.contains("odd name"), "{ended:?}");
    for name in names.into_iter().chain(["e2e_again"]) {
        server.drop_database(name)?;
    }
    Ok(())
}

fn a_password_is_kept_and_never_shown(server: Server) -> Result<()> {
    let scene = Scene::start()?;
    scene.local_target("storage")?;
    server.database("e2e_secret")?;
    let mut settings = server.settings();
    settings
        .extend(["--database", "e2e_secret", "--set", "password=hunter2-e2e"].map(str::to_owned));
    let task = add(&scene, "secret", "postgresql", &settings)?;
    ensure!(
        task["secretsSet"] == serde_json::json!(["password"]),
        "{task:#}"
    );
    let id = scene.run_well("secret")?.to_string();
    for shown in [
        scene.cli.json(["task", "show", "secret"])?.to_string(),
        scene.cli.json(["record", "show", &id])?.to_string(),
        scene.cli.run(["record", "logs", &id])?.stdout,
        scene.master.last_words(),
        scene.agent.last_words(),
    ] {
        ensure!(!shown.contains("hunter2-e2e"), "{shown}");
    }
    // Nothing of it lies in storage or beside the database either.
    let mut grep = Command::new("grep");
    let found = finish(
        grep.args(["-ral", "hunter2-e2e"])
            .arg(scene.path("storage")),
    )?;
    ensure!(found.stdout.is_empty(), "{found:?}");
    server.drop_database("e2e_secret")
}

/// A server whose task's password would be had by whoever listens where it is sent.
fn never_30_a_password_goes_to_its_own_server_alone() -> Result<()> {
    let scene = Scene::start()?;
    scene.local_target("storage")?;
    let settings = [
        "--set",
        "host=127.0.0.1",
        "--set",
        "port=1",
        "--set",
        "user=u",
        "--set",
        "password=hunter2",
    ]
    .map(str::to_owned);
    add(&scene, "moved", "postgresql", &settings)?;
    let moved = scene
        .cli
        .run(["task", "edit", "moved", "--set", "port=2", "-o", "json"])?;
    ensure!(
        moved.code == Some(1) && moved.stderr.contains("password"),
        "{moved:?}"
    );
    let given = scene.cli.json([
        "task",
        "edit",
        "moved",
        "--set",
        "port=2",
        "--set",
        "password=other",
    ])?;
    ensure!(
        given["secretsSet"] == serde_json::json!(["password"]),
        "{given:#}"
    );
    let other = scene
        .cli
        .json(["task", "edit", "moved", "--set", "user=v"])?;
    ensure!(
        other["secretsSet"] == serde_json::json!(["password"]),
        "{other:#}"
    );
    let removed = scene
        .cli
        .json(["task", "edit", "moved", "--set", "password="])?;
    ensure!(
        removed["secretsSet"] == serde_json::json!([]),
        "{removed:#}"
    );
    Ok(())
}

fn a_source_that_can_not_be_read_is_said_on_save() -> Result<()> {
    let scene = Scene::start()?;
    scene.local_target("storage")?;
    let words = [
        "task",
        "add",
        "away",
        "--type",
        "postgresql",
        "--node",
        HOST,
        "--target",
        "storage",
    ];
    let saved =
        scene.cli.run(
            words
                .into_iter()
                .chain(["--set", "host=127.0.0.1", "--set", "port=1"]),
        )?;
    ensure!(saved.code == Some(0), "{saved:?}");
    ensure!(
        saved.stderr.contains("warning") && saved.stderr.contains("task test"),
        "{saved:?}"
    );
    let tried = scene.cli.run(["task", "test", "away", "-o", "json"])?;
    ensure!(
        tried.code == Some(1) && tried.json()?["ok"] == false,
        "{tried:?}"
    );
    let record = scene.run("away")?;
    ensure!(record["status"] == "failed", "{record:#}");
    Ok(())
}

fn one_sqlite_file_of_many_comes_back_alone() -> Result<()> {
    let scene = Scene::start()?;
    scene.local_target("storage")?;
    let folder = scene.path("databases");
    fs::create_dir_all(&folder)?;
    for number in 0..200 {
        sqlite(
            &folder.join(format!("n{number}.db")),
            &format!(
                "CREATE TABLE t (n INTEGER, s TEXT); INSERT INTO t VALUES ({number}, 'grün');"
            ),
        )?;
    }
    let settings = ["--source".to_owned(), format!("{}/*.db", folder.display())];
    add(&scene, "many", "sqlite", &settings)?;
    let id = scene.run_well("many")?.to_string();
    let record = scene.record(id.parse()?)?;
    ensure!(record["counts"]["files"] == 200, "{record:#}");
    let back = scene.path("back.db").display().to_string();
    let done = scene.cli.json([
        "restore",
        &id,
        "--include",
        &folder.join("n137.db").display().to_string(),
        "--set",
        &format!("path={back}"),
        "--wait",
    ])?;
    ensure!(done["report"]["restoredEntries"] == 1, "{done:#}");
    ensure!(
        sqlite(Path::new(&back), "SELECT n, s FROM t")? == "137|grün\n",
        "it holds something else"
    );
    Ok(())
}

pub(crate) fn sqlite(file: &Path, text: &str) -> Result<String> {
    let ended = finish(Command::new("sqlite3").arg(file).arg(text))?;
    ensure!(ended.code == Some(0), "{ended:?}");
    Ok(ended.stdout)
}

/// What a pg_dump does instead of its work, and the code of the run's failure.
const LIES: [(&str, &str, &str); 5] = [
    (
        "fails",
        "echo 'pg_dump: error: out of memory' >&2; exit 1",
        "dump_failed",
    ),
    ("writes_nothing", "exit 0", "dump_incomplete"),
    (
        "stops_half_way",
        "printf 'CREATE TABLE a ('; exit 0",
        "dump_incomplete",
    ),
    (
        "is_killed",
        "printf 'CREATE TABLE a ('; kill -9 $$",
        "dump_failed",
    ),
    (
        "hangs",
        "printf 'CREATE TABLE a ('; sleep 600",
        "time_limit",
    ),
];

/// The other tools are the real ones, and so is the server.
fn never_01_a_tool_that_lies(server: &Server, name: &str, script: &str, code: &str) -> Result<()> {
    let scene = Scene::start()?;
    scene.local_target("storage")?;
    let tools = scene.path("tools");
    fs::create_dir_all(&tools)?;
    for real in ["psql", "pg_restore", "pg_dumpall"] {
        symlink(Path::new(POSTGRESQL_15).join(real), tools.join(real))?;
    }
    let version = "case \"$*\" in *--version*) echo 'pg_dump (PostgreSQL) 15.18'; exit 0;; esac";
    tool(
        &tools,
        "pg_dump",
        &format!("#!/bin/sh\n{version}\n{script}\n"),
    )?;
    let database = format!("e2e_lies_{name}");
    server.database(&database)?;
    let mut settings = server.settings();
    settings.extend(
        [
            "--set",
            "format=plain",
            "--set",
            "accounts=false",
            "--set",
            &format!("tools={}", tools.display()),
            "--database",
            &database,
            "--time-limit",
            "5s",
        ]
        .map(str::to_owned),
    );
    add(&scene, "lies", "postgresql", &settings)?;
    let record = scene.run("lies")?;
    ensure!(
        record["status"] == "failed",
        "a lie was believed: {record:#}"
    );
    ensure!(
        record["error"]["code"] == code,
        "{record:#}\n{}",
        scene.agent.last_words()
    );
    let copies = record["copies"].to_string();
    ensure!(!copies.contains("\"good\""), "{copies}");
    server.drop_database(&database)
}

/// Where Debian keeps the tools of the server that `tests/run` starts.
const POSTGRESQL_15: &str = "/usr/lib/postgresql/15/bin";

fn tool(folder: &Path, name: &str, script: &str) -> Result<()> {
    let path = folder.join(name);
    fs::write(&path, script)?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
    Ok(())
}
