//! A TCP proxy that does to a server's clients what networks and overloaded servers do: hold, slow down, break off, change a byte, answer with
//! an error. It knows of HTTP only that a question is followed by its answer.
//!
//! Other packages' tests include this file, so it needs tokio and nothing of the project.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{oneshot, watch};

const BLOCK: usize = 16 * 1024;

/// For ever, as a number of times.
pub(crate) const ALWAYS: u64 = u64::MAX;

/// What the proxy does.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Fault {
    /// Everything passes.
    None,
    /// Nothing passes; connections are taken and bytes stand still. Followed by another fault they flow on.
    Shut,
    /// So many bytes pass in a second, on each connection.
    Slow(u64),
    /// Questions are answered with this status and do not pass.
    Status(u16),
    /// Behind so many bytes of a question (`Way::Up`) or an answer (`Way::Down`) something happens.
    Behind(Way, u64, Then),
    /// This share of the exchanges is broken: before the question passed, in the middle of it, or - the worst - when only the answer is lost.
    Broken(f64),
}

/// A direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// To the server.
    Up,
    /// From it.
    Down,
}

/// What happens in the middle of an exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Then {
    /// Nothing more passes, and nobody is told.
    Stall,
    /// The connection ends.
    Cut,
    /// One byte is another.
    Flip,
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
    /// Bytes that passed to the server.
    pub(crate) up: AtomicU64,
}

#[derive(Debug)]
struct State {
    server: SocketAddr,
    fault: watch::Sender<Fault>,
    /// How many exchanges the fault still hits.
    times: AtomicU64,
    counts: Counts,
}

impl State {
    /// True when one more exchange is hit.
    fn hits(&self) -> bool {
        let take = |left: u64| left.checked_sub(u64::from(left != ALWAYS));
        let taken = self
            .times
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, take);
        taken.is_ok()
    }

    /// Returns when something may pass.
    async fn open(&self) {
        let mut fault = self.fault.subscribe();
        // The sender lives as long as this state does.
        let _ = fault.wait_for(|fault| *fault != Fault::Shut).await;
    }
}

/// The proxy. It ends with this value, and with it every connection.
#[derive(Debug)]
pub(crate) struct Proxy {
    address: SocketAddr,
    state: Arc<State>,
    end: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Proxy {
    /// A proxy before the server at `url` (`http://HOST:PORT`, or only `HOST:PORT`) that lets everything pass.
    pub(crate) fn before(url: &str) -> io::Result<Self> {
        let server = url.trim_start_matches("http://");
        let server = server.split('/').next().unwrap_or_default();
        let server = server.parse().map_err(io::Error::other)?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let state = Arc::new(State {
            server,
            fault: watch::Sender::new(Fault::None),
            times: AtomicU64::new(ALWAYS),
            counts: Counts::default(),
        });
        let (end, ended) = oneshot::channel();
        let serving = Arc::clone(&state);
        // A thread of its own, since it serves tests with a runtime and without one.
        let thread = std::thread::spawn(move || {
            runtime.block_on(async {
                // Neither is used again once the other has ended.
                tokio::select! {
                    failed = accept(listener, serving) => failed.expect("a listener can be served"),
                    _ = ended => {}
                }
            });
        });
        Ok(Self {
            address,
            state,
            end: Some(end),
            thread: Some(thread),
        })
    }

    /// Its address as a URL.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// From now on this happens.
    pub(crate) fn set(&self, fault: Fault) {
        self.set_for(fault, ALWAYS);
    }

    /// From now on this happens, to so many exchanges.
    pub(crate) fn set_for(&self, fault: Fault, times: u64) {
        self.state.times.store(times, Ordering::Relaxed);
        self.state.fault.send_replace(fault);
    }

    /// What passed so far.
    pub(crate) fn counts(&self) -> &Counts {
        &self.state.counts
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        drop(self.end.take());
        if let Some(thread) = self.thread.take() {
            // A proxy that panicked has ended too.
            let _ = thread.join();
        }
    }
}

async fn accept(listener: std::net::TcpListener, state: Arc<State>) -> io::Result<()> {
    let listener = TcpListener::from_std(listener)?;
    // An accept that fails is one connection less; whoever came tries again.
    loop {
        if let Ok((client, _)) = listener.accept().await {
            state.counts.connections.fetch_add(1, Ordering::Relaxed);
            let state = Arc::clone(&state);
            tokio::spawn(async move {
                // A side that goes away is the end of the connection, and no more than that.
                if let Ok(End::Broken) = carry(client, &state).await {
                    state.counts.dropped.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    }
}

/// How a connection ended.
enum End {
    /// A side closed it.
    Closed,
    /// It was broken on purpose.
    Broken,
}

/// What becomes of one exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Whole,
    Behind(Way, u64, Then),
    /// Half of the first bytes pass in this direction.
    Half(Way),
    /// None pass in this direction.
    Nothing(Way),
    Status(u16),
}

fn fate(state: &State) -> Fate {
    match *state.fault.borrow() {
        Fault::None | Fault::Shut | Fault::Slow(_) => Fate::Whole,
        Fault::Status(code) if state.hits() => Fate::Status(code),
        // Whether it is hit shows only when it gets so far.
        Fault::Behind(way, bytes, then) => Fate::Behind(way, bytes, then),
        Fault::Broken(share) if drawn(share) => match random() % 4 {
            0 => Fate::Nothing(Way::Up),
            1 => Fate::Half(Way::Up),
            2 => Fate::Nothing(Way::Down),
            _ => Fate::Half(Way::Down),
        },
        Fault::Status(_) | Fault::Broken(_) => Fate::Whole,
    }
}

fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}

fn drawn(share: f64) -> bool {
    let whole = f64::from(u32::MAX);
    f64::from((random() >> 32) as u32) / whole < share
}

/// One exchange on a connection.
struct Exchange {
    fate: Fate,
    up: u64,
    down: u64,
}

impl Exchange {
    fn passed(&mut self, way: Way) -> &mut u64 {
        match way {
            Way::Up => &mut self.up,
            Way::Down => &mut self.down,
        }
    }
}

/// Carries one connection to its end.
async fn carry(mut client: TcpStream, state: &State) -> io::Result<End> {
    let mut server = TcpStream::connect(state.server).await?;
    let (mut asked, mut answered) = (vec![0; BLOCK], vec![0; BLOCK]);
    let mut exchange = Exchange {
        fate: Fate::Whole,
        up: 0,
        down: 0,
    };
    // The client's next bytes begin a question.
    let mut is_idle = true;
    loop {
        // Both are cancel-safe: what was not read stays in the socket.
        let goes_on = tokio::select! {
            read = client.read(&mut asked) => {
                let size = read?;
                if size == 0 {
                    return Ok(End::Closed);
                }
                state.open().await;
                if is_idle {
                    is_idle = false;
                    state.counts.exchanges.fetch_add(1, Ordering::Relaxed);
                    exchange = Exchange { fate: fate(state), up: 0, down: 0 };
                }
                if let Fate::Status(code) = exchange.fate {
                    return refuse(client, code).await;
                }
                state.counts.up.fetch_add(size as u64, Ordering::Relaxed);
                pass(&mut asked[..size], &mut server, Way::Up, &mut exchange, state).await?
            }
            read = server.read(&mut answered) => {
                let size = read?;
                if size == 0 {
                    return Ok(End::Closed);
                }
                state.open().await;
                is_idle = true;
                pass(&mut answered[..size], &mut client, Way::Down, &mut exchange, state).await?
            }
        };
        if !goes_on {
            return Ok(End::Broken);
        }
    }
}

/// Passes bytes on as far as the exchange's fate lets them; false when the connection ends here.
async fn pass(
    bytes: &mut [u8],
    to: &mut TcpStream,
    way: Way,
    exchange: &mut Exchange,
    state: &State,
) -> io::Result<bool> {
    let size = bytes.len() as u64;
    let before = *exchange.passed(way);
    *exchange.passed(way) += size;
    match exchange.fate {
        Fate::Nothing(where_to) if where_to == way => return Ok(false),
        Fate::Half(where_to) if where_to == way => {
            to.write_all(&bytes[..bytes.len() / 2]).await?;
            return Ok(false);
        }
        Fate::Behind(where_to, limit, then)
            if where_to == way && before + size > limit && state.hits() =>
        {
            let at = usize::try_from(limit.saturating_sub(before)).unwrap_or_default();
            match then {
                Then::Flip => {
                    bytes[at] ^= 1;
                    exchange.fate = Fate::Whole;
                }
                Then::Cut => {
                    to.write_all(&bytes[..at]).await?;
                    return Ok(false);
                }
                Then::Stall => {
                    to.write_all(&bytes[..at]).await?;
                    std::future::pending::<()>().await;
                }
            }
        }
        _ => {}
    }
    let fault = *state.fault.borrow();
    if let Fault::Slow(bytes_per_second) = fault {
        tokio::time::sleep(Duration::from_micros(size * 1_000_000 / bytes_per_second)).await;
    }
    to.write_all(bytes).await?;
    Ok(true)
}

/// Answers for the server, and takes the rest of the question so that the answer is read.
async fn refuse(mut client: TcpStream, code: u16) -> io::Result<End> {
    let answer =
        format!("HTTP/1.1 {code} Refused\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    client.write_all(answer.as_bytes()).await?;
    client.shutdown().await?;
    let mut rest = vec![0; BLOCK];
    while client.read(&mut rest).await? > 0 {}
    Ok(End::Broken)
}
