//! The client of REST v1: one master, one key, no redirects, a limit on every call.

pub(crate) mod credentials;
pub(crate) mod follow;
pub(crate) mod problem;
pub(crate) mod resolve;

use crate::cmd::failure::Hint;
use anyhow::{Context, Result};
use backupx_api::page::Page;
use credentials::{Credentials, address};
use reqwest::header::{ETAG, HeaderMap, HeaderName, HeaderValue, IF_MATCH};
use reqwest::{Method, RequestBuilder, Response, Url};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::path::Path;
use std::time::Duration;

/// Longest time to a connection.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);
/// Longest silence within an answer.
const SILENCE_LIMIT: Duration = Duration::from_secs(60);
/// Longest time of a whole call; questions that the master passes on to a node are among them.
const CALL_LIMIT: Duration = Duration::from_secs(150);
/// Items of one page of a list that is read as a whole.
const PAGE: usize = 500;

/// Query parameters of a call.
pub(crate) type Query = Vec<(&'static str, String)>;

/// Talks to one master.
#[derive(Clone)]
pub(crate) struct Client {
    http: reqwest::Client,
    master: Url,
    key: Option<SecretString>,
}

/// A thing with the tag of the state in which it was read.
pub(crate) struct Tagged<T> {
    /// The thing.
    pub(crate) value: T,
    /// Its `ETag`, for `If-Match`.
    pub(crate) etag: Option<HeaderValue>,
}

impl Client {
    /// The client for whoever is signed in.
    pub(crate) fn signed_in() -> Result<Self> {
        Self::with(Credentials::find()?)
    }

    /// The client for these credentials.
    pub(crate) fn with(credentials: Credentials) -> Result<Self> {
        let mut client = Self::anonymous(credentials.master, credentials.ca_cert.as_deref())?;
        client.key = Some(credentials.key);
        Ok(client)
    }

    /// A client that shows no key.
    pub(crate) fn anonymous(master: Url, ca_cert: Option<&Path>) -> Result<Self> {
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("backupx/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT_LIMIT)
            .read_timeout(SILENCE_LIMIT);
        if is_loopback(&master) {
            builder = builder.no_proxy();
        }
        if let Some(path) = ca_cert {
            let pem = std::fs::read(path)
                .with_context(|| format!("the certificate {} can't be read", path.display()))?;
            let certificates = reqwest::Certificate::from_pem_bundle(&pem)
                .with_context(|| format!("{} holds no certificate", path.display()))?;
            builder = builder.tls_certs_merge(certificates);
        }
        let http = builder.build().context("the HTTP client can't be set up")?;
        Ok(Self {
            http,
            master,
            key: None,
        })
    }

    /// The master's address, without a `/` at its end.
    pub(crate) fn master(&self) -> &str {
        address(&self.master)
    }

    /// The same client with another key.
    pub(crate) fn with_key(self, key: SecretString) -> Self {
        Self {
            key: Some(key),
            ..self
        }
    }

    /// Reads a thing.
    pub(crate) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        self.get_with(path, &[]).await
    }

    /// Reads a thing with query parameters.
    pub(crate) async fn get_with<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, String)],
    ) -> Result<T> {
        let response = self
            .send(self.request(Method::GET, path).query(query))
            .await?;
        self.parse(response).await
    }

    /// Reads a thing that is to be changed.
    pub(crate) async fn get_tagged<T: DeserializeOwned>(&self, path: &str) -> Result<Tagged<T>> {
        let response = self.send(self.request(Method::GET, path)).await?;
        let etag = response.headers().get(ETAG).cloned();
        let value = self.parse(response).await?;
        Ok(Tagged { value, etag })
    }

    /// Makes a thing or starts an action; a repeat on the wire has no second effect.
    pub(crate) async fn post<B: Serialize + ?Sized, T: DeserializeOwned>(
        &self,
        path: &str,
        body: &B,
    ) -> Result<T> {
        let request = self.request(Method::POST, path).headers(once()).json(body);
        let response = self.send(request).await?;
        self.parse(response).await
    }

    /// Changes a thing, unless somebody changed it since it was read.
    pub(crate) async fn put<B: Serialize + ?Sized, T: DeserializeOwned>(
        &self,
        path: &str,
        etag: Option<HeaderValue>,
        body: &B,
    ) -> Result<T> {
        let mut request = self.request(Method::PUT, path).json(body);
        if let Some(etag) = etag {
            request = request.header(IF_MATCH, etag);
        }
        let response = self.send(request).await?;
        self.parse(response).await
    }

    /// Removes a thing.
    pub(crate) async fn delete(&self, path: &str, query: &[(&str, String)]) -> Result<()> {
        let request = self.request(Method::DELETE, path).query(query);
        self.send(request).await.map(drop)
    }

    /// Sends a request with the key, within the limits; anything but success is an error that says what to do.
    pub(crate) async fn send(&self, request: RequestBuilder) -> Result<Response> {
        let response = request
            .send()
            .await
            .map_err(|error| problem::unreachable(self.master(), error))?;
        problem::refuse(self.master(), response).await
    }

    /// A request for `path` below `/api/v1`.
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.raw(method, &format!("/api/v1{path}"))
            .timeout(CALL_LIMIT)
    }

    /// A request for a path of the master, without a limit of the whole call.
    pub(crate) fn raw(&self, method: Method, path: &str) -> RequestBuilder {
        let url = format!("{}{path}", self.master());
        let request = self.http.request(method, url);
        match &self.key {
            Some(key) => request.bearer_auth(key.expose_secret()),
            None => request,
        }
    }

    /// All items of a list, or the first `most` of them and where the rest begins.
    pub(crate) async fn list<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, String)],
        most: usize,
    ) -> Result<Page<T>> {
        let mut whole = Page {
            items: Vec::new(),
            next_cursor: None,
        };
        while whole.items.len() < most {
            let mut query = query.to_vec();
            query.push(("limit", PAGE.min(most - whole.items.len()).to_string()));
            if let Some(cursor) = whole.next_cursor.take() {
                query.push(("cursor", cursor));
            }
            let page: Page<T> = self.get_with(path, &query).await?;
            whole.items.extend(page.items);
            whole.next_cursor = page.next_cursor;
            if whole.next_cursor.is_none() {
                break;
            }
        }
        Ok(whole)
    }

    async fn parse<T: DeserializeOwned>(&self, response: Response) -> Result<T> {
        let body = response
            .bytes()
            .await
            .map_err(|error| problem::unreachable(self.master(), error))?;
        serde_json::from_slice(&body).map_err(|error| {
            Hint::error(
                format!(
                    "the answer of {} was not understood: {error}",
                    self.master()
                ),
                "is it a BackupX master of this version? `backupx doctor` compares versions",
            )
        })
    }
}

/// Headers of a call that must have its effect once.
fn once() -> HeaderMap {
    let mut headers = HeaderMap::new();
    let token = hex::encode(rand::random::<[u8; 16]>());
    if let Ok(value) = HeaderValue::from_str(&token) {
        headers.insert(HeaderName::from_static("idempotency-key"), value);
    }
    headers
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    host == "localhost"
        || host
            .trim_matches(['[', ']'])
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}
