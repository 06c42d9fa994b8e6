//! Who signs requests: the master's address and an API key, from the environment or from what `backupx login` stored.

use crate::cmd::failure::{Hint, usage};
use crate::private_file;
use anyhow::{Context, Result};
use reqwest::Url;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

const URL_VARIABLE: &str = "BACKUPX_MASTER_URL";
const KEY_VARIABLE: &str = "BACKUPX_API_KEY";
const KEY_FILE_VARIABLE: &str = "BACKUPX_API_KEY_FILE";

/// A master and the key that it knows this user by.
pub(crate) struct Credentials {
    /// The master's address; may have a path, never a query.
    pub(crate) master: Url,
    /// The API key.
    pub(crate) key: SecretString,
    /// Certificate authority that signed the master's certificate, when the system does not know it.
    pub(crate) ca_cert: Option<PathBuf>,
}

/// What `backupx login` keeps.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Stored {
    master: String,
    api_key: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ca_cert: Option<PathBuf>,
}

impl Credentials {
    /// From the environment, else from the file. A stored key is never sent to another master than the one that gave it.
    pub(crate) fn find() -> Result<Self> {
        let url = text_of(URL_VARIABLE)?;
        let key = match text_of(KEY_VARIABLE)? {
            Some(key) => Some(key),
            None => text_of(KEY_FILE_VARIABLE)?
                .map(|path| {
                    fs::read_to_string(&path)
                        .with_context(|| format!("{KEY_FILE_VARIABLE}: {path} can't be read"))
                })
                .transpose()?,
        };
        if let (Some(url), Some(key)) = (&url, &key) {
            return Ok(Self {
                master: parse_master(url).with_context(|| URL_VARIABLE)?,
                key: SecretString::from(key.trim()),
                ca_cert: None,
            });
        }
        let stored = Self::stored()?;
        match (url, key, stored) {
            (Some(url), None, Some(stored)) if parse_master(&url)? == stored.master => Ok(stored),
            (Some(url), None, _) => Err(Hint::error(
                format!("there is no API key for the master at {url}"),
                format!("sign in with `backupx login --master {url}`, or set {KEY_VARIABLE}"),
            )),
            (None, Some(key), Some(stored)) => Ok(Self {
                key: SecretString::from(key.trim()),
                ..stored
            }),
            (None, None, Some(stored)) => Ok(stored),
            (None, _, None) => Err(Hint::error(
                "no master is known",
                format!(
                    "sign in with `backupx login --master URL`, or set {URL_VARIABLE} and {KEY_VARIABLE}"
                ),
            )),
            (Some(_), Some(_), _) => unreachable!("both were given and answered above"),
        }
    }

    /// What `backupx login` stored, if anything.
    pub(crate) fn stored() -> Result<Option<Self>> {
        let path = Self::path()?;
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => {
                return Err(error).with_context(|| format!("{} can't be read", path.display()));
            }
        };
        let stored: Stored = serde_json::from_str(&text).map_err(|error| {
            Hint::error(
                format!("{} is damaged: {error}", path.display()),
                "sign in again with `backupx login --master URL`",
            )
        })?;
        Ok(Some(Self {
            master: parse_master(&stored.master)?,
            key: SecretString::from(stored.api_key),
            ca_cert: stored.ca_cert,
        }))
    }

    /// Where `backupx login` keeps them.
    pub(crate) fn path() -> Result<PathBuf> {
        let from = |name: &str| std::env::var_os(name).filter(|value: &OsString| !value.is_empty());
        let base = from("XDG_CONFIG_HOME")
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
            .or_else(|| from("HOME").map(|home| Path::new(&home).join(".config")))
            .context("neither XDG_CONFIG_HOME nor HOME is set")?;
        Ok(base.join("backupx").join("login.json"))
    }

    /// Keeps them for later commands in a file that only this user reads; answers where.
    pub(crate) fn store(&self) -> Result<PathBuf> {
        let path = Self::path()?;
        let folder = path.parent().context("the login file has no folder")?;
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .with_context(|| format!("{} can't be made", folder.display()))?;
        let stored = Stored {
            master: address(&self.master).to_owned(),
            api_key: self.key.expose_secret().to_owned(),
            ca_cert: self.ca_cert.clone(),
        };
        private_file::replace(&path, &serde_json::to_vec_pretty(&stored)?)
            .with_context(|| format!("{} can't be written", path.display()))?;
        Ok(path)
    }
}

/// The address of a master as a person writes it.
pub(crate) fn address(master: &Url) -> &str {
    master.as_str().trim_end_matches('/')
}

/// Parses the address of a master: http or https, without a query.
pub(crate) fn parse_master(text: &str) -> Result<Url> {
    let text = text.trim();
    let bad = |why: &str| {
        usage(format!(
            "{text:?} is no address of a master: {why}; it looks like https://backup.example.com"
        ))
    };
    let mut url = Url::parse(text).map_err(|error| bad(&error.to_string()))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(bad("it must begin with http:// or https://"));
    }
    if url.host_str().is_none_or(str::is_empty) {
        return Err(bad("it names no host"));
    }
    if url.query().is_some() || url.fragment().is_some() || !url.username().is_empty() {
        return Err(bad("it must not have a user, a query or a fragment"));
    }
    let path = url.path().trim_end_matches('/').to_owned();
    url.set_path(&path);
    Ok(url)
}

fn text_of(variable: &str) -> Result<Option<String>> {
    match std::env::var(variable) {
        Ok(value) if value.trim().is_empty() => Ok(None),
        Ok(value) => Ok(Some(value)),
        Err(std::env::VarError::NotPresent) => Ok(None),
        Err(std::env::VarError::NotUnicode(_)) => {
            Err(usage(format!("{variable} is not valid UTF-8")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_masters_are_parsed_or_explained() {
        let url = parse_master(" https://example.com/backupx/ ").expect("valid");
        assert_eq!(url.as_str(), "https://example.com/backupx");
        for bad in [
            "example.com",
            "ftp://example.com",
            "http://a?b=c",
            "http://u:p@a",
            "",
        ] {
            assert!(parse_master(bad).is_err(), "{bad:?}");
        }
    }
}
