//! Drills in a folder: files and SQLite.

use std::fs;

use anyhow::{Result, ensure};
use libtest_mimic::Trial;

use super::{failed, held, nothing_is_left};
use crate::databases::{add, sqlite};
use crate::scene::Scene;
use crate::support::servers::{program_trial, trial};

pub(super) fn trials() -> Vec<Trial> {
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
    ]
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
