//! Access to one target for the time of one command.

use super::catalogue::Driver;
use super::id::TargetId;
use super::secret::WireSecret;
use super::target::{Settings, TargetKind};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// All that is needed to open a target. Travels only inside a claimed command, lives only in memory.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TargetAccess {
    /// Which target.
    pub id: TargetId,
    /// Its name, for messages.
    pub name: String,
    /// What carries it out.
    pub kind: Driver,
    /// Its plain settings, as the driver takes them.
    pub config: BTreeMap<String, String>,
    /// Its secret settings.
    #[serde(default)]
    pub secrets: BTreeMap<String, WireSecret>,
    /// True when the node can't reach it and streams through the master; `config` and `secrets` are empty then.
    #[serde(default)]
    pub relay: bool,
}

impl TargetAccess {
    /// A place by its settings, without what a master knows of it.
    pub fn without_master(name: impl Into<String>, kind: TargetKind, settings: Settings) -> Self {
        let settings = kind.entry().for_driver(&settings);
        Self {
            id: TargetId(0),
            name: name.into(),
            kind: kind.driver(),
            config: settings.config,
            secrets: settings
                .secrets
                .into_iter()
                .map(|(name, value)| (name, WireSecret::new(value)))
                .collect(),
            relay: false,
        }
    }
}

/// The key of one sealed stream: what age calls the file key. Opens this stream and nothing else.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StreamKey {
    /// `data` or `index`.
    pub stream: String,
    /// 16 bytes, base64.
    pub file_key: WireSecret,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn never_8_a_driver_of_a_newer_version_loses_no_command() {
        let text = r#"{"id": 1, "name": "there", "kind": "quantum", "config": {}}"#;
        let access: TargetAccess = serde_json::from_str(text).expect("it is understood");
        assert_eq!(access.kind, Driver::Unknown);
    }
}
