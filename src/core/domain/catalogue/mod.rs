//! The catalogue of kinds of storage: what a person can pick, which settings each takes, and which driver carries it out. It is data, in
//! `kinds.json`; the API, the command line and the console make their forms of it.

use super::target::Settings;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// What carries a kind out. Travels to nodes, which know nothing of kinds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Driver {
    /// A folder.
    Local,
    /// S3 and what speaks its protocol.
    S3,
    /// Azure Blob Storage.
    Azblob,
    /// Google Cloud Storage.
    Gcs,
    /// The host's rclone, whatever its backend.
    Rclone,
    /// One of a newer version than this: whoever gets a command with it says so, and loses no command.
    #[serde(other)]
    Unknown,
}

impl Driver {
    /// Its name in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::S3 => "s3",
            Self::Azblob => "azblob",
            Self::Gcs => "gcs",
            Self::Rclone => "rclone",
            Self::Unknown => "unknown",
        }
    }
}

/// One setting of a kind of storage.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TargetField {
    /// Name as in `--set name=…`.
    pub name: String,
    /// Whether it must be given.
    #[serde(default)]
    pub required: bool,
    /// Whether it is a secret: sealed at rest, never answered.
    #[serde(default)]
    pub secret: bool,
    /// What is taken when it is not given.
    #[serde(default)]
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

/// A kind of storage.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kind {
    /// Its name in JSON, in the database and after `--type`.
    pub id: String,
    /// What people call it.
    pub title: String,
    /// Which kinds it stands among: `own`, `s3`, `cloud`, `network`, `drive`, `bridge`.
    pub group: String,
    /// What carries it out.
    pub driver: Driver,
    /// The kind whose settings it has too, as far as its preset leaves them open.
    #[serde(default)]
    like: Option<String>,
    /// What is settled for the driver; `{name}` stands for the value of that setting.
    #[serde(default)]
    preset: BTreeMap<String, String>,
    /// Whether it takes more settings of its backend, as `option.NAME` and `secret.NAME`.
    #[serde(default)]
    pub options: bool,
    /// Its settings.
    #[serde(default)]
    pub fields: Vec<TargetField>,
}

/// Before the name of a setting of rclone's backend.
pub const OPTION: &str = "option.";
/// Before the name of a secret one.
pub const SECRET: &str = "secret.";

static KINDS: LazyLock<Vec<Kind>> = LazyLock::new(|| {
    // A test proves that it can be read.
    let kinds: Vec<Kind> = serde_json::from_str(include_str!("kinds.json")).unwrap_or_default();
    kinds.iter().map(|kind| whole(kind, &kinds)).collect()
});

/// A kind with the fields of the one that it is like.
fn whole(kind: &Kind, kinds: &[Kind]) -> Kind {
    let mut whole = kind.clone();
    let base = kind.like.as_ref();
    let base = base.and_then(|like| kinds.iter().find(|other| other.id == *like));
    for field in base.iter().flat_map(|base| &base.fields) {
        let is_there = whole.fields.iter().any(|own| own.name == field.name);
        if !is_there && !kind.preset.contains_key(&field.name) {
            whole.fields.push(field.clone());
        }
    }
    whole
}

/// All kinds, in the order in which they are shown.
pub fn kinds() -> &'static [Kind] {
    &KINDS
}

/// The kind of that name.
pub fn kind(id: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.id == id)
}

impl Kind {
    /// The settings of a target of this kind as its driver takes them: nothing of the kind is left in them.
    pub fn for_driver(&self, settings: &Settings) -> Settings {
        let mut driven = Settings::default();
        let base = base_of(self.driver);
        let is_own = |name: &str| base.iter().any(|field| field.name == name);
        for (name, value) in &settings.config {
            if is_own(name) || name.starts_with(OPTION) {
                driven.config.insert(name.clone(), value.clone());
            } else if self.driver == Driver::Rclone {
                let option = format!("{OPTION}{name}");
                driven.config.insert(option, value.clone());
            }
        }
        for (name, value) in &settings.secrets {
            let name = match self.driver {
                Driver::Rclone if !is_own(name) && !name.starts_with(SECRET) => {
                    format!("{SECRET}{name}")
                }
                Driver::Rclone
                | Driver::Local
                | Driver::S3
                | Driver::Azblob
                | Driver::Gcs
                | Driver::Unknown => name.clone(),
            };
            driven.secrets.insert(name, value.clone());
        }
        for (name, template) in &self.preset {
            driven
                .config
                .insert(name.clone(), filled(template, &settings.config));
        }
        driven
    }
}

/// The fields of the driver itself: those of the first kind that it carries out.
fn base_of(driver: Driver) -> &'static [TargetField] {
    let base = KINDS.iter().find(|kind| kind.driver == driver);
    base.map_or(&[], |kind| &kind.fields)
}

/// A template with the values of the settings that it names.
fn filled(template: &str, config: &BTreeMap<String, String>) -> String {
    let mut text = template.to_owned();
    for (name, value) in config {
        text = text.replace(&format!("{{{name}}}"), value);
    }
    text
}

#[cfg(test)]
mod tests;
