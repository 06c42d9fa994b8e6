//! What rclone's words mean for a person, and what to do about it.

use super::settings::Settings;
use backupx_core::{Error, ErrorKind};
use std::fmt::Display;

/// A call of rclone that failed.
#[derive(Debug)]
pub(super) enum Failure {
    /// It answered so: its HTTP status, and its own words.
    Refused(u16, String),
    /// It gave no answer.
    Silent(Error),
}

const NO_SPACE: &str = "there is no space left: free some, or raise the quota";

/// What stands in rclone's words, and what it means.
const MEANINGS: [(&[&str], ErrorKind, &str, &str); 7] = [
    (
        &["corrupted on transfer", "hashes differ", "sizes differ"],
        ErrorKind::Unavailable,
        "changed_on_the_way",
        "other bytes arrived than were sent: check the network and the proxies on the way",
    ),
    (
        &[
            "object not found",
            "directory not found",
            "file does not exist",
            "no such file",
            "no such directory",
            "nosuchkey",
        ],
        ErrorKind::NotFound,
        "object_not_found",
        "it is not there",
    ),
    (
        &[
            "unauthorized",
            "authentication failed",
            "unable to authenticate",
            "access denied",
            "permission denied",
            "not enough privileges",
            "forbidden",
            "invalid credentials",
            "login incorrect",
            "logon failure",
            "invalid_grant",
            "bad_token",
            "401 ",
            "403 ",
            "535 ",
            "530 ",
            "signaturedoesnotmatch",
            "authorization",
            "incorrect username or password",
        ],
        ErrorKind::Forbidden,
        "access_denied",
        "check user, password, keys and their rights",
    ),
    (
        &[
            "no space left",
            "quota",
            "insufficient storage",
            "storage full",
            "507 ",
        ],
        ErrorKind::Conflict,
        "disk_full",
        NO_SPACE,
    ),
    (
        &["didn't find backend", "didn't find section"],
        ErrorKind::Invalid,
        "bad_settings",
        "this host's rclone does not know the backend: install a newer one",
    ),
    (
        &[
            "no such host",
            "connection refused",
            "dial tcp",
            "i/o timeout",
            "network is unreachable",
            "couldn't connect",
            "no route to host",
            "server misbehaving",
            "eof",
            "connection reset",
            "tls",
            "x509",
        ],
        ErrorKind::Unavailable,
        "storage_unreachable",
        "check address, port, certificate and firewall",
    ),
    (
        &["too many requests", "rate limit", "429 ", "slow down"],
        ErrorKind::TooManyRequests,
        "storage_busy",
        "it asks to slow down",
    ),
];

/// The error of an upload for which there is no room.
pub(super) fn full(settings: &Settings, key: impl Display) -> Error {
    Error::conflict(
        "disk_full",
        format!("{}, {key}: {NO_SPACE}", settings.place()),
    )
}

impl Failure {
    /// The error of a call about `key`.
    pub(super) fn explained(self, settings: &Settings, key: impl Display) -> Error {
        let (status, words) = match self {
            Self::Silent(error) => return error,
            Self::Refused(status, words) => (status, words),
        };
        let words = without_secrets(words, settings);
        let place = settings.place();
        let plain = words.to_lowercase();
        for (signs, kind, code, advice) in MEANINGS {
            let is_meant = signs.iter().any(|sign| plain.contains(sign));
            if is_meant || (status == 404 && kind == ErrorKind::NotFound) {
                let message = format!("{place}, {key}: {advice} (rclone: {words})");
                return Error::new(kind, code, message);
            }
        }
        Error::unavailable(
            "storage_unavailable",
            format!("{place}, {key}: rclone says: {words}"),
        )
    }
}

/// rclone says addresses in full, and some have a password in them.
fn without_secrets(mut words: String, settings: &Settings) -> String {
    for (name, value) in settings.options() {
        let is_shown = [
            "url", "host", "user", "username", "vendor", "port", "provider", "endpoint",
        ]
        .contains(&name.as_str());
        if !is_shown && value.len() >= 4 {
            words = words.replace(value, "***");
        }
    }
    words.chars().take(400).collect()
}
