//! What lies in storage, seen past the program: each record's folder with the files in it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::support::cli::finish;
use super::support::servers::S3;

/// The manifest's name in a record's folder.
const MANIFEST: &str = "manifest.json";

/// A place to look into.
#[derive(Debug, Clone)]
pub(crate) enum Place {
    /// A folder.
    Folder(PathBuf),
    /// A prefix in a bucket.
    Bucket(S3, String),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Folder(_) => "in a folder",
            Self::Bucket(..) => "on S3",
        })
    }
}

impl Place {
    /// Every object: its key and its size.
    pub(crate) fn objects(&self) -> Result<BTreeMap<String, u64>> {
        let mut found = BTreeMap::new();
        match self {
            Self::Folder(root) => collect(root, root, &mut found)?,
            Self::Bucket(s3, prefix) => {
                let listed = rclone(s3, "lsjson", prefix, &["-R", "--files-only"])?;
                for object in serde_json::from_str::<Vec<Value>>(&listed)? {
                    let key = object["Path"]
                        .as_str()
                        .context("an object without a path")?;
                    found.insert(key.to_owned(), object["Size"].as_u64().unwrap_or_default());
                }
            }
        }
        Ok(found)
    }

    /// Removes an object, past every master.
    pub(crate) fn remove(&self, key: &str) -> Result<()> {
        match self {
            Self::Folder(root) => Ok(fs::remove_file(root.join(key))?),
            Self::Bucket(s3, prefix) => {
                rclone(s3, "deletefile", &format!("{prefix}/{key}"), &[]).map(drop)
            }
        }
    }

    /// One small object.
    pub(crate) fn read(&self, key: &str) -> Result<String> {
        match self {
            Self::Folder(root) => Ok(fs::read_to_string(root.join(key))?),
            Self::Bucket(s3, prefix) => rclone(s3, "cat", &format!("{prefix}/{key}"), &[]),
        }
    }

    /// Fails unless storage holds exactly these records' folders, each with its manifest and exactly the objects, in their sizes, that
    /// the manifest names. So there is no leftover volume, no temporary file, and nothing without a manifest.
    pub(crate) fn ensure_only(&self, locations: &BTreeSet<String>) -> Result<()> {
        let mut objects = self.objects()?;
        for location in locations {
            let key = format!("{location}/{MANIFEST}");
            ensure!(
                objects.remove(&key).is_some(),
                "{location} is a good copy and has no manifest"
            );
            let manifest: Value = serde_json::from_str(&self.read(&key)?)?;
            for stream in manifest["streams"]
                .as_array()
                .context("a manifest without streams")?
            {
                for object in stream["objects"]
                    .as_array()
                    .context("a stream without objects")?
                {
                    let key = format!("{location}/{}", object["name"].as_str().unwrap_or_default());
                    let size = objects
                        .remove(&key)
                        .with_context(|| format!("the manifest names {key}, which is not there"))?;
                    ensure!(
                        object["size"] == size,
                        "{key} has {size} bytes and the manifest says {}",
                        object["size"]
                    );
                }
            }
        }
        ensure!(
            objects.is_empty(),
            "left over in storage: {:?}",
            objects.keys().collect::<Vec<_>>()
        );
        Ok(())
    }
}

/// The data objects of a record's folder, in order.
pub(crate) fn data_objects(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with("data.") {
            found.push(entry.path());
        }
    }
    ensure!(!found.is_empty(), "no data object in {}", folder.display());
    found.sort();
    Ok(found)
}

fn collect(root: &Path, folder: &Path, found: &mut BTreeMap<String, u64>) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            collect(root, &entry.path(), found)?;
        } else {
            let key = entry
                .path()
                .strip_prefix(root)?
                .to_string_lossy()
                .into_owned();
            found.insert(key, entry.metadata()?.len());
        }
    }
    Ok(())
}

/// rclone as an S3 client of another maker.
fn rclone(s3: &S3, verb: &str, path: &str, more: &[&str]) -> Result<String> {
    let mut command = Command::new("rclone");
    command
        .args([verb, &format!("tested:{}/{path}", s3.bucket)])
        .args(more);
    let settings = [
        ("TYPE", "s3"),
        ("PROVIDER", "Other"),
        ("ENDPOINT", &s3.endpoint),
        ("ACCESS_KEY_ID", &s3.key),
        ("SECRET_ACCESS_KEY", &s3.secret),
    ];
    for (name, value) in settings {
        command.env(format!("RCLONE_CONFIG_TESTED_{name}"), value);
    }
    let ended = finish(command.env("RCLONE_CONFIG", "/dev/null"))?;
    // Nothing was ever written there: that is an empty folder, not an error.
    if ended.code == Some(3) {
        return Ok("[]".to_owned());
    }
    ensure!(
        ended.code == Some(0),
        "rclone {verb} {path}: {}",
        ended.stderr
    );
    Ok(ended.stdout)
}
