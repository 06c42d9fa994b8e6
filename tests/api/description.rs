//! The API's description: what is served is what is kept beside the console, and the list that the other tests walk.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use reqwest::Method;
use serde_json::Value;

use crate::client::Api;

/// One operation of the description.
#[derive(Debug, Clone)]
pub(crate) struct Operation {
    /// Its method.
    pub(crate) method: Method,
    /// Its path, with `{id}` and the like.
    pub(crate) path: String,
    /// Who may call it.
    pub(crate) needs: Needs,
}

/// Who may call an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Needs {
    Nothing,
    Viewer,
    Operator,
    Admin,
    Node,
}

/// Every operation that a master says it has.
pub(crate) async fn operations(api: &Api) -> Result<Vec<Operation>> {
    let document = api
        .ask(Method::GET, "/api/v1/openapi.json")
        .send()
        .await?
        .expect(200)?;
    let paths = document["paths"].as_object().context("no paths")?;
    let mut operations = Vec::new();
    for (path, item) in paths {
        for (method, operation) in item.as_object().context("no path item")? {
            operations.push(Operation {
                method: method.to_uppercase().parse()?,
                path: path.clone(),
                needs: needs(operation).with_context(|| format!("{method} {path}"))?,
            });
        }
    }
    ensure!(
        operations.len() > 50,
        "only {} operations",
        operations.len()
    );
    Ok(operations)
}

fn needs(operation: &Value) -> Result<Needs> {
    let security = operation["security"].as_array().context("no security")?;
    let first = security
        .first()
        .and_then(Value::as_object)
        .context("no scheme")?;
    match first.iter().next() {
        None => Ok(Needs::Nothing),
        Some((scheme, _)) if scheme == "node" => Ok(Needs::Node),
        Some((_, scopes)) => match scopes[0].as_str() {
            Some("viewer") => Ok(Needs::Viewer),
            Some("operator") => Ok(Needs::Operator),
            Some("admin") => Ok(Needs::Admin),
            other => anyhow::bail!("names no role: {other:?}"),
        },
    }
}

#[tokio::test]
async fn every_operation_says_who_may_call_it() -> Result<()> {
    let api = Api::start()?;
    let open: Vec<_> = operations(&api)
        .await?
        .into_iter()
        .filter(|operation| operation.needs == Needs::Nothing)
        .map(|operation| format!("{} {}", operation.method, operation.path))
        .collect();
    let expected = [
        "GET /api/v1/set-up",
        "POST /api/v1/set-up",
        "POST /api/v1/sessions",
        "GET /health",
        "GET /metrics",
        "GET /ready",
    ];
    for operation in &open {
        ensure!(
            expected.contains(&operation.as_str()),
            "{operation} is open to everybody"
        );
    }
    ensure!(open.len() == expected.len(), "{open:?}");
    Ok(())
}

#[test]
fn the_description_beside_the_console_is_the_one_that_is_served() -> Result<()> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("web/openapi.json");
    let kept = fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
    ensure!(
        kept == backupx_http::openapi_json(),
        "web/openapi.json is not what the code says; `just openapi` writes it anew"
    );
    Ok(())
}
