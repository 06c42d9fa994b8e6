//! Drills of MariaDB: throw-away servers, and scratch servers with a password of their own.

use anyhow::{Result, ensure};
use libtest_mimic::Trial;
use serde_json::json;

use super::{failed, held, nothing_is_left};
use crate::databases::add;
use crate::mysql;
use crate::scene::Scene;

pub(super) fn trials() -> Vec<Trial> {
    vec![
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
