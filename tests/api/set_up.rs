//! The first administrator.

use anyhow::{Context, Result, ensure};
use reqwest::Method;
use serde_json::json;
use std::fs;

use crate::client::{Api, Reply};

async fn set_up(api: &Api, code: &str, username: &str) -> Result<Reply> {
    let body = json!({"code": code, "username": username, "password": "a long enough password"});
    api.ask(Method::POST, "/api/v1/set-up")
        .json(&body)
        .send()
        .await
}

async fn is_needed(api: &Api) -> Result<bool> {
    let state = api
        .ask(Method::GET, "/api/v1/set-up")
        .send()
        .await?
        .expect(200)?;
    state["needed"].as_bool().context("no answer")
}

/// The code as a person finds it on the master's host.
fn printed_code(api: &Api) -> Result<String> {
    let printed = fs::read_to_string(api.master.folder().join("server.log"))?;
    let (_, behind) = printed
        .split_once("one-time code: ")
        .with_context(|| format!("no code was printed:\n{printed}"))?;
    Ok(behind
        .split_whitespace()
        .next()
        .context("an empty code")?
        .to_owned())
}

#[tokio::test]
async fn never_29_set_up_needs_the_code_that_the_host_printed() -> Result<()> {
    let api = Api::fresh()?;
    ensure!(is_needed(&api).await?);
    for wrong in ["", "000000", "x"] {
        let reply = set_up(&api, wrong, "intruder").await?;
        ensure!(
            matches!(reply.status, 403 | 422),
            "{} {}",
            reply.status,
            reply.text
        );
        reply.problem()?;
    }
    ensure!(is_needed(&api).await?);
    let code = printed_code(&api)?;
    let user = set_up(&api, &code, "first").await?.expect(201)?;
    ensure!(user["role"] == "admin", "{user}");
    ensure!(!is_needed(&api).await?);
    set_up(&api, &code, "second")
        .await?
        .refusal(409, "already_set_up")?;
    api.session("first", "a long enough password").await?;
    Ok(())
}

#[tokio::test]
async fn never_29_the_code_cannot_be_guessed_at_speed() -> Result<()> {
    let api = Api::fresh()?;
    for attempt in 0..20 {
        let reply = set_up(&api, &format!("wrong-{attempt}"), "intruder").await?;
        if reply.status == 429 {
            let code = printed_code(&api)?;
            set_up(&api, &code, "first").await?.problem()?;
            return Ok(());
        }
        reply.refusal(403, "wrong_set_up_code")?;
    }
    anyhow::bail!("twenty wrong codes in a row were tried")
}
