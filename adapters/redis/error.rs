//! Driver errors as errors of the core: the one place that knows what Redis says when something goes wrong.

use backupx_core::{Error, ErrorKind};
use deadpool_redis::PoolError;
use deadpool_redis::redis::{self, RedisError, ServerErrorKind};

const SILENT: &str = "Redis does not answer";

/// What any call may fail with.
pub(crate) fn store(error: RedisError) -> Error {
    let (kind, code, message) = classify(&error);
    Error::new(kind, code, message).with_source(error)
}

/// Like [`store`], for a connection that could not be had.
pub(crate) fn pool(error: PoolError) -> Error {
    match error {
        PoolError::Backend(error) => store(error),
        PoolError::Timeout(_)
        | PoolError::Closed
        | PoolError::NoRuntimeSpecified
        | PoolError::PostCreateHook(_) => {
            Error::unavailable("store_unavailable", SILENT).with_source(error)
        }
    }
}

/// Redis did not answer in time.
pub(crate) fn silent() -> Error {
    Error::unavailable("store_unavailable", SILENT)
}

/// A stored value that this program did not write or can no longer read.
pub(crate) fn unreadable(field: &str, why: impl std::fmt::Display) -> Error {
    Error::internal(format!(
        "field {field} in Redis holds what can't be read: {why}"
    ))
}

fn classify(error: &RedisError) -> (ErrorKind, &'static str, &'static str) {
    use ErrorKind::{Internal, Unavailable};
    match (error.kind(), error.code()) {
        (redis::ErrorKind::Io, _) => (Unavailable, "store_unavailable", SILENT),
        (redis::ErrorKind::AuthenticationFailed, _) | (_, Some("NOAUTH" | "WRONGPASS")) => (
            Unavailable,
            "store_refused",
            "Redis refuses the user or the password of its URL",
        ),
        (redis::ErrorKind::Server(ServerErrorKind::NoPerm), _) => (
            Unavailable,
            "store_refused",
            "Redis does not let this user run a command that is needed",
        ),
        (redis::ErrorKind::Server(ServerErrorKind::ReadOnly), _) => (
            Unavailable,
            "store_read_only",
            "this Redis is a read-only replica",
        ),
        (_, Some("OOM" | "MISCONF")) => (
            Unavailable,
            "store_full",
            "Redis has no memory or disk left for what is written: make room, nothing that was stored is lost",
        ),
        (
            redis::ErrorKind::Server(
                ServerErrorKind::BusyLoading
                | ServerErrorKind::TryAgain
                | ServerErrorKind::ClusterDown
                | ServerErrorKind::MasterDown,
            ),
            _,
        )
        | (_, Some("BUSY" | "UNBLOCKED")) => (Unavailable, "store_unavailable", SILENT),
        _ if error.is_connection_dropped() || error.is_timeout() => {
            (Unavailable, "store_unavailable", SILENT)
        }
        _ => (Internal, "internal", "Redis refused a command"),
    }
}
