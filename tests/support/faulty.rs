//! A TCP proxy that breaks connections: before a request passed, in the middle of it, and - the worst - when only the answer is lost.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Result;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;

const BLOCK: usize = 16 * 1024;

/// The proxy. It ends with this value, and with it every connection.
#[derive(Debug)]
pub(crate) struct Faulty {
    address: SocketAddr,
    counts: Arc<Counts>,
    _runtime: Runtime,
}

/// What passed and what did not.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    /// Connections that were taken.
    pub(crate) connections: AtomicU64,
    /// Questions that were asked on them.
    pub(crate) exchanges: AtomicU64,
    /// Connections that were broken on purpose.
    pub(crate) dropped: AtomicU64,
}

/// What becomes of one question and its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// Both pass.
    Whole,
    /// The question does not pass.
    Unasked,
    /// Half of the question's first bytes pass.
    HalfAsked,
    /// The question passes, the answer does not.
    Unheard,
    /// Half of the answer's first bytes pass.
    HalfHeard,
}

impl Fate {
    fn draw(share: f64) -> Self {
        if !rand::random_bool(share) {
            return Self::Whole;
        }
        match rand::random_range(0..4) {
            0 => Self::Unasked,
            1 => Self::HalfAsked,
            2 => Self::Unheard,
            _ => Self::HalfHeard,
        }
    }
}

impl Faulty {
    /// A proxy before `target` that breaks the connection at this share of the questions.
    pub(crate) fn start(target: SocketAddr, share: f64) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()?;
        let listener = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))?;
        let address = listener.local_addr()?;
        let counts = Arc::new(Counts::default());
        runtime.spawn(accept(listener, target, share, Arc::clone(&counts)));
        Ok(Self {
            address,
            counts,
            _runtime: runtime,
        })
    }

    /// Its address as a URL.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What passed so far.
    pub(crate) fn counts(&self) -> &Counts {
        &self.counts
    }
}

async fn accept(listener: TcpListener, target: SocketAddr, share: f64, counts: Arc<Counts>) {
    // An accept that fails is one connection less; whoever came tries again.
    loop {
        if let Ok((client, _)) = listener.accept().await {
            counts.connections.fetch_add(1, Ordering::Relaxed);
            let counts = Arc::clone(&counts);
            tokio::spawn(async move {
                // A side that goes away is the end of the connection, and no more than that.
                if let Ok(true) = carry(client, target, share, &counts).await {
                    counts.dropped.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    }
}

/// Carries one connection to its end; true when it was broken on purpose.
async fn carry(
    mut client: TcpStream,
    target: SocketAddr,
    share: f64,
    counts: &Counts,
) -> io::Result<bool> {
    let mut server = TcpStream::connect(target).await?;
    let (mut asked, mut answered) = (vec![0; BLOCK], vec![0; BLOCK]);
    let mut fate = Fate::Whole;
    // The client's next bytes begin a question.
    let mut is_idle = true;
    loop {
        // Both are cancel-safe: what was not read stays in the socket.
        tokio::select! {
            read = client.read(&mut asked) => {
                let size = read?;
                if size == 0 {
                    return Ok(false);
                }
                if is_idle {
                    is_idle = false;
                    counts.exchanges.fetch_add(1, Ordering::Relaxed);
                    fate = Fate::draw(share);
                }
                match fate {
                    Fate::Unasked => return Ok(true),
                    Fate::HalfAsked => {
                        server.write_all(&asked[..size / 2]).await?;
                        return Ok(true);
                    }
                    Fate::Whole | Fate::Unheard | Fate::HalfHeard => server.write_all(&asked[..size]).await?,
                }
            }
            read = server.read(&mut answered) => {
                let size = read?;
                if size == 0 {
                    return Ok(false);
                }
                is_idle = true;
                match fate {
                    Fate::Unheard => return Ok(true),
                    Fate::HalfHeard => {
                        client.write_all(&answered[..size / 2]).await?;
                        return Ok(true);
                    }
                    Fate::Whole | Fate::Unasked | Fate::HalfAsked => client.write_all(&answered[..size]).await?,
                }
            }
        }
    }
}
