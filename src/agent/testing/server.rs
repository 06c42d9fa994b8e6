//! A small real HTTP server on loopback: it answers what a test says and keeps what it was asked.

use bytes::BytesMut;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// A request as it came.
#[derive(Debug, Clone, Default)]
pub(super) struct Request {
    /// Method and path with its query.
    pub(super) line: String,
    /// Headers, names in lower case.
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

impl Request {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(header, _)| header == name)
            .map(|(_, value)| value.as_str())
    }
}

/// What to answer: status and further head lines, and a body.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    head: String,
    body: Vec<u8>,
    /// Says more bytes than it sends, as a connection that breaks.
    missing: usize,
}

impl Answer {
    pub(super) fn new(status: u16, kind: &str, body: impl Into<Vec<u8>>) -> Self {
        Self {
            head: format!("HTTP/1.1 {status} as the test wants it\r\ncontent-type: {kind}\r\n"),
            body: body.into(),
            missing: 0,
        }
    }

    pub(super) fn json(status: u16, body: &serde_json::Value) -> Self {
        Self::new(status, "application/json", body.to_string())
    }

    pub(super) fn problem(status: u16, code: &str, detail: &str) -> Self {
        let body = serde_json::json!({"type": "about:blank", "title": "no", "status": status, "code": code, "detail": detail});
        Self::new(status, "application/problem+json", body.to_string())
    }

    pub(super) fn with(mut self, header: &str) -> Self {
        self.head.push_str(header);
        self.head.push_str("\r\n");
        self
    }

    pub(super) fn broken_off(mut self, missing: usize) -> Self {
        self.missing = missing;
        self
    }
}

/// The server. Dropping it ends it.
pub(super) struct Server {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<Request>>>,
    _task: JoinSet<()>,
}

impl Server {
    /// A server that answers every request with what `answer` makes of it.
    pub(super) async fn start(answer: impl Fn(&Request) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port on loopback");
        let address = listener.local_addr().expect("an address");
        let requests = Arc::new(Mutex::new(Vec::new()));
        let mut task = JoinSet::new();
        let (seen, answer) = (Arc::clone(&requests), Arc::new(answer));
        task.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let (seen, answer) = (Arc::clone(&seen), Arc::clone(&answer));
                connections.spawn(async move {
                    // A client that goes away ends its connection, no more.
                    drop(serve(stream, &seen, answer.as_ref()).await);
                });
            }
        });
        Self {
            address,
            requests,
            _task: task,
        }
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(super) fn requests(&self) -> MutexGuard<'_, Vec<Request>> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The last request.
    pub(super) fn asked(&self) -> Request {
        self.requests().last().cloned().expect("a request came")
    }
}

async fn serve(
    mut stream: TcpStream,
    seen: &Mutex<Vec<Request>>,
    answer: &(dyn Fn(&Request) -> Answer + Send + Sync),
) -> std::io::Result<()> {
    let mut buffer = BytesMut::new();
    let end = loop {
        if let Some(end) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
            break end;
        }
        if stream.read_buf(&mut buffer).await? == 0 {
            return Ok(());
        }
    };
    let head = String::from_utf8_lossy(&buffer[..end]).into_owned();
    let mut lines = head.split("\r\n");
    let line = lines.next().unwrap_or_default();
    let mut request = Request {
        line: line.trim_end_matches(" HTTP/1.1").to_owned(),
        headers: lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect(),
        body: buffer[end + 4..].to_vec(),
    };
    let length: usize = request
        .header("content-length")
        .and_then(|length| length.parse().ok())
        .unwrap_or_default();
    while request.body.len() < length {
        if stream.read_buf(&mut request.body).await? == 0 {
            return Ok(());
        }
    }
    let answer = answer(&request);
    let is_head = request.line.starts_with("HEAD");
    seen.lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(request);
    let mut text = answer.head.into_bytes();
    let length = answer.body.len() + answer.missing;
    text.extend(format!("content-length: {length}\r\nconnection: close\r\n\r\n").bytes());
    if !is_head {
        text.extend(answer.body);
    }
    stream.write_all(&text).await?;
    stream.shutdown().await
}
