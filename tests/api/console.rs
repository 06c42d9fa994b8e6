//! The console's files, health, and what keeps browsers safe.

use anyhow::{Result, ensure};
use reqwest::Method;

use crate::client::Api;

#[tokio::test]
async fn the_console_is_served_with_a_strict_policy() -> Result<()> {
    let api = Api::fresh()?;
    for path in ["/", "/index.html", "/records/7"] {
        let page = api.ask(Method::GET, path).send().await?;
        ensure!(
            page.status == 200 && page.text.contains("<html"),
            "{path}: {}",
            page.status
        );
        ensure!(
            page.header("content-type").starts_with("text/html"),
            "{path}"
        );
        let policy = page.header("content-security-policy");
        ensure!(
            policy.contains("default-src 'self'") && policy.contains("frame-ancestors 'none'"),
            "{policy}"
        );
        ensure!(!policy.contains("unsafe"), "{policy}");
        ensure!(page.header("x-content-type-options") == "nosniff");
        ensure!(page.header("referrer-policy") == "no-referrer");
    }
    let tag = api
        .ask(Method::GET, "/")
        .send()
        .await?
        .header("etag")
        .to_owned();
    let again = api
        .ask(Method::GET, "/")
        .header("if-none-match", &tag)
        .send()
        .await?;
    ensure!(
        again.status == 304 && again.text.is_empty(),
        "{}",
        again.status
    );
    for path in [
        "/missing.js",
        "/assets/missing.css",
        "/..%2f..%2fetc%2fpasswd",
        "/%2e%2e/Cargo.toml",
    ] {
        let reply = api.ask(Method::GET, path).send().await?;
        ensure!(
            !reply.text.contains("root:") && !reply.text.contains("[workspace]"),
            "{path}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn answers_of_the_api_are_not_stored_anywhere() -> Result<()> {
    let api = Api::start()?;
    let reply = api.get("/api/v1/nodes").await?;
    ensure!(reply.header("cache-control") == "no-store");
    ensure!(
        reply
            .header("content-security-policy")
            .contains("default-src 'none'")
    );
    ensure!(reply.header("access-control-allow-origin").is_empty());
    Ok(())
}

#[tokio::test]
async fn health_readiness_and_metrics_are_told() -> Result<()> {
    let api = Api::start()?;
    for path in ["/health", "/ready"] {
        let reply = api.ask(Method::GET, path).send().await?;
        ensure!(reply.status == 200, "{path}: {}", reply.status);
    }
    let metrics = api.ask(Method::GET, "/metrics").send().await?;
    ensure!(
        metrics.status == 200 && metrics.text.contains("backupx_state_store_up 1"),
        "{}",
        metrics.text
    );
    ensure!(
        metrics.text.contains("route=\"/ready\""),
        "{}",
        metrics.text
    );
    let far = |key: Option<&str>| {
        let asked = api
            .ask(Method::GET, "/metrics")
            .header("x-forwarded-for", "203.0.113.7");
        match key {
            Some(key) => asked.by(key),
            None => asked,
        }
    };
    far(None).send().await?.refusal(401, "unauthenticated")?;
    ensure!(far(Some(&api.admin)).send().await?.status == 200);
    Ok(())
}
