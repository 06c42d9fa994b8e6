//! The agent protocol, spoken by hand.

use anyhow::{Context, Result, ensure};
use reqwest::Method;
use serde_json::json;

use crate::client::Api;
use crate::support::node::{Held, Node};

/// A run of a new task of this node; its record's id.
pub(crate) async fn run(api: &Api, node: i64) -> Result<i64> {
    let target = api.target("kept").await?;
    let task = api.task("etc", node, target).await?;
    let reply = api
        .post(&format!("/api/v1/tasks/{task}/run"), json!({}))
        .await?;
    let record = reply.expect(202)?;
    ensure!(record["status"] == "queued", "{record}");
    ensure!(reply.header("location") == format!("/api/v1/records/{}", record["id"]));
    record["id"].as_i64().context("no id")
}

#[tokio::test]
async fn a_command_goes_from_poll_to_result() -> Result<()> {
    let api = Api::start()?;
    let node = Node::start(&api.http, &api.admin, "web").await?;
    let shown = api
        .get(&format!("/api/v1/nodes/{}", node.id))
        .await?
        .expect(200)?;
    ensure!(
        shown["status"] == "online" && shown["facts"]["hostname"] == "web",
        "{shown}"
    );
    let nothing = node
        .post("poll", &json!({"waitSecs": 0, "free": 1, "lane": "work"}))
        .await?;
    nothing.expect(204)?;
    let record = run(&api, node.id).await?;
    let held = node.claim().await?;
    ensure!(
        held.work["type"] == "backup" && held.work["recordId"] == record,
        "{}",
        held.work
    );
    let answer = node
        .progress(&held, 5, &[(1, "reading")])
        .await?
        .expect(200)?;
    ensure!(
        answer["cancel"] == false && answer["serverTime"].is_string(),
        "{answer}"
    );
    let path = format!("/api/v1/records/{record}");
    let shown = api.get(&path).await?.expect(200)?;
    ensure!(
        shown["status"] == "running" && shown["rawBytes"] == 5,
        "{shown}"
    );
    ensure!(
        shown["nodeName"] == "web" && shown["taskName"] == "etc",
        "{shown}"
    );
    node.fail(&held).await?.expect(204)?;
    let shown = api.get(&path).await?.expect(200)?;
    ensure!(
        shown["status"] == "failed" && shown["error"]["code"] == "source_missing",
        "{shown}"
    );
    let log = api.get(&format!("{path}/logs")).await?.expect(200)?;
    ensure!(
        log["items"]
            .as_array()
            .is_some_and(|lines| lines.iter().any(|line| line["message"] == "reading")),
        "{log}"
    );
    Ok(())
}

#[tokio::test]
async fn never_09_a_stale_lease_is_told_and_changes_nothing() -> Result<()> {
    let api = Api::start()?;
    let node = Node::start(&api.http, &api.admin, "web").await?;
    let record = run(&api, node.id).await?;
    let held = node.claim().await?;
    let stale = Held {
        lease: held.lease - 1,
        ..held.clone()
    };
    node.progress(&stale, 5, &[(1, "late")])
        .await?
        .refusal(409, "lease_lost")?;
    node.fail(&stale).await?.refusal(409, "lease_lost")?;
    let unknown = Held {
        command: 424_242,
        ..held.clone()
    };
    node.fail(&unknown).await?.refusal(409, "lease_lost")?;
    let other = Node::start(&api.http, &api.admin, "other").await?;
    other.fail(&held).await?.refusal(409, "lease_lost")?;
    let shown = api
        .get(&format!("/api/v1/records/{record}"))
        .await?
        .expect(200)?;
    ensure!(
        matches!(shown["status"].as_str(), Some("queued" | "running")),
        "{shown}"
    );
    node.fail(&held).await?.expect(204)?;
    Ok(())
}

#[tokio::test]
async fn a_cancelled_run_is_told_to_stop() -> Result<()> {
    let api = Api::start()?;
    let node = Node::start(&api.http, &api.admin, "web").await?;
    let record = run(&api, node.id).await?;
    let held = node.claim().await?;
    node.progress(&held, 0, &[]).await?.expect(200)?;
    api.post(&format!("/api/v1/records/{record}/cancel"), json!({}))
        .await?
        .expect(202)?;
    let answer = node.progress(&held, 1, &[]).await?.expect(200)?;
    ensure!(answer["cancel"] == true, "{answer}");
    let body = json!({"lease": held.lease, "outcome": "cancelled"});
    node.post(&format!("commands/{}/result", held.command), &body)
        .await?
        .expect(204)?;
    let shown = api
        .get(&format!("/api/v1/records/{record}"))
        .await?
        .expect(200)?;
    ensure!(shown["status"] == "cancelled", "{shown}");
    Ok(())
}

#[tokio::test]
async fn a_rotated_token_is_taken_beside_the_old_one() -> Result<()> {
    let api = Api::start()?;
    let node = Node::start(&api.http, &api.admin, "web").await?;
    let rotated = api
        .post(
            &format!("/api/v1/nodes/{}/rotate-token", node.id),
            json!({}),
        )
        .await?
        .expect(200)?;
    let token = rotated["token"].as_str().context("no token")?;
    ensure!(token.len() == 64 && token != node.token, "{}", token.len());
    let fresh = Node {
        http: api.http.clone(),
        id: node.id,
        token: token.to_owned(),
    };
    for node in [&node, &fresh] {
        node.post("heartbeat", &json!({})).await?.expect(200)?;
    }
    Ok(())
}

#[tokio::test]
async fn objects_are_relayed_for_the_holder_of_the_lease_alone() -> Result<()> {
    let api = Api::start()?;
    let node = Node::start(&api.http, &api.admin, "web").await?;
    run(&api, node.id).await?;
    let held = node.claim().await?;
    ensure!(held.work["targets"][0]["relay"] == true, "{}", held.work);
    let target = held.work["targets"][0]["id"].clone();
    let path = |name: &str, lease: i64| {
        format!(
            "/api/agent/v1/commands/{}/objects/{target}/{name}?lease={lease}",
            held.command
        )
    };
    let ask = |method: Method, path: String| api.ask(method, path).by(&node.token);
    let object = path("data.tar.zst.000001", held.lease);
    ask(Method::PUT, object.clone())
        .body(b"0123456789".to_vec())
        .send()
        .await?
        .expect(201)?;
    ask(Method::PUT, object.clone())
        .body(b"again".to_vec())
        .send()
        .await?
        .refusal(409, "object_exists")?;
    let stat = ask(Method::HEAD, object.clone()).send().await?;
    ensure!(
        stat.status == 200 && stat.header("content-length") == "10",
        "{stat:?}"
    );
    let part = ask(Method::GET, object.clone())
        .header("range", "bytes=2-4")
        .send()
        .await?;
    ensure!(part.status == 206 && part.text == "234", "{part:?}");
    ensure!(part.header("content-range") == "bytes 2-4/10", "{part:?}");
    let whole = ask(Method::GET, object.clone()).send().await?;
    ensure!(
        whole.status == 200 && whole.text == "0123456789",
        "{whole:?}"
    );
    let beyond = ask(Method::GET, object.clone())
        .header("range", "bytes=10-12")
        .send()
        .await?;
    beyond.refusal(416, "bad_range")?;
    let missing = ask(Method::GET, path("data.tar.zst.000002", held.lease))
        .send()
        .await?;
    missing.refusal(404, "object_not_found")?;
    let stale = ask(Method::GET, path("data.tar.zst.000001", held.lease - 1))
        .send()
        .await?;
    stale.refusal(409, "lease_lost")?;
    for name in ["..%2f..%2fetc", "a%2fb", "%2e%2e"] {
        let reply = ask(Method::PUT, path(name, held.lease))
            .body("x")
            .send()
            .await?;
        ensure!(
            (400..500).contains(&reply.status),
            "{name}: {}",
            reply.status
        );
        reply.problem()?;
    }
    let large = ask(Method::PUT, path("large", held.lease))
        .body(vec![0; 65 * 1024 * 1024])
        .send()
        .await?;
    large.refusal(413, "body_too_large")?;
    Ok(())
}
