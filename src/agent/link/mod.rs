//! The way to a master on another host: agent protocol v1 over HTTP.
//!
//! Bodies are the JSON of `backupx_core::domain::protocol`. `POST …/poll` may answer 204 for "nothing". The relay is
//! `…/commands/{id}/objects/{targetId}/{name}?lease=N`: `PUT` creates (409 `object_exists` when it is there), `HEAD` says the size in
//! `Content-Length` (404 `object_not_found`), `GET` with `Range: bytes=A-B` answers 206.

mod answer;
mod client;
mod http;
mod token;
mod upload;

pub use http::HttpLink;
pub use token::Token;

use backupx_core::{Error, Result};
use reqwest::Url;
use secrecy::SecretString;
use std::path::PathBuf;

/// How an agent reaches its master.
#[derive(Debug, Clone)]
pub struct LinkSettings {
    master: Url,
    /// The node's token.
    pub token: Token,
    /// A proxy, as `http://user:password@proxy.example:3128`. The environment's proxy variables are not looked at.
    pub proxy_url: Option<SecretString>,
    /// PEM file of further certificate authorities.
    pub ca_cert_file: Option<PathBuf>,
    /// Take any certificate.
    pub insecure_tls: bool,
}

impl LinkSettings {
    /// Settings for the master at `master`, an `http` or `https` URL; the error's sentence says what is wrong with it.
    pub fn new(master: &str, token: Token) -> Result<Self> {
        let wrong = |why: &str| Error::invalid("bad_setting", format!("{master:?} {why}"));
        let mut url = Url::parse(master.trim())
            .map_err(|_| wrong("is not a URL; write https://backup.example:8340"))?;
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
            return Err(wrong("is not an http or https URL"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Error::invalid(
                "bad_setting",
                "the master's URL must not contain a user or a password",
            ));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(wrong("must not have a part behind '?' or '#'"));
        }
        let path = url.path().trim_end_matches('/').to_owned();
        url.set_path(&path);
        Ok(Self {
            master: url,
            token,
            proxy_url: None,
            ca_cert_file: None,
            insecure_tls: false,
        })
    }

    /// The master's URL, for messages.
    pub fn master(&self) -> &str {
        self.master.as_str().trim_end_matches('/')
    }

    /// Finds out now what would fail at the first call: a proxy or certificates that are not right.
    pub fn check(&self) -> Result<()> {
        client::build(self).map(drop)
    }

    /// True when the token leaves this host unencrypted.
    pub fn sends_token_in_the_clear(&self) -> bool {
        let host = self.master.host_str().unwrap_or_default();
        let loopback = host == "localhost"
            || host
                .trim_matches(['[', ']'])
                .parse::<std::net::IpAddr>()
                .is_ok_and(|address| address.is_loopback());
        self.master.scheme() == "http" && !loopback
    }
}
