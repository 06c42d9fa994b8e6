//! Google Cloud Storage.

use super::Prepared;
use super::endpoint::{endpoint, root, secret};
use super::error::{Meaning, Protocol, Service, Sums, after};
use super::transport::Addition;
use crate::required;
use backupx_core::domain::access::TargetAccess;
use backupx_core::{Error, Result};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use opendal::services::GcsConfig;
use opendal::{ErrorKind, Operator};

static PROTOCOL: Protocol = Protocol {
    name: "Google Cloud Storage",
    holder: "bucket",
    settings: "the key of the service account",
    credentials: "service account and its key",
    sums: Sums::Stated,
    // OpenDAL would begin a resumable upload for it: two requests and more for each object, some of them without a signature.
    create: Some(Addition {
        to: "uploadType=multipart",
        query: "ifGenerationMatch=0",
    }),
    meaning,
};

/// Checks the settings; calls nobody. Without a key or a token, the host's environment or its virtual machine has to open the bucket.
pub(crate) fn prepare(access: &TargetAccess) -> Result<Prepared> {
    let mut config = GcsConfig::default();
    config.bucket = required(access, "bucket")?.to_owned();
    config.root = root(access);
    config.endpoint = endpoint(access)?;
    if let Some(key) = secret(access, "serviceAccountKey") {
        is_service_account(key)?;
        config.credential = Some(BASE64_STANDARD.encode(key));
    }
    config.token = secret(access, "accessToken").map(str::to_owned);
    // With one of them given, nothing is taken from the environment or from the cloud's metadata address.
    if config.credential.is_some() || config.token.is_some() {
        config.disable_config_load = true;
        config.disable_vm_metadata = true;
    }
    let endpoint = config.endpoint.clone();
    let service = Service {
        protocol: &PROTOCOL,
        endpoint: endpoint.unwrap_or("Google Cloud Storage".to_owned()),
        place: config.bucket.clone(),
    };
    Prepared::new(service, Operator::from_config(config))
}

/// Other kinds of credentials name files, programs and addresses of the host, which a target may not reach.
fn is_service_account(key: &str) -> Result<()> {
    let parsed: Option<serde_json::Value> = serde_json::from_str(key).ok();
    match parsed {
        Some(parsed) if parsed["type"] == "service_account" => Ok(()),
        Some(_) | None => Err(Error::field(
            "config.serviceAccountKey",
            "is not the key of a service account: one is JSON with \"type\": \"service_account\"",
        )),
    }
}

/// What the service's words mean: a reason where it gives one, else the status.
fn meaning(error: &opendal::Error) -> Option<Meaning> {
    let words = error.message();
    let text = error.to_string();
    let asks_the_bucket = ["InsertObject", "ListObjects"]
        .iter()
        .any(|operation| text.contains(operation));
    if error.kind() == ErrorKind::NotFound && asks_the_bucket {
        return Some(Meaning::NoSuchPlace);
    }
    if words.contains("code: 401") {
        return Some(Meaning::Denied);
    }
    if words.contains("code: 412") {
        return Some(Meaning::Exists);
    }
    Some(match after(words, "reason: \"")? {
        "authError" | "forbidden" | "required" | "insufficientPermissions" => Meaning::Denied,
        "rateLimitExceeded" | "userRateLimitExceeded" => Meaning::SlowDown,
        "quotaExceeded" => Meaning::Full,
        _ => return None,
    })
}
