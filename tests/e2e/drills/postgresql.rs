//! Drills of PostgreSQL: scratch databases, throw-away servers, and what is left when one is stopped or killed.

use std::fs;

use anyhow::{Context, Result, ensure};
use libtest_mimic::Trial;
use serde_json::json;

use super::{LIMIT, begin, ended, failed, held, leftovers, logged, nothing_is_left};
use crate::databases::{Server, add, server_trial};
use crate::scene::Scene;
use crate::support::postgres::{Postgres, give};
use crate::support::servers::program_trial;
use crate::support::wait::wait_for;

pub(super) fn trials() -> Vec<Trial> {
    vec![
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
    ]
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
    // A tablespace whose place is in use: by the server that was backed up.
    let place = tempfile::Builder::new()
        .prefix("backupx-tablespace-")
        .tempdir()?;
    give(place.path())?;
    let sql = format!(
        "CREATE TABLESPACE e2e_fast LOCATION '{}'",
        place.path().display()
    );
    server.sql("postgres", &sql)?;
    server.sql(
        "e2e_thrown",
        "CREATE TABLE quick TABLESPACE e2e_fast AS SELECT 1 AS n",
    )?;
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

    // Users go into no server that goes on, whatever a pattern means.
    server.sql(
        "e2e_thrown",
        "ALTER TABLE orders OWNER TO CURRENT_USER; DROP OWNED BY e2e_owner; DROP ROLE e2e_owner",
    )?;
    let report = held(&scene, &id, &["--place", "server", "--include", "*"])?;
    ensure!(report["databases"] == json!(["e2e_thrown"]), "{report:#}");
    let roles = "SELECT count(*) FROM pg_roles WHERE rolname = 'e2e_owner'";
    ensure!(server.sql("postgres", roles)?.trim() == "0", "a role came");
    let part = [
        "--include",
        "e2e_*",
        "--assert-sql",
        "e2e_thrown: TABLE quick",
    ];
    let report = held(&scene, &id, &part)?;
    ensure!(report["place"] == "throwaway", "{report:#}");
    failed(&scene, &id, &["--include", "none"], &["none"])?;

    // Programs that are not there, and a restore that fails.
    let empty = scene.path("empty");
    fs::create_dir(&empty)?;
    let tools = format!("tools={}", empty.display());
    let more = ["--place", "throwaway", "--set", tools.as_str()];
    failed(&scene, &id, &more, &["came to no end", "empty"])?;
    nothing_is_left(&scene)?;
    server.drop_database("e2e_thrown")?;
    server.sql("postgres", "DROP TABLESPACE e2e_fast").map(drop)
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
