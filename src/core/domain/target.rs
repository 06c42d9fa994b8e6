//! Targets: places where backups are kept.

use super::catalogue::{self, Driver, Kind, OPTION, SECRET, TargetField};
use super::check::TargetCheck;
use super::id::TargetId;
use super::name::Name;
use super::report::TestStep;
use super::secret::Sealed;
use super::time::Timestamp;
use crate::{Error, FieldError, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// A place where backups are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Its id.
    pub id: TargetId,
    /// Unique name.
    pub name: Name,
    /// Which kind of storage it is.
    pub kind: TargetKind,
    /// The settings that are no secrets, by field name.
    pub config: BTreeMap<String, String>,
    /// The secret settings as one sealed JSON object of strings, absent when there are none.
    pub secrets: Option<Sealed>,
    /// What the last test found.
    pub last_test: Option<TargetTest>,
    /// The last check of what it holds, or the one that is under way.
    pub check: Option<TargetCheck>,
    /// When it was made.
    pub created_at: Timestamp,
    /// Grows with every change that a person makes.
    pub version: i64,
}

/// Who carries the bytes of a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Reach {
    /// Any node reaches it by itself (a service on the network).
    Everywhere,
    /// It is a folder on whichever node runs the task: each node has its own.
    OwnNode,
    /// Only the master reaches it; agents stream through the relay.
    Master,
}

impl Target {
    /// Who can reach this target.
    pub fn reach(&self) -> Reach {
        self.kind.reach(&self.config)
    }
}

/// The result of a target's last test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TargetTest {
    /// When it ran, by the master's clock.
    pub at: Timestamp,
    /// Whether every step held.
    pub ok: bool,
    /// What was found or what failed, in a sentence.
    pub message: String,
    /// Each step, in order, up to the one that failed.
    #[serde(default)]
    pub steps: Vec<TestStep>,
}

/// A kind of storage, one of the catalogue's.
#[derive(Clone, Copy)]
pub struct TargetKind(&'static Kind);

impl TargetKind {
    /// A folder.
    pub const LOCAL: &'static str = "local";
    /// S3 and what speaks its protocol, with an endpoint of one's own.
    pub const S3: &'static str = "s3";

    /// All kinds, in the order in which they are shown.
    pub fn all() -> impl Iterator<Item = Self> {
        catalogue::kinds().iter().map(Self)
    }

    /// The kind's name as it stands in JSON, in the database and after `--type`.
    pub fn as_str(self) -> &'static str {
        &self.0.id
    }

    /// What it is.
    pub fn entry(self) -> &'static Kind {
        self.0
    }

    /// What carries it out.
    pub fn driver(self) -> Driver {
        self.0.driver
    }

    /// Who can reach a target of this kind with these settings.
    pub fn reach(self, config: &BTreeMap<String, String>) -> Reach {
        match self.driver() {
            Driver::S3 | Driver::Azblob | Driver::Gcs | Driver::Rclone | Driver::Unknown => {
                Reach::Everywhere
            }
            Driver::Local if config.get("at").is_some_and(|at| at == "master") => Reach::Master,
            Driver::Local => Reach::OwnNode,
        }
    }

    /// Its settings.
    pub fn fields(self) -> &'static [TargetField] {
        &self.0.fields
    }

    /// Parses a kind's name.
    pub fn parse(text: &str) -> Result<Self> {
        catalogue::kind(text).map(Self).ok_or_else(|| {
            let message = match alike(text) {
                Some(near) => format!(
                    "{text:?} is not a known kind of storage; do you mean {near}? `backupx target types` lists them"
                ),
                None => format!(
                    "{text:?} is not a known kind of storage; `backupx target types` lists the {} that are",
                    catalogue::kinds().len()
                ),
            };
            Error::field("type", message)
        })
    }

    /// Parts settings into plain and secret ones, fills defaults in, and refuses unknown and missing ones.
    pub fn settle(self, settings: BTreeMap<String, String>) -> Result<Settings> {
        let mut errors = Vec::new();
        let mut wrong = |name: &str, message: String| {
            errors.push(FieldError {
                field: format!("config.{name}"),
                message,
            });
        };
        let mut settled = Settings::default();
        let mut settings = settings;
        for field in self.fields() {
            let value = settings
                .remove(&field.name)
                .filter(|value| !value.is_empty())
                .or_else(|| field.default.clone());
            match value {
                Some(value) if !field.options.is_empty() && !field.options.contains(&value) => {
                    let known = field.options.join(", ");
                    wrong(&field.name, format!("{value:?} is not one of {known}"));
                }
                Some(value) if field.secret => {
                    drop(settled.secrets.insert(field.name.clone(), value));
                }
                Some(value) => drop(settled.config.insert(field.name.clone(), value)),
                None if field.required => {
                    wrong(&field.name, format!("is required: {}", field.help));
                }
                None => {}
            }
        }
        for (name, value) in settings {
            let option = name.strip_prefix(OPTION).or(name.strip_prefix(SECRET));
            match option.filter(|_| self.0.options) {
                Some(option) if !is_option(option) => {
                    wrong(
                        &name,
                        format!("{option:?} is no name of an option of rclone"),
                    );
                }
                Some(_) if value.is_empty() => {}
                Some(_) if name.starts_with(SECRET) => drop(settled.secrets.insert(name, value)),
                Some(_) => drop(settled.config.insert(name, value)),
                None => wrong(&name, self.unknown()),
            }
        }
        let path = settled.config.get("path");
        if self.driver() == Driver::Local && path.is_some_and(|path| !path.starts_with('/')) {
            wrong("path", "must be an absolute path".to_owned());
        }
        if errors.is_empty() {
            Ok(settled)
        } else {
            Err(Error::fields(errors))
        }
    }

    fn unknown(self) -> String {
        let known: Vec<_> = self
            .fields()
            .iter()
            .map(|field| field.name.as_str())
            .collect();
        let more = match self.0.options {
            true => "; more of rclone's go as option.NAME and secret.NAME",
            false => "",
        };
        format!(
            "is not a setting of {}; known are {}{more}",
            self.as_str(),
            known.join(", ")
        )
    }
}

/// A kind whose name has the same letters and digits, or begins like it.
fn alike(text: &str) -> Option<&'static str> {
    let plain = |text: &str| -> String {
        let letters = text.chars().filter(char::is_ascii_alphanumeric);
        letters.collect::<String>().to_lowercase()
    };
    let wanted = plain(text);
    let ids = || catalogue::kinds().iter().map(|kind| kind.id.as_str());
    ids()
        .find(|id| plain(id) == wanted)
        .or_else(|| ids().find(|id| wanted.len() >= 3 && plain(id).starts_with(&wanted)))
}

fn is_option(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    !name.is_empty() && name.len() <= 64 && name.chars().all(fits)
}

impl PartialEq for TargetKind {
    fn eq(&self, other: &Self) -> bool {
        self.0.id == other.0.id
    }
}

impl Eq for TargetKind {}

impl fmt::Debug for TargetKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for TargetKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Settings of a target, checked and parted.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Settings {
    /// What may be shown.
    pub config: BTreeMap<String, String>,
    /// What may not.
    pub secrets: BTreeMap<String, String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect()
    }

    fn s3() -> TargetKind {
        TargetKind::parse(TargetKind::S3).expect("it is there")
    }

    #[test]
    fn a_name_that_is_nearly_right_is_helped() {
        let message = |text| {
            TargetKind::parse(text)
                .err()
                .map(|error| error.message().to_owned())
        };
        assert!(
            message("Cloudflare_R2")
                .is_some_and(|text| text.contains("do you mean cloudflare-r2?"))
        );
        assert!(message("nothing like it").is_some_and(|text| text.contains("target types")));
    }

    #[test]
    fn secrets_are_parted_from_what_may_be_shown() {
        let settled = s3()
            .settle(settings(&[("bucket", "b"), ("secretAccessKey", "s")]))
            .expect("valid");
        assert_eq!(settled.config["region"], "us-east-1");
        assert!(!settled.config.contains_key("secretAccessKey"));
        assert_eq!(settled.secrets["secretAccessKey"], "s");
    }

    #[test]
    fn missing_and_unknown_settings_are_named() {
        let error = s3()
            .settle(settings(&[("bukket", "b")]))
            .err()
            .expect("must be refused");
        let fields: Vec<_> = error
            .field_errors()
            .iter()
            .map(|f| f.field.as_str())
            .collect();
        assert_eq!(fields, ["config.bucket", "config.bukket"]);
    }
}
