//! Connection strings of MongoDB: made from settings, and what of one is secret.

use backupx_core::domain::database::{Server, Tls};
use backupx_core::domain::secret::WireSecret;

/// The port of a server that names none.
pub(super) const PORT: u16 = 27017;
/// The database that knows users.
const ADMIN: &str = "admin";

/// The connection string of `server`, whose `tls` is on or off.
pub(super) fn uri(
    server: &Server,
    tls: Tls,
    auth_database: Option<&str>,
    password: Option<&WireSecret>,
) -> String {
    let mut uri = "mongodb://".to_owned();
    if let Some(user) = &server.user {
        uri.push_str(&encoded(user));
        if let Some(password) = password {
            uri.push(':');
            uri.push_str(&encoded(password.expose()));
        }
        uri.push('@');
    }
    uri.push_str(&match &server.socket {
        Some(socket) => encoded(socket),
        None => {
            let (host, port) = address(server);
            if host.contains(':') {
                format!("[{host}]:{port}")
            } else {
                format!("{host}:{port}")
            }
        }
    });
    // The server that is named, and not whatever it calls itself in its replica set.
    uri.push_str("/?directConnection=true");
    if server.user.is_some() {
        uri.push_str("&authSource=");
        uri.push_str(&encoded(auth_database.unwrap_or(ADMIN)));
    }
    match tls {
        Tls::Off => {}
        Tls::Prefer | Tls::Require => uri.push_str("&tls=true&tlsInsecure=true"),
        Tls::Verify => uri.push_str("&tls=true"),
    }
    if tls == Tls::Verify
        && let Some(file) = &server.tls_ca
    {
        uri.push_str("&tlsCAFile=");
        uri.push_str(&encoded(file));
    }
    uri
}

/// Host and port of `server`.
pub(super) fn address(server: &Server) -> (&str, u16) {
    let host = server.host.as_deref().unwrap_or("localhost");
    let host = host.strip_prefix('[').unwrap_or(host);
    let host = host.strip_suffix(']').unwrap_or(host);
    (host, server.port.unwrap_or(PORT))
}

/// What no line of a tool may show of `uri`: all of it, and its password as it stands there and as it is.
pub(super) fn secrets(uri: &str) -> Vec<WireSecret> {
    let mut secrets = vec![WireSecret::new(uri)];
    let rest = uri.split_once("://").map_or(uri, |(_, rest)| rest);
    let sign_in = rest
        .split_once('/')
        .map_or(rest, |(authority, _)| authority);
    let password = sign_in
        .rsplit_once('@')
        .and_then(|(sign_in, _)| sign_in.split_once(':'));
    if let Some((_, password)) = password {
        secrets.push(WireSecret::new(password));
        secrets.push(WireSecret::new(decoded(password)));
    }
    secrets
}

/// The hosts of `uri`, which are no secret.
pub(super) fn hosts(uri: &str) -> &str {
    let rest = uri.split_once("://").map_or(uri, |(_, rest)| rest);
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    authority
        .rsplit_once('@')
        .map_or(authority, |(_, hosts)| hosts)
}

/// `text` with all but letters, digits and `-_.~` written as `%XX`.
fn encoded(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            encoded.push(byte.into());
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

fn decoded(text: &str) -> String {
    let (mut bytes, mut rest) = (Vec::new(), text.as_bytes());
    while let Some((first, behind)) = rest.split_first() {
        let digits = behind
            .get(..2)
            .and_then(|two| std::str::from_utf8(two).ok());
        let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match byte {
            Some(byte) if *first == b'%' => {
                bytes.push(byte);
                rest = &behind[2..];
            }
            Some(_) | None => {
                bytes.push(*first);
                rest = behind;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_become_a_connection_string() {
        let mut server = Server::default();
        assert_eq!(
            uri(&server, Tls::Off, None, None),
            "mongodb://localhost:27017/?directConnection=true"
        );
        server.host = Some("::1".to_owned());
        server.user = Some("back@up".to_owned());
        server.tls_ca = Some("/etc/a b.pem".to_owned());
        let password = WireSecret::new("p:/ü%");
        assert_eq!(
            uri(&server, Tls::Verify, Some("site"), Some(&password)),
            "mongodb://back%40up:p%3A%2F%C3%BC%25@[::1]:27017/?directConnection=true&authSource=site&tls=true&tlsCAFile=%2Fetc%2Fa%20b.pem"
        );
        server.socket = Some("/run/mongodb-27017.sock".to_owned());
        let text = uri(&server, Tls::Require, None, None);
        assert!(text.starts_with("mongodb://back%40up@%2Frun%2Fmongodb-27017.sock/?"));
        assert!(text.ends_with("&authSource=admin&tls=true&tlsInsecure=true"));
    }

    #[test]
    fn never_30_the_password_of_a_connection_string_is_secret_as_it_is_and_as_it_stands() {
        let text = "mongodb+srv://me:p%3Ass%zz@a.example,b.example:27018/shop?tls=true";
        let secrets = secrets(text);
        let secrets: Vec<_> = secrets.iter().map(WireSecret::expose).collect();
        assert_eq!(secrets, [text, "p%3Ass%zz", "p:ss%zz"]);
        assert_eq!(hosts(text), "a.example,b.example:27018");
        assert_eq!(hosts("mongodb://localhost"), "localhost");
    }
}
