//! Server-sent events as they come.

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use reqwest::{Method, Response};
use serde_json::Value;

use super::http::Http;

/// No event of a test takes longer than this to come.
const LIMIT: Duration = Duration::from_secs(20);

/// A stream of server-sent events as it comes.
pub(crate) struct Stream {
    response: Response,
    unread: String,
}

/// One event.
#[derive(Debug)]
pub(crate) struct Event {
    /// Its name, `message` when it has none.
    pub(crate) name: String,
    /// Its id.
    pub(crate) id: Option<i64>,
    /// What it says.
    pub(crate) data: Value,
}

impl Stream {
    /// Opens the stream at `path`, behind event `last` when one is named.
    pub(crate) async fn open(
        http: &Http,
        token: &str,
        path: &str,
        last: Option<i64>,
    ) -> Result<Self> {
        let mut asked = http
            .ask(Method::GET, path)
            .by(token)
            .header("accept", "text/event-stream");
        if let Some(id) = last {
            asked = asked.header("last-event-id", &id.to_string());
        }
        let response = asked.open().await?;
        ensure!(response.status() == 200, "{}", response.status());
        ensure!(response.headers()["content-type"] == "text/event-stream");
        Ok(Self {
            response,
            unread: String::new(),
        })
    }

    /// The next event; nothing when the stream ended.
    pub(crate) async fn next(&mut self) -> Result<Option<Event>> {
        loop {
            if let Some((event, rest)) = self.unread.split_once("\n\n") {
                let event = event.to_owned();
                self.unread = rest.to_owned();
                match parse(&event)? {
                    Some(event) => return Ok(Some(event)),
                    None => continue,
                }
            }
            let chunk = tokio::time::timeout(LIMIT, self.response.chunk()).await;
            match chunk.context("no event came")?? {
                Some(bytes) => self.unread.push_str(std::str::from_utf8(&bytes)?),
                None => return Ok(None),
            }
        }
    }

    /// The next event of this name.
    pub(crate) async fn find(&mut self, name: &str) -> Result<Event> {
        while let Some(event) = self.next().await? {
            if event.name == name {
                return Ok(event);
            }
        }
        bail!("the stream ended without {name}")
    }
}

/// An event out of its lines; nothing for a comment.
fn parse(text: &str) -> Result<Option<Event>> {
    let field = |name: &str| {
        text.lines()
            .find_map(|line| line.strip_prefix(name))
            .map(str::trim)
    };
    let Some(data) = field("data:") else {
        return Ok(None);
    };
    Ok(Some(Event {
        name: field("event:").unwrap_or("message").to_owned(),
        id: field("id:").map(str::parse).transpose()?,
        data: serde_json::from_str(data)?,
    }))
}
