//! S3 and what speaks its protocol.

use super::Prepared;
use super::endpoint::{endpoint, given, root, secret};
use super::error::{Meaning, Protocol, Service, Sums, after};
use crate::required;
use backupx_core::domain::access::TargetAccess;
use backupx_core::{Error, Result};
use opendal::Operator;
use opendal::services::S3Config;

static PROTOCOL: Protocol = Protocol {
    name: "S3",
    holder: "bucket",
    settings: "region and keys",
    credentials: "access key id and secret",
    sums: Sums::Compared,
    create: None,
    meaning,
};

/// Checks the settings; calls nobody.
pub(crate) fn prepare(access: &TargetAccess) -> Result<Prepared> {
    let mut config = S3Config::default();
    config.bucket = required(access, "bucket")?.to_owned();
    config.root = root(access);
    config.region = Some(given(access, "region").unwrap_or("us-east-1").to_owned());
    config.endpoint = endpoint(access)?;
    config.enable_virtual_host_style = match given(access, "virtualHost") {
        None | Some("false") => false,
        Some("true") => true,
        Some(other) => {
            return Err(Error::field(
                "config.virtualHost",
                format!("{other:?} is not one of true, false"),
            ));
        }
    };
    // The service compares it with what arrived and refuses bytes that changed on the way. Cheap beside everything else.
    config.checksum_algorithm = Some("crc32c".to_owned());
    match (
        given(access, "accessKeyId"),
        secret(access, "secretAccessKey"),
    ) {
        // With keys given, nothing is taken from the environment or from the cloud's metadata address.
        (Some(id), Some(secret)) => {
            config.access_key_id = Some(id.to_owned());
            config.secret_access_key = Some(secret.to_owned());
            config.disable_config_load = true;
            config.disable_ec2_metadata = true;
        }
        (None, None) => {}
        (Some(_), None) | (None, Some(_)) => {
            return Err(Error::field(
                "config.accessKeyId",
                "accessKeyId and secretAccessKey belong together: give both or neither",
            ));
        }
    }
    let service = Service {
        protocol: &PROTOCOL,
        endpoint: config.endpoint.clone().unwrap_or("Amazon S3".to_owned()),
        place: config.bucket.clone(),
    };
    Prepared::new(service, Operator::from_config(config))
}

/// What the `Code` of the service's error document means.
fn meaning(error: &opendal::Error) -> Option<Meaning> {
    Some(match after(error.message(), "code: \"")? {
        "NoSuchBucket" => Meaning::NoSuchPlace,
        "InvalidAccessKeyId"
        | "SignatureDoesNotMatch"
        | "AccessDenied"
        | "InvalidToken"
        | "ExpiredToken" => Meaning::Denied,
        "RequestTimeTooSkewed" => Meaning::ClockSkewed,
        "PermanentRedirect"
        | "AuthorizationHeaderMalformed"
        | "IllegalLocationConstraintException" => Meaning::WrongRegion,
        "QuotaExceeded" | "XMinioStorageFull" | "InsufficientStorage" => Meaning::Full,
        "BadDigest" | "XAmzContentChecksumMismatch" | "XAmzContentSHA256Mismatch" => {
            Meaning::Changed
        }
        "ConditionalRequestConflict" | "OperationAborted" => Meaning::Busy,
        "NotImplemented" => Meaning::NotKnown,
        _ => return None,
    })
}
