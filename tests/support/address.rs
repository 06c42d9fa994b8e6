//! Addresses on loopback for what a test starts, stops and starts again.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use anyhow::{Result, bail};

/// Below the range from which the kernel picks ports for outgoing connections: while a server is down, nobody else gets its port by chance.
const PORTS: std::ops::Range<u16> = 12_000..19_900;
const TRIES: usize = 200;

/// A loopback address that nobody listens on now.
pub(crate) fn free_address() -> Result<SocketAddr> {
    for _ in 0..TRIES {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, rand::random_range(PORTS)));
        if TcpListener::bind(address).is_ok() {
            return Ok(address);
        }
    }
    bail!("no port of {PORTS:?} is free")
}
