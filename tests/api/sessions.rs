//! Signing in and out, cookies, and how a session ends.

use anyhow::{Context, Result, ensure};
use reqwest::Method;
use serde_json::{Value, json};

use crate::client::{Api, Reply};

const PASSWORD: &str = "a long enough password";

async fn current(api: &Api, token: &str) -> Result<Reply> {
    api.ask(Method::GET, "/api/v1/sessions/current")
        .by(token)
        .send()
        .await
}

#[tokio::test]
async fn a_session_shows_who_is_signed_in_until_it_is_ended() -> Result<()> {
    let api = Api::start()?;
    api.user("someone", PASSWORD, "operator").await?;
    let reply = api.sign_in("SomeOne", PASSWORD).await?;
    let signed_in = reply.expect(201)?;
    ensure!(signed_in["user"]["username"] == "someone", "{signed_in}");
    ensure!(signed_in["expiresAt"].is_string(), "{signed_in}");
    let cookie = reply.header("set-cookie");
    for part in ["backupx_session=", "HttpOnly", "SameSite=Strict", "Path=/"] {
        ensure!(cookie.contains(part), "no {part} in the cookie");
    }
    let token = signed_in["token"].as_str().context("no token")?;
    let session = current(&api, token).await?.expect(200)?;
    ensure!(session["role"] == "operator", "{session}");
    let ended = api
        .ask(Method::DELETE, "/api/v1/sessions/current")
        .by(token)
        .send()
        .await?;
    ended.expect(204)?;
    ensure!(ended.header("set-cookie").contains("Max-Age=0"));
    current(&api, token)
        .await?
        .refusal(401, "unauthenticated")?;
    Ok(())
}

#[tokio::test]
async fn writes_by_cookie_come_from_the_console_alone() -> Result<()> {
    let api = Api::start()?;
    api.user("someone", PASSWORD, "admin").await?;
    let cookie = format!(
        "backupx_session={}",
        api.session("someone", PASSWORD).await?
    );
    let write = || {
        api.ask(Method::POST, "/api/v1/nodes")
            .header("cookie", &cookie)
            .json(&json!({"name": "web"}))
    };
    write().send().await?.refusal(403, "wrong_origin")?;
    let other = write().header("sec-fetch-site", "cross-site");
    other.send().await?.refusal(403, "wrong_origin")?;
    let other = write().header("origin", "https://evil.example");
    other.send().await?.refusal(403, "wrong_origin")?;
    write()
        .header("sec-fetch-site", "same-origin")
        .send()
        .await?
        .expect(201)?;
    let read = api
        .ask(Method::GET, "/api/v1/nodes")
        .header("cookie", &cookie);
    read.send().await?.expect(200)?;
    Ok(())
}

#[tokio::test]
async fn never_28_a_changed_or_disabled_user_has_no_session() -> Result<()> {
    let api = Api::start()?;
    let changes = [
        ("role", json!({"role": "operator"})),
        ("password", json!({"password": "another long password"})),
        ("disabled", json!({"disabled": true})),
    ];
    for (name, change) in changes {
        let id = api.user(name, PASSWORD, "viewer").await?;
        let token = api.session(name, PASSWORD).await?;
        current(&api, &token).await?.expect(200)?;
        change_user(&api, id, &change).await?.expect(200)?;
        current(&api, &token)
            .await?
            .refusal(401, "unauthenticated")?;
    }
    let id = api.user("removed", PASSWORD, "viewer").await?;
    let token = api.session("removed", PASSWORD).await?;
    api.delete(&format!("/api/v1/users/{id}"))
        .await?
        .expect(204)?;
    current(&api, &token)
        .await?
        .refusal(401, "unauthenticated")?;
    Ok(())
}

async fn change_user(api: &Api, id: i64, change: &Value) -> Result<Reply> {
    let path = format!("/api/v1/users/{id}");
    let read = api.get(&path).await?;
    api.ask(Method::PATCH, path)
        .by(&api.admin)
        .header("if-match", read.header("etag"))
        .json(change)
        .send()
        .await
}

#[tokio::test]
async fn never_28_ones_own_new_password_ends_ones_sessions() -> Result<()> {
    let api = Api::start()?;
    api.user("someone", PASSWORD, "viewer").await?;
    let token = api.session("someone", PASSWORD).await?;
    let change = |current: &str| {
        let body = json!({"current": current, "new": "another long password"});
        api.ask(Method::PUT, "/api/v1/users/me/password")
            .by(&token)
            .json(&body)
    };
    ensure!(change("a wrong password").send().await?.problem()?["code"] != "internal");
    change(PASSWORD).send().await?.expect(204)?;
    current(&api, &token)
        .await?
        .refusal(401, "unauthenticated")?;
    api.session("someone", "another long password").await?;
    Ok(())
}

#[tokio::test]
async fn a_removed_api_key_opens_nothing() -> Result<()> {
    let api = Api::start()?;
    let key = api.key("viewer").await?;
    current(&api, &key).await?.expect(200)?;
    let keys = api.get("/api/v1/api-keys").await?.expect(200)?;
    let keys = keys["items"].as_array().context("no items")?;
    let id = keys
        .iter()
        .find(|key| key["name"] == "as viewer")
        .context("the key is not listed")?["id"]
        .clone();
    api.delete(&format!("/api/v1/api-keys/{id}"))
        .await?
        .expect(204)?;
    current(&api, &key).await?.refusal(401, "unauthenticated")?;
    Ok(())
}

#[tokio::test]
async fn a_key_cannot_be_more_than_its_maker() -> Result<()> {
    let api = Api::start()?;
    let viewer = api.key("viewer").await?;
    let body = json!({"name": "too much", "role": "admin"});
    let reply = api
        .ask(Method::POST, "/api/v1/api-keys")
        .by(&viewer)
        .json(&body)
        .send()
        .await?;
    ensure!(
        matches!(reply.status, 403 | 422),
        "{} {}",
        reply.status,
        reply.text
    );
    reply.problem()?;
    Ok(())
}

#[tokio::test]
async fn guessing_a_password_is_slowed_down() -> Result<()> {
    let api = Api::start()?;
    api.user("someone", PASSWORD, "viewer").await?;
    let unknown = api
        .sign_in("nobody", "wrong wrong wrong")
        .await?
        .refusal(401, "unauthenticated")?;
    let wrong = api
        .sign_in("someone", "wrong wrong wrong")
        .await?
        .refusal(401, "unauthenticated")?;
    ensure!(
        unknown["detail"] == wrong["detail"],
        "it tells which names there are"
    );
    for _ in 0..10 {
        let reply = api.sign_in("someone", "wrong wrong wrong").await?;
        if reply.status == 429 {
            reply.refusal(429, "too_many_sign_ins")?;
            let wait: u64 = reply.header("retry-after").parse()?;
            ensure!(wait > 0);
            api.sign_in("someone", PASSWORD)
                .await?
                .refusal(429, "too_many_sign_ins")?;
            return Ok(());
        }
        reply.refusal(401, "unauthenticated")?;
    }
    anyhow::bail!("twelve wrong passwords in a row were tried")
}

#[tokio::test]
async fn sessions_outlive_the_process() -> Result<()> {
    let mut api = Api::start()?;
    api.user("someone", PASSWORD, "viewer").await?;
    let token = api.session("someone", PASSWORD).await?;
    api.master.stop()?;
    api.master.resume()?;
    current(&api, &token).await?.expect(200)?;
    Ok(())
}
