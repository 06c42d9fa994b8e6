//! Layers of settings: command line over file over environment, each value with the name under which it was given.

use super::AgentFlags;
use super::file::ConfigFile;
use backupx_core::{Error, Result};
use secrecy::SecretString;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Variables and the keys of the file that they stand for.
const VARIABLES: &[(&str, &str)] = &[
    ("BACKUPX_AGENT_MASTER", "master"),
    ("BACKUPX_AGENT_TOKEN", "token"),
    ("BACKUPX_AGENT_TOKEN_FILE", "tokenFile"),
    ("BACKUPX_AGENT_HEARTBEAT", "heartbeatInterval"),
    ("BACKUPX_AGENT_POLL", "pollInterval"),
    ("BACKUPX_AGENT_TEMP_DIR", "tempDir"),
    ("BACKUPX_AGENT_PROXY_URL", "proxyUrl"),
    ("BACKUPX_AGENT_CA_CERT_FILE", "caCertFile"),
    ("BACKUPX_AGENT_INSECURE_TLS", "insecureTls"),
];

/// One value, and where it was given.
#[derive(Clone)]
pub(super) struct Given {
    /// As it was written.
    pub(super) value: String,
    /// What to name when it is wrong: a flag, a key with its file, a variable.
    pub(super) source: String,
    /// Paths of a file's values are relative to its folder.
    base: Option<PathBuf>,
}

impl Given {
    /// An error about this value. `why` says what is wrong with it and what is accepted.
    pub(super) fn wrong(&self, why: &str) -> Error {
        Error::invalid("bad_setting", format!("{}: {why}", self.source))
    }

    /// The value as a path.
    pub(super) fn path(&self) -> PathBuf {
        match &self.base {
            Some(base) => base.join(&self.value),
            None => PathBuf::from(&self.value),
        }
    }

    /// The value as a switch.
    pub(super) fn switch(&self) -> Result<bool> {
        match self.value.to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" | "1" => Ok(true),
            "false" | "no" | "off" | "0" => Ok(false),
            _ => Err(self.wrong(&format!("{:?} is not one of true, false", self.value))),
        }
    }

    /// The value as a number from `least` to `most`.
    pub(super) fn count(&self, least: usize, most: usize) -> Result<usize> {
        self.value
            .parse()
            .ok()
            .filter(|count| (least..=most).contains(count))
            .ok_or_else(|| {
                self.wrong(&format!(
                    "{:?} is not a number from {least} to {most}",
                    self.value
                ))
            })
    }
}

/// The settings of one origin. Its token is kept apart, so that no message can show it.
#[derive(Default)]
pub(super) struct Layer {
    values: BTreeMap<&'static str, Given>,
    token: Option<(String, SecretString)>,
}

impl Layer {
    fn put(&mut self, key: &'static str, value: Option<String>, source: impl Into<String>) {
        if let Some(value) = value {
            let given = Given {
                value,
                source: source.into(),
                base: None,
            };
            self.values.insert(key, given);
        }
    }

    /// What is given for `key`.
    pub(super) fn get(&self, key: &str) -> Option<&Given> {
        self.values.get(key)
    }

    /// The token and the name under which it is given.
    pub(super) fn token(&self) -> Option<&(String, SecretString)> {
        self.token.as_ref()
    }
}

/// All layers, highest first.
pub(super) struct Layers([Layer; 3]);

impl Layers {
    /// Reads all layers; the second part is what the administrator should hear.
    pub(super) fn read(
        flags: &AgentFlags,
        env: &BTreeMap<String, String>,
    ) -> Result<(Self, Vec<String>)> {
        let file = match &flags.config {
            Some(path) => from_file(path)?,
            None => Layer::default(),
        };
        let (env, warnings) = from_env(env);
        Ok((Self([from_flags(flags)?, file, env]), warnings))
    }

    /// The value of the highest layer that has one.
    pub(super) fn pick(&self, key: &str) -> Option<Given> {
        self.iter().find_map(|layer| layer.get(key)).cloned()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Layer> {
        self.0.iter()
    }
}

fn from_flags(flags: &AgentFlags) -> Result<Layer> {
    let path = |path: &Option<PathBuf>, flag: &str| {
        path.as_deref()
            .map(|path| {
                path.to_str().map(str::to_owned).ok_or_else(|| {
                    Error::invalid("bad_setting", format!("{flag}: the path is not UTF-8"))
                })
            })
            .transpose()
    };
    let mut layer = Layer::default();
    layer.put("master", flags.master.clone(), "--master");
    layer.put(
        "tokenFile",
        path(&flags.token_file, "--token-file")?,
        "--token-file",
    );
    layer.put(
        "tempDir",
        path(&flags.temp_dir, "--temp-dir")?,
        "--temp-dir",
    );
    layer.put("proxyUrl", flags.proxy_url.clone(), "--proxy-url");
    layer.put(
        "caCertFile",
        path(&flags.ca_cert, "--ca-cert")?,
        "--ca-cert",
    );
    layer.put(
        "insecureTls",
        flags.insecure_tls.then(|| "true".to_owned()),
        "--insecure-tls",
    );
    layer.token = flags
        .token
        .clone()
        .map(|token| ("--token".to_owned(), token));
    Ok(layer)
}

fn from_file(path: &Path) -> Result<Layer> {
    let file = ConfigFile::read(path)?;
    let base = path.parent().map(Path::to_owned);
    let mut layer = Layer::default();
    for (key, value) in [
        ("master", file.master),
        ("tokenFile", file.token_file),
        ("heartbeatInterval", file.heartbeat_interval),
        ("pollInterval", file.poll_interval),
        ("tempDir", file.temp_dir),
        ("proxyUrl", file.proxy_url),
        ("caCertFile", file.ca_cert_file),
        ("insecureTls", file.insecure_tls),
        ("maxConcurrent", file.max_concurrent),
        ("policy", file.policy),
    ] {
        let value = value.map(super::file::Plain::into_text);
        layer.put(key, value, format!("{key} in {}", path.display()));
    }
    for given in layer.values.values_mut() {
        given.base.clone_from(&base);
    }
    layer.token = file
        .token
        .map(|token| (format!("token in {}", path.display()), token.into_secret()));
    Ok(layer)
}

fn from_env(env: &BTreeMap<String, String>) -> (Layer, Vec<String>) {
    let mut layer = Layer::default();
    let mut warnings = Vec::new();
    for (name, value) in env {
        if !name.starts_with("BACKUPX_AGENT_") {
            continue;
        }
        match VARIABLES.iter().find(|(variable, _)| variable == name) {
            // An empty variable is how many unit and compose files say "not set".
            Some(_) if value.is_empty() => {}
            Some((_, "token")) => {
                layer.token = Some((name.clone(), SecretString::from(value.clone())));
            }
            Some((_, key)) => layer.put(key, Some(value.clone()), name.clone()),
            None => warnings.push(format!(
                "the environment variable {name} is not known and was ignored; known are {}",
                VARIABLES
                    .iter()
                    .map(|(name, _)| *name)
                    .collect::<Vec<_>>()
                    .join(", ")
            )),
        }
    }
    (layer, warnings)
}
