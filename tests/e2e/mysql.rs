//! MySQL and MariaDB from an agent to storage and back, against the server that `tests/run` starts.

use std::env;
use std::fs;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use libtest_mimic::{Completion, Trial};

use super::databases::add;
use super::scene::Scene;
use super::support::cli::finish;
use super::support::servers::failed;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        server_trial(
            "databases::mariadb_goes_to_storage_and_comes_back",
            |server| goes_to_storage_and_comes_back(&server),
        ),
        server_trial("databases::one_of_two_hundred_comes_back_alone", |server| {
            one_of_two_hundred_comes_back_alone(&server)
        }),
    ]
}

/// A trial that needs the server. Without one it is ignored with the reason, or fails when all are required.
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

/// The server, where `backupx` may everything.
pub(crate) struct Server {
    pub(crate) port: String,
}

pub(crate) const PASSWORD: &str = "testsecret";

impl Server {
    fn find() -> Result<Self> {
        let text = env::var("BACKUPX_TEST_MARIADB").context(
            "BACKUPX_TEST_MARIADB is not set; `tests/run` starts the server and sets it",
        )?;
        let (port, _) = text
            .split_once(':')
            .context("it is not PORT:FOLDER:TOOLS")?;
        Ok(Self {
            port: port.to_owned(),
        })
    }

    pub(crate) fn sql(&self, text: &str) -> Result<String> {
        let mut client = Command::new("mariadb");
        client
            .args(["--no-defaults", "--host=127.0.0.1", "--skip-ssl", "-BN"])
            .arg(format!("--port={}", self.port))
            .args([
                "--user=backupx",
                "--default-character-set=utf8mb4",
                "-e",
                text,
            ])
            .env("MYSQL_PWD", PASSWORD);
        let ended = finish(&mut client)?;
        ensure!(ended.code == Some(0), "{text}: {}", ended.stderr);
        Ok(ended.stdout)
    }

    /// The arguments of a task that reads it.
    pub(crate) fn settings(&self, scene: &Scene) -> Result<Vec<String>> {
        let password = scene.path("password");
        fs::write(&password, PASSWORD)?;
        let pairs = [
            "host=127.0.0.1".to_owned(),
            format!("port={}", self.port),
            "user=backupx".to_owned(),
            format!("password=@{}", password.display()),
        ];
        let settings = pairs
            .into_iter()
            .flat_map(|pair| ["--set".to_owned(), pair]);
        Ok(settings.collect())
    }

    fn checksum(&self, name: &str) -> Result<String> {
        let sums = self.sql(&format!(
            "CHECKSUM TABLE `{name}`.orders, `{name}`.`odd name`; SELECT COUNT(*), SUM(paid) FROM `{name}`.due"
        ))?;
        Ok(sums.replace(&format!("{name}."), ""))
    }
}

fn one_of_two_hundred_comes_back_alone(server: &Server) -> Result<()> {
    let names: Vec<_> = (0..200).map(|number| format!("many_{number:03}")).collect();
    let each = |make: fn(&str) -> String| -> Result<()> {
        let statements: String = names.iter().map(|name| make(name)).collect();
        server.sql(&statements).map(drop)
    };
    each(|name| {
        format!(
            "DROP DATABASE IF EXISTS {name}; CREATE DATABASE {name}; \
             CREATE TABLE {name}.t (id INT PRIMARY KEY, word TEXT); INSERT INTO {name}.t VALUES (1, '{name}'), (2, 'Jürgen');"
        )
    })?;
    let scene = Scene::start()?;
    scene.local_target("storage")?;
    let mut settings = server.settings(&scene)?;
    for name in &names {
        settings.extend(["--database".to_owned(), name.clone()]);
    }
    add(&scene, "many", "mysql", &settings)?;
    let id = scene.run_well("many")?;
    let record = scene.record(id)?;
    // One more for the accounts.
    ensure!(record["counts"]["files"] == 201, "{}", record["counts"]);

    server.sql("DROP DATABASE many_117")?;
    each(|name| match name {
        "many_117" => String::new(),
        name => format!("DELETE FROM {name}.t WHERE id = 2;"),
    })?;
    let id = id.to_string();
    let restore = ["restore", &id, "--include", "many_117", "--wait"];
    let restored = scene.cli.json(restore)?;
    ensure!(
        restored["report"]["restoredEntries"] == 1,
        "{}",
        restored["report"]
    );
    let rows = |name: &str| server.sql(&format!("SELECT word FROM {name}.t ORDER BY id"));
    ensure!(
        rows("many_117")? == "many_117\nJürgen\n",
        "{}",
        rows("many_117")?
    );
    for name in names.iter().filter(|name| *name != "many_117") {
        ensure!(rows(name)? == format!("{name}\n"), "{name} was changed");
    }
    each(|name| format!("DROP DATABASE {name};"))
}

fn goes_to_storage_and_comes_back(server: &Server) -> Result<()> {
    let scene = Scene::start()?;
    scene.local_target("storage")?;
    for name in ["e2e shop", "e2e_other", "e2e_left_out", "e2e_again"] {
        server.sql(&format!("DROP DATABASE IF EXISTS `{name}`"))?;
    }
    server.sql(
        "CREATE DATABASE `e2e shop`; CREATE DATABASE e2e_other; CREATE DATABASE e2e_left_out; CREATE TABLE e2e_other.t AS SELECT 1 AS a; USE `e2e shop`; \
         CREATE TABLE orders (id BIGINT PRIMARY KEY AUTO_INCREMENT, customer VARCHAR(40), paid DECIMAL(12, 2), photo BLOB); \
         INSERT INTO orders (customer, paid, photo) SELECT CONCAT('Jürgen ', seq), seq / 7, UNHEX(MD5(seq)) FROM seq_1_to_20000; \
         CREATE VIEW due AS SELECT * FROM orders WHERE paid > 100; CREATE TABLE `odd name` (`a b` TEXT); INSERT INTO `odd name` VALUES ('x')",
    )?;
    let mut settings = server.settings(&scene)?;
    for name in ["e2e shop", "e2e_other", "e2e_left_out"] {
        settings.extend(["--database", name].map(str::to_owned));
    }
    settings.extend(["--exclude", "*left*"].map(str::to_owned));
    add(&scene, "shop", "mysql", &settings)?;
    let tried = scene.cli.json(["task", "test", "shop"])?;
    ensure!(tried["ok"] == true, "{tried:#}");

    let id = scene.run_well("shop")?.to_string();
    let verify = ["record", "verify", &id, "--mode", "full", "--wait"];
    scene.cli.json(verify)?;
    let files = scene.cli.json(["record", "files", &id])?.to_string();
    for name in ["accounts.sql", "e2e_shop.sql", "e2e_other.sql"] {
        ensure!(files.contains(name), "{name} is not in {files}");
    }
    ensure!(!files.contains("left"), "{files}");

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
    scene.cli.json(again)?;
    let before = server.checksum("e2e shop")?;
    ensure!(server.checksum("e2e_again")? == before, "it differs");
    let refused = scene.cli.run(again.into_iter().chain(["-o", "json"]))?;
    ensure!(
        refused.code == Some(1) && refused.stdout.contains("database_exists"),
        "{refused:?}"
    );
    server.sql("DELETE FROM e2e_again.orders")?;
    scene
        .cli
        .json(again.into_iter().chain(["--overwrite", "always"]))?;
    ensure!(server.checksum("e2e_again")? == before, "it differs");
    for shown in [
        scene.cli.json(["task", "show", "shop"])?.to_string(),
        scene.cli.run(["record", "logs", &id])?.stdout,
        scene.master.last_words(),
        scene.agent.last_words(),
    ] {
        ensure!(!shown.contains(PASSWORD), "{shown}");
    }
    for name in ["e2e shop", "e2e_other", "e2e_left_out", "e2e_again"] {
        server.sql(&format!("DROP DATABASE `{name}`"))?;
    }
    Ok(())
}
