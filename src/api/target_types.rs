//! Kinds of storage and their settings, for forms and for `target types`.

use backupx_core::domain::{catalogue, target};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A kind of storage and what can be set of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TargetType {
    /// Its name.
    #[serde(rename = "type")]
    #[schema(example = "s3")]
    pub kind: String,
    /// What people call it.
    pub title: String,
    /// Which kinds it stands among: `own`, `s3`, `cloud`, `network`, `drive`, `bridge`.
    pub group: String,
    /// What carries it out: `local`, `s3`, `azblob`, `gcs`, or `rclone`, which has to be on the nodes that use it.
    pub driver: String,
    /// Whether it takes more settings of rclone's backend, as `option.NAME`, and secret ones as `secret.NAME`.
    pub options: bool,
    /// Its settings.
    pub fields: Vec<TargetField>,
}

/// One setting of a kind of storage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TargetField {
    /// Name as in `config` and after `--set`.
    pub name: String,
    /// Whether it must be given.
    pub required: bool,
    /// Whether it is a secret: it can be set and is never answered.
    pub secret: bool,
    /// What is taken when it is not given.
    pub default: Option<String>,
    /// The values that it may have; any when empty.
    #[serde(default)]
    pub options: Vec<String>,
    /// Whether few people need it.
    #[serde(default)]
    pub advanced: bool,
    /// What it means.
    pub help: String,
}

impl From<target::TargetKind> for TargetType {
    fn from(kind: target::TargetKind) -> Self {
        let entry = kind.entry();
        Self {
            kind: entry.id.clone(),
            title: entry.title.clone(),
            group: entry.group.clone(),
            driver: entry.driver.as_str().to_owned(),
            options: entry.options,
            fields: entry.fields.iter().map(Into::into).collect(),
        }
    }
}

impl From<&catalogue::TargetField> for TargetField {
    fn from(field: &catalogue::TargetField) -> Self {
        Self {
            name: field.name.clone(),
            required: field.required,
            secret: field.secret,
            default: field.default.clone(),
            options: field.options.clone(),
            advanced: field.advanced,
            help: field.help.clone(),
        }
    }
}
