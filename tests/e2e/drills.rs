//! Drills: backups restored into throw-away places on real servers, asked, and gone again.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use libtest_mimic::Trial;
use serde_json::{Value, json};

use super::databases::{Server, add, server_trial, sqlite};
use super::mysql;
use super::scene::{Scene, id_of};
use super::support::postgres::Postgres;
use super::support::servers::{program_trial, trial};
use super::support::wait::wait_for;

/// A drill of a test is where it should be within this time.
const LIMIT: Duration = Duration::from_secs(120);

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial(
            "drills::files_come_back_and_are_looked_for",
            files_come_back_and_are_looked_for,
        ),
        program_trial(
            "drills::a_sqlite_file_is_restored_and_asked",
            &["sqlite3"],
            a_sqlite_file_is_restored_and_asked,
        ),
        server_trial(
            "drills::a_scratch_database_is_asked_and_dropped",
            a_scratch_database_is_asked_and_dropped,
        ),
        server_trial(
            "drills::a_throwaway_postgresql_comes_up_and_is_gone",
            a_throwaway_postgresql_comes_up_and_is_gone,
        ),
        server_trial(
            "drills::a_drill_that_is_stopped_leaves_nothing",
            a_drill_that_is_stopped_leaves_nothing,
        ),
        server_trial(
            "drills::never_24_a_killed_agent_leaves_nothing_after_its_start",
            never_24_a_killed_agent_leaves_nothing_after_its_start,
        ),
        program_trial(
            "drills::a_physical_copy_comes_up_as_a_server",
            &["pg_lsclusters"],
            a_physical_copy_comes_up_as_a_server,
        ),
        mysql::server_trial(
            "drills::a_throwaway_mariadb_comes_up_and_is_gone",
            a_throwaway_mariadb_comes_up_and_is_gone,
        ),
        mysql::server_trial(
            "drills::never_30_the_password_of_a_scratch_server_is_its_own",
            never_30_the_password_of_a_scratch_server_is_its_own,
        ),
    ]
}

/// Drills a record to its end; answers the operation, and that it ended as the exit code says.
pub(crate) fn drill(scene: &Scene, record: &str, more: &[&str]) -> Result<Value> {
    let words = [
        "record", "verify", record, "--mode", "drill", "--wait", "-o", "json",
    ];
    let ended = scene.cli.run(words.iter().chain(more))?;
    let operation = ended
        .json()
        .with_context(|| format!("{ended:?}\nagent:\n{}", scene.agent.last_words()))?;
    let good = operation["status"] == "success";
    ensure!(ended.code == Some(i32::from(!good)), "{ended:?}");
    Ok(operation)
}

/// What a drill that held answered.
fn held(scene: &Scene, record: &str, more: &[&str]) -> Result<Value> {
    let operation = drill(scene, record, more)?;
    ensure!(
        operation["status"] == "success",
        "{operation:#}\nagent:\n{}",
        scene.agent.last_words()
    );
    Ok(operation["report"].clone())
}

/// The report of a drill that did not hold, for a reason that says all of this.
fn failed(scene: &Scene, record: &str, more: &[&str], why: &[&str]) -> Result<Value> {
    let operation = drill(scene, record, more)?;
    ensure!(
        operation["status"] == "failed" && operation["error"]["code"] == "drill_failed",
        "{operation:#}"
    );
    let message = operation["error"]["message"].to_string();
    for part in why {
        ensure!(message.contains(part), "{part:?} is not in {message}");
    }
    Ok(operation["report"].clone())
}

/// Folders that drills of the agent with this process id made, and programs that work in them.
fn leftovers(agent: u32, folder: &Path) -> Result<Vec<String>> {
    let begin = format!("backupx-dump-{agent}-");
    let mut left = Vec::new();
    for folder in [folder, &std::env::temp_dir()] {
        for entry in fs::read_dir(folder)? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            if name.starts_with(&begin) {
                left.push(name);
            }
        }
    }
    for process in fs::read_dir("/proc")?.flatten() {
        // One that ended meanwhile has none.
        let arguments = fs::read(process.path().join("cmdline")).unwrap_or_default();
        let arguments = String::from_utf8_lossy(&arguments).replace('\0', " ");
        if arguments.contains(&begin) {
            left.push(format!("{}: {arguments}", process.file_name().display()));
        }
    }
    Ok(left)
}

fn nothing_is_left(scene: &Scene) -> Result<()> {
    let agent = scene.agent.id().context("the agent runs")?;
    let left = leftovers(agent, &scene.agent.folder())?;
    ensure!(left.is_empty(), "{left:?} is left");
    Ok(())
}

/// Begins a drill; answers the operation's id.
fn begin(scene: &Scene, record: &str, more: &[&str]) -> Result<String> {
    let words = ["record", "verify", record, "--mode", "drill"];
    let operation = scene.cli.json(words.iter().chain(more))?;
    Ok(id_of(&operation)?.to_string())
}

/// Waits until the log of an operation has a line with this.
fn logged(scene: &Scene, operation: &str, text: &str) -> Result<()> {
    wait_for(&format!("{text:?} in a log"), LIMIT, || {
        let log = scene.cli.run(["operation", "logs", operation])?.stdout;
        Ok(log.contains(text).then_some(()))
    })
}

/// Waits for the end of an operation.
fn ended(scene: &Scene, operation: &str) -> Result<Value> {
    wait_for("the end of an operation", LIMIT, || {
        let shown = scene.cli.json(["operation", "show", operation])?;
        Ok((shown["finishedAt"].is_string()).then_some(shown))
    })
}

fn files_come_back_and_are_looked_for() -> Result<()> {
    let scene = Scene::start()?;
    scene.local_target("storage")?;
    let tree = scene.path("tree");
    fs::create_dir_all(tree.join("sub"))?;
    fs::write(tree.join("sub/file"), vec![7; 100_000])?;
    fs::write(tree.join("other"), "x")?;
    let inside = tree.join("sub/file").display().to_string();
    let away = tree.join("gone").display().to_string();
    scene.task("tree", &tree, &["storage"], &["--assert-path", &inside])?;
    let id = scene.run_well("tree")?.to_string();

    // As the task says.
    let report = held(&scene, &id, &[])?;
    ensure!(report["place"] == "folder", "{report:#}");
    ensure!(
        report["answers"][0]["answer"] == "100000 bytes",
        "{report:#}"
    );
    ensure!(report["restoredBytes"] == 100_001, "{report:#}");
    nothing_is_left(&scene)?;

    // As somebody asks now.
    let more = [
        "--assert-path",
        away.as_str(),
        "--assert-path",
        inside.as_str(),
    ];
    let report = failed(&scene, &id, &more, &["1 of 2", "gone", "there is no"])?;
    ensure!(report["answers"][0]["ok"] == false, "{report:#}");
    ensure!(report["answers"][1]["ok"] == true, "{report:#}");
    nothing_is_left(&scene)?;
    let part = [
        "--include",
        inside.as_str(),
        "--assert-path",
        inside.as_str(),
    ];
    let report = held(&scene, &id, &part)?;
    ensure!(report["restoredBytes"] == 100_000, "{report:#}");

    // The copy is as good as it was, and what is wrong is said by its field.
    let record = scene.record(id.parse()?)?;
    ensure!(record["copies"][0]["status"] == "good", "{record:#}");
    for (words, field) in [
        (&["--assert-sql", "x: SELECT 1"][..], "assertions[0].type"),
        (&["--place", "throwaway"], "drill.place"),
        (&["--assert-path", "a/../b"], "assertions[0].path"),
    ] {
        let drill = ["record", "verify", &id, "--mode", "drill"];
        let refused = scene.cli.run(drill.iter().chain(words))?;
        ensure!(
            refused.code == Some(1) && refused.stderr.contains(field),
            "{refused:?}"
        );
    }
    let refused = scene
        .cli
        .run(["record", "verify", &id, "--place", "folder"])?;
    ensure!(refused.code == Some(2), "{refused:?}");
    Ok(())
}

fn a_sqlite_file_is_restored_and_asked() -> Result<()> {
    let scene = Scene::start()?;
    scene.local_target("storage")?;
    let file = scene.path("app.db");
    sqlite(
        &file,
        "CREATE TABLE orders (n INTEGER, at TEXT); WITH RECURSIVE c(n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM c WHERE n < 100) \
         INSERT INTO orders SELECT n, datetime('now') FROM c",
    )?;
    let name = file.display().to_string();
    let rows = format!("{name}:orders=10%");
    let settings = ["--source", &name, "--assert-rows", &rows].map(str::to_owned);
    add(&scene, "app", "sqlite", &settings)?;
    let id = scene.run_well("app")?.to_string();
    let report = held(&scene, &id, &[])?;
    ensure!(report["answers"][0]["answer"] == "100", "{report:#}");
    ensure!(
        report["answers"][0]["expected"] == "100 within 10 %",
        "{report:#}"
    );
    let recent = format!("{name}: SELECT max(at) > datetime('now', '-1 day') FROM orders");
    let false_one = format!("{name}: SELECT count(*) > 1000 FROM orders");
    let writes = format!("{name}: WITH x AS (SELECT 1) DELETE FROM orders RETURNING 1");
    let more = [
        "--assert-sql",
        &recent,
        "--assert-sql",
        &false_one,
        "--assert-sql",
        &writes,
    ];
    let report = failed(&scene, &id, &more, &["2 of 3", "answered 0"])?;
    ensure!(report["answers"][0]["ok"] == true, "{report:#}");
    nothing_is_left(&scene)
}

fn a_scratch_database_is_asked_and_dropped(server: Server) -> Result<()> {
    let scene = Scene::start()?;
    scene.local_target("storage")?;
    server.database("e2e_drill")?;
    server.database("backupx_drill_bystander")?;
    // It has 2.5 % rows less wherever it is restored to.
    let fewer = "CREATE VIEW fewer AS SELECT 1 FROM orders WHERE id <= 19500 OR current_database() = 'e2e_drill'";
    server.sql("e2e_drill", fewer)?;
    let mut settings = server.settings();
    settings.extend(
        [
            "--database",
            "e2e_drill",
            "--drill-place",
            "server",
            "--assert-sql",
            "e2e_drill: SELECT max(placed) > now() - interval '300 years' FROM orders",
            "--assert-rows",
            "e2e_drill.orders=5%",
            "--assert-rows",
            "e2e_drill.public.odd name=0%",
            "--assert-rows",
            "e2e_drill.fewer=2%",
        ]
        .map(str::to_owned),
    );
    let task = add(&scene, "shop", "postgresql", &settings)?;
    ensure!(
        task["drill"]["place"] == json!({"type": "server"}),
        "{task:#}"
    );
    let id = scene.run_well("shop")?.to_string();
    // What came after the backup is not in it.
    server.sql("e2e_drill", "TRUNCATE orders")?;
    let why = [
        "1 of 4",
        "fewer",
        "answered 19500",
        "expected 20000 within 2 %",
    ];
    failed(&scene, &id, &[], &why)?;
    let wider = [
        "--assert-rows",
        "e2e_drill.orders=5%",
        "--assert-rows",
        "e2e_drill.fewer=3%",
    ];
    scene
        .cli
        .json(["task", "edit", "shop"].iter().chain(&wider))?;
    let report = held(&scene, &id, &[])?;
    ensure!(
        report["place"] == "server" && report["databases"] == json!(["e2e_drill"]),
        "{report:#}"
    );
    ensure!(report["answers"][0]["answer"] == "20000", "{report:#}");
    ensure!(
        report["answers"][0]["expected"] == "20000 within 5 %",
        "{report:#}"
    );

    // False, wrong, writing, and one that no backup has counted.
    let more = [
        "--place",
        "server",
        "--assert-sql",
        "e2e_drill: SELECT count(*) = 7 FROM orders",
        "--assert-sql",
        "e2e_drill: SELECT no_such_column FROM orders",
        "--assert-sql",
        "e2e_drill: WITH gone AS (DELETE FROM orders RETURNING 1) SELECT count(*) FROM gone",
        "--assert-sql",
        "other: SELECT 1",
        "--assert-rows",
        "e2e_drill.due=50%",
        "--assert-sql",
        "e2e_drill: SELECT count(*) FROM orders",
    ];
    let why = [
        "5 of 6",
        "e2e_drill: SELECT count(*) = 7 FROM orders",
        "answered f",
    ];
    let report = failed(&scene, &id, &more, &why)?;
    for (number, part) in [
        (1, "no_such_column"),
        (2, "read-only"),
        (3, "no database other"),
        (4, "20000"),
        (5, "no count"),
    ] {
        let answer = report["answers"][number]["answer"].to_string();
        ensure!(answer.contains(part), "{part:?} is not in {report:#}");
    }

    let shown = scene.cli.run(["task", "show", "shop"])?.stdout;
    ensure!(shown.contains("e2e_drill.orders within 5 %"), "{shown}");
    let databases = server.sql(
        "postgres",
        "SELECT datname FROM pg_database WHERE datname LIKE 'backupx!_drill!_%' ESCAPE '!'",
    )?;
    ensure!(databases.trim() == "backupx_drill_bystander", "{databases}");
    nothing_is_left(&scene)?;
    for name in ["e2e_drill", "backupx_drill_bystander"] {
        server.drop_database(name)?;
    }
    Ok(())
}

const SLEEPS: &str = "SELECT 1 FROM pg_sleep(600)";

/// Waits until a question that sleeps is asked of a database whose name begins like that.
fn asleep(server: &Server, begin: &str) -> Result<()> {
    let sql = format!(
        "SELECT count(*) FROM pg_stat_activity WHERE starts_with(datname, '{begin}') AND query LIKE '%pg_sleep(600)%'"
    );
    wait_for("a question that sleeps", LIMIT, || {
        Ok((server.sql("postgres", &sql)?.trim() != "0").then_some(()))
    })
}

fn scratch_databases(server: &Server, begin: &str) -> Result<String> {
    let sql = format!(
        "SELECT string_agg(datname, ' ') FROM pg_database WHERE starts_with(datname, '{begin}')"
    );
    Ok(server.sql("postgres", &sql)?.trim().to_owned())
}

fn a_throwaway_postgresql_comes_up_and_is_gone(server: Server) -> Result<()> {
    let scene = Scene::start()?;
    scene.local_target("storage")?;
    server.database("e2e_thrown")?;
    server.sql(
        "e2e_thrown",
        "DROP ROLE IF EXISTS e2e_owner; CREATE ROLE e2e_owner; ALTER TABLE orders OWNER TO e2e_owner; REVOKE CONNECT ON DATABASE e2e_thrown FROM PUBLIC",
    )?;
    let mut settings = server.settings();
    settings.extend(
        [
            "--database",
            "e2e_thrown",
            "--encrypt",
            "--assert-rows",
            "e2e_thrown.orders=0%",
            "--assert-sql",
            "e2e_thrown: SELECT tableowner = 'e2e_owner' FROM pg_tables WHERE tablename = 'orders'",
            "--assert-sql",
            "e2e_thrown: SELECT NOT rolsuper FROM pg_roles WHERE rolname = current_user",
        ]
        .map(str::to_owned),
    );
    add(&scene, "thrown", "postgresql", &settings)?;
    let id = scene.run_well("thrown")?.to_string();
    let report = held(&scene, &id, &[])?;
    ensure!(report["place"] == "throwaway", "{report:#}");
    let made_of = report["server"].as_str().unwrap_or_default();
    ensure!(made_of.starts_with("PostgreSQL "), "{report:#}");
    nothing_is_left(&scene)?;
    let more = [
        "--assert-sql",
        "e2e_thrown: SELECT pg_read_file('/etc/passwd') <> ''",
    ];
    failed(&scene, &id, &more, &["permission denied"])?;
    nothing_is_left(&scene)?;

    // Programs that are not there, and a restore that fails.
    let empty = scene.path("empty");
    fs::create_dir(&empty)?;
    let tools = format!("tools={}", empty.display());
    let more = ["--place", "throwaway", "--set", tools.as_str()];
    failed(&scene, &id, &more, &["came to no end", "empty"])?;
    nothing_is_left(&scene)?;
    server.drop_database("e2e_thrown")?;
    server.sql("postgres", "DROP ROLE e2e_owner").map(drop)
}

fn a_drill_that_is_stopped_leaves_nothing(server: Server) -> Result<()> {
    let scene = Scene::start()?;
    scene.local_target("storage")?;
    server.database("e2e_stopped")?;
    let mut settings = server.settings();
    settings.extend(["--database", "e2e_stopped"].map(str::to_owned));
    add(&scene, "stopped", "postgresql", &settings)?;
    let id = scene.run_well("stopped")?.to_string();
    let question = format!("e2e_stopped: {SLEEPS}");
    let slow = ["--place", "server", "--assert-sql", question.as_str()];

    let operation = begin(&scene, &id, &slow)?;
    let scratch = format!("backupx_drill_{operation}_");
    asleep(&server, &scratch)?;
    scene.cli.json(["operation", "cancel", &operation])?;
    let shown = ended(&scene, &operation)?;
    ensure!(shown["status"] == "cancelled", "{shown:#}");
    let left = scratch_databases(&server, &scratch)?;
    ensure!(left.is_empty(), "{left}");
    nothing_is_left(&scene)?;

    // A limit ends it as well, and its own words say so.
    let limited: Vec<_> = slow.into_iter().chain(["--time-limit", "3s"]).collect();
    failed(&scene, &id, &limited, &["not done within 3 s"])?;
    let left = scratch_databases(&server, "backupx_drill_")?;
    ensure!(!left.contains("e2e_stopped"), "{left}");
    nothing_is_left(&scene)?;
    server.drop_database("e2e_stopped")
}

fn never_24_a_killed_agent_leaves_nothing_after_its_start(server: Server) -> Result<()> {
    let mut scene = Scene::start()?;
    scene.local_target("storage")?;
    server.database("e2e_killed")?;
    let mut settings = server.settings();
    settings.extend(["--database", "e2e_killed"].map(str::to_owned));
    add(&scene, "killed", "postgresql", &settings)?;
    let id = scene.run_well("killed")?.to_string();
    let question = format!("e2e_killed: {SLEEPS}");

    for place in ["server", "throwaway"] {
        let slow = ["--place", place, "--assert-sql", question.as_str()];
        let operation = begin(&scene, &id, &slow)?;
        let scratch = format!("backupx_drill_{operation}_");
        match place {
            "server" => asleep(&server, &scratch)?,
            _ => logged(&scene, &operation, "e2e_killed is restored")?,
        }
        let agent = scene.agent.id().context("the agent runs")?;
        let folder = scene.agent.folder();
        scene.agent.kill()?;
        ensure!(
            !leftovers(agent, &folder)?.is_empty(),
            "nothing was under way"
        );
        scene.agent.resume()?;
        wait_for("a host on which nothing is left", LIMIT, || {
            let left = leftovers(agent, &folder)?;
            let databases = scratch_databases(&server, &scratch)?;
            Ok((left.is_empty() && databases.is_empty()).then_some(()))
        })
        .with_context(|| {
            format!(
                "{place}: {:?}\n{}",
                leftovers(agent, &folder),
                scene.agent.last_words()
            )
        })?;
        let shown = ended(&scene, &operation)?;
        ensure!(shown["status"] == "failed", "{shown:#}");
    }
    server.drop_database("e2e_killed")
}

fn a_physical_copy_comes_up_as_a_server() -> Result<()> {
    let scene = Scene::start()?;
    scene.local_target("storage")?;
    let server = Postgres::with_settings(&["wal_level=replica".to_owned()])?;
    server.sql("create table ledger (entry text)")?;
    server.sql("insert into ledger select 'x' from generate_series(1, 1000)")?;
    let database = server.sql("select current_database()")?;
    let settings = [
        "--set".to_owned(),
        "format=physical".to_owned(),
        "--set".to_owned(),
        "host=127.0.0.1".to_owned(),
        "--set".to_owned(),
        format!("port={}", server.port()),
        "--set".to_owned(),
        "user=backupx".to_owned(),
        "--set".to_owned(),
        format!("tools={}", server.tools().display()),
        "--assert-rows".to_owned(),
        format!("{database}.ledger=0%"),
    ];
    add(&scene, "cluster", "postgresql", &settings)?;
    let id = scene.run_well("cluster")?.to_string();
    server.sql("truncate ledger")?;
    let report = held(&scene, &id, &[])?;
    ensure!(
        report["answers"][0]["expected"] == "1000 within 0 %",
        "{report:#}"
    );
    nothing_is_left(&scene)?;
    let words = [
        "record", "verify", &id, "--mode", "drill", "--place", "server",
    ];
    let refused = scene.cli.run(words)?;
    ensure!(
        refused.code == Some(1) && refused.stderr.contains("throw-away"),
        "{refused:?}"
    );
    Ok(())
}

fn a_throwaway_mariadb_comes_up_and_is_gone(server: mysql::Server) -> Result<()> {
    let scene = Scene::start()?;
    scene.local_target("storage")?;
    server.sql(
        "DROP DATABASE IF EXISTS e2e_drill; CREATE DATABASE e2e_drill; \
         CREATE TABLE e2e_drill.orders AS SELECT seq AS n, NOW() AS placed FROM mysql.user, (SELECT 1 AS seq UNION SELECT 2) s LIMIT 2",
    )?;
    let mut settings = server.settings(&scene)?;
    settings.extend(
        [
            "--database",
            "e2e_drill",
            "--assert-rows",
            "e2e_drill.orders=0%",
            "--assert-sql",
            "e2e_drill: SELECT MAX(placed) > NOW() - INTERVAL 1 DAY FROM orders",
        ]
        .map(str::to_owned),
    );
    add(&scene, "maria", "mysql", &settings)?;
    let id = scene.run_well("maria")?.to_string();
    server.sql("TRUNCATE e2e_drill.orders")?;
    let report = held(&scene, &id, &[])?;
    ensure!(report["place"] == "throwaway", "{report:#}");
    ensure!(report["answers"][0]["answer"] == "1", "{report:#}");
    ensure!(report["answers"][1]["answer"] == "2", "{report:#}");
    nothing_is_left(&scene)?;
    let more = [
        "--assert-sql",
        "e2e_drill: SELECT COUNT(*) > 2 FROM orders",
        "--assert-sql",
        "e2e_drill: SELECT load_file('/etc/passwd') IS NULL",
        "--assert-sql",
        "e2e_drill: SELECT '\\! touch /tmp/x' <> ''",
    ];
    let report = failed(&scene, &id, &more, &["1 of 3", "answered 0"])?;
    ensure!(report["answers"][1]["ok"] == true, "{report:#}");
    nothing_is_left(&scene)?;
    server.sql("DROP DATABASE e2e_drill").map(drop)
}

fn never_30_the_password_of_a_scratch_server_is_its_own(server: mysql::Server) -> Result<()> {
    let scene = Scene::start()?;
    scene.local_target("storage")?;
    server.sql("DROP DATABASE IF EXISTS e2e_own; CREATE DATABASE e2e_own; CREATE TABLE e2e_own.t AS SELECT 1 AS a; CREATE DATABASE IF NOT EXISTS backupx_drill_bystander")?;
    let mut settings = server.settings(&scene)?;
    settings.extend(
        [
            "--database",
            "e2e_own",
            "--set",
            "accounts=false",
            "--drill-set",
            "host=127.1",
            "--drill-set",
            "user=backupx",
            "--assert-sql",
            "e2e_own: SELECT COUNT(*) FROM t",
        ]
        .map(str::to_owned),
    );
    settings.extend(["--drill-set".to_owned(), format!("port={}", server.port)]);
    let task = add(&scene, "own", "mysql", &settings)?;
    ensure!(task["drill"]["place"]["type"] == "server", "{task:#}");
    let id = scene.run_well("own")?.to_string();
    // The task's password is for another place, and nothing else is known.
    failed(&scene, &id, &[], &["came to no end", "Access denied"])?;
    let password = format!("password={}", mysql::PASSWORD);
    let given = ["task", "edit", "own", "--drill-set", password.as_str()];
    let task = scene.cli.json(given)?;
    ensure!(
        task["secretsSet"] == json!(["drillPassword", "password"]),
        "{task:#}"
    );
    held(&scene, &id, &[])?;

    // Elsewhere it has to be given again, by the task and by a request.
    let moved = ["task", "edit", "own", "--drill-set", "host=127.0.1"];
    let refused = scene.cli.run(moved)?;
    ensure!(
        refused.code == Some(1) && refused.stderr.contains("drillPassword"),
        "{refused:?}"
    );
    let port = format!("port={}", server.port);
    let mut elsewhere = vec![
        "--set",
        "host=127.0.1",
        "--set",
        &port,
        "--set",
        "user=backupx",
    ];
    failed(&scene, &id, &elsewhere, &["came to no end"])?;
    elsewhere.extend([
        "--set",
        &password,
        "--assert-sql",
        "e2e_own: SELECT COUNT(*) = 1 FROM t",
    ]);
    held(&scene, &id, &elsewhere)?;
    for shown in [
        scene.cli.json(["task", "show", "own"])?.to_string(),
        scene.cli.json(["operation", "ls"])?.to_string(),
        scene.master.last_words(),
        scene.agent.last_words(),
    ] {
        ensure!(!shown.contains(mysql::PASSWORD), "{shown}");
    }
    let databases = server.sql("SHOW DATABASES LIKE 'backupx\\_drill\\_%'")?;
    ensure!(databases.trim() == "backupx_drill_bystander", "{databases}");
    nothing_is_left(&scene)?;
    server
        .sql("DROP DATABASE e2e_own; DROP DATABASE backupx_drill_bystander")
        .map(drop)
}
