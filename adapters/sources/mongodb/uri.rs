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

/// `uri` for tools that are told a database: without one of its own, and with the one that knows the user, which else would be the one they
/// are told.
pub(super) fn without_database(
    uri: &str,
    auth_database: Option<&str>,
    tls_ca: Option<&str>,
) -> String {
    let (place, query) = uri.split_once('?').unwrap_or((uri, ""));
    let scheme = place.find("://").map_or(0, |at| at + 3);
    let (place, database) = match place[scheme..].find('/') {
        Some(at) => (&place[..scheme + at], &place[scheme + at + 1..]),
        None => (place, ""),
    };
    let mut options = Vec::from_iter(Some(query.to_owned()).filter(|query| !query.is_empty()));
    let names_one = has_option(query, "authsource") || has_option(query, "authmechanism");
    if place.contains('@') && !names_one {
        let database = Some(database).filter(|name| !name.is_empty());
        let database = database.map(str::to_owned);
        let database = database.unwrap_or_else(|| encoded(auth_database.unwrap_or(ADMIN)));
        options.push(format!("authSource={database}"));
    }
    options.extend(tls_ca.map(|file| format!("tlsCAFile={}", encoded(file))));
    format!("{place}/?{}", options.join("&"))
}

/// Whether `uri` names a file of the node, which is for the settings to do: the node's policy looks at those.
pub(super) fn names_file(uri: &str) -> bool {
    let (_, query) = uri.split_once('?').unwrap_or((uri, ""));
    let mut options = query.split(['&', ';']);
    options.any(|option| {
        let name = option.split('=').next().unwrap_or_default();
        decoded(name).to_lowercase().ends_with("file")
    })
}

/// Whether `uri` has the option, whose name is given in lower case.
pub(super) fn has_option(uri: &str, wanted: &str) -> bool {
    let query = uri.split_once('?').map_or(uri, |(_, query)| query);
    let mut options = query.split(['&', ';']);
    options.any(|option| {
        let name = option.split('=').next().unwrap_or_default();
        name.to_lowercase() == wanted
    })
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
    fn a_connection_string_names_who_knows_the_user_and_no_database() {
        for (text, auth_database, expected) in [
            ("mongodb://a", None, "mongodb://a/?"),
            ("mongodb://a:b@c", None, "mongodb://a:b@c/?authSource=admin"),
            (
                "mongodb://a:b@c,d/shop?tls=true",
                Some("site"),
                "mongodb://a:b@c,d/?tls=true&authSource=shop",
            ),
            (
                "mongodb+srv://a:b@c/?w=1",
                Some("site"),
                "mongodb+srv://a:b@c/?w=1&authSource=site",
            ),
            (
                "mongodb://a:b@c/shop?authSource=x",
                None,
                "mongodb://a:b@c/?authSource=x",
            ),
        ] {
            assert_eq!(without_database(text, auth_database, None), expected);
        }
    }

    #[test]
    fn files_of_the_node_are_named_by_settings_alone() {
        assert_eq!(
            without_database("mongodb://a/?tls=true", None, Some("/ca b")),
            "mongodb://a/?tls=true&tlsCAFile=%2Fca%20b"
        );
        for option in [
            "tlsCAFile=/x",
            "w=1&sslCertificateAuthorityFILE=/x",
            "tlsCertificateKey%46ile=/x",
        ] {
            assert!(names_file(&format!("mongodb://a/?{option}")), "{option}");
        }
        assert!(!names_file("mongodb://file:file@file/file?tls=true"));
        assert!(has_option("mongodb://a/?w=1&AuthSource=b", "authsource"));
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
