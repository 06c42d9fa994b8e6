//! A master with its administrator's key, and requests as anybody may send them.

use anyhow::{Context, Result};
use reqwest::Method;
use serde_json::{Value, json};

pub(crate) use crate::support::http::{Asked, Reply};

use crate::support::http::Http;
use crate::support::master::Master;

/// A master and whoever asks it.
pub(crate) struct Api {
    /// The process.
    pub(crate) master: Master,
    /// An API key of the administrator.
    pub(crate) admin: String,
    /// Its address.
    pub(crate) http: Http,
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
            http: Http::new(master.url())?,
            master,
            admin,
        })
    }

    /// A new master that nobody has set up.
    pub(crate) fn fresh() -> Result<Self> {
        let master = Master::start()?;
        Ok(Self {
            http: Http::new(master.url())?,
            master,
            admin: String::new(),
        })
    }

    /// A request by nobody.
    pub(crate) fn ask(&self, method: Method, path: impl Into<String>) -> Asked<'_> {
        self.http.ask(method, path)
    }

    /// A GET as the administrator.
    pub(crate) async fn get(&self, path: &str) -> Result<Reply> {
        self.http.get(&self.admin, path).await
    }

    /// A POST as the administrator.
    pub(crate) async fn post(&self, path: &str, body: Value) -> Result<Reply> {
        self.http.post(&self.admin, path, &body).await
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
