//! Where the objects of a call go: to storage that the parameter file describes, or to a target of a master.

use super::log::Log;
use super::parameters;
use crate::link::{HttpLink, LinkSettings};
use crate::policy::Policy;
use crate::runtime::Backoff;
use crate::settings::{AgentFlags, load};
use backupx_core::domain::access::TargetAccess;
use backupx_core::domain::protocol::BackintAsk;
use backupx_core::domain::target::{Reach, TargetKind};
use backupx_core::{Error, ErrorKind, FieldError, Result};
use serde_json::Value;
use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// How long a master that is away is asked again: longer than one takes to start anew.
const PATIENCE: Duration = Duration::from_secs(120);

/// Where objects go.
#[derive(Debug, Clone)]
pub enum Storage {
    /// To what the parameter file describes.
    Here(Box<TargetAccess>),
    /// To a target of the master, which is asked at each call: its secrets are never kept on this host.
    OfMaster(Box<OfMaster>),
}

/// A target that a master tells of.
#[derive(Debug, Clone)]
pub struct OfMaster {
    link: LinkSettings,
    policy: Arc<Policy>,
    target: Option<String>,
}

impl Storage {
    /// The access itself. Asks a master that is away for two minutes, then its `Unavailable`. `Forbidden` (`policy_denied`) when this host's
    /// policy does not take the place.
    pub async fn settle(&self, log: &Log) -> Result<TargetAccess> {
        match self {
            Self::Here(access) => Ok(TargetAccess::clone(access)),
            Self::OfMaster(master) => {
                let access = master.ask(log).await.inspect_err(|error| {
                    log.error(format!("there is no storage: {}", error.chain()));
                })?;
                log.info(format!(
                    "target {} of {}",
                    access.name,
                    master.link.master()
                ));
                Ok(access)
            }
        }
    }
}

impl OfMaster {
    async fn ask(&self, log: &Log) -> Result<TargetAccess> {
        let link = HttpLink::new(self.link.clone())?;
        let ask = BackintAsk {
            target: self.target.clone(),
        };
        let until = Instant::now() + PATIENCE;
        let mut backoff = Backoff::default();
        loop {
            match link.backint_target(&ask).await {
                Ok(access) => {
                    self.policy.may_use([&access])?;
                    return Ok(access);
                }
                Err(error) => {
                    let wait = backoff.after(&error);
                    let passes = matches!(
                        error.kind(),
                        ErrorKind::Unavailable | ErrorKind::TooManyRequests
                    );
                    if !passes || Instant::now() + wait > until {
                        return Err(error);
                    }
                    if backoff.is_news(&error) {
                        log.warn(format!("{}; it is asked again", error.chain()));
                    }
                    sleep(wait).await;
                }
            }
        }
    }
}

/// Which storage is meant, without its secrets: a catalogue's objects belong to it.
pub fn place(access: &TargetAccess) -> String {
    let settings = access
        .config
        .iter()
        .map(|(name, value)| format!(" {name}={value}"));
    format!("{}{}", access.kind.as_str(), settings.collect::<String>())
}

/// What a parameter file says of storage.
pub(super) fn read(
    path: &Path,
    given: &mut BTreeMap<&'static str, String>,
    warnings: &mut Vec<String>,
) -> Result<Storage> {
    let from_master = ["MASTER_URL", "AGENT_CONFIG"]
        .into_iter()
        .find(|key| given.contains_key(key));
    match from_master {
        None => match ["NODE_TOKEN_FILE", "MASTER_CA_FILE", "TARGET"]
            .into_iter()
            .find(|key| given.contains_key(key))
        {
            Some(key) => Err(Error::field(
                key,
                "is only of use with a master: set MASTER_URL or AGENT_CONFIG too",
            )),
            None => {
                let access = given_here(path, given, warnings)?;
                Ok(Storage::Here(Box::new(access)))
            }
        },
        Some(key) if given.contains_key("STORAGE_TYPE") => Err(Error::field(
            key,
            "is given beside STORAGE_TYPE: either the master says where objects go, or this file",
        )),
        Some(_) => {
            let master = of_master(given, warnings)?;
            Ok(Storage::OfMaster(Box::new(master)))
        }
    }
}

/// How the master is reached: as this file says, and as the agent's own configuration file says.
fn of_master(
    given: &mut BTreeMap<&'static str, String>,
    warnings: &mut Vec<String>,
) -> Result<OfMaster> {
    let mut file = |key: &str| match given.remove(key).map(PathBuf::from) {
        Some(path) if !path.is_absolute() => Err(Error::field(key, "is not an absolute path")),
        path => Ok(path),
    };
    let flags = AgentFlags {
        token_file: file("NODE_TOKEN_FILE")?,
        ca_cert: file("MASTER_CA_FILE")?,
        config: file("AGENT_CONFIG")?,
        master: given.remove("MASTER_URL"),
        ..AgentFlags::default()
    };
    if flags.config.is_none() && flags.token_file.is_none() {
        return Err(Error::field(
            "NODE_TOKEN_FILE",
            "is required with MASTER_URL: a file with the token that `backupx node add` printed",
        ));
    }
    let settings = load(&flags, &BTreeMap::new())?;
    warnings.extend(settings.warnings);
    let token = flags.token_file.as_deref().map(guarded).transpose()?;
    warnings.extend(token.flatten());
    Ok(OfMaster {
        link: settings.link,
        policy: settings.agent.policy,
        target: given.remove("TARGET"),
    })
}

/// The storage's settings, out of the line itself or out of a file that it names.
fn given_here(
    path: &Path,
    given: &mut BTreeMap<&'static str, String>,
    warnings: &mut Vec<String>,
) -> Result<TargetAccess> {
    let kind = given.remove("STORAGE_TYPE").ok_or_else(|| {
        Error::field(
            "STORAGE_TYPE",
            "is required, as local or s3; or name a master by MASTER_URL, which says where to",
        )
    })?;
    let kind = TargetKind::parse(&kind.to_lowercase())
        .map_err(|error| Error::field("STORAGE_TYPE", error.message()))?;
    let (text, file) = match given.remove("STORAGE_CONFIG_JSON") {
        None => {
            return Err(Error::field(
                "STORAGE_CONFIG_JSON",
                "is required: the storage's settings as one JSON object, or a file with it",
            ));
        }
        Some(text) if text.starts_with('{') => (text, path.to_owned()),
        Some(name) => {
            let file = PathBuf::from(&name);
            if !file.is_absolute() {
                return Err(Error::field(
                    "STORAGE_CONFIG_JSON",
                    "is neither a JSON object nor the absolute path of a file with one",
                ));
            }
            (parameters::read(&file)?, file)
        }
    };
    let settings = kind.settle(fields(&text)?).map_err(|error| {
        let named = error.field_errors().iter().map(|wrong| FieldError {
            field: wrong.field.replacen("config", "STORAGE_CONFIG_JSON", 1),
            message: wrong.message.clone(),
        });
        Error::fields(named.collect())
    })?;
    if kind.reach(&settings.config) == Reach::Master {
        return Err(Error::field(
            "STORAGE_CONFIG_JSON.at",
            "a folder of the master can't be reached from here",
        ));
    }
    if !settings.secrets.is_empty() {
        warnings.extend(guarded(&file)?);
    }
    Ok(TargetAccess::without_master("backint", kind, settings))
}

/// A JSON object of plain values as text. What the parser says of it may hold a value, so only the place of the mistake is told.
fn fields(text: &str) -> Result<BTreeMap<String, String>> {
    let wrong = |message: String| Error::field("STORAGE_CONFIG_JSON", message);
    let value: Value = serde_json::from_str(text).map_err(|error| {
        wrong(format!(
            "is no JSON, at line {} column {} of it",
            error.line(),
            error.column()
        ))
    })?;
    let Value::Object(fields) = value else {
        return Err(wrong("is no JSON object".to_owned()));
    };
    fields
        .into_iter()
        .filter(|(_, value)| !value.is_null())
        .map(|(name, value)| match value {
            Value::String(text) => Ok((name, text)),
            Value::Bool(_) | Value::Number(_) => Ok((name, value.to_string())),
            Value::Null | Value::Array(_) | Value::Object(_) => Err(Error::field(
                format!("STORAGE_CONFIG_JSON.{name}"),
                "is neither text nor a number nor true or false",
            )),
        })
        .collect()
}

/// Whether the file's secrets are its owner's own; a warning when a group reads them too.
fn guarded(file: &Path) -> Result<Option<String>> {
    let about = std::fs::metadata(file).map_err(|error| {
        Error::invalid(
            "parameters_unreadable",
            format!("{} can't be looked at: {error}", file.display()),
        )
    })?;
    let mode = about.mode() & 0o777;
    if mode & 0o007 != 0 {
        return Err(Error::forbidden(
            "secrets_readable",
            format!(
                "{} holds a secret and has mode {mode:04o}, so every user of this host gets it: chmod 600 it, or 640",
                file.display()
            ),
        ));
    }
    Ok((mode & 0o070 != 0).then(|| {
        format!(
            "{} holds a secret and has mode {mode:04o}: its whole group reads it",
            file.display()
        )
    }))
}
