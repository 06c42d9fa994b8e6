//! A master with its administrator's key, and requests as anybody may send them.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Method, Response};
use serde_json::{Value, json};

use crate::support::master::Master;

/// No answer of a test takes longer than this.
const LIMIT: Duration = Duration::from_secs(30);

/// A master and whoever asks it.
pub(crate) struct Api {
    /// The process.
    pub(crate) master: Master,
    /// An API key of the administrator.
    pub(crate) admin: String,
    http: Client,
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
    api: &'a Api,
    method: Method,
    path: String,
    headers: HeaderMap,
    body: Option<Vec<u8>>,
}

impl Api {
    /// A new master with an administrator.
    pub(crate) fn start() -> Result<Self> {
        Self::with_settings(&[])
    }

    /// A new master with these variables in its environment, and an administrator.
    pub(crate) fn with_settings(settings: &[(&str, &str)]) -> Result<Self> {
        let master = Master::with_settings(settings)?;
        let admin = master.administrator()?.key;
        Ok(Self {
            http: plain_client()?,
            master,
            admin,
        })
    }

    /// A new master that nobody has set up.
    pub(crate) fn fresh() -> Result<Self> {
        Ok(Self {
            master: Master::start()?,
            http: plain_client()?,
            admin: String::new(),
        })
    }

    /// A request by nobody.
    pub(crate) fn ask(&self, method: Method, path: impl Into<String>) -> Asked<'_> {
        Asked {
            api: self,
            method,
            path: path.into(),
            headers: HeaderMap::new(),
            body: None,
        }
    }

    /// A GET as the administrator.
    pub(crate) async fn get(&self, path: &str) -> Result<Reply> {
        self.ask(Method::GET, path).by(&self.admin).send().await
    }

    /// A POST as the administrator.
    pub(crate) async fn post(&self, path: &str, body: Value) -> Result<Reply> {
        self.ask(Method::POST, path)
            .by(&self.admin)
            .json(&body)
            .send()
            .await
    }

    /// A DELETE as the administrator.
    pub(crate) async fn delete(&self, path: &str) -> Result<Reply> {
        self.ask(Method::DELETE, path).by(&self.admin).send().await
    }

    /// A user with this role and password; its id.
    pub(crate) async fn user(&self, name: &str, password: &str, role: &str) -> Result<i64> {
        let body = json!({"username": name, "password": password, "role": role});
        let user = self.post("/api/v1/users", body).await?.expect(201)?;
        user["id"].as_i64().context("no id")
    }

    /// A session token of a user.
    pub(crate) async fn session(&self, name: &str, password: &str) -> Result<String> {
        let reply = self.sign_in(name, password).await?.expect(201)?;
        Ok(reply["token"].as_str().context("no token")?.to_owned())
    }

    /// A try to sign in.
    pub(crate) async fn sign_in(&self, name: &str, password: &str) -> Result<Reply> {
        let body = json!({"username": name, "password": password});
        self.ask(Method::POST, "/api/v1/sessions")
            .json(&body)
            .send()
            .await
    }

    /// An API key of the administrator that may do what `role` may.
    pub(crate) async fn key(&self, role: &str) -> Result<String> {
        let body = json!({"name": format!("as {role}"), "role": role});
        let key = self.post("/api/v1/api-keys", body).await?.expect(201)?;
        Ok(key["key"].as_str().context("no key")?.to_owned())
    }

    /// A node with its token.
    pub(crate) async fn node(&self, name: &str) -> Result<(i64, String)> {
        let node = self
            .post("/api/v1/nodes", json!({"name": name}))
            .await?
            .expect(201)?;
        let id = node["id"].as_i64().context("no id")?;
        Ok((id, node["token"].as_str().context("no token")?.to_owned()))
    }

    /// A target that is a folder of the master; its id.
    pub(crate) async fn target(&self, name: &str) -> Result<i64> {
        let path = self.master.folder().join(name);
        let body = json!({"name": name, "type": "local", "config": {"path": path, "at": "master"}});
        let target = self.post("/api/v1/targets", body).await?.expect(201)?;
        target["id"].as_i64().context("no id")
    }

    /// A task of a node to a target; its id.
    pub(crate) async fn task(&self, name: &str, node: i64, target: i64) -> Result<i64> {
        let source = json!({"type": "file", "paths": ["/etc/hostname"]});
        let body = json!({"name": name, "nodeId": node, "source": source, "targetIds": [target]});
        let task = self.post("/api/v1/tasks", body).await?.expect(201)?;
        task["id"].as_i64().context("no id")
    }
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
        let url = format!("{}{}", self.api.master.url(), self.path);
        let mut request = self
            .api
            .http
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
