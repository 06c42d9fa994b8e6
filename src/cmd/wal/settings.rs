//! The settings file of an archive: the server's own, so that its log is archived whether or not a master is there.

use crate::cmd::extract::keys;
use crate::cmd::failure::Hint;
use crate::cmd::storage;
use anyhow::{Context, Result, bail};
use backupx_core::domain::key::ObjectKey;
use backupx_core::domain::target::TargetKind;
use backupx_engine::wal::Archive;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// The keys of the file.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct File {
    /// `type`, and the settings of that kind as `target types` lists them.
    storage: BTreeMap<String, String>,
    /// Below what everything lies; one for each cluster.
    prefix: String,
    /// Public keys that the log is sealed to; none means that it is not.
    #[serde(default)]
    recipients: Vec<String>,
    /// A file with the key that opens it, where it is fetched.
    #[serde(default)]
    identity_file: Option<PathBuf>,
}

/// Reads `path` and opens its archive. Calls no storage yet.
pub(super) fn open(path: &Path) -> Result<Archive> {
    let shown = path.display();
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("the settings of the archive, {shown}, can't be read"))?;
    let file: File = serde_norway::from_str(&text)
        .with_context(|| format!("the settings of the archive, {shown}, are not right"))?;
    let mut settings = file.storage;
    let kind = settings
        .remove("type")
        .with_context(|| format!("{shown} names no storage.type"))?;
    let kind = TargetKind::parse(&kind).with_context(|| format!("{shown} is not right"))?;
    if kind
        .fields()
        .iter()
        .any(|field| field.secret && settings.contains_key(&field.name))
    {
        private(path)?;
    }
    if file.prefix.trim_matches('/').is_empty() {
        bail!("{shown} names no prefix; give each cluster one of its own, as wal/main");
    }
    let prefix = ObjectKey::parse(file.prefix.trim_matches('/'))
        .with_context(|| format!("the prefix in {shown} is not right"))?;
    let identities = match &file.identity_file {
        Some(path) => keys::read(path)?,
        None => Vec::new(),
    };
    let destination = storage::open(&shown.to_string(), kind, settings)
        .with_context(|| format!("the storage in {shown} is not right"))?;
    Archive::new(destination.store, prefix, file.recipients, identities)
        .with_context(|| format!("{shown} is not right"))
}

/// Refuses a file with a secret that everybody may read.
fn private(path: &Path) -> Result<()> {
    let shown = path.display();
    let mode = path
        .metadata()
        .with_context(|| format!("{shown} can't be read"))?
        .permissions()
        .mode();
    if mode & 0o007 == 0 {
        return Ok(());
    }
    Err(Hint::error(
        format!("everybody on this host may read {shown}, which has the key to the storage"),
        format!("chown root:postgres {shown} && chmod 640 {shown}"),
    ))
}
