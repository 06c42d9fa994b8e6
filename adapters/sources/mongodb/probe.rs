//! Whether somebody listens at an address, and whether they speak TLS: MongoDB's own protocol does not tell.

use super::uri::address;
use backupx_core::domain::database::Server;
use std::io::{Error, ErrorKind, Read, Result, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(10);
/// How long an answer may take.
const ANSWER: Duration = Duration::from_secs(5);
/// A hello of TLS 1.2 that offers six suites and the curves X25519 and P-256.
const HELLO: &[u8] = &[
    0x16, 0x03, 0x01, 0x00, 0x5b, // A handshake of 91 bytes,
    0x01, 0x00, 0x00, 0x57, 0x03, 0x03, // which is a hello of 87 of TLS 1.2,
    0x62, 0x61, 0x63, 0x6b, 0x75, 0x70, 0x78, 0x20, 0x61, 0x73, 0x6b, 0x73, 0x20, 0x66, 0x6f, 0x72,
    0x20, 0x54, 0x4c, 0x53, 0x20, 0x61, 0x6e, 0x64, 0x20, 0x67, 0x6f, 0x65, 0x73, 0x20, 0x21, 0x21,
    0x00, // without a session,
    0x00, 0x0c, 0xc0, 0x2b, 0xc0, 0x2f, 0xc0, 0x2c, 0xc0, 0x30, 0x00, 0x9c, 0x00,
    0x9d, // its suites,
    0x01, 0x00, // no compression,
    0x00, 0x22, // and 34 bytes of extensions: curves,
    0x00, 0x0a, 0x00, 0x06, 0x00, 0x04, 0x00, 0x1d, 0x00, 0x17, // points,
    0x00, 0x0b, 0x00, 0x02, 0x01, 0x00, // signatures.
    0x00, 0x0d, 0x00, 0x0e, 0x00, 0x0c, 0x04, 0x03, 0x05, 0x03, 0x06, 0x03, 0x04, 0x01, 0x05, 0x01,
    0x06, 0x01,
];

/// Connects to `server`. An error when nobody listens.
pub(super) fn connect(server: &Server) -> Result<TcpStream> {
    let mut last = Error::new(ErrorKind::NotFound, "its name has no address");
    for address in address(server).to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, CONNECT) {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// Whether what answers there is TLS: a handshake, or an alert that refuses this one.
pub(super) fn speaks_tls(mut stream: TcpStream) -> bool {
    let mut first = [0];
    let asked = stream
        .set_read_timeout(Some(ANSWER))
        .and_then(|()| stream.write_all(HELLO))
        .and_then(|()| stream.read_exact(&mut first));
    asked.is_ok() && matches!(first[0], 0x15 | 0x16)
}
