//! Objects that a database hands over and asks back by itself, through SAP's Backint interface.

use super::key::ObjectKey;
use super::manifest::StoredStream;
use super::time::Timestamp;
use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The id under which a database finds an object again: when it was begun, and 128 random bits that nobody guesses.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Ebid(String);

impl Ebid {
    const TIME_LEN: usize = "20261128T063000Z".len();
    const RANDOM_LEN: usize = 32;

    /// A new id of an object that is begun at `at`; `random` must come from a good source.
    pub fn new(at: Timestamp, random: u128) -> Self {
        Self(format!("{}-{random:032x}", at.format("%Y%m%dT%H%M%SZ")))
    }

    /// Parses an id. `NotFound` (`ebid_not_found`) for text that no id of ours looks like: whatever it names is not here.
    pub fn parse(text: &str) -> Result<Self> {
        let parts = text.split_once('-').filter(|(time, random)| {
            time.len() == Self::TIME_LEN
                && begun_at(time).is_some()
                && random.len() == Self::RANDOM_LEN
                && random
                    .bytes()
                    .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
        });
        if parts.is_none() {
            return Err(Error::not_found(
                "ebid_not_found",
                format!("{text:?} is no id that was given here"),
            ));
        }
        Ok(Self(text.to_owned()))
    }

    /// When the object was begun, to the second.
    pub fn begun_at(&self) -> Timestamp {
        begun_at(self.0.get(..Self::TIME_LEN).unwrap_or_default()).unwrap_or_default()
    }

    /// The folder of its object: `<prefix>/<user>/<yyyy>/<mm>/<ebid>`.
    pub fn location(&self, prefix: &ObjectKey, user: &str) -> Result<ObjectKey> {
        folder_of(prefix, user)?
            .join(&self.begun_at().format("%Y/%m").to_string())?
            .join(&self.0)
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn begun_at(text: &str) -> Option<Timestamp> {
    chrono::NaiveDateTime::parse_from_str(text, "%Y%m%dT%H%M%SZ")
        .ok()
        .map(|at| at.and_utc())
}

/// Below which folder the objects of `user` lie. Two users may share one, so an object also says whose it is.
pub fn folder_of(prefix: &ObjectKey, user: &str) -> Result<ObjectKey> {
    let mut name: String = user
        .chars()
        .map(|c| match c {
            c if c.is_ascii_alphanumeric() => c,
            '-' | '_' | '@' => c,
            _ => '_',
        })
        .take(100)
        .collect();
    if name.is_empty() {
        name.push('_');
    }
    prefix.join(&name)
}

impl fmt::Display for Ebid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Ebid {
    type Error = Error;
    fn try_from(text: String) -> Result<Self> {
        Self::parse(&text)
    }
}

impl From<Ebid> for String {
    fn from(ebid: Ebid) -> Self {
        ebid.0
    }
}

/// How a database hands an object over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Form {
    /// Through a named pipe that the database makes.
    Pipe,
    /// As a file.
    File,
}

/// `backint.json`: the last thing that is written of an object; its presence is what makes the object exist. Part of the storage format.
/// Unknown fields are ignored by readers, so that later versions may add some.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BackintObject {
    /// Version of the format; readers refuse what is newer than they know.
    pub format_version: u32,
    /// Version of BackupX that wrote it.
    pub product_version: String,
    /// The object's id.
    pub ebid: Ebid,
    /// Its folder on its target.
    pub location: ObjectKey,
    /// Whose it is: what the database says with `-u`.
    pub user: String,
    /// What the database calls it: the path of its pipe or file.
    pub name: String,
    /// How it was handed over.
    pub form: Form,
    /// The database's own id of the backup that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backup_id: Option<String>,
    /// Of which level that backup is, in the database's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<String>,
    /// When it was begun, by the clock of its host.
    pub created_at: Timestamp,
    /// The host.
    pub hostname: String,
    /// Its content as it lies in storage.
    pub stream: StoredStream,
}

impl BackintObject {
    /// The format that this code writes, and the newest that it reads.
    pub const FORMAT_VERSION: u32 = 1;
    /// The name of this description beside the content.
    pub const FILE_NAME: &'static str = "backint.json";
    /// The name of the content's stream.
    pub const STREAM: &'static str = "data.hana";
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("an instant")
    }

    #[test]
    fn an_id_says_where_its_object_lies() {
        let ebid = Ebid::new(at("2026-11-28T06:30:00.5Z"), 0xabc);
        assert_eq!(
            ebid.as_str(),
            "20261128T063000Z-00000000000000000000000000000abc"
        );
        assert_eq!(Ebid::parse(ebid.as_str()).expect("an id"), ebid);
        let prefix = ObjectKey::parse("backint").expect("a key");
        let location = ebid.location(&prefix, "DB1@H/N1").expect("a place");
        assert_eq!(
            location.as_str(),
            format!("backint/DB1@H_N1/2026/11/{ebid}")
        );
    }

    #[test]
    fn never_21_two_objects_of_one_moment_have_two_places() {
        let now = at("2026-11-28T06:30:00Z");
        assert_ne!(Ebid::new(now, 1), Ebid::new(now, 2));
    }

    /// What version 1 wrote, pinned: it is to be read for ever.
    #[test]
    fn a_description_of_the_first_format_is_read() {
        let text = r#"{
            "formatVersion": 1, "productVersion": "0.1.0",
            "ebid": "20261128T063000Z-00000000000000000000000000000abc",
            "location": "backint/HN1/2026/11/20261128T063000Z-00000000000000000000000000000abc",
            "user": "HN1", "name": "/a \"pipe\"", "form": "pipe", "backupId": "1785", "level": "COMPLETE",
            "createdAt": "2026-11-28T06:30:00.123456Z", "hostname": "hana1",
            "stream": {
                "stream": "data.hana", "compression": "zstd", "rawBytes": 7, "storedBytes": 9, "sha256": "ab",
                "objects": [{"name": "data.hana.zst", "size": 9, "sha256": "ab"}]
            },
            "whatLaterVersionsAdd": true
        }"#;
        let read: BackintObject = serde_json::from_str(text).expect("read");
        assert_eq!((read.form, read.name.as_str()), (Form::Pipe, "/a \"pipe\""));
        let mut written = serde_json::to_value(&read).expect("written");
        written["whatLaterVersionsAdd"] = true.into();
        let pinned: serde_json::Value = serde_json::from_str(text).expect("JSON");
        assert_eq!(written, pinned);
    }

    #[test]
    fn what_is_no_id_of_ours_is_not_found() {
        let random = "0".repeat(32);
        for text in [
            "",
            "1",
            "20261128T063000Z",
            "../../etc/passwd",
            &format!("20261328T063000Z-{random}"),
            &format!("20261128T063000Z-{}", "A".repeat(32)),
            &format!("20261128T063000Z-{random}0"),
            &format!("20261128T063000Z-{}/../x", "0".repeat(27)),
        ] {
            let error = Ebid::parse(text).expect_err(text);
            assert_eq!(error.code(), "ebid_not_found", "{text:?}");
        }
    }
}
