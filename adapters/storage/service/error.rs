//! What a service's refusal means for a person, and what to do about it.

use super::Prepared;
use super::transport::Addition;
use backupx_core::{Error, ErrorKind, Result};
use opendal::{ErrorKind as Kind, Operator};
use std::error::Error as _;
use std::fmt;

/// Whether the service compares what arrives with what was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sums {
    /// It gets a checksum with the bytes and refuses others.
    Compared,
    /// It only states the MD5 of what it has.
    Stated,
}

/// What a refusal in the service's own words means, beyond what OpenDAL makes of its status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    NoSuchPlace,
    Denied,
    ClockSkewed,
    WrongRegion,
    Full,
    Changed,
    Busy,
    SlowDown,
    Exists,
    /// It does not know what was asked of it: a conditional create.
    NotKnown,
}

/// What differs between services.
pub(super) struct Protocol {
    pub(super) name: &'static str,
    /// What it calls a place that holds objects.
    pub(super) holder: &'static str,
    /// What may be wrong when it does not accept the settings.
    pub(super) settings: &'static str,
    /// What may be wrong when it denies access.
    pub(super) credentials: &'static str,
    pub(super) sums: Sums,
    /// What makes a write a create where OpenDAL does not say it in one request.
    pub(super) create: Option<Addition>,
    pub(super) meaning: fn(&opendal::Error) -> Option<Meaning>,
}

/// The service as errors name it.
#[derive(Clone)]
pub(super) struct Service {
    pub(super) protocol: &'static Protocol,
    pub(super) endpoint: String,
    pub(super) place: String,
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}", self.holder(), self.endpoint)
    }
}

impl Prepared {
    /// An operator that OpenDAL made of the settings, or why it did not.
    pub(super) fn new(service: Service, made: opendal::Result<Operator>) -> Result<Self> {
        match made {
            Ok(operator) => Ok(Self { service, operator }),
            Err(error) => Err(service.error("open", error)),
        }
    }
}

impl Service {
    /// The bucket or container, as `bucket NAME`.
    fn holder(&self) -> String {
        format!("{} {}", self.protocol.holder, self.place)
    }

    /// Whether it compares what arrives.
    pub(super) fn sums(&self) -> Sums {
        self.protocol.sums
    }

    /// What makes a write a create.
    pub(super) fn create(&self) -> Option<Addition> {
        self.protocol.create
    }

    /// The error of a call about `what`.
    pub(super) fn error(&self, what: &str, error: opendal::Error) -> Error {
        self.explain(what, &error).with_source(Cause::of(&error))
    }

    /// The object is there already.
    pub(super) fn exists(&self, what: &str) -> Error {
        Error::conflict(
            "object_exists",
            format!("{what} exists already in {}", self.holder()),
        )
    }

    /// The service has other bytes than were sent.
    pub(super) fn changed(&self) -> Error {
        let endpoint = &self.endpoint;
        Error::unavailable(
            "changed_on_the_way",
            format!(
                "{endpoint} received other bytes than were sent: check the network and the proxies on the way"
            ),
        )
    }

    /// Nothing moved for too long.
    pub(super) fn stalled(&self) -> Error {
        let endpoint = &self.endpoint;
        Error::unavailable(
            "storage_stalled",
            format!("{endpoint} made no progress within the limit: check the network to it"),
        )
    }

    /// What the service's own words mean.
    pub(super) fn meaning(&self, error: &opendal::Error) -> Option<Meaning> {
        match error.kind() {
            Kind::Unsupported => Some(Meaning::NotKnown),
            _ => (self.protocol.meaning)(error),
        }
    }

    fn explain(&self, what: &str, error: &opendal::Error) -> Error {
        let endpoint = &self.endpoint;
        let holder = self.holder();
        let name = self.protocol.name;
        if let Some(refusal) = self
            .meaning(error)
            .and_then(|meaning| self.explain_meaning(what, meaning))
        {
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
            Kind::RateLimited => self.slow_down(),
            Kind::PermissionDenied => self.denied(),
            Kind::NotFound => Error::not_found(
                "object_not_found",
                format!(
                    "{endpoint} knows no {what} in {holder}; if nothing is found there, check that the endpoint speaks {name}"
                ),
            ),
            Kind::ConfigInvalid => Error::invalid(
                "bad_settings",
                format!(
                    "the settings of {holder} at {endpoint} are not accepted: check {}",
                    self.protocol.settings
                ),
            ),
            _ if error.to_string().contains("timeout") => self.stalled(),
            // What was temporary and stayed so over all retries is persistent.
            _ if error.is_temporary() || error.is_persistent() => Error::unavailable(
                "storage_unavailable",
                format!("{endpoint} failed for the moment"),
            ),
            _ => Error::invalid(
                "storage_refused",
                format!(
                    "{endpoint} refused {what}: check that the endpoint is the address of {name}"
                ),
            ),
        }
    }

    fn explain_meaning(&self, what: &str, meaning: Meaning) -> Option<Error> {
        let endpoint = &self.endpoint;
        let holder = self.holder();
        Some(match meaning {
            Meaning::NoSuchPlace => Error::invalid(
                match self.protocol.holder {
                    "container" => "no_such_container",
                    _ => "no_such_bucket",
                },
                format!("{holder} does not exist at {endpoint}: create it, or correct the name"),
            ),
            Meaning::Denied => self.denied(),
            Meaning::ClockSkewed => Error::forbidden(
                "clock_skewed",
                format!(
                    "{endpoint} refuses because this host's clock is off: set it (NTP) and try again"
                ),
            ),
            Meaning::WrongRegion => Error::invalid(
                "wrong_region",
                format!(
                    "{holder} is in another region than the target says: correct region or endpoint"
                ),
            ),
            Meaning::Full => Error::conflict(
                "disk_full",
                format!("{endpoint} has no space left for {holder}: free some, or raise its quota"),
            ),
            Meaning::Changed => self.changed(),
            Meaning::Busy => Error::unavailable(
                "storage_busy",
                format!("{endpoint} is busy with the same object"),
            ),
            Meaning::SlowDown => self.slow_down(),
            Meaning::Exists => self.exists(what),
            Meaning::NotKnown => return None,
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
                "access denied to {} at {}: check {}, that it may read, write, list and delete there, and that this host's clock is right",
                self.holder(),
                self.endpoint,
                self.protocol.credentials
            ),
        )
    }

    fn slow_down(&self) -> Error {
        Error::new(
            ErrorKind::TooManyRequests,
            "storage_busy",
            format!("{} asks to slow down", self.endpoint),
        )
    }
}

/// What stands in quotes behind `sign`, which OpenDAL's text of a service's error document has; nothing when that is empty.
pub(super) fn after<'a>(text: &'a str, sign: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(sign)?;
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

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Cause {}
