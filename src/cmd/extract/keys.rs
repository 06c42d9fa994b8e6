//! Keys of a sealed backup: what a person's identity file opens.

use crate::cmd::failure::{Hint, usage};
use anyhow::{Context, Result};
use backupx_core::domain::access::StreamKey;
use backupx_core::domain::manifest::Manifest;
use backupx_core::ports::keys::SealKeys;
use backupx_engine::AgeKeys;
use secrecy::SecretString;
use std::path::Path;

const PREFIX: &str = "AGE-SECRET-KEY-1";

/// The keys of all sealed streams; none when nothing is sealed.
pub(crate) fn unwrap(manifest: &Manifest, identity: Option<&Path>) -> Result<Vec<StreamKey>> {
    let sealed: Vec<_> = manifest
        .streams
        .iter()
        .filter_map(|stream| Some((stream.stream.as_str(), stream.age_header.as_deref()?)))
        .collect();
    if sealed.is_empty() {
        return Ok(Vec::new());
    }
    let Some(path) = identity else {
        return Err(Hint::error(
            "this backup is encrypted",
            "name the file with its key: --identity FILE (`backupx key export` on the master's host prints it)",
        ));
    };
    let identities = read(path)?;
    sealed
        .into_iter()
        .map(|(stream, header)| open(&identities, stream, header, path))
        .collect()
}

fn open(identities: &[SecretString], stream: &str, header: &str, path: &Path) -> Result<StreamKey> {
    let mut refusal = None;
    for identity in identities {
        match AgeKeys.unwrap(identity, stream, header) {
            Ok(key) => return Ok(key),
            Err(error) => refusal = Some(error),
        }
    }
    let message = format!("{} does not open this backup", path.display());
    match refusal {
        Some(error) => Err(anyhow::Error::new(error).context(message)),
        None => Err(anyhow::anyhow!(message)),
    }
}

/// The identities in a file; whatever else stands in it (comments, the words of the recovery kit) is passed over.
pub(crate) fn read(path: &Path) -> Result<Vec<SecretString>> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("the identity file {} can't be read", path.display()))?;
    let identities: Vec<_> = text
        .split_whitespace()
        .filter(|word| word.starts_with(PREFIX))
        .map(SecretString::from)
        .collect();
    if identities.is_empty() {
        return Err(usage(format!(
            "{} holds no age identity; one looks like {PREFIX}…",
            path.display()
        )));
    }
    Ok(identities)
}
