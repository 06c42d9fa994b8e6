//! Keys of objects in storage. Only the master makes a record's location; an agent adds a fixed file name to it.

use super::id::RecordId;
use super::time::Timestamp;
use crate::{Error, Result};
use chrono::Datelike;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A relative path of plain segments joined by `/`: no empty segment, no `.` or `..`, no control character, at most 1,000 bytes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ObjectKey(String);

impl ObjectKey {
    /// Parses a key that came from outside.
    pub fn parse(text: &str) -> Result<Self> {
        let bad = |why: &str| {
            Err(Error::invalid(
                "bad_object_key",
                format!("object key {text:?} {why}"),
            ))
        };
        if text.is_empty() || text.len() > 1000 {
            return bad("must have 1 to 1000 bytes");
        }
        for segment in text.split('/') {
            if segment.is_empty() || segment == "." || segment == ".." {
                return bad("must not have empty, '.' or '..' segments");
            }
            if segment.chars().any(|c| c.is_control() || c == '\\') {
                return bad("must not have control characters or backslashes");
            }
        }
        Ok(Self(text.to_owned()))
    }

    /// The folder of one record: `<task-slug>/<yyyy>/<mm>/<record-id>-<utc-timestamp>`.
    pub fn of_record(task_slug: &str, record: RecordId, created_at: Timestamp) -> Result<Self> {
        Self::parse(&format!(
            "{task_slug}/{:04}/{:02}/{record}-{}",
            created_at.year(),
            created_at.month(),
            created_at.format("%Y%m%dT%H%M%SZ")
        ))
    }

    /// This key with one more segment.
    pub fn join(&self, segment: &str) -> Result<Self> {
        Self::parse(&format!("{}/{segment}", self.0))
    }

    /// The last segment.
    pub fn file_name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or(&self.0)
    }

    /// Everything before the last segment, if there is more than one.
    pub fn parent(&self) -> Option<Self> {
        self.0
            .rsplit_once('/')
            .map(|(parent, _)| Self(parent.to_owned()))
    }

    /// True when this key lies below `folder`.
    pub fn is_below(&self, folder: &ObjectKey) -> bool {
        self.0
            .strip_prefix(folder.as_str())
            .is_some_and(|rest| rest.starts_with('/'))
    }

    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for ObjectKey {
    type Error = Error;
    fn try_from(text: String) -> Result<Self> {
        Self::parse(&text)
    }
}

impl From<ObjectKey> for String {
    fn from(key: ObjectKey) -> Self {
        key.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn never_21_two_runs_in_one_second_have_two_keys() {
        let at = chrono::DateTime::UNIX_EPOCH;
        let a = ObjectKey::of_record("etc", RecordId(7), at).expect("valid key");
        let b = ObjectKey::of_record("etc", RecordId(8), at).expect("valid key");
        assert_ne!(a, b);
        assert_eq!(a.as_str(), "etc/1970/01/7-19700101T000000Z");
    }

    #[test]
    fn keys_cannot_leave_their_folder() {
        for bad in ["", "/a", "a//b", "a/../b", "./a", "a\\b", "a\0b"] {
            assert!(ObjectKey::parse(bad).is_err(), "{bad:?}");
        }
    }
}
