//! Where a stored backup lies: a folder of this host, or a prefix of a bucket.

use crate::cmd::failure::usage;
use crate::cmd::storage;
use anyhow::{Context, Result};
use backupx_core::domain::key::ObjectKey;
use backupx_core::domain::manifest::Manifest;
use backupx_core::domain::target::TargetKind;
use backupx_engine::Destination;
use std::collections::BTreeMap;
use std::path::Path;

/// A backup's folder in a store that can be opened.
pub(crate) struct Place {
    /// The backup's folder, seen from the store's root.
    pub(crate) location: ObjectKey,
    kind: &'static str,
    settings: BTreeMap<String, String>,
    name: String,
}

impl Place {
    /// Understands a path or an `s3://` address of the folder itself or of an object in it.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        match text.strip_prefix("s3://") {
            Some(rest) => Self::in_bucket(rest, text),
            None => Self::in_folder(text),
        }
    }

    /// Opens the store.
    pub(crate) fn open(&self) -> Result<Destination> {
        storage::open(
            &self.name,
            TargetKind::parse(self.kind)?,
            self.settings.clone(),
        )
    }

    /// All of a target: a folder, or a bucket with or without a prefix.
    pub(crate) fn whole(text: &str) -> Result<Destination> {
        let (kind, settings) = match text.strip_prefix("s3://") {
            Some(rest) => {
                let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
                let mut settings = bucket_settings(bucket);
                let prefix = prefix.trim_matches('/');
                if !prefix.is_empty() {
                    settings.insert("prefix".to_owned(), prefix.to_owned());
                }
                (TargetKind::S3, settings)
            }
            None => {
                let path = std::fs::canonicalize(text)
                    .with_context(|| format!("{text} can't be opened"))?;
                let path = path
                    .to_str()
                    .ok_or_else(|| usage(format!("{text} is no valid UTF-8")))?;
                let settings = BTreeMap::from([("path".to_owned(), path.to_owned())]);
                (TargetKind::LOCAL, settings)
            }
        };
        storage::open(text, TargetKind::parse(kind)?, settings)
    }

    fn in_folder(text: &str) -> Result<Self> {
        let path =
            std::fs::canonicalize(text).with_context(|| format!("{text} can't be opened"))?;
        let folder = if path.is_dir() {
            path.as_path()
        } else {
            path.parent().unwrap_or(Path::new("/"))
        };
        let root = folder.parent().unwrap_or(Path::new("/"));
        let name = folder
            .file_name()
            .and_then(|name| name.to_str())
            .ok_or_else(|| {
                usage(format!(
                    "{text} is no folder of a backup: its name must be text"
                ))
            })?;
        let root = root.to_str().ok_or_else(|| {
            usage(format!(
                "{text} lies in a folder whose name is no valid UTF-8"
            ))
        })?;
        Ok(Self {
            location: ObjectKey::parse(name)?,
            kind: TargetKind::LOCAL,
            settings: BTreeMap::from([("path".to_owned(), root.to_owned())]),
            name: root.to_owned(),
        })
    }

    fn in_bucket(rest: &str, text: &str) -> Result<Self> {
        let (bucket, key) = rest
            .split_once('/')
            .filter(|(bucket, key)| !bucket.is_empty() && !key.trim_matches('/').is_empty())
            .ok_or_else(|| {
                usage(format!(
                    "{text} must look like s3://BUCKET/PATH/OF/THE/BACKUP"
                ))
            })?;
        let key = ObjectKey::parse(key.trim_matches('/'))?;
        let location = match key.parent() {
            Some(parent) if is_object(key.file_name()) => parent,
            Some(_) | None => key,
        };
        let settings = bucket_settings(bucket);
        Ok(Self {
            location,
            kind: TargetKind::S3,
            settings,
            name: format!("s3://{bucket}"),
        })
    }
}

/// The settings of a bucket, as the environment has them.
fn bucket_settings(bucket: &str) -> BTreeMap<String, String> {
    let mut settings = BTreeMap::from([("bucket".to_owned(), bucket.to_owned())]);
    for (setting, variables) in [
        ("region", &["AWS_REGION", "AWS_DEFAULT_REGION"][..]),
        ("endpoint", &["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"]),
        ("accessKeyId", &["AWS_ACCESS_KEY_ID"]),
        ("secretAccessKey", &["AWS_SECRET_ACCESS_KEY"]),
    ] {
        let value = variables.iter().find_map(|name| std::env::var(name).ok());
        settings.extend(value.map(|value| (setting.to_owned(), value)));
    }
    settings
}

/// True for the names that objects of a backup have.
fn is_object(name: &str) -> bool {
    name == Manifest::FILE_NAME || name.starts_with("data.") || name.starts_with("index.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_and_any_object_in_it_mean_the_same_backup() -> Result<()> {
        let root = tempfile::tempdir()?;
        let folder = root.path().join("etc/2026/11/7-20261123T120000Z");
        std::fs::create_dir_all(&folder)?;
        std::fs::write(folder.join("manifest.json"), "{}")?;
        for text in [folder.clone(), folder.join("manifest.json")] {
            let place = Place::parse(&text.display().to_string())?;
            assert_eq!(place.location.as_str(), "7-20261123T120000Z");
        }
        for text in [
            "s3://b/p/etc/7-x",
            "s3://b/p/etc/7-x/",
            "s3://b/p/etc/7-x/data.tar.zst.age.000001",
        ] {
            assert_eq!(Place::parse(text)?.location.as_str(), "p/etc/7-x", "{text}");
        }
        assert!(Place::parse("s3://b").is_err());
        assert!(Place::parse("/no/such/folder").is_err());
        Ok(())
    }
}
