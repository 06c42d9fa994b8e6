//! The option file: how the tools learn where the server is and who signs in, without saying it in their arguments.

use super::tools::Maker;
use backupx_core::domain::database::{Server, Tls};
use backupx_core::{Error, Result};

/// Where servers keep their sockets, when the tools think of another place.
const SOCKETS: [&str; 4] = [
    "/run/mysqld/mysqld.sock",
    "/var/run/mysqld/mysqld.sock",
    "/var/lib/mysql/mysql.sock",
    "/tmp/mysql.sock",
];
/// Where hosts keep the certificates that they trust, for tools that don't know it themselves.
const TRUSTED: [&str; 3] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/cert.pem",
];
/// The tools read lines of at most this many bytes.
const MOST_LINE: usize = 4000;
/// Seconds until a server that does not answer is given up.
const CONNECT_TIMEOUT_SECS: u32 = 15;

/// The text of an option file for tools of `maker`.
pub(super) fn text(
    server: &Server,
    tls: Tls,
    password: Option<&str>,
    maker: Maker,
) -> Result<String> {
    let mut lines = vec!["[client]".to_owned()];
    let mut set = |name: &str, value: &str| -> Result<()> {
        let line = format!("{name}={}", quoted(value));
        if line.len() > MOST_LINE || value.contains('\0') {
            return Err(Error::invalid(
                "invalid_input",
                format!("the {name} is too long for the tools, or has a NUL in it"),
            ));
        }
        lines.push(line);
        Ok(())
    };
    match (&server.host, &server.socket) {
        (Some(host), _) => {
            set("host", host)?;
            set("protocol", "tcp")?;
            if let Some(port) = server.port {
                set("port", &port.to_string())?;
            }
        }
        (None, Some(socket)) => {
            set("protocol", "socket")?;
            set("socket", socket)?;
        }
        (None, None) => {
            set("protocol", "socket")?;
            let is_there = |path: &&&str| std::path::Path::new(path).exists();
            if let Some(socket) = SOCKETS.iter().find(is_there) {
                set("socket", socket)?;
            }
        }
    }
    if let Some(user) = &server.user {
        set("user", user)?;
    }
    if let Some(password) = password {
        set("password", password)?;
    }
    let authority = match (&server.tls_ca, tls) {
        (Some(path), Tls::Verify) => Some(path.as_str()),
        (None, Tls::Verify) if maker == Maker::Mysql => TRUSTED
            .into_iter()
            .find(|path| std::path::Path::new(path).exists()),
        (_, Tls::Off | Tls::Prefer | Tls::Require | Tls::Verify) => None,
    };
    if let Some(path) = authority {
        set("ssl-ca", path)?;
    }
    lines.extend(sealing(maker, tls).iter().map(|line| (*line).to_owned()));
    // Only the clients know it.
    lines.push("[mysql]".to_owned());
    lines.push(format!("connect-timeout={CONNECT_TIMEOUT_SECS}"));
    Ok(lines.join("\n") + "\n")
}

/// How a maker's tools are told whether to seal. MariaDB's have no "when the server offers it": for them it is tried.
fn sealing(maker: Maker, tls: Tls) -> &'static [&'static str] {
    match (maker, tls) {
        (Maker::Mariadb, Tls::Off) => &["skip-ssl"],
        (Maker::Mariadb, Tls::Prefer | Tls::Require) => &["ssl", "skip-ssl-verify-server-cert"],
        (Maker::Mariadb, Tls::Verify) => &["ssl", "ssl-verify-server-cert"],
        // Without TLS, a password can only be sent under the server's own key.
        (Maker::Mysql, Tls::Off) => &["ssl-mode=DISABLED", "get-server-public-key"],
        (Maker::Mysql, Tls::Prefer) => &["ssl-mode=PREFERRED"],
        (Maker::Mysql, Tls::Require) => &["ssl-mode=REQUIRED"],
        (Maker::Mysql, Tls::Verify) => &["ssl-mode=VERIFY_IDENTITY"],
    }
}

/// A value in double quotes, in which `#` begins no comment, with what has a meaning escaped.
fn quoted(value: &str) -> String {
    let mut text = String::from("\"");
    for c in value.chars() {
        match c {
            '\\' => text.push_str("\\\\"),
            '"' => text.push_str("\\\""),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            c => text.push(c),
        }
    }
    text.push('"');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_stays_what_it_is() {
        assert_eq!(quoted("a#b\"c'\\d\n"), r#""a#b\"c'\\d\n""#);
        let server = Server {
            host: Some("db".to_owned()),
            user: Some("u".to_owned()),
            ..Server::default()
        };
        let text = text(&server, Tls::Require, Some("x y"), Maker::Mysql).expect("fits");
        assert_eq!(
            text,
            "[client]\nhost=\"db\"\nprotocol=\"tcp\"\nuser=\"u\"\npassword=\"x y\"\nssl-mode=REQUIRED\n[mysql]\nconnect-timeout=15\n"
        );
        let long = "x".repeat(5000);
        assert!(super::text(&server, Tls::Off, Some(&long), Maker::Mysql).is_err());
    }
}
