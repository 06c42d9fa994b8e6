//! The wire: HTTP/1.1 over kept connections, as small as it gets, so that ten thousand simulated agents fit beside their master.

use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::Semaphore;

/// Most bytes of an answer.
const LARGEST: usize = 8 << 20;

/// Where the master is.
#[derive(Debug)]
pub(crate) struct Master {
    address: SocketAddr,
    host: String,
}

impl Master {
    /// The master at `http://HOST:PORT`.
    pub(crate) async fn at(url: &str) -> Result<Arc<Self>> {
        let host = url
            .strip_prefix("http://")
            .context("the master's URL must begin with http://: TLS would only measure itself")?
            .trim_end_matches('/')
            .to_owned();
        let address = tokio::net::lookup_host(&host)
            .await
            .with_context(|| format!("{host} has no address"))?
            .next()
            .with_context(|| format!("{host} has no address"))?;
        Ok(Arc::new(Self { address, host }))
    }

    /// An address of this host from which connections are made: one has ports for some 28,000 of them, so a loopback fleet has many.
    pub(crate) fn source(&self, number: usize) -> Option<IpAddr> {
        let part = u8::try_from(number / 4000 + 2).ok()?;
        (self.address.ip().is_loopback() && self.address.is_ipv4())
            .then(|| IpAddr::from([127, 0, 0, part]))
    }
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    body: Vec<u8>,
}

impl Answer {
    pub(crate) fn json(&self) -> Result<Value> {
        serde_json::from_slice(&self.body).context("the answer is no JSON")
    }
}

/// One kept connection. It is made when it is needed, and again when it broke.
#[derive(Debug)]
pub(crate) struct Connection {
    master: Arc<Master>,
    source: Option<IpAddr>,
    stream: Option<TcpStream>,
}

impl Connection {
    pub(crate) fn new(master: &Arc<Master>, source: Option<IpAddr>) -> Self {
        Self {
            master: Arc::clone(master),
            source,
            stream: None,
        }
    }

    /// Sends a request under a token and waits for its answer. After an error the connection is made anew.
    pub(crate) async fn call(
        &mut self,
        token: &str,
        method: &str,
        path: &str,
        body: &str,
    ) -> Result<Answer> {
        let host = &self.master.host;
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {token}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        let answer = self.exchange(request.as_bytes()).await;
        if answer.is_err() {
            self.stream = None;
        }
        answer
    }

    async fn exchange(&mut self, request: &[u8]) -> Result<Answer> {
        if self.stream.is_none() {
            self.stream = Some(self.connect().await.context("no connection")?);
        }
        let stream = self.stream.as_mut().context("no connection")?;
        stream
            .write_all(request)
            .await
            .context("the request could not be sent")?;
        receive(stream).await
    }

    async fn connect(&self) -> std::io::Result<TcpStream> {
        let socket = match self.master.address {
            SocketAddr::V4(_) => TcpSocket::new_v4()?,
            SocketAddr::V6(_) => TcpSocket::new_v6()?,
        };
        if let Some(source) = self.source {
            socket.bind(SocketAddr::new(source, 0))?;
        }
        let stream = socket.connect(self.master.address).await?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }
}

/// Connections that all agents share, as those of a reverse proxy: for everything but the polls that are held.
#[derive(Debug)]
pub(crate) struct Shared {
    master: Arc<Master>,
    places: Semaphore,
    idle: Mutex<VecDeque<Connection>>,
}

impl Shared {
    /// At most so many connections.
    pub(crate) fn new(master: &Arc<Master>, most: usize) -> Self {
        Self {
            master: Arc::clone(master),
            places: Semaphore::new(most),
            idle: Mutex::default(),
        }
    }

    /// One request over a connection that nobody uses at the moment.
    pub(crate) async fn call(
        &self,
        token: &str,
        method: &str,
        path: &str,
        body: &str,
    ) -> Result<Answer> {
        let _place = self.places.acquire().await?;
        let idle = self.idle().pop_front();
        let mut connection = idle.unwrap_or_else(|| Connection::new(&self.master, None));
        let answer = connection.call(token, method, path, body).await;
        self.idle().push_back(connection);
        answer
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, VecDeque<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads one answer. The buffer lives as long as the answer takes to come in, not as long as it is waited for.
async fn receive(stream: &TcpStream) -> Result<Answer> {
    let mut received = Vec::new();
    loop {
        stream.readable().await?;
        let mut chunk = [0; 4096];
        match stream.try_read(&mut chunk) {
            Ok(0) => bail!("the master closed the connection"),
            Ok(read) => received.extend_from_slice(&chunk[..read]),
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => continue,
            Err(error) => return Err(error).context("the answer could not be read"),
        }
        if let Some(answer) = complete(&received)? {
            return Ok(answer);
        }
        if received.len() > LARGEST {
            bail!("the answer is too large");
        }
    }
}

/// The answer, when it is there as a whole.
fn complete(received: &[u8]) -> Result<Option<Answer>> {
    let Some(end) = received.windows(4).position(|bytes| bytes == b"\r\n\r\n") else {
        return Ok(None);
    };
    let head = std::str::from_utf8(&received[..end])?.to_ascii_lowercase();
    let status: u16 = head
        .split(' ')
        .nth(1)
        .context("the answer has no status")?
        .parse()?;
    let length = match head.split("\r\ncontent-length: ").nth(1) {
        Some(rest) => rest.split("\r\n").next().unwrap_or(rest).trim().parse()?,
        None if status == 204 => 0,
        None => bail!("the answer has no length"),
    };
    let body = &received[end + 4..];
    Ok((body.len() >= length).then(|| Answer {
        status,
        body: body[..length].to_vec(),
    }))
}
