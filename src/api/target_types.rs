//! Kinds of storage and their settings, for forms and for `target types`.

use crate::mirror::mirrored;
use backupx_core::domain::target;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

mirrored! {
    /// A kind of storage.
    #[serde(rename_all = "camelCase")]
    TargetKind = target::TargetKind {
        /// A folder.
        Local = "local",
        /// Amazon S3 or a service that speaks its protocol.
        S3 = "s3",
    }
}

/// A kind of storage and what can be set of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TargetType {
    /// Its name.
    #[serde(rename = "type")]
    pub kind: TargetKind,
    /// What people call it.
    pub title: String,
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
    /// What it means.
    pub help: String,
}

impl From<target::TargetKind> for TargetType {
    fn from(kind: target::TargetKind) -> Self {
        Self {
            kind: kind.into(),
            title: kind.title().to_owned(),
            fields: kind.fields().iter().map(Into::into).collect(),
        }
    }
}

impl From<&target::TargetField> for TargetField {
    fn from(field: &target::TargetField) -> Self {
        Self {
            name: field.name.to_owned(),
            required: field.required,
            secret: field.secret,
            default: field.default.map(str::to_owned),
            help: field.help.to_owned(),
        }
    }
}
