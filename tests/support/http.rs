//! HTTP as anybody may speak it: requests to one address, with whatever headers and body, and their answers as they are.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Method, Response};
use serde_json::Value;

/// No answer of a test takes longer than this.
const LIMIT: Duration = Duration::from_secs(30);

/// An address that is asked, each time over a connection of its own.
#[derive(Debug, Clone)]
pub(crate) struct Http {
    base: String,
    client: Client,
}

impl Http {
    /// Whoever listens at `base`, as `http://127.0.0.1:8340`.
    pub(crate) fn new(base: impl Into<String>) -> Result<Self> {
        Ok(Self {
            base: base.into(),
            client: plain_client()?,
        })
    }

    /// A request by nobody.
    pub(crate) fn ask(&self, method: Method, path: impl Into<String>) -> Asked<'_> {
        Asked {
            http: self,
            method,
            path: path.into(),
            headers: HeaderMap::new(),
            body: None,
        }
    }

    /// A GET with this token.
    pub(crate) async fn get(&self, token: &str, path: impl Into<String>) -> Result<Reply> {
        self.ask(Method::GET, path).by(token).send().await
    }

    /// A POST with this token.
    pub(crate) async fn post(
        &self,
        token: &str,
        path: impl Into<String>,
        body: &Value,
    ) -> Result<Reply> {
        self.ask(Method::POST, path)
            .by(token)
            .json(body)
            .send()
            .await
    }
}

/// An answer with its whole body.
#[derive(Debug)]
pub(crate) struct Reply {
    /// The HTTP status.
    pub(crate) status: u16,
    /// The headers.
    pub(crate) headers: HeaderMap,
    /// The body.
    pub(crate) text: String,
}

impl Reply {
    /// The body as JSON.
    pub(crate) fn json(&self) -> Result<Value> {
        serde_json::from_str(&self.text)
            .with_context(|| format!("no JSON in {} {:?}", self.status, self.text))
    }

    /// The JSON body of an answer that must have this status.
    pub(crate) fn expect(&self, status: u16) -> Result<Value> {
        ensure!(
            self.status == status,
            "expected {status}, got {}: {}",
            self.status,
            self.text
        );
        if self.text.is_empty() {
            return Ok(Value::Null);
        }
        self.json()
    }

    /// The problem of an answer that must be a refusal with this status and code.
    pub(crate) fn refusal(&self, status: u16, code: &str) -> Result<Value> {
        let problem = self.problem()?;
        ensure!(
            self.status == status && problem["code"] == code,
            "expected {status} {code}, got {}: {}",
            self.status,
            self.text
        );
        Ok(problem)
    }

    /// The problem details of an answer that must be a refusal.
    pub(crate) fn problem(&self) -> Result<Value> {
        ensure!(
            self.header("content-type") == "application/problem+json",
            "no problem details: {} {:?} {:?}",
            self.status,
            self.headers,
            self.text
        );
        let problem = self.json()?;
        ensure!(problem["status"] == self.status, "{problem}");
        for part in ["type", "title", "code", "detail"] {
            ensure!(
                problem[part].as_str().is_some_and(|text| !text.is_empty()),
                "no {part}: {problem}"
            );
        }
        Ok(problem)
    }

    /// A header as text, empty when it is not there.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }
}

/// A request to be sent.
pub(crate) struct Asked<'a> {
    http: &'a Http,
    method: Method,
    path: String,
    headers: HeaderMap,
    body: Option<Vec<u8>>,
}

impl Asked<'_> {
    /// With this token.
    pub(crate) fn by(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    /// With this header.
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.append(
            HeaderName::try_from(name).expect("a header's name"),
            HeaderValue::try_from(value).expect("a header's value"),
        );
        self
    }

    /// With this JSON body.
    pub(crate) fn json(self, body: &Value) -> Self {
        self.header("content-type", "application/json")
            .body(body.to_string())
    }

    /// With this body.
    pub(crate) fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = Some(body.into());
        self
    }

    /// Sends it and reads the whole answer.
    pub(crate) async fn send(self) -> Result<Reply> {
        let response = self.open().await?;
        Ok(Reply {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            text: response.text().await?,
        })
    }

    /// Sends it and answers before the body has come.
    pub(crate) async fn open(self) -> Result<Response> {
        let url = format!("{}{}", self.http.base, self.path);
        let mut request = self
            .http
            .client
            .request(self.method, &url)
            .headers(self.headers);
        if let Some(body) = self.body {
            request = request.body(body);
        }
        request
            .send()
            .await
            .with_context(|| format!("asking {url}"))
    }
}

fn plain_client() -> Result<Client> {
    let client = Client::builder()
        .timeout(LIMIT)
        .no_proxy()
        .pool_max_idle_per_host(0)
        .redirect(reqwest::redirect::Policy::none())
        .build()?;
    Ok(client)
}
