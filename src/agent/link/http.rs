//! `MasterLink` over HTTP.

use super::upload::Taken;
use super::{LinkSettings, answer, client};
use async_trait::async_trait;
use backupx_core::domain::access::TargetAccess;
use backupx_core::domain::command::Lease;
use backupx_core::domain::id::{CommandId, TargetId};
use backupx_core::domain::protocol::{
    Assignments, BackintAsk, BackintTarget, Heartbeat, Hello, Poll, ProgressAnswer, ProgressReport,
    Pulse, ResultReport, Welcome,
};
use backupx_core::ports::clock::{Clock, SystemClock};
use backupx_core::ports::master::MasterLink;
use backupx_core::{Error, ErrorKind, Result};
use bytes::Bytes;
use reqwest::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, RANGE};
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode, Url};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::ops::Range;
use std::time::Duration;

/// Limit of a short call.
const CALL: Duration = Duration::from_secs(15);
/// Limit of a call that carries log lines or a report.
const REPORT: Duration = Duration::from_secs(30);
/// What a poll may take beyond its wait.
const POLL_MARGIN: Duration = Duration::from_secs(15);
/// How long an object may stand still.
const STALL: Duration = Duration::from_secs(120);

/// A master that is reached over HTTP.
#[derive(Debug)]
pub struct HttpLink {
    settings: LinkSettings,
    client: Client,
}

impl HttpLink {
    /// A link with these settings. Connects to nothing yet.
    pub fn new(settings: LinkSettings) -> Result<Self> {
        let client = client::build(&settings)?;
        if settings.insecure_tls {
            tracing::warn!(
                master = settings.master(),
                "the master's certificate is not checked (insecureTls): whoever is on the way can read and change everything"
            );
        }
        Ok(Self { settings, client })
    }

    /// Where the objects of this host's Backint program go.
    pub async fn backint_target(&self, ask: &BackintAsk) -> Result<TargetAccess> {
        let answer: Option<BackintTarget> = self.post(&["backint"], ask, CALL).await?;
        answer
            .map(|answer| answer.target)
            .ok_or_else(|| self.silent())
    }

    fn url(&self, segments: &[&str]) -> Url {
        let mut url = self.settings.master.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty()
                .extend(["api", "agent", "v1"])
                .extend(segments);
        }
        url
    }

    fn request(&self, method: Method, url: Url) -> Result<RequestBuilder> {
        Ok(self
            .client
            .request(method, url)
            .header(AUTHORIZATION, self.settings.token.header()?))
    }

    async fn send(&self, request: RequestBuilder) -> Result<Response> {
        let response = request
            .send()
            .await
            .map_err(|cause| answer::cut(self.settings.master(), cause))?;
        answer::successful(response, self.settings.master()).await
    }

    async fn post<T: DeserializeOwned>(
        &self,
        segments: &[&str],
        body: &(impl Serialize + Sync),
        limit: Duration,
    ) -> Result<Option<T>> {
        let response = self.call(segments, body, limit).await?;
        answer::json(response, self.settings.master()).await
    }

    /// A successful answer to a message, its body still unread.
    async fn call(
        &self,
        segments: &[&str],
        body: &(impl Serialize + Sync),
        limit: Duration,
    ) -> Result<Response> {
        let body = serde_json::to_vec(body).map_err(|cause| {
            Error::internal("a message could not be written").with_source(cause)
        })?;
        let request = self
            .request(Method::POST, self.url(segments))?
            .header(CONTENT_TYPE, "application/json")
            .timeout(limit)
            .body(body);
        let sent = self.send(request).await;
        sent.map_err(|error| self.explained(error))
    }

    /// A refused token is said in words that help whoever reads the agent's log; one in a file is looked up for the next call.
    fn explained(&self, error: Error) -> Error {
        if error.kind() != ErrorKind::Unauthenticated {
            return error;
        }
        let token = &self.settings.token;
        if token.renew() {
            return Error::unavailable(
                "token_renewed",
                format!(
                    "the master refused the token; {} holds another one now",
                    token.source()
                ),
            );
        }
        Error::unauthenticated(format!(
            "the master at {} does not know the token of {}: it was rotated, or the node was removed; `backupx node rotate-token` prints a new one",
            self.settings.master(),
            token.source()
        ))
    }

    fn object(&self, command: CommandId, lease: Lease, target: TargetId, name: &str) -> Url {
        let (command, target) = (command.to_string(), target.to_string());
        let mut url = self.url(&["commands", &command, "objects", &target, name]);
        url.query_pairs_mut()
            .append_pair("lease", &lease.to_string());
        url
    }

    fn silent(&self) -> Error {
        Error::unavailable(
            "bad_answer",
            format!(
                "the master at {} gave an empty answer",
                self.settings.master()
            ),
        )
    }
}

#[async_trait]
impl MasterLink for HttpLink {
    async fn hello(&self, hello: Hello) -> Result<Welcome> {
        let welcome = self.post(&["hello"], &hello, CALL).await?;
        welcome.ok_or_else(|| self.silent())
    }

    async fn heartbeat(&self, heartbeat: Heartbeat) -> Result<Pulse> {
        let pulse = self.post(&["heartbeat"], &heartbeat, CALL).await?;
        pulse.ok_or_else(|| self.silent())
    }

    async fn poll(&self, poll: Poll) -> Result<Assignments> {
        let limit = Duration::from_secs(poll.wait_secs) + POLL_MARGIN;
        let response = self.call(&["poll"], &poll, limit).await?;
        let retry_after_secs = answer::retry_after(response.headers());
        let assignments = answer::json(response, self.settings.master()).await?;
        Ok(assignments.unwrap_or_else(|| Assignments {
            server_time: SystemClock.now(),
            commands: Vec::new(),
            retry_after_secs,
        }))
    }

    async fn progress(&self, command: CommandId, report: ProgressReport) -> Result<ProgressAnswer> {
        let command = command.to_string();
        let answer = self
            .post(&["commands", &command, "progress"], &report, REPORT)
            .await?;
        answer.ok_or_else(|| self.silent())
    }

    async fn result(&self, command: CommandId, report: ResultReport) -> Result<()> {
        let command = command.to_string();
        // Whatever it says beside its success does not matter.
        let _said: Option<serde_json::Value> = self
            .post(&["commands", &command, "result"], &report, REPORT)
            .await?;
        Ok(())
    }

    async fn relay_create(
        &self,
        command: CommandId,
        lease: Lease,
        target: TargetId,
        name: &str,
        body: Vec<Bytes>,
    ) -> Result<()> {
        let size: usize = body.iter().map(Bytes::len).sum();
        let taken = Taken::default();
        let request = self
            .request(Method::PUT, self.object(command, lease, target, name))?
            .header(CONTENT_TYPE, "application/octet-stream")
            .header(CONTENT_LENGTH, size)
            .body(taken.body(body));
        taken
            .watch(self.send(request), STALL, self.settings.master())
            .await
            .map(drop)
            .map_err(|error| self.explained(error))
    }

    async fn relay_stat(
        &self,
        command: CommandId,
        lease: Lease,
        target: TargetId,
        name: &str,
    ) -> Result<Option<u64>> {
        let request = self
            .request(Method::HEAD, self.object(command, lease, target, name))?
            .timeout(REPORT);
        let master = self.settings.master();
        let response = request
            .send()
            .await
            .map_err(|cause| answer::cut(master, cause))?;
        // An answer to HEAD has no body that could tell one kind of absence from another.
        if response.status() == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        let response = match response.status() {
            StatusCode::CONFLICT => {
                return Err(Error::conflict(
                    "lease_lost",
                    format!("command {command} is not this agent's any more"),
                ));
            }
            StatusCode::FORBIDDEN => {
                return Err(Error::forbidden(
                    "forbidden",
                    format!("the master relays nothing of command {command} to that target"),
                ));
            }
            _ => answer::successful(response, master)
                .await
                .map_err(|error| self.explained(error))?,
        };
        let size = response
            .headers()
            .get(CONTENT_LENGTH)
            .and_then(|size| size.to_str().ok()?.parse().ok());
        size.map(Some).ok_or_else(|| {
            Error::unavailable(
                "bad_answer",
                format!("{master} did not say the size of {name}"),
            )
        })
    }

    async fn relay_read(
        &self,
        command: CommandId,
        lease: Lease,
        target: TargetId,
        name: &str,
        range: Range<u64>,
    ) -> Result<Bytes> {
        if range.is_empty() {
            return Ok(Bytes::new());
        }
        let wanted = range.end - range.start;
        let master = self.settings.master();
        let request = self
            .request(Method::GET, self.object(command, lease, target, name))?
            .header(RANGE, format!("bytes={}-{}", range.start, range.end - 1));
        let response = tokio::time::timeout(STALL, self.send(request))
            .await
            .map_err(|_| {
                Error::unavailable(
                    "master_timeout",
                    format!("the master at {master} did not answer in time"),
                )
            })?
            .map_err(|error| self.explained(error))?;
        let whole = response.status() != StatusCode::PARTIAL_CONTENT;
        if whole && range.start != 0 {
            return Err(Error::unavailable(
                "bad_answer",
                format!("{master} does not answer parts of objects: is a proxy in between?"),
            ));
        }
        let bytes = read_exactly(response, wanted, master).await?;
        if bytes.len() as u64 != wanted {
            return Err(Error::unavailable(
                "master_cut",
                format!(
                    "{master} answered {} of {wanted} bytes of {name}",
                    bytes.len()
                ),
            ));
        }
        Ok(bytes)
    }
}

/// Reads up to `wanted` bytes; a body that stands still is given up.
async fn read_exactly(mut response: Response, wanted: u64, master: &str) -> Result<Bytes> {
    let stalled = |_| {
        Error::unavailable(
            "master_stalled",
            format!("{master} sent nothing for {} s", STALL.as_secs()),
        )
    };
    let mut body = bytes::BytesMut::new();
    while (body.len() as u64) < wanted {
        let next = tokio::time::timeout(STALL, response.chunk())
            .await
            .map_err(stalled)?;
        let Some(chunk) = next.map_err(|cause| answer::cut(master, cause))? else {
            break;
        };
        let room = usize::try_from(wanted).unwrap_or(usize::MAX) - body.len();
        body.extend_from_slice(&chunk[..chunk.len().min(room)]);
    }
    Ok(body.freeze())
}
