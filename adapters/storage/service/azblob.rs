//! Azure Blob Storage.

use super::Prepared;
use super::endpoint::{endpoint, root, secret};
use super::error::{Meaning, Protocol, Service, Sums, after};
use crate::required;
use backupx_core::domain::access::TargetAccess;
use backupx_core::{Error, Result};
use opendal::Operator;
use opendal::services::AzblobConfig;

static PROTOCOL: Protocol = Protocol {
    name: "Azure Blob Storage",
    holder: "container",
    settings: "account and key",
    credentials: "account and its key or SAS token",
    sums: Sums::Stated,
    create: None,
    meaning,
};

/// Checks the settings; calls nobody. Without a key or a token, the host's environment or its managed identity has to open the account.
pub(crate) fn prepare(access: &TargetAccess) -> Result<Prepared> {
    let account = required(access, "account")?;
    let key = secret(access, "accountKey");
    // As the portal copies it, it begins with the question mark of an address.
    let token = secret(access, "sasToken").map(|token| token.trim_start_matches('?'));
    if key.is_some() && token.is_some() {
        return Err(Error::field(
            "config.sasToken",
            "accountKey and sasToken exclude each other: give one of them",
        ));
    }
    let endpoint = match endpoint(access)? {
        Some(endpoint) => endpoint,
        None => format!("https://{account}.blob.core.windows.net"),
    };
    let config = AzblobConfig {
        root: root(access),
        container: required(access, "container")?.to_owned(),
        endpoint: Some(endpoint.clone()),
        account_name: Some(account.to_owned()),
        account_key: key.map(str::to_owned),
        sas_token: token.map(str::to_owned),
        ..AzblobConfig::default()
    };
    let service = Service {
        protocol: &PROTOCOL,
        endpoint,
        place: config.container.clone(),
    };
    Prepared::new(service, Operator::from_config(config))
}

/// What the service's error code means.
fn meaning(error: &opendal::Error) -> Option<Meaning> {
    Some(match after(error.message(), "code: \"")? {
        "ContainerNotFound" | "ContainerBeingDeleted" | "ContainerDisabled" => Meaning::NoSuchPlace,
        "AuthenticationFailed"
        | "AuthorizationFailure"
        | "AuthorizationPermissionMismatch"
        | "AuthorizationProtocolMismatch"
        | "AuthorizationResourceTypeMismatch"
        | "AuthorizationServiceMismatch"
        | "AuthorizationSourceIPMismatch"
        | "AccountIsDisabled"
        | "InsufficientAccountPermissions"
        | "InvalidAuthenticationInfo"
        | "NoAuthenticationInformation" => Meaning::Denied,
        // What a token without the right to replace is told of a blob that is there.
        "BlobAlreadyExists" | "UnauthorizedBlobOverwrite" => Meaning::Exists,
        "Md5Mismatch" | "Crc64Mismatch" => Meaning::Changed,
        "ServerBusy" => Meaning::SlowDown,
        _ => return None,
    })
}
