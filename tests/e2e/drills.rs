//! Drills: backups restored into throw-away places on real servers, asked, and gone again.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use libtest_mimic::Trial;
use serde_json::{Value, json};

use super::databases::{Server, add, server_trial, sqlite};
use super::scene::Scene;
use super::support::servers::{program_trial, trial};

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

/// What is below `folder` that drills made.
fn leftovers(folder: &Path) -> Result<Vec<String>> {
    let mut left = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if name.starts_with("backupx-dump-") {
            left.push(name);
        }
    }
    Ok(left)
}

fn nothing_is_left(scene: &Scene) -> Result<()> {
    let left = leftovers(&scene.agent.folder())?;
    ensure!(left.is_empty(), "{left:?} is left");
    Ok(())
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
