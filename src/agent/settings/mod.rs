//! Settings of an agent: flag, then configuration file, then environment, then default. A bad value names where it came from.

mod file;
mod layers;

use crate::config::AgentConfig;
use crate::link::{LinkSettings, Token};
use crate::policy::Policy;
use backupx_core::domain::duration;
use backupx_core::{Error, Result};
use layers::{Given, Layers};
use secrecy::SecretString;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// What stands on the command line of `backupx agent`.
#[derive(Debug, Clone, Default)]
pub struct AgentFlags {
    /// `--master`
    pub master: Option<String>,
    /// `--token`
    pub token: Option<SecretString>,
    /// `--token-file`
    pub token_file: Option<PathBuf>,
    /// `--config`
    pub config: Option<PathBuf>,
    /// `--temp-dir`
    pub temp_dir: Option<PathBuf>,
    /// `--proxy-url`
    pub proxy_url: Option<String>,
    /// `--ca-cert`
    pub ca_cert: Option<PathBuf>,
    /// `--insecure-tls`
    pub insecure_tls: bool,
}

/// Everything that an agent's process needs to know.
#[derive(Debug, Clone)]
pub struct AgentSettings {
    /// How it reaches its master.
    pub link: LinkSettings,
    /// How it behaves.
    pub agent: AgentConfig,
    /// What the administrator should hear once, as an unknown variable.
    pub warnings: Vec<String>,
}

/// Reads the settings. `env` holds the process's variables; only those that begin with `BACKUPX_AGENT_` are looked at.
pub fn load(flags: &AgentFlags, env: &BTreeMap<String, String>) -> Result<AgentSettings> {
    let (layers, mut warnings) = Layers::read(flags, env)?;

    let master = layers.pick("master").ok_or_else(|| {
        missing("the master's URL is missing: pass --master, or set master in the configuration file or BACKUPX_AGENT_MASTER")
    })?;
    let mut link = LinkSettings::new(&master.value, token(&layers)?)
        .map_err(|error| master.wrong(error.message()))?;
    link.proxy_url = layers.pick("proxyUrl").map(|given| given.value.into());
    link.ca_cert_file = layers.pick("caCertFile").map(|given| given.path());
    link.insecure_tls = layers
        .pick("insecureTls")
        .map_or(Ok(false), |given| given.switch())?;
    link.check()?;
    if link.sends_token_in_the_clear() {
        warnings.push(format!(
            "the connection to {} is not encrypted: the token and the data that goes through the master can be read on the way; use https",
            link.master()
        ));
    }

    let policy = match layers.pick("policy") {
        Some(given) => Policy::read(&given.path())?,
        None => Policy::default(),
    };
    let defaults = AgentConfig::default();
    let agent = AgentConfig {
        heartbeat_interval: interval(layers.pick("heartbeatInterval"))?,
        poll_interval: interval(layers.pick("pollInterval"))?.unwrap_or(defaults.poll_interval),
        temp_dir: layers.pick("tempDir").map(folder).transpose()?,
        max_concurrent: layers
            .pick("maxConcurrent")
            .map_or(Ok(defaults.max_concurrent), |given| given.count(1, 64))?,
        policy: Arc::new(policy),
        ..defaults
    };
    Ok(AgentSettings {
        link,
        agent,
        warnings,
    })
}

fn missing(message: &str) -> Error {
    Error::invalid("setting_missing", message)
}

/// The highest layer that says anything about a token decides; within one layer a token and a token file exclude each other.
fn token(layers: &Layers) -> Result<Token> {
    for layer in layers.iter() {
        let file = layer.get("tokenFile");
        match (layer.token(), file) {
            (Some((name, _)), Some(file)) => {
                return Err(Error::invalid(
                    "bad_setting",
                    format!("{name} and {} are both given: give one", file.source),
                ));
            }
            (Some((name, token)), None) => return Token::given(token.clone(), name),
            (None, Some(file)) => return Token::from_file(&file.path()),
            (None, None) => {}
        }
    }
    Err(missing(
        "the node's token is missing: pass --token-file (or --token), or set tokenFile or token in the configuration file, or \
         BACKUPX_AGENT_TOKEN_FILE or BACKUPX_AGENT_TOKEN; `backupx node add NAME` on the master prints one",
    ))
}

fn interval(given: Option<Given>) -> Result<Option<Duration>> {
    let Some(given) = given else {
        return Ok(None);
    };
    let interval = duration::parse(&given.value).ok_or_else(|| {
        given.wrong(&format!(
            "{:?} is no duration: write {}",
            given.value,
            duration::ACCEPTED
        ))
    })?;
    if interval < Duration::from_millis(100) || interval > Duration::from_secs(3600) {
        return Err(given.wrong("is out of range: 100ms to 1h are accepted"));
    }
    Ok(Some(interval))
}

/// The folder for temporary files, made when it is missing.
fn folder(given: Given) -> Result<PathBuf> {
    use std::os::unix::fs::DirBuilderExt;
    let path = given.path();
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&path)
        .map_err(|cause| given.wrong(&format!("is not a folder that can be made: {cause}")))?;
    Ok(path)
}

#[cfg(test)]
mod tests;
