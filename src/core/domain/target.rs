//! Targets: places where backups are kept.

use super::id::TargetId;
use super::name::Name;
use super::secret::Sealed;
use super::time::Timestamp;
use crate::{Error, FieldError, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

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
}

/// A kind of storage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum TargetKind {
    /// A folder.
    Local,
    /// Amazon S3 or a service that speaks its protocol.
    S3,
}

/// One setting of a kind of storage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TargetField {
    /// Name as in `--set name=…`.
    pub name: &'static str,
    /// Whether it must be given.
    pub required: bool,
    /// Whether it is a secret: sealed at rest, never answered.
    pub secret: bool,
    /// What is taken when it is not given.
    pub default: Option<&'static str>,
    /// What it means.
    pub help: &'static str,
}

const fn field(name: &'static str, help: &'static str) -> TargetField {
    TargetField {
        name,
        required: false,
        secret: false,
        default: None,
        help,
    }
}

const fn required(name: &'static str, help: &'static str) -> TargetField {
    TargetField {
        required: true,
        ..field(name, help)
    }
}

const fn defaulted(name: &'static str, default: &'static str, help: &'static str) -> TargetField {
    TargetField {
        default: Some(default),
        ..field(name, help)
    }
}

const fn secret(name: &'static str, help: &'static str) -> TargetField {
    TargetField {
        secret: true,
        ..field(name, help)
    }
}

const LOCAL_FIELDS: &[TargetField] = &[
    required(
        "path",
        "absolute path of the folder; made when it is missing",
    ),
    defaulted(
        "at",
        "node",
        "whose folder: `node` (of the server that runs the task) or `master` (remote agents stream through the relay)",
    ),
];

const S3_FIELDS: &[TargetField] = &[
    required("bucket", "name of the bucket"),
    defaulted("region", "us-east-1", "region of the bucket"),
    field(
        "endpoint",
        "URL of the service when it is not Amazon's, as http://minio.example:9000",
    ),
    field(
        "prefix",
        "folder in the bucket below which everything is kept",
    ),
    field("accessKeyId", "access key id"),
    secret("secretAccessKey", "secret access key"),
    defaulted(
        "virtualHost",
        "false",
        "`true` to address the bucket as a host name",
    ),
];

impl TargetKind {
    /// All kinds.
    pub const ALL: [Self; 2] = [Self::Local, Self::S3];

    /// The kind's name as it stands in JSON, in the database and after `--type`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::S3 => "s3",
        }
    }

    /// Who can reach a target of this kind with these settings.
    pub fn reach(self, config: &BTreeMap<String, String>) -> Reach {
        match self {
            Self::S3 => Reach::Everywhere,
            Self::Local if config.get("at").is_some_and(|at| at == "master") => Reach::Master,
            Self::Local => Reach::OwnNode,
        }
    }

    /// What people call it.
    pub fn title(self) -> &'static str {
        match self {
            Self::Local => "Local folder",
            Self::S3 => "S3 and compatible",
        }
    }

    /// Its settings.
    pub fn fields(self) -> &'static [TargetField] {
        match self {
            Self::Local => LOCAL_FIELDS,
            Self::S3 => S3_FIELDS,
        }
    }

    /// Parses a kind's name.
    pub fn parse(text: &str) -> Result<Self> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.as_str() == text)
            .ok_or_else(|| {
                let known = Self::ALL.map(Self::as_str).join(", ");
                Error::field(
                    "type",
                    format!("{text:?} is not a known kind of storage; known are {known}"),
                )
            })
    }

    /// Parts settings into plain and secret ones, fills defaults in, and refuses unknown and missing ones.
    pub fn settle(self, settings: BTreeMap<String, String>) -> Result<Settings> {
        let mut errors = Vec::new();
        let mut settled = Settings::default();
        let mut settings = settings;
        for field in self.fields() {
            let value = settings
                .remove(field.name)
                .filter(|value| !value.is_empty())
                .or(field.default.map(str::to_owned));
            match value {
                Some(value) if field.secret => {
                    drop(settled.secrets.insert(field.name.to_owned(), value))
                }
                Some(value) => drop(settled.config.insert(field.name.to_owned(), value)),
                None if field.required => errors.push(FieldError {
                    field: format!("config.{}", field.name),
                    message: format!("is required: {}", field.help),
                }),
                None => {}
            }
        }
        for unknown in settings.keys() {
            let known = self
                .fields()
                .iter()
                .map(|f| f.name)
                .collect::<Vec<_>>()
                .join(", ");
            errors.push(FieldError {
                field: format!("config.{unknown}"),
                message: format!("is not a setting of {}; known are {known}", self.as_str()),
            });
        }
        if self == Self::Local
            && settled
                .config
                .get("path")
                .is_some_and(|path| !path.starts_with('/'))
        {
            errors.push(FieldError {
                field: "config.path".to_owned(),
                message: "must be an absolute path".to_owned(),
            });
        }
        if let Some(at) = settled.config.get("at")
            && !matches!(at.as_str(), "node" | "master")
        {
            errors.push(FieldError {
                field: "config.at".to_owned(),
                message: format!("{at:?} is not one of node, master"),
            });
        }
        if errors.is_empty() {
            Ok(settled)
        } else {
            Err(Error::fields(errors))
        }
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

    #[test]
    fn secrets_are_parted_from_what_may_be_shown() {
        let settled = TargetKind::S3
            .settle(settings(&[("bucket", "b"), ("secretAccessKey", "s")]))
            .expect("valid");
        assert_eq!(settled.config["region"], "us-east-1");
        assert!(!settled.config.contains_key("secretAccessKey"));
        assert_eq!(settled.secrets["secretAccessKey"], "s");
    }

    #[test]
    fn missing_and_unknown_settings_are_named() {
        let error = TargetKind::S3
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
