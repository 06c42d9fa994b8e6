//! Idempotency keys: sent twice, done once.

use anyhow::{Context, Result, ensure};
use reqwest::Method;
use serde_json::{Value, json};

use crate::client::{Api, Reply};

async fn post(api: &Api, path: &str, key: &str, body: &Value) -> Result<Reply> {
    let asked = api.ask(Method::POST, path).by(&api.admin);
    asked.header("idempotency-key", key).json(body).send().await
}

fn folder(name: &str) -> Value {
    json!({"name": name, "type": "local", "config": {"path": "/tmp/x"}})
}

#[tokio::test]
async fn a_repeated_request_is_answered_and_not_carried_out_again() -> Result<()> {
    let api = Api::start()?;
    let first = post(&api, "/api/v1/targets", "k1", &folder("a")).await?;
    let second = post(&api, "/api/v1/targets", "k1", &folder("a")).await?;
    ensure!(first.expect(201)? == second.expect(201)?);
    ensure!(first.header("location") == second.header("location"));
    ensure!(second.header("idempotency-replayed") == "true");
    let list = api.get("/api/v1/targets").await?.expect(200)?;
    ensure!(
        list["items"]
            .as_array()
            .is_some_and(|items| items.len() == 1),
        "{list}"
    );
    Ok(())
}

#[tokio::test]
async fn a_repeated_removal_is_answered_like_the_first() -> Result<()> {
    let api = Api::start()?;
    let id = api.target("a").await?;
    let path = format!("/api/v1/targets/{id}");
    for _ in 0..2 {
        let asked = api.ask(Method::DELETE, path.as_str()).by(&api.admin);
        let reply = asked.header("idempotency-key", "k1").send().await?;
        ensure!(reply.status == 204, "{}", reply.status);
    }
    let gone = api.delete(&path).await?;
    ensure!(gone.status == 404, "{}", gone.status);
    Ok(())
}

#[tokio::test]
async fn requests_at_the_same_time_are_carried_out_once() -> Result<()> {
    let api = Api::start()?;
    let body = folder("a");
    let ask = || post(&api, "/api/v1/targets", "k1", &body);
    let (a, b, c) = tokio::try_join!(ask(), ask(), ask())?;
    for reply in [&a, &b, &c] {
        if reply.status != 201 {
            reply.refusal(409, "idempotency_key_in_progress")?;
        }
    }
    let list = api.get("/api/v1/targets").await?.expect(200)?;
    ensure!(
        list["items"]
            .as_array()
            .is_some_and(|items| items.len() == 1),
        "{list}"
    );
    Ok(())
}

#[tokio::test]
async fn a_key_belongs_to_one_request() -> Result<()> {
    let api = Api::start()?;
    post(&api, "/api/v1/targets", "k1", &folder("a"))
        .await?
        .expect(201)?;
    let other = post(&api, "/api/v1/targets", "k1", &folder("b")).await?;
    other.refusal(422, "idempotency_key_reused")?;
    let bad = post(&api, "/api/v1/targets", &"k".repeat(300), &folder("b")).await?;
    bad.refusal(422, "invalid_input")?;
    Ok(())
}

#[tokio::test]
async fn a_refused_request_gives_its_key_free() -> Result<()> {
    let api = Api::start()?;
    post(&api, "/api/v1/targets", "k1", &folder("a/b"))
        .await?
        .refusal(422, "invalid_input")?;
    post(&api, "/api/v1/targets", "k1", &folder("a"))
        .await?
        .expect(201)?;
    Ok(())
}

#[tokio::test]
async fn never_23_an_answer_that_shows_a_secret_once_is_not_kept() -> Result<()> {
    let api = Api::start()?;
    let node = json!({"name": "web"});
    let first = post(&api, "/api/v1/nodes", "k1", &node)
        .await?
        .expect(201)?;
    let token = first["token"].as_str().context("no token")?;
    let second = post(&api, "/api/v1/nodes", "k1", &node).await?;
    second.refusal(409, "answer_shown_once")?;
    ensure!(!second.text.contains(token));
    let list = api.get("/api/v1/nodes?name=web").await?.expect(200)?;
    ensure!(
        list["items"]
            .as_array()
            .is_some_and(|items| items.len() == 1),
        "{list}"
    );
    Ok(())
}
