//! Live streams.

use anyhow::{Context, Result, ensure};
use reqwest::Method;
use serde_json::json;
use std::time::Duration;

use crate::agent::run;
use crate::client::Api;
use crate::support::node::Node;
use crate::support::stream::Stream;

/// No event of a test takes longer than this to come.
const LIMIT: Duration = Duration::from_secs(20);

async fn open(api: &Api, path: &str, last: Option<i64>) -> Result<Stream> {
    Stream::open(&api.http, &api.admin, path, last).await
}

#[tokio::test]
async fn a_log_is_followed_live_and_resumed_where_it_broke_off() -> Result<()> {
    let api = Api::start()?;
    let node = Node::start(&api.http, &api.admin, "web").await?;
    let record = run(&api, node.id).await?;
    let path = format!("/api/v1/records/{record}/logs");
    let held = node.claim().await?;
    let mut stream = open(&api, &path, None).await?;
    node.progress(&held, 1, &[(1, "first"), (2, "second")])
        .await?
        .expect(200)?;
    // Lines and progress are stored one after the other: either may be seen first.
    let (mut seen, mut progress) = (Vec::new(), None);
    while progress.is_none() || !seen.iter().any(|(message, _)| message == "second") {
        let event = stream.next().await?.context("the stream ended")?;
        match event.name.as_str() {
            "line" => {
                let message = event.data["message"].as_str().context("no message")?;
                seen.push((message.to_owned(), event.id.context("no id")?));
            }
            "progress" if event.data["bytes"] == 1 => progress = Some(event),
            _ => {}
        }
    }
    drop(stream);
    let first = seen
        .iter()
        .find(|(message, _)| message == "first")
        .context("first was skipped")?
        .1;
    let mut stream = open(&api, &path, Some(first)).await?;
    ensure!(stream.find("line").await?.data["message"] == "second");
    node.progress(&held, 2, &[(2, "second"), (3, "third")])
        .await?
        .expect(200)?;
    ensure!(
        stream.find("line").await?.data["message"] == "third",
        "a repeated line is shown twice"
    );
    node.fail(&held).await?.expect(204)?;
    let end = stream.find("end").await?;
    ensure!(end.data["status"] == "failed", "{end:?}");
    ensure!(
        stream.next().await?.is_none(),
        "the stream goes on after its end"
    );
    Ok(())
}

#[tokio::test]
async fn a_log_is_read_in_pages() -> Result<()> {
    let api = Api::start()?;
    let node = Node::start(&api.http, &api.admin, "web").await?;
    let record = run(&api, node.id).await?;
    let held = node.claim().await?;
    let lines: Vec<_> = (1..=7).map(|seq| (seq, "a line")).collect();
    node.progress(&held, 1, &lines).await?.expect(200)?;
    let mut path = format!("/api/v1/records/{record}/logs?limit=3");
    let mut ids = Vec::new();
    loop {
        let page = api.get(&path).await?.expect(200)?;
        let items = page["items"].as_array().context("no items")?;
        ids.extend(items.iter().filter_map(|line| line["id"].as_i64()));
        match page["nextCursor"].as_str() {
            Some(cursor) => path = format!("/api/v1/records/{record}/logs?limit=3&cursor={cursor}"),
            None => break,
        }
    }
    ensure!(ids.len() >= 7 && ids.is_sorted(), "{ids:?}");
    Ok(())
}

#[tokio::test]
async fn events_come_live_and_in_order() -> Result<()> {
    let api = Api::start()?;
    let node = Node::start(&api.http, &api.admin, "web").await?;
    let record = run(&api, node.id).await?;
    let mut stream = open(&api, "/api/v1/events", None).await?;
    let held = node.claim().await?;
    node.fail(&held).await?.expect(204)?;
    let event = loop {
        let event = stream.next().await?.context("the stream ended")?;
        if event.data["type"] == "recordFinished" {
            break event;
        }
    };
    ensure!(
        event.data["recordId"] == record && event.data["status"] == "failed",
        "{event:?}"
    );
    let id = event.id.context("no id")?;
    let page = api
        .get(&format!("/api/v1/events?cursor={}", id - 1))
        .await?
        .expect(200)?;
    ensure!(page["items"][0]["id"] == id, "{page}");
    let mut again = open(&api, "/api/v1/events", Some(id - 1)).await?;
    let first = again.next().await?.context("the stream ended")?;
    ensure!(first.id == Some(id), "{first:?}");
    Ok(())
}

#[tokio::test]
async fn never_28_a_stream_ends_with_the_key_that_opened_it() -> Result<()> {
    let mut api = Api::start()?;
    let made = api
        .post(
            "/api/v1/api-keys",
            json!({"name": "short", "role": "viewer"}),
        )
        .await?
        .expect(201)?;
    let admin = std::mem::replace(
        &mut api.admin,
        made["key"].as_str().context("no key")?.to_owned(),
    );
    let mut stream = open(&api, "/api/v1/events", None).await?;
    api.admin = admin;
    api.delete(&format!("/api/v1/api-keys/{}", made["id"]))
        .await?
        .expect(204)?;
    let node = Node::start(&api.http, &api.admin, "web").await?;
    run(&api, node.id).await?;
    let held = node.claim().await?;
    node.fail(&held).await?.expect(204)?;
    while let Some(event) = stream.next().await? {
        ensure!(
            event.data["type"] != "recordFinished",
            "a removed key still sees events"
        );
    }
    Ok(())
}

#[tokio::test]
async fn a_stream_asks_proxies_not_to_hold_it_back() -> Result<()> {
    let api = Api::start()?;
    let asked = api.ask(Method::GET, "/api/v1/events").by(&api.admin);
    let stream = asked.header("accept", "text/event-stream").open().await?;
    ensure!(
        stream.headers()["x-accel-buffering"] == "no",
        "{:?}",
        stream.headers()
    );
    Ok(())
}

#[tokio::test]
async fn odd_places_to_resume_are_refused() -> Result<()> {
    let api = Api::start()?;
    let asked = api
        .ask(Method::GET, "/api/v1/events")
        .by(&api.admin)
        .header("accept", "text/event-stream");
    asked
        .header("last-event-id", "abc")
        .send()
        .await?
        .refusal(422, "invalid_input")?;
    let gone = api
        .ask(Method::GET, "/api/v1/records/424242/logs")
        .by(&api.admin);
    let gone = gone.header("accept", "text/event-stream").send().await?;
    gone.refusal(404, "record_not_found")?;
    Ok(())
}

#[tokio::test]
async fn streams_and_polls_end_when_the_master_stops() -> Result<()> {
    let mut api = Api::start()?;
    let url = api.master.url();
    let (node, token) = api.node("web").await?;
    let mut stream = open(&api, "/api/v1/events", None).await?;
    let body = json!({"waitSecs": 25, "free": 1, "lane": "work"}).to_string();
    let poll = reqwest::Client::new()
        .post(format!("{url}/api/agent/v1/poll"))
        .bearer_auth(token)
        .header("content-type", "application/json")
        .body(body)
        .send();
    let poll = tokio::spawn(poll);
    // The poll is under way once the master has heard the node.
    let path = format!("/api/v1/nodes/{node}");
    tokio::time::timeout(LIMIT, async {
        while api.get(&path).await?.expect(200)?["status"] != "online" {}
        anyhow::Ok(())
    })
    .await??;
    tokio::task::spawn_blocking(move || api.master.stop()).await??;
    while stream.next().await?.is_some() {}
    let status = poll.await??.status();
    ensure!(status == 204, "{status}");
    Ok(())
}
