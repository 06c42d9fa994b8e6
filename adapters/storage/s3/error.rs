//! What a service's refusal means for a person, and what to do about it.

use backupx_core::{Error, ErrorKind};
use opendal::ErrorKind as Kind;
use std::error::Error as _;

/// The service as errors name it.
#[derive(Debug, Clone)]
pub(super) struct Service {
    pub(super) endpoint: String,
    pub(super) bucket: String,
}

impl Service {
    /// The error of a call about `what`.
    pub(super) fn error(&self, what: &str, error: opendal::Error) -> Error {
        self.explain(what, &error).with_source(Cause::of(&error))
    }

    /// The object is there already.
    pub(super) fn exists(&self, what: &str) -> Error {
        Error::conflict(
            "object_exists",
            format!("{what} exists already in bucket {}", self.bucket),
        )
    }

    fn explain(&self, what: &str, error: &opendal::Error) -> Error {
        let Self { endpoint, bucket } = self;
        if let Some(refusal) = self.explain_code(service_code(error)) {
            return refusal;
        }
        if let Some(failure) = error
            .source()
            .and_then(|cause| cause.downcast_ref::<reqwest::Error>())
        {
            return self.explain_transport(failure);
        }
        match error.kind() {
            Kind::ConditionNotMatch | Kind::AlreadyExists => self.exists(what),
            Kind::RateLimited => Error::new(
                ErrorKind::TooManyRequests,
                "storage_busy",
                format!("{endpoint} asks to slow down"),
            ),
            Kind::PermissionDenied => self.denied(),
            Kind::NotFound => Error::not_found(
                "object_not_found",
                format!(
                    "{endpoint} knows no {what} in bucket {bucket}; if nothing is found there, check that the endpoint speaks S3"
                ),
            ),
            Kind::ConfigInvalid => Error::invalid(
                "bad_settings",
                format!(
                    "the settings of bucket {bucket} at {endpoint} are not accepted: check region and keys"
                ),
            ),
            _ if error.to_string().contains("timeout") => Error::unavailable(
                "storage_stalled",
                format!("{endpoint} made no progress within the limit: check the network to it"),
            ),
            _ if error.is_temporary() => Error::unavailable(
                "storage_unavailable",
                format!("{endpoint} failed for the moment"),
            ),
            _ => Error::invalid(
                "storage_refused",
                format!(
                    "{endpoint} refused {what}: check that the endpoint is the address of an S3 service"
                ),
            ),
        }
    }

    fn explain_code(&self, code: Option<&str>) -> Option<Error> {
        let Self { endpoint, bucket } = self;
        Some(match code? {
            "NoSuchBucket" => Error::invalid(
                "no_such_bucket",
                format!(
                    "bucket {bucket} does not exist at {endpoint}: create it, or correct the name"
                ),
            ),
            "InvalidAccessKeyId"
            | "SignatureDoesNotMatch"
            | "AccessDenied"
            | "InvalidToken"
            | "ExpiredToken" => self.denied(),
            "RequestTimeTooSkewed" => Error::forbidden(
                "clock_skewed",
                format!(
                    "{endpoint} refuses because this host's clock is off: set it (NTP) and try again"
                ),
            ),
            "PermanentRedirect"
            | "AuthorizationHeaderMalformed"
            | "IllegalLocationConstraintException" => Error::invalid(
                "wrong_region",
                format!(
                    "bucket {bucket} is in another region than the target says: correct region or endpoint"
                ),
            ),
            "QuotaExceeded" | "XMinioStorageFull" | "InsufficientStorage" => Error::conflict(
                "disk_full",
                format!(
                    "{endpoint} has no space left for bucket {bucket}: free some, or raise its quota"
                ),
            ),
            "BadDigest" | "XAmzContentChecksumMismatch" | "XAmzContentSHA256Mismatch" => {
                Error::unavailable(
                    "changed_on_the_way",
                    format!(
                        "{endpoint} received other bytes than were sent: check the network and the proxies on the way"
                    ),
                )
            }
            "ConditionalRequestConflict" | "OperationAborted" => Error::unavailable(
                "storage_busy",
                format!("{endpoint} is busy with the same object"),
            ),
            _ => return None,
        })
    }

    fn explain_transport(&self, failure: &reqwest::Error) -> Error {
        let endpoint = &self.endpoint;
        if failure.is_timeout() {
            return Error::unavailable(
                "storage_unreachable",
                format!("{endpoint} did not answer in time: check address, port and firewall"),
            );
        }
        if failure.is_connect() {
            return Error::unavailable(
                "storage_unreachable",
                format!(
                    "{endpoint} can't be reached: check address, port, http or https, and that the service runs"
                ),
            );
        }
        Error::unavailable(
            "storage_unavailable",
            format!("the connection to {endpoint} broke off"),
        )
    }

    fn denied(&self) -> Error {
        Error::forbidden(
            "access_denied",
            format!(
                "access denied to bucket {} at {}: check access key id and secret, that this key may read, write, list and delete there, and that this host's clock is right",
                self.bucket, self.endpoint
            ),
        )
    }
}

/// True when the service says that it does not know what was asked of it: a conditional create.
pub(super) fn is_not_implemented(error: &opendal::Error) -> bool {
    service_code(error) == Some("NotImplemented") || error.kind() == Kind::Unsupported
}

/// The `Code` of the service's own error document, which OpenDAL carries in its message.
fn service_code(error: &opendal::Error) -> Option<&str> {
    let (_, rest) = error.message().split_once("code: \"")?;
    let (code, _) = rest.split_once('"')?;
    Some(code).filter(|code| !code.is_empty())
}

/// The causes as text: kind, the service's own words and the transport's, without requests and headers.
#[derive(Debug)]
struct Cause(String);

impl Cause {
    fn of(error: &opendal::Error) -> Self {
        let mut text = error.message().to_owned();
        let mut next = error.source();
        while let Some(cause) = next {
            text.push_str(": ");
            text.push_str(&cause.to_string());
            next = cause.source();
        }
        Self(text)
    }
}

impl std::fmt::Display for Cause {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Cause {}
