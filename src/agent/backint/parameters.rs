//! The parameter file of Backint: `KEY = VALUE`, one a line, the only place of its secrets.
//!
//! A file in which no line is plain may have a `#` before each of its keys, as parameter files of Backint tools often do. As soon as one
//! line is plain, lines with a `#` are comments.

use super::storage::{self, Storage};
use backupx_core::domain::duration;
use backupx_core::domain::key::ObjectKey;
use backupx_core::domain::task::Compression;
use backupx_core::{Error, FieldError, Result};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

const KEYS: [&str; 13] = [
    "STORAGE_TYPE",
    "STORAGE_CONFIG_JSON",
    "MASTER_URL",
    "NODE_TOKEN_FILE",
    "MASTER_CA_FILE",
    "AGENT_CONFIG",
    "TARGET",
    "PARALLEL_FACTOR",
    "COMPRESS",
    "KEY_PREFIX",
    "CATALOG_DB",
    "LOG_FILE",
    "STALL_LIMIT",
];
/// Where objects lie when nobody says so.
const KEY_PREFIX: &str = "backint";
/// The most channels that a database opens for one of its services.
const MOST_PARALLEL: usize = 256;
/// How long nothing at all may move.
const STALL_LIMIT: Duration = Duration::from_secs(60 * 60);

/// What the file says.
#[derive(Debug, Clone)]
pub struct Parameters {
    /// Where objects go.
    pub storage: Storage,
    /// How many objects are under way at the same time, where that is said.
    pub parallel: Option<usize>,
    /// How objects are compressed.
    pub compression: Compression,
    /// Below which key they lie.
    pub key_prefix: ObjectKey,
    /// The catalogue's file.
    pub catalog_db: Option<PathBuf>,
    /// The log's file.
    pub log_file: Option<PathBuf>,
    /// A call of which nothing moved for so long is given up.
    pub stall_limit: Duration,
    /// What is worth saying of the file.
    pub warnings: Vec<String>,
}

impl Parameters {
    /// Reads the file at `path`. `Invalid` names what is wrong with it, by key; `Forbidden` (`secrets_readable`) when it holds a secret
    /// that every user of the host can read. No message shows a value of the storage's settings.
    pub fn load(path: &Path) -> Result<Self> {
        let text = read(path)?;
        let mut given = pairs(&text)?;
        let mut errors = Vec::new();
        let mut wrong = |key: &str, message: String| {
            errors.push(FieldError {
                field: key.to_owned(),
                message,
            });
        };
        let parallel = given.remove("PARALLEL_FACTOR").and_then(|text| {
            let number = text
                .parse()
                .ok()
                .filter(|n| (1..=MOST_PARALLEL).contains(n));
            if number.is_none() {
                wrong(
                    "PARALLEL_FACTOR",
                    format!("{text:?} is no number from 1 to {MOST_PARALLEL}"),
                );
            }
            number
        });
        let compression = match given.remove("COMPRESS").map(|text| (flag(&text), text)) {
            None | Some((Some(true), _)) => Compression::Zstd,
            Some((Some(false), _)) => Compression::None,
            Some((None, text)) => {
                wrong("COMPRESS", format!("{text:?} is not one of true, false"));
                Compression::Zstd
            }
        };
        let prefix = given.remove("KEY_PREFIX");
        let prefix = prefix.as_deref().unwrap_or(KEY_PREFIX).trim_matches('/');
        let key_prefix = ObjectKey::parse(prefix);
        if let Err(error) = &key_prefix {
            wrong("KEY_PREFIX", error.message().to_owned());
        }
        let mut file = |key: &str| {
            let path = given.remove(key).map(PathBuf::from)?;
            if !path.is_absolute() {
                wrong(key, format!("{} is not an absolute path", path.display()));
            }
            Some(path)
        };
        let (catalog_db, log_file) = (file("CATALOG_DB"), file("LOG_FILE"));
        let stall_limit = match given.remove("STALL_LIMIT") {
            None => STALL_LIMIT,
            Some(text) => duration::parse(&text)
                .filter(|limit| !limit.is_zero())
                .unwrap_or_else(|| {
                    wrong(
                        "STALL_LIMIT",
                        format!("{text:?} is not {}", duration::ACCEPTED),
                    );
                    STALL_LIMIT
                }),
        };
        let mut warnings = Vec::new();
        let storage = storage::read(path, &mut given, &mut warnings);
        match (storage, key_prefix) {
            (Ok(storage), Ok(key_prefix)) if errors.is_empty() => Ok(Self {
                storage,
                parallel,
                compression,
                key_prefix,
                catalog_db,
                log_file,
                stall_limit,
                warnings,
            }),
            (Err(error), _) if error.field_errors().is_empty() => Err(error),
            (storage, _) => {
                if let Err(error) = storage {
                    errors.extend(error.field_errors().iter().cloned());
                }
                Err(Error::fields(errors))
            }
        }
    }
}

pub(super) fn read(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).map_err(|error| {
        Error::invalid(
            "parameters_unreadable",
            format!("{} can't be read: {error}", path.display()),
        )
    })
}

/// The keys and values of a file.
fn pairs(text: &str) -> Result<BTreeMap<&'static str, String>> {
    let lines = || {
        text.lines()
            .map(str::trim)
            .zip(1..)
            .filter(|(line, _)| !line.is_empty() && !line.starts_with(';'))
    };
    let is_plain = lines().any(|(line, _)| !line.starts_with('#') && line.contains('='));
    let mut found = BTreeMap::new();
    for (line, number) in lines() {
        let bare = line.trim_start_matches('#').trim_start();
        let is_comment = bare.len() < line.len();
        let known = bare.split_once('=').and_then(|(key, value)| {
            let key = KEYS.into_iter().find(|known| *known == key.trim())?;
            Some((key, value.trim()))
        });
        match known {
            _ if is_comment && is_plain => {}
            None if is_comment => {}
            // The line itself is not shown: it may be a secret that lost its key.
            None => {
                return Err(Error::invalid(
                    "bad_parameters",
                    format!(
                        "line {number} of the parameter file is not KEY = VALUE with one of the keys {}",
                        KEYS.join(", ")
                    ),
                ));
            }
            Some((_, "")) => {}
            Some((key, value)) => {
                if found.insert(key, unquoted(value).to_owned()).is_some() {
                    return Err(Error::field(key, "is given twice"));
                }
            }
        }
    }
    Ok(found)
}

fn unquoted(value: &str) -> &str {
    value
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
        .unwrap_or(value)
}

fn flag(text: &str) -> Option<bool> {
    match text.to_lowercase().as_str() {
        "true" | "yes" | "on" | "1" => Some(true),
        "false" | "no" | "off" | "0" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
