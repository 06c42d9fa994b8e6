//! The agent's configuration file: YAML, every key known, every value a plain one.

use backupx_core::{Error, Result};
use secrecy::SecretString;
use serde::Deserialize;
use serde::de::{self, Deserializer, Visitor};
use std::fmt;
use std::path::Path;

/// The keys of the file.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct ConfigFile {
    pub(super) master: Option<Plain>,
    pub(super) token: Option<Plain>,
    pub(super) token_file: Option<Plain>,
    pub(super) heartbeat_interval: Option<Plain>,
    pub(super) poll_interval: Option<Plain>,
    pub(super) temp_dir: Option<Plain>,
    pub(super) proxy_url: Option<Plain>,
    pub(super) ca_cert_file: Option<Plain>,
    pub(super) insecure_tls: Option<Plain>,
    pub(super) max_concurrent: Option<Plain>,
    pub(super) policy: Option<Plain>,
}

impl ConfigFile {
    /// Reads the file at `path`.
    pub(super) fn read(path: &Path) -> Result<Self> {
        let shown = path.display();
        let text = std::fs::read_to_string(path).map_err(|cause| {
            Error::invalid(
                "bad_setting",
                format!("the configuration file {shown} can't be read: {cause}"),
            )
        })?;
        let file: Option<Self> = serde_norway::from_str(&text).map_err(|cause| {
            Error::invalid(
                "bad_setting",
                format!("the configuration file {shown} is not right: {cause}"),
            )
        })?;
        Ok(file.unwrap_or_default())
    }
}

/// A string, number or boolean, kept as text: `15`, `15s` and `"15s"` are equally good. Never shown, since it may be the token.
pub(super) struct Plain(String);

impl Plain {
    pub(super) fn into_text(self) -> String {
        self.0
    }

    pub(super) fn into_secret(self) -> SecretString {
        self.0.into()
    }
}

impl<'de> Deserialize<'de> for Plain {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AnyPlain;
        impl Visitor<'_> for AnyPlain {
            type Value = Plain;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a single value")
            }
            fn visit_str<E: de::Error>(self, value: &str) -> Result<Plain, E> {
                Ok(Plain(value.to_owned()))
            }
            fn visit_bool<E: de::Error>(self, value: bool) -> Result<Plain, E> {
                Ok(Plain(value.to_string()))
            }
            fn visit_i64<E: de::Error>(self, value: i64) -> Result<Plain, E> {
                Ok(Plain(value.to_string()))
            }
            fn visit_u64<E: de::Error>(self, value: u64) -> Result<Plain, E> {
                Ok(Plain(value.to_string()))
            }
            fn visit_f64<E: de::Error>(self, value: f64) -> Result<Plain, E> {
                Ok(Plain(value.to_string()))
            }
        }
        deserializer.deserialize_any(AnyPlain)
    }
}
