//! The sign-in: a key in a user store. One that the host keeps, or one that is made for a session and gone with it, so that the password
//! is in no argument: hdbuserstore reads it from its stdin (`-i`) and hdbsql names the key alone.

use super::Saphana;
use super::tools::Tools;
use crate::sign_in;
use crate::temp::Temp;
use crate::tool::Tool;
use backupx_core::domain::secret::WireSecret;
use backupx_core::ports::source::StopFlag;
use backupx_core::{Error, Result};
use std::path::PathBuf;
use std::time::Duration;

/// The key in a store of our own.
const KEY: &str = "BACKUPX";
/// Where the client keeps its store, below the home of who runs it.
const STORE: &str = ".hdb";
/// Port of the system database of instance 00.
const PORT: u16 = 30013;
/// How long hdbuserstore has for a key.
const LIMIT: Duration = Duration::from_secs(30);
/// What of the agent's own environment says where a store of the host and its certificates lie.
const KEPT: [&str; 2] = ["HDB_USE_IDENT", "SECUDIR"];

/// How hdbsql signs in.
#[derive(Debug)]
pub(super) struct Store {
    key: String,
    /// The home in which the store lies, when it is one of our own.
    home: Option<PathBuf>,
    password: Option<WireSecret>,
}

impl Store {
    /// The store of the host when the task names a key, else a new one in `temp`.
    pub(super) fn new(
        source: &Saphana,
        tools: &Tools,
        temp: &Temp,
        stop: &StopFlag,
    ) -> Result<Self> {
        if let Some(key) = &source.source.user_store_key {
            return Ok(Self {
                key: key.clone(),
                home: None,
                password: None,
            });
        }
        let server = &source.source.server;
        let user = server
            .user
            .as_deref()
            .ok_or_else(|| Error::field("source.server.user", "is required, with a password"))?;
        let password = sign_in::password(source.password.as_ref(), server)?.ok_or_else(|| {
            Error::invalid(
                "sign_in_failed",
                "there is no password: give the task one, a passwordFile or a userStoreKey",
            )
        })?;
        if password.expose().contains(['\n', '\r', '\0']) {
            return Err(Error::invalid(
                "sign_in_failed",
                "the password has a line end or a NUL in it, which hdbuserstore can't read",
            ));
        }
        let hdbuserstore = tools.hdbuserstore.as_ref().ok_or_else(|| {
            Error::invalid(
                "tool_missing",
                "hdbuserstore is not beside hdbsql, and without it a password could only be handed over where everybody sees it; install the whole SAP HANA client, or name a userStoreKey",
            )
        })?;
        let store = Self {
            key: KEY.to_owned(),
            home: Some(temp.folder().to_owned()),
            password: Some(password.clone()),
        };
        let place = place(server.host.as_deref(), server.port);
        let tool = store
            .told(Tool::new(hdbuserstore))
            .args(["-i", "SET", KEY, &place, user]);
        let line = format!("{}\n", password.expose());
        let ended = tool.write_within(&mut line.as_bytes(), &|_| {}, stop, LIMIT)?;
        ended.well("hdbuserstore", "tool_failed")?;
        // Anywhere else it would stay behind, with a password in it.
        if !temp.path(STORE).is_dir() {
            let forget = store.told(Tool::new(hdbuserstore)).args(["DELETE", KEY]);
            forget.ask(stop, LIMIT)?;
            return Err(Error::invalid(
                "tool_failed",
                "hdbuserstore did not keep its store in the home folder that it was given; name a userStoreKey instead",
            ));
        }
        Ok(store)
    }

    /// The tool, told where the store is.
    pub(super) fn told(&self, tool: Tool) -> Tool {
        match (&self.home, &self.password) {
            (Some(home), Some(password)) => tool.env("HOME", home).secret(password),
            (Some(home), None) => tool.env("HOME", home),
            (None, _) => KEPT
                .iter()
                .fold(tool, |tool, name| match std::env::var_os(name) {
                    Some(value) => tool.env(name, value),
                    None => tool,
                }),
        }
    }

    /// The name of the key.
    pub(super) fn key(&self) -> &str {
        &self.key
    }
}

/// Host and port as a key of a user store has them.
fn place(host: Option<&str>, port: Option<u16>) -> String {
    let host = host.unwrap_or("localhost");
    let port = port.unwrap_or(PORT);
    if host.contains(':') && !host.starts_with('[') {
        format!("[{host}]:{port}")
    } else {
        format!("{host}:{port}")
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_place_is_a_host_and_a_port() {
        assert_eq!(super::place(None, None), "localhost:30013");
        assert_eq!(super::place(Some("::1"), Some(30041)), "[::1]:30041");
    }
}
