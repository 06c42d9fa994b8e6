//! A gate: a TCP way to a server that can be shut. While it is shut, connections are taken and bytes stand still, as behind a network
//! that hangs; opened again, they flow on. So a test holds a run in its middle for as long as it needs.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;

use anyhow::{Context, Result};

/// A way to one server. It ends with the test's process.
#[derive(Debug, Clone)]
pub(crate) struct Gate {
    address: SocketAddr,
    state: Arc<State>,
}

#[derive(Debug, Default)]
struct State {
    is_shut: Mutex<bool>,
    opened: Condvar,
}

impl State {
    /// Returns when the gate is open.
    fn pass(&self) {
        let mut shut = self.is_shut.lock().unwrap_or_else(PoisonError::into_inner);
        while *shut {
            shut = self
                .opened
                .wait(shut)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn set(&self, shut: bool) {
        *self.is_shut.lock().unwrap_or_else(PoisonError::into_inner) = shut;
        self.opened.notify_all();
    }
}

impl Gate {
    /// An open gate before the server at `url` (`http://HOST:PORT`).
    pub(crate) fn before(url: &str) -> Result<Self> {
        let server: SocketAddr = url
            .trim_start_matches("http://")
            .trim_end_matches('/')
            .parse()
            .with_context(|| format!("{url} is no address of a test server"))?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let gate = Self {
            address: listener.local_addr()?,
            state: Arc::default(),
        };
        let state = Arc::clone(&gate.state);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                // A server that has gone closes the connection, which is what a client would meet without a gate.
                if let Ok(server) = TcpStream::connect(server) {
                    link(&client, &server, &state);
                }
            }
        });
        Ok(gate)
    }

    /// Its address, as the server's was given.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// From now on nothing gets through.
    pub(crate) fn shut(&self) {
        self.state.set(true);
    }

    /// Everything flows on.
    pub(crate) fn open(&self) {
        self.state.set(false);
    }
}

/// Both directions, each on a thread of its own.
fn link(client: &TcpStream, server: &TcpStream, state: &Arc<State>) {
    for (from, to) in [(client, server), (server, client)] {
        if let (Ok(from), Ok(to)) = (from.try_clone(), to.try_clone()) {
            let state = Arc::clone(state);
            thread::spawn(move || carry(from, to, &state));
        }
    }
}

fn carry(mut from: TcpStream, mut to: TcpStream, state: &State) {
    let mut block = vec![0; 64 << 10];
    while let Ok(read) = from.read(&mut block) {
        state.pass();
        if read == 0 || to.write_all(&block[..read]).is_err() {
            break;
        }
    }
    // Either side may have closed already.
    let _ = to.shutdown(Shutdown::Write);
    let _ = from.shutdown(Shutdown::Read);
}
