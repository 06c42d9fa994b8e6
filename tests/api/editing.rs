//! Reading, changing and listing: entity tags, names, pages.

use anyhow::{Context, Result, ensure};
use reqwest::Method;
use serde_json::{Value, json};

use crate::client::{Api, Asked, Reply};

fn put<'a>(api: &'a Api, path: &str, tag: &str) -> Asked<'a> {
    api.ask(Method::PUT, path)
        .by(&api.admin)
        .header("if-match", tag)
}

#[tokio::test]
async fn two_editors_cannot_overwrite_each_other_unseen() -> Result<()> {
    let api = Api::start()?;
    let (node, _) = api.node("web").await?;
    let path = format!("/api/v1/nodes/{node}");
    let tag = api.get(&path).await?.header("etag").to_owned();
    let without = api
        .ask(Method::PUT, path.as_str())
        .by(&api.admin)
        .json(&json!({"name": "www"}));
    without.send().await?.refusal(428, "if_match_required")?;
    let first = put(&api, &path, &tag).json(&json!({"name": "www", "labels": ["front"]}));
    let first = first.send().await?;
    first.expect(200)?;
    ensure!(first.header("etag") != tag, "the tag did not change");
    let second = put(&api, &path, &tag).json(&json!({"name": "late"}));
    second.send().await?.refusal(412, "stale_version")?;
    ensure!(api.get(&path).await?.expect(200)?["name"] == "www");
    let nonsense = put(&api, &path, "\"nonsense\"").json(&json!({"name": "late"}));
    nonsense.send().await?.refusal(412, "stale_version")?;
    Ok(())
}

#[tokio::test]
async fn every_editable_thing_refuses_a_stale_change() -> Result<()> {
    let api = Api::start()?;
    let target = api.target("folder").await?;
    let task = api.task("etc", 0, target).await?;
    let user = api
        .user("someone", "a long enough password", "viewer")
        .await?;
    let spec = json!({"name": "etc", "source": {"type": "file", "paths": ["/usr"]}, "targetIds": [target]});
    let changes: [(Method, String, Value); 3] = [
        (Method::PUT, format!("/api/v1/tasks/{task}"), spec),
        (
            Method::PATCH,
            format!("/api/v1/targets/{target}"),
            json!({"name": "other"}),
        ),
        (
            Method::PATCH,
            format!("/api/v1/users/{user}"),
            json!({"role": "operator"}),
        ),
    ];
    for (method, path, body) in changes {
        let tag = api.get(&path).await?.header("etag").to_owned();
        let change = || {
            let asked = api.ask(method.clone(), path.as_str()).by(&api.admin);
            asked.header("if-match", &tag).json(&body)
        };
        change().send().await?.expect(200)?;
        change().send().await?.refusal(412, "stale_version")?;
    }
    Ok(())
}

#[tokio::test]
async fn a_changed_target_keeps_the_secrets_that_were_not_named() -> Result<()> {
    let api = Api::start()?;
    let config = json!({"bucket": "b", "accessKeyId": "id", "secretAccessKey": "hidden"});
    let body = json!({"name": "bucket", "type": "s3", "config": config});
    let target = api.post("/api/v1/targets", body).await?.expect(201)?;
    ensure!(
        target["secretsSet"] == json!(["secretAccessKey"]),
        "{target}"
    );
    ensure!(target["config"]["secretAccessKey"].is_null(), "{target}");
    let path = format!("/api/v1/targets/{}", target["id"]);
    let tag = api.get(&path).await?.header("etag").to_owned();
    let change = api
        .ask(Method::PATCH, path.as_str())
        .by(&api.admin)
        .header("if-match", &tag);
    let changed = change
        .json(&json!({"config": {"prefix": "p"}}))
        .send()
        .await?
        .expect(200)?;
    ensure!(
        changed["config"]["prefix"] == "p" && changed["config"]["bucket"] == "b",
        "{changed}"
    );
    ensure!(
        changed["secretsSet"] == json!(["secretAccessKey"]),
        "{changed}"
    );
    Ok(())
}

#[tokio::test]
async fn what_is_made_is_found_where_the_answer_says() -> Result<()> {
    let api = Api::start()?;
    let target = api.target("folder").await?;
    let source = json!({"type": "file", "paths": ["/etc"]});
    let made = [
        ("/api/v1/nodes", json!({"name": "web"})),
        (
            "/api/v1/targets",
            json!({"name": "other", "type": "local", "config": {"path": "/tmp/x"}}),
        ),
        (
            "/api/v1/tasks",
            json!({"name": "etc", "source": source, "targetIds": [target]}),
        ),
        (
            "/api/v1/users",
            json!({"username": "u", "password": "long enough password", "role": "viewer"}),
        ),
    ];
    for (path, body) in made {
        let reply = api.post(path, body).await?;
        let made = reply.expect(201)?;
        let found = api.get(reply.header("location")).await?.expect(200)?;
        ensure!(found["id"] == made["id"], "{found}");
    }
    Ok(())
}

#[tokio::test]
async fn pages_hold_everything_once() -> Result<()> {
    let api = Api::start()?;
    for number in 0..7 {
        api.node(&format!("node {number}")).await?;
    }
    let mut names = Vec::new();
    let mut path = "/api/v1/nodes?limit=3".to_owned();
    loop {
        let page = api.get(&path).await?.expect(200)?;
        let items = page["items"].as_array().context("no items")?;
        ensure!(items.len() <= 3, "{page}");
        names.extend(
            items
                .iter()
                .filter_map(|node| node["name"].as_str().map(str::to_owned)),
        );
        match page["nextCursor"].as_str() {
            Some(cursor) => path = format!("/api/v1/nodes?limit=3&cursor={cursor}"),
            None => break,
        }
    }
    let count = names.len();
    names.sort();
    names.dedup();
    ensure!(count == names.len() && count >= 7, "{names:?}");
    Ok(())
}

#[tokio::test]
async fn things_are_found_by_their_name() -> Result<()> {
    let api = Api::start()?;
    let target = api.target("the folder").await?;
    let found = api
        .get("/api/v1/targets?name=the%20folder")
        .await?
        .expect(200)?;
    ensure!(found["items"][0]["id"] == target, "{found}");
    let none = api.get("/api/v1/targets?name=folder").await?.expect(200)?;
    ensure!(none["items"] == json!([]), "{none}");
    Ok(())
}

#[tokio::test]
async fn the_local_node_is_number_zero() -> Result<()> {
    let api = Api::start()?;
    let reply: Reply = api.get("/api/v1/nodes/0").await?;
    let node = reply.expect(200)?;
    ensure!(node["id"] == 0 && node["local"] == true, "{node}");
    Ok(())
}

#[tokio::test]
async fn a_schedule_can_be_looked_ahead() -> Result<()> {
    let api = Api::start()?;
    let preview = |cron: &str, timezone: &str| {
        let body = json!({"schedule": {"cron": cron, "timezone": timezone}, "count": 3});
        let api = &api;
        async move { api.post("/api/v1/schedules/preview", body).await }
    };
    let good = preview("30 2 * * *", "Europe/Berlin").await?.expect(200)?;
    ensure!(
        good["nextRuns"]
            .as_array()
            .is_some_and(|runs| runs.len() == 3),
        "{good}"
    );
    ensure!(preview("every day", "UTC").await?.status == 422);
    ensure!(preview("@daily", "Moon/Tycho").await?.status == 422);
    Ok(())
}
