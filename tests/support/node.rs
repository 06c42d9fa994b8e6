//! A node whose agent is the test itself: the agent protocol, spoken by hand.

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::http::{Http, Reply};

/// A node whose agent is this test.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    /// The master that it speaks to.
    pub(crate) http: Http,
    /// Its id.
    pub(crate) id: i64,
    /// Its token.
    pub(crate) token: String,
}

/// A command that the node holds.
#[derive(Debug, Clone)]
pub(crate) struct Held {
    /// Its id.
    pub(crate) command: i64,
    /// Its lease.
    pub(crate) lease: i64,
    /// What is to be done.
    pub(crate) work: Value,
}

impl Node {
    /// A new node that has said hello.
    pub(crate) async fn start(http: &Http, admin: &str, name: &str) -> Result<Self> {
        let body = json!({"name": name});
        let made = http.post(admin, "/api/v1/nodes", &body).await?;
        let made = made.expect(201)?;
        let node = Self {
            http: http.clone(),
            id: made["id"].as_i64().context("no id")?,
            token: made["token"].as_str().context("no token")?.to_owned(),
        };
        node.hello(json!([])).await?.expect(200)?;
        Ok(node)
    }

    /// The same node, speaking to another replica.
    pub(crate) fn at(&self, http: &Http) -> Self {
        Self {
            http: http.clone(),
            ..self.clone()
        }
    }

    /// A call of the protocol.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Result<Reply> {
        let path = format!("/api/agent/v1/{path}");
        self.http.post(&self.token, path, body).await
    }

    async fn hello(&self, leases: Value) -> Result<Reply> {
        let facts = json!({"version": "0.1.0", "hostname": "web", "os": "linux", "arch": "x86_64", "taskTypes": ["file"]});
        self.post("hello", &json!({"facts": facts, "leases": leases}))
            .await
    }

    /// Waits for long work and answers what came.
    pub(crate) async fn poll(&self, wait_secs: u64) -> Result<Reply> {
        let body = json!({"waitSecs": wait_secs, "free": 1, "lane": "work"});
        self.post("poll", &body).await
    }

    /// The next command of long work.
    pub(crate) async fn claim(&self) -> Result<Held> {
        Held::of(&self.poll(10).await?.expect(200)?)
    }

    /// Says how far a command is, with these log lines.
    pub(crate) async fn progress(
        &self,
        held: &Held,
        bytes: u64,
        lines: &[(i64, &str)],
    ) -> Result<Reply> {
        let line = |(seq, message): &(i64, &str)| json!({"seq": seq, "at": "2026-01-01T00:00:00Z", "level": "info", "message": message});
        let log: Vec<_> = lines.iter().map(line).collect();
        let progress = json!({"phase": "transferring", "bytes": bytes});
        let body = json!({"lease": held.lease, "progress": progress, "log": log});
        self.post(&format!("commands/{}/progress", held.command), &body)
            .await
    }

    /// Says that a command failed.
    pub(crate) async fn fail(&self, held: &Held) -> Result<Reply> {
        let failure = json!({"code": "source_missing", "message": "there is no /etc/hostname"});
        let body = json!({"lease": held.lease, "outcome": "failed", "failure": failure});
        self.post(&format!("commands/{}/result", held.command), &body)
            .await
    }
}

impl Held {
    /// The first command in the answer to a poll.
    pub(crate) fn of(answer: &Value) -> Result<Self> {
        let command = &answer["commands"][0];
        Ok(Self {
            command: command["commandId"].as_i64().context("no command")?,
            lease: command["lease"].as_i64().context("no lease")?,
            work: command["work"].clone(),
        })
    }
}
