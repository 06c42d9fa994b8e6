//! MongoDB from an agent to storage and back: the official tools and a server that speaks the protocol.

use std::env;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
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
            "mongodb::a_database_goes_to_storage_and_comes_back",
            a_database_goes_to_storage_and_comes_back,
        ),
        server_trial(
            "mongodb::a_drill_restores_under_a_scratch_name_and_drops_it",
            a_drill_restores_under_a_scratch_name_and_drops_it,
        ),
    ]
}

fn server_trial(name: &str, body: fn(&Server) -> Result<()>) -> Trial {
    Trial::ignorable_test(name, move || match Server::find() {
        Ok(server) => body(&server)
            .map(|()| Completion::Completed)
            .map_err(failed),
        Err(missing) if env::var_os("BACKUPX_TEST_REQUIRE_ALL").is_some() => Err(failed(missing)),
        Err(missing) => Ok(Completion::ignored_with(format!("{missing:#}"))),
    })
}

/// The server that `tests/run` started.
struct Server {
    port: String,
    tools: String,
    python: String,
}

impl Server {
    fn find() -> Result<Self> {
        let text = env::var("BACKUPX_TEST_MONGODB").context(
            "BACKUPX_TEST_MONGODB is not set; `tests/run` starts the server and sets it",
        )?;
        let parts: Vec<_> = text.split(':').collect();
        let [port, tools, python] = parts[..] else {
            anyhow::bail!("BACKUPX_TEST_MONGODB is not PORT:TOOLS:PYTHON");
        };
        Ok(Self {
            port: port.to_owned(),
            tools: tools.to_owned(),
            python: python.to_owned(),
        })
    }

    /// What the tests' script answers.
    fn python(&self, arguments: &[&str]) -> Result<String> {
        let script = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/adapters/sources/tests/mongodb/bed.py"
        );
        let uri = format!("mongodb://backupx:testsecret@127.0.0.1:{}/", self.port);
        let mut python = Command::new(&self.python);
        python.arg(script).args(arguments).env("MONGODB_URI", uri);
        let ended = finish(&mut python)?;
        ensure!(ended.code == Some(0), "{arguments:?}: {}", ended.stderr);
        Ok(ended.stdout)
    }
}

fn a_database_goes_to_storage_and_comes_back(server: &Server) -> Result<()> {
    let scene = Scene::start()?;
    scene.local_target("storage")?;
    server.python(&["fill", "e2e_shöp", "2000"])?;
    let before = server.python(&["total", "e2e_shöp"])?;
    let settings = [
        "--set".to_owned(),
        "host=127.0.0.1".to_owned(),
        "--set".to_owned(),
        format!("port={}", server.port),
        "--set".to_owned(),
        "user=backupx".to_owned(),
        "--set".to_owned(),
        "password=testsecret".to_owned(),
        "--set".to_owned(),
        format!("tools={}", server.tools),
        "--database".to_owned(),
        "e2e_shöp".to_owned(),
    ];
    add(&scene, "documents", "mongodb", &settings)?;
    let tried = scene.cli.json(["task", "test", "documents"])?;
    ensure!(tried["ok"] == true, "{tried:#}");
    let id = scene.run_well("documents")?.to_string();
    scene
        .cli
        .json(["record", "verify", &id, "--mode", "full", "--wait"])?;

    server.python(&["drop", "e2e_again"])?;
    let again = ["restore", &id, "--set", "database=e2e_again", "--wait"];
    scene.cli.json(again)?;
    let restored = server.python(&["total", "e2e_again"])?;
    ensure!(before == restored, "{before}\n{restored}");
    let refused = scene.cli.run(again.into_iter().chain(["-o", "json"]))?;
    ensure!(
        refused.code == Some(1) && refused.stdout.contains("database_exists"),
        "{refused:?}"
    );
    scene
        .cli
        .json(again.into_iter().chain(["--overwrite", "always"]))?;
    ensure!(
        server.python(&["total", "e2e_again"])? == before,
        "it differs after it was replaced"
    );

    // As a file, which the tool itself reads.
    let to = scene.path("dumps");
    scene
        .cli
        .json(["restore", &id, "--to", &to.display().to_string(), "--wait"])?;
    let archive = to.join("e2e_shöp.archive");
    let mut restore = Command::new(format!("{}/mongorestore", server.tools));
    let uri = format!(
        "--uri=mongodb://backupx:testsecret@127.0.0.1:{}/",
        server.port
    );
    restore.args([&uri, "--drop", "--stopOnError"]);
    restore.arg(format!("--archive={}", archive.display()));
    let ended = finish(&mut restore)?;
    ensure!(ended.code == Some(0), "{ended:?}");
    ensure!(
        server.python(&["total", "e2e_shöp"])? == before,
        "it differs after it was restored by hand"
    );
    for shown in [
        scene.cli.json(["task", "show", "documents"])?.to_string(),
        scene.cli.run(["record", "logs", &id])?.stdout,
        scene.master.last_words(),
        scene.agent.last_words(),
    ] {
        ensure!(!shown.contains("testsecret"), "{shown}");
    }
    for name in ["e2e_shöp", "e2e_again"] {
        server.python(&["drop", name])?;
    }
    Ok(())
}

/// What plays the shell, which the test bed has not: it does what the script says, on the real server.
const SHELL: &str = r#"
import json, re, sys, pymongo
assert sys.argv[1:3] == ["--nodb", "--quiet"], sys.argv
text = open(sys.argv[3]).read()
uri, name = [json.loads('"' + part + '"') for part in re.search(r'connect\("((?:[^"\\]|\\.)*)"\)\.getSiblingDB\("((?:[^"\\]|\\.)*)"\)\.dropDatabase\(\)', text).groups()]
pymongo.MongoClient(uri, directConnection=True).drop_database(name)
"#;

fn a_drill_restores_under_a_scratch_name_and_drops_it(server: &Server) -> Result<()> {
    let scene = Scene::start()?;
    scene.local_target("storage")?;
    server.python(&["fill", "e2e_drill", "500"])?;
    let before = server.python(&["total", "e2e_drill"])?;
    let tools = scene.path("tools");
    fs::create_dir(&tools)?;
    for tool in ["mongodump", "mongorestore"] {
        symlink(Path::new(&server.tools).join(tool), tools.join(tool))?;
    }
    let set = |pair: String| ["--set".to_owned(), pair];
    let mut settings = vec!["--database".to_owned(), "e2e_drill".to_owned()];
    settings.extend(set("host=127.0.0.1".to_owned()));
    settings.extend(set(format!("port={}", server.port)));
    settings.extend(set("user=backupx".to_owned()));
    settings.extend(set("password=testsecret".to_owned()));
    settings.extend(set(format!("tools={}", tools.display())));
    add(&scene, "documents", "mongodb", &settings)?;
    let id = scene.run_well("documents")?.to_string();

    // Nothing is made where nothing could drop it again.
    let drill = [
        "record", "verify", &id, "--mode", "drill", "--wait", "-o", "json",
    ];
    let refused = scene.cli.run(drill)?.json()?;
    ensure!(refused["error"]["code"] == "drill_failed", "{refused:#}");
    ensure!(
        refused["error"]["message"].to_string().contains("mongosh"),
        "{refused:#}"
    );
    let shell = tools.join("mongosh");
    fs::write(&shell, format!("#!{}\n{SHELL}", server.python))?;
    fs::set_permissions(&shell, fs::Permissions::from_mode(0o755))?;
    let held = scene.cli.run(drill)?.json()?;
    ensure!(held["status"] == "success", "{held:#}");
    ensure!(held["report"]["place"] == "server", "{held:#}");
    let scratch = format!("backupx_drill_{}_e2e_drill", held["id"]);
    let left = server.python(&["names"])?;
    ensure!(!left.contains(&scratch), "{left}");
    ensure!(server.python(&["total", "e2e_drill"])? == before);
    ensure!(!scene.agent.last_words().contains("testsecret"));
    server.python(&["drop", "e2e_drill"]).map(drop)
}
