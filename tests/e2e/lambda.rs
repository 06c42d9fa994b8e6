//! The master as a function: a real agent backs up through it, each front and each schedule is answered, and nobody forges the one by the other.

use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use libtest_mimic::{Completion, Trial};
use reqwest::Method;
use serde_json::{Value, json};

use super::scene::{HOST, Scene, id_of};
use super::support::cli::{Cli, finish};
use super::support::function::{Function, Reply};
use super::support::process::backupx;
use super::support::schema::fresh_schema;
use super::support::servers::{S3, failed};
use super::support::trees::{ensure_equal, make_noise};
use super::support::wait::wait_for;

/// A node that asks every few seconds has done what it was asked within this time.
const DONE: Duration = Duration::from_secs(60);

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        lambda_trial(
            "lambda::an_agent_backs_up_to_s3_through_a_function",
            an_agent_backs_up_to_s3_through_a_function,
        ),
        lambda_trial(
            "lambda::a_schedule_makes_a_pass_and_http_can_not_forge_it",
            a_schedule_makes_a_pass_and_http_can_not_forge_it,
        ),
        lambda_trial(
            "lambda::every_front_is_answered_in_its_own_form",
            every_front_is_answered_in_its_own_form,
        ),
        lambda_trial(
            "lambda::nothing_stays_open_in_a_function",
            nothing_stays_open_in_a_function,
        ),
        lambda_trial(
            "lambda::the_relay_is_refused_with_its_reason",
            the_relay_is_refused_with_its_reason,
        ),
        lambda_trial(
            "lambda::a_function_without_its_keys_says_what_is_missing",
            a_function_without_its_keys_says_what_is_missing,
        ),
    ]
}

/// A trial with a database of its own. Without the servers or the emulator it is ignored with the reason, or fails when all are required.
fn lambda_trial(name: &str, body: fn(&str) -> Result<()>) -> Trial {
    Trial::ignorable_test(name, move || match needed() {
        Ok(database) => body(&database)
            .map(|()| Completion::Completed)
            .map_err(failed),
        Err(missing) if env::var_os("BACKUPX_TEST_REQUIRE_ALL").is_some() => Err(failed(missing)),
        Err(missing) => Ok(Completion::ignored_with(missing)),
    })
}

fn needed() -> Result<String> {
    Command::new("cargo-lambda")
        .args(["lambda", "--version"])
        .output()
        .context("cargo-lambda does not start; `tests/run` installs it")?;
    S3::real()?;
    fresh_schema()
}

fn an_agent_backs_up_to_s3_through_a_function(database: &str) -> Result<()> {
    let function = Function::deploy(database, 3)?;
    let cli = function.administrator()?;
    let mut scene = Scene::around(function, cli)?;
    let tree = scene.path("tree");
    make_noise(&tree, 60, 20 << 20)?;
    scene.s3_target("s3", &S3::real()?)?;
    scene.task("noise", &tree, &["s3"], &["--encrypt"])?;

    let id = scene.run_well("noise")?;

    // What the first instances did, others go on with.
    scene.master.end_instances();
    for _ in 0..3 {
        scene.master.start_instance()?;
    }
    let number = id.to_string();
    let verify = ["record", "verify", &number, "--mode", "full", "--wait"];
    scene.cli.json(verify)?;
    let listed = scene
        .cli
        .json(["node", "browse", HOST, &tree.display().to_string()])?;
    ensure!(
        listed.to_string().contains("folder-000"),
        "a question to the node was answered with {listed}"
    );
    ensure_equal(&tree, &scene.restore(id, &tree, &[])?)?;
    scene.master.ensure_no_file_was_made()
}

fn a_schedule_makes_a_pass_and_http_can_not_forge_it(database: &str) -> Result<()> {
    let function = Function::deploy(database, 3)?;
    let cli = function.administrator()?;
    let scene = Scene::around(function, cli)?;
    let tree = scene.path("tree");
    make_noise(&tree, 3, 3 << 10)?;
    scene.s3_target("s3", &S3::real()?)?;
    scene.task("noise", &tree, &["s3"], &["--keep-last", "1"])?;
    let first = scene.run_well("noise")?;
    scene.run_well("noise")?;

    for path in ["/", "/events", "/api/v1/events"] {
        let forged = scene.master.ask(
            Method::POST,
            path,
            &[("content-type", "application/json")],
            event("rule.json")?.to_string().into_bytes(),
        )?;
        ensure!(
            forged.status.is_client_error(),
            "a forged event at {path} got {forged:?}"
        );
    }
    for schedule in ["rule.json", "scheduler.json"] {
        let passed = scene.master.invoke(&event(schedule)?)?;
        ensure!(passed.json()?["passed"] == true, "{schedule}: {passed:?}");
    }

    // Retention after a run is the sweep's work: the older backup goes once a pass was made.
    wait_for("the end of the older backup", DONE, || {
        let listed = scene.cli.json(["record", "ls"])?;
        let records = listed["items"].as_array().context("no list")?;
        let copies = records
            .iter()
            .filter(|record| record["id"] == first)
            .filter_map(|record| record["copies"].as_array())
            .flatten();
        let good = copies.filter(|copy| copy["status"] == "good").count();
        Ok((good == 0).then_some(()))
    })
}

fn every_front_is_answered_in_its_own_form(database: &str) -> Result<()> {
    let function = Function::deploy(database, 1)?;
    let cli = function.administrator()?;
    let bearer = format!("Bearer {}", cli.key);

    let headers =
        json!({"authorization": bearer, "content-type": "application/json", "host": "x.example"});
    let mut request = http_api("POST", "/api/v1/nodes", headers)?;
    request["body"] = json!(BASE64.encode(r#"{"name":"web1"}"#));
    request["isBase64Encoded"] = json!(true);
    let made = function.invoke(&request)?.json()?;
    ensure!(made["statusCode"] == 201, "{made}");
    let location = made["headers"]["location"].as_str().unwrap_or_default();
    ensure!(location.starts_with("/api/v1/nodes/"), "{made}");

    let mut request = event("load-balancer.json")?;
    request["path"] = json!(location);
    request["headers"]["authorization"] = json!(bearer);
    let shown = function.invoke(&request)?.json()?;
    ensure!(
        shown["statusCode"] == 200 && shown["statusDescription"] == "200 OK",
        "{shown}"
    );
    let node: Value = serde_json::from_str(shown["body"].as_str().unwrap_or_default())?;
    ensure!(node["name"] == "web1", "{shown}");

    // Bytes out.
    let path = "/api/v1/openapi.json";
    let headers = json!({"accept-encoding": "zstd", "host": "x.example"});
    let told = function.invoke(&http_api("GET", path, headers)?)?.json()?;
    ensure!(told["isBase64Encoded"] == true, "{told}");
    let packed = BASE64.decode(told["body"].as_str().unwrap_or_default())?;
    let by_url = function.ask(
        Method::GET,
        path,
        &[("accept-encoding", "zstd")],
        Vec::new(),
    )?;
    ensure!(by_url.header("content-encoding") == "zstd", "{by_url:?}");
    let text = zstd::decode_all(packed.as_slice())?;
    ensure!(text == zstd::decode_all(by_url.body.as_slice())?);
    ensure!(serde_json::from_slice::<Value>(&text)?["openapi"].is_string());

    // What no front sends is an error of the function, not an answer.
    let refused = function.invoke(&json!({"Records": []}))?;
    ensure!(
        refused.header("content-type").contains("error") || refused.status.is_server_error(),
        "{refused:?}"
    );
    Ok(())
}

fn nothing_stays_open_in_a_function(database: &str) -> Result<()> {
    let function = Function::deploy(database, 1)?;
    let cli = function.administrator()?;
    let token = node_token(&cli)?;
    let ask_for_work = |wait: u64| -> Result<Reply> {
        let poll = json!({"waitSecs": wait, "free": 1, "lane": "work"});
        function.ask(
            Method::POST,
            "/api/agent/v1/poll",
            &[
                ("authorization", &token),
                ("content-type", "application/json"),
            ],
            poll.to_string().into_bytes(),
        )
    };

    let nothing = ask_for_work(25)?;
    ensure!(nothing.status == 204, "{nothing:?}");
    let wait: u64 = nothing.header("retry-after").parse()?;
    ensure!((1..=10).contains(&wait), "{nothing:?}");

    // A live stream tells what there is, and from where to go on.
    let bearer = format!("Bearer {}", cli.key);
    let live = function.ask(
        Method::GET,
        "/api/v1/events",
        &[
            ("authorization", &bearer),
            ("accept", "text/event-stream"),
            ("last-event-id", "0"),
        ],
        Vec::new(),
    )?;
    let text = String::from_utf8(live.body.clone())?;
    ensure!(
        live.status == 200 && text.contains("retry:") && text.contains("id:"),
        "{text}"
    );

    // Metrics are open to the master's own host alone, and nobody is on it.
    let metrics = function.ask(
        Method::GET,
        "/metrics",
        &[("x-forwarded-for", "127.0.0.1")],
        Vec::new(),
    )?;
    ensure!(metrics.status == 401, "{metrics:?}");
    Ok(())
}

fn the_relay_is_refused_with_its_reason(database: &str) -> Result<()> {
    let function = Function::deploy(database, 1)?;
    let token = node_token(&function.administrator()?)?;
    let path = "/api/agent/v1/commands/1/objects/1/data.tar.zst?lease=1";

    let refused = function.ask(
        Method::PUT,
        path,
        &[
            ("authorization", &token),
            ("content-type", "application/octet-stream"),
        ],
        vec![0, 255, 254],
    )?;

    let problem = refused.json()?;
    ensure!(
        refused.status == 403 && problem["code"] == "no_relay",
        "{problem}"
    );
    let stranger = function.ask(Method::GET, path, &[], Vec::new())?;
    ensure!(stranger.status == 401, "{stranger:?}");
    Ok(())
}

fn a_function_without_its_keys_says_what_is_missing(database: &str) -> Result<()> {
    let function = Function::deploy(database, 0)?;
    let key = (
        "BACKUPX_SECRET_KEY",
        "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
    );
    let url = ("BACKUPX_DATABASE_URL", database);
    for (settings, named) in [
        (vec![], "BACKUPX_DATABASE_URL is not set"),
        (vec![key], "BACKUPX_DATABASE_URL is not set"),
        (
            vec![key, (url.0, "sqlite:///tmp/backupx.db")],
            "BACKUPX_DATABASE_URL names a SQLite file",
        ),
        (vec![url], "BACKUPX_SECRET_KEY is not set"),
        (
            vec![url, ("BACKUPX_SECRET_KEY", "short")],
            "BACKUPX_SECRET_KEY is not accepted",
        ),
        (
            vec![url, key, ("BACKUPX_LOCAL_NODE", "true")],
            "BACKUPX_LOCAL_NODE=true",
        ),
    ] {
        let ended = function.failing_instance(&settings)?;
        ensure!(
            ended.code == Some(1) && ended.stderr.contains(named),
            "{named}: {ended:?}"
        );
    }
    function.ensure_no_file_was_made()?;

    let ended = finish(backupx().arg("lambda"))?;
    ensure!(
        ended.code == Some(1) && ended.stderr.contains("AWS_LAMBDA_RUNTIME_API is not set"),
        "{ended:?}"
    );
    Ok(())
}

/// The header that a new node's agent sends.
fn node_token(cli: &Cli) -> Result<String> {
    let node = cli.json(["node", "add", "web1"])?;
    let token = node["token"].as_str().context("no token")?;
    id_of(&node)?;
    Ok(format!("Bearer {token}"))
}

/// An event as Lambda sends it.
fn event(name: &str) -> Result<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/support/events")
        .join(name);
    Ok(serde_json::from_str(&fs::read_to_string(path)?)?)
}

/// What an HTTP API of API Gateway sends for a request.
fn http_api(method: &str, path: &str, headers: Value) -> Result<Value> {
    let mut event = event("http-api.json")?;
    event["rawPath"] = json!(path);
    event["requestContext"]["http"]["method"] = json!(method);
    event["headers"] = headers;
    Ok(event)
}
