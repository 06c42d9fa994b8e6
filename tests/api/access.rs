//! Who may do what: every route as everybody.

use anyhow::{Context, Result, ensure};
use reqwest::Method;
use serde_json::json;

use crate::client::{Api, Reply};
use crate::description::{Needs, Operation, operations};

/// What stands for path parameters of things that do not exist.
fn concrete(path: &str) -> String {
    path.replace("{id}", "999999")
        .replace("{targetId}", "999999")
        .replace("{name}", "manifest.json")
}

async fn ask(api: &Api, operation: &Operation, token: Option<&str>) -> Result<Reply> {
    let mut path = concrete(&operation.path);
    if path.contains("/objects/") {
        path.push_str("?lease=1");
    }
    let mut asked = api.ask(operation.method.clone(), path);
    if let Some(token) = token {
        asked = asked.by(token);
    }
    if operation.method != Method::GET && operation.method != Method::HEAD {
        asked = asked.json(&json!({}));
    }
    asked.send().await
}

/// Refused for who asks, and not for what.
fn is_kept_out(reply: &Reply) -> bool {
    matches!(reply.status, 401 | 403)
}

#[tokio::test]
async fn every_route_lets_in_exactly_who_it_names() -> Result<()> {
    let api = Api::start()?;
    let roles = [
        ("nobody", None, 0),
        ("wrong token", Some("x".repeat(40)), 0),
        ("wrong key", Some(format!("bxk_{}", "0".repeat(64))), 0),
        ("viewer", Some(api.key("viewer").await?), 1),
        ("operator", Some(api.key("operator").await?), 2),
        ("admin", Some(api.admin.clone()), 3),
    ];
    let (_, node_token) = api.node("a node").await?;
    for operation in operations(&api).await? {
        let needed = match operation.needs {
            Needs::Nothing => 0,
            Needs::Viewer => 1,
            Needs::Operator => 2,
            Needs::Admin => 3,
            Needs::Node => 4,
        };
        for (name, token, rank) in &roles {
            let reply = ask(&api, &operation, token.as_deref()).await?;
            ensure!(
                is_kept_out(&reply) == (*rank < needed),
                "{operation:?} as {name}: {} {}",
                reply.status,
                reply.text
            );
            if *rank < needed && operation.method != Method::HEAD {
                let expected = if *rank == 0 || needed == 4 { 401 } else { 403 };
                ensure!(
                    reply.problem()?["status"] == expected,
                    "{operation:?} as {name}"
                );
            }
        }
        let reply = ask(&api, &operation, Some(&node_token)).await?;
        let is_open = matches!(operation.needs, Needs::Node | Needs::Nothing);
        ensure!(
            is_kept_out(&reply) != is_open,
            "{operation:?} as a node: {} {}",
            reply.status,
            reply.text
        );
    }
    Ok(())
}

#[tokio::test]
async fn never_33_no_route_answers_with_a_redirect() -> Result<()> {
    let api = Api::start()?;
    for operation in operations(&api).await? {
        let reply = ask(&api, &operation, Some(&api.admin)).await?;
        ensure!(
            !(300..400).contains(&reply.status),
            "{operation:?}: {}",
            reply.status
        );
    }
    for path in [
        "/api/v1/nodes/",
        "//api/v1/nodes",
        "/api",
        "/api/v1",
        "/nodes/",
        "/API/v1/nodes",
    ] {
        let reply = api.get(path).await?;
        ensure!(
            !(300..400).contains(&reply.status),
            "{path}: {}",
            reply.status
        );
    }
    Ok(())
}

const SECRET: &str = "s3-secret-that-nobody-may-see";
const PASSWORD: &str = "a password that nobody may see";

#[tokio::test]
async fn never_27_no_answer_holds_a_secret() -> Result<()> {
    let api = Api::with_settings(&[("BACKUPX_LOG", "debug")])?;
    api.user("someone", PASSWORD, "viewer").await?;
    let session = api.session("someone", PASSWORD).await?;
    let (node, token) = api.node("web").await?;
    let target = api.target("folder").await?;
    let config = json!({"bucket": "b", "endpoint": "http://127.0.0.1:9", "accessKeyId": "id", "secretAccessKey": SECRET});
    let body = json!({"name": "bucket", "type": "s3", "config": config});
    let bucket = api.post("/api/v1/targets", body).await?.expect(201)?;
    let task = api.task("etc", node, target).await?;
    let run = api
        .post(&format!("/api/v1/tasks/{task}/run"), json!({}))
        .await?
        .expect(202)?;
    let keys = [
        api.key("viewer").await?,
        api.key("operator").await?,
        api.admin.clone(),
    ];
    let mut secrets = vec![
        SECRET.to_owned(),
        PASSWORD.to_owned(),
        session,
        token,
        "AGE-SECRET-KEY".to_owned(),
        "$argon2".to_owned(),
        "v1.k1.".to_owned(),
    ];
    secrets.extend(keys.iter().cloned());
    let ids = [
        node,
        target,
        bucket["id"].as_i64().context("no id")?,
        task,
        run["id"].as_i64().context("no id")?,
        1,
    ];
    for operation in operations(&api).await? {
        if operation.method != Method::GET || operation.needs == Needs::Node {
            continue;
        }
        for key in &keys {
            for id in ids {
                let path = operation.path.replace("{id}", &id.to_string());
                let reply = api.ask(Method::GET, path.as_str()).by(key).send().await?;
                let seen = format!("{:?} {}", reply.headers, reply.text);
                for secret in &secrets {
                    ensure!(!seen.contains(secret.as_str()), "{path} shows {secret}");
                }
            }
        }
    }
    let log = std::fs::read_to_string(api.master.folder().join("server.log"))?;
    for secret in &secrets {
        ensure!(!log.contains(secret.as_str()), "the log shows {secret}");
    }
    Ok(())
}
