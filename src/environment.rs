//! The environment of the process: where settings come from that no flag gives, and secrets in files.

use anyhow::{Context, Result, anyhow, bail};
use secrecy::{ExposeSecret, SecretString};

/// What all our variables begin with.
pub(crate) const PREFIX: &str = "BACKUPX_";

/// Where settings come from that no flag gives.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) enum Environment {
    /// The variables of the process.
    #[default]
    Process,
    /// Nowhere: everything else is default, whatever a host has set for its own master.
    Empty,
}

/// The process's variables. One of ours that is no UTF-8 is an error; what others do with theirs is no matter.
fn variables() -> Result<Vec<(String, String)>> {
    let mut found = Vec::new();
    for (name, value) in std::env::vars_os() {
        match (name.into_string(), value.into_string()) {
            (Ok(name), Ok(value)) => found.push((name, value)),
            (Ok(name), Err(_)) if name.starts_with(PREFIX) => {
                bail!("{name} is not accepted: its value is no UTF-8")
            }
            (Ok(_) | Err(_), _) => {}
        }
    }
    Ok(found)
}

impl Environment {
    /// The settings of one group.
    pub(crate) fn read<T: serde::de::DeserializeOwned + Default>(self) -> Result<T> {
        match self {
            Self::Empty => Ok(T::default()),
            Self::Process => envy::prefixed(PREFIX)
                .from_iter(variables()?)
                .map_err(|error| anyhow!("the environment could not be read: {error}")),
        }
    }
}

/// Variables of ours that nobody knows: most likely a typing error.
pub(crate) fn unknown_variables() -> Vec<String> {
    const KNOWN: &[&str] = &[
        "LISTEN",
        "DATA_DIR",
        "DATABASE_CONNECTIONS",
        "EXTERNAL_URL",
        "TRUSTED_PROXIES",
        "LOCAL_NODE",
        "LONG_POLL_MAX",
        "DRAIN_NOTICE",
        "NODE_OFFLINE_AFTER",
        "COMMAND_TIMEOUT",
        "LOG",
        "LOG_FORMAT",
        "MASTER_URL",
    ];
    // Each with its `_FILE` twin.
    const SECRET: &[&str] = &[
        "DATABASE_URL",
        "REDIS_URL",
        "SECRET_KEY",
        "JWT_SECRET",
        "API_KEY",
    ];
    std::env::vars_os()
        .filter_map(|(name, _)| name.into_string().ok())
        .filter(|name| {
            name.strip_prefix(PREFIX).is_some_and(|rest| {
                !KNOWN.contains(&rest)
                    && !SECRET.contains(&rest.strip_suffix("_FILE").unwrap_or(rest))
                    && !rest.starts_with("AGENT_")
                    && !rest.starts_with("TEST_")
                    && rest != "TESTBED"
            })
        })
        .collect()
}

/// A setting that is given as it is or as a file that holds it, never both.
pub(crate) fn plain_or_file(
    name: &str,
    plain: Option<String>,
    file: Option<String>,
) -> Result<Option<String>> {
    let given = |value: Option<String>| value.filter(|text| !text.trim().is_empty());
    match (given(plain), given(file)) {
        (Some(_), Some(_)) => {
            bail!("{PREFIX}{name} and {PREFIX}{name}_FILE are both set: give one")
        }
        (Some(value), None) => Ok(Some(value.trim().to_owned())),
        (None, Some(path)) => {
            let text = std::fs::read_to_string(&path)
                .with_context(|| format!("{PREFIX}{name}_FILE={path:?} can't be read"))?;
            match text.trim() {
                "" => bail!("{PREFIX}{name}_FILE={path:?} is empty"),
                text => Ok(Some(text.to_owned())),
            }
        }
        (None, None) => Ok(None),
    }
}

/// The same for a secret.
pub(crate) fn secret_or_file(
    name: &str,
    plain: Option<SecretString>,
    file: Option<String>,
) -> Result<Option<SecretString>> {
    let plain = plain.map(|secret| secret.expose_secret().to_owned());
    Ok(plain_or_file(name, plain, file)?.map(SecretString::from))
}
