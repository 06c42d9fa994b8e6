//! What proves a copy: the server's own backup manifest, against the files that went by.
//!
//! The format is that of <https://www.postgresql.org/docs/current/backup-manifest-format.html>.

use super::archive::{Entry, Kind, Visitor, damaged};
use backupx_core::{Error, Result};
use crc_fast::{CrcAlgorithm, Digest};
use serde::Deserialize;
use std::collections::HashMap;

const MANIFEST: &str = "backup_manifest";
const LABEL: &str = "backup_label";
const CONTROL: &str = "global/pg_control";
/// A manifest has some 150 bytes a file.
const MOST_MANIFEST: u64 = 1 << 30;

#[derive(Deserialize)]
struct Manifest {
    #[serde(rename = "Files")]
    files: Vec<Listed>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Listed {
    #[serde(rename = "Path")]
    path: Option<String>,
    /// The path in hex, when it is no valid UTF-8.
    #[serde(rename = "Encoded-Path")]
    encoded_path: Option<String>,
    #[serde(rename = "Size")]
    size: u64,
    #[serde(rename = "Checksum-Algorithm")]
    algorithm: Option<String>,
    #[serde(rename = "Checksum")]
    checksum: Option<String>,
}

/// A file that went by.
struct Seen {
    size: u64,
    crc32c: u32,
}

/// Sees every file of a copy, and says at the end whether it was all of the cluster.
pub(super) struct Proof {
    seen: HashMap<String, Seen>,
    now: Option<Now>,
    manifest: Option<Vec<u8>>,
}

struct Now {
    path: String,
    size: u64,
    digest: Digest,
}

impl Proof {
    pub(super) fn new() -> Self {
        Self {
            seen: HashMap::new(),
            now: None,
            manifest: None,
        }
    }

    /// Whether everything was there. Answers how many files the manifest names.
    pub(super) fn finish(&self) -> Result<usize> {
        let manifest = self
            .manifest
            .as_deref()
            .ok_or_else(|| damaged("it has no backup_manifest"))?;
        let manifest: Manifest = serde_json::from_slice(manifest).map_err(|error| {
            damaged(&format!("its backup_manifest can't be read: {error}")).with_source(error)
        })?;
        for needed in [LABEL, CONTROL] {
            if !self.seen.contains_key(needed) {
                return Err(damaged(&format!("it has no {needed}")));
            }
        }
        for file in &manifest.files {
            self.has(file)?;
        }
        Ok(manifest.files.len())
    }

    fn has(&self, file: &Listed) -> Result<()> {
        let Some(path) = &file.path else {
            let path = file.encoded_path.as_deref().unwrap_or_default();
            return Err(damaged(&format!(
                "a file has a name that is no text ({path})"
            )));
        };
        let seen = self
            .seen
            .get(path)
            .ok_or_else(|| damaged(&format!("{path} is missing")))?;
        if seen.size != file.size {
            return Err(damaged(&format!(
                "{path} has {} bytes instead of {}",
                seen.size, file.size
            )));
        }
        match (file.algorithm.as_deref(), &file.checksum) {
            (Some("CRC32C"), Some(checksum))
                // The server writes the number as it lies in its memory.
                if *checksum != hex::encode(seen.crc32c.to_le_bytes()) =>
            {
                Err(damaged(&format!("the checksum of {path} does not hold")))
            }
            _ => Ok(()),
        }
    }
}

impl Visitor for Proof {
    fn begin(&mut self, entry: &Entry) -> Result<()> {
        if entry.kind == Kind::Folder {
            return Ok(());
        }
        if entry.path == MANIFEST {
            if entry.size > MOST_MANIFEST {
                return Err(damaged("its backup_manifest is beyond reason"));
            }
            self.manifest = Some(Vec::new());
        }
        self.now = Some(Now {
            path: entry.path.clone(),
            size: 0,
            digest: Digest::new(CrcAlgorithm::Crc32Iscsi),
        });
        Ok(())
    }

    fn data(&mut self, bytes: &[u8]) -> Result<()> {
        let now = self
            .now
            .as_mut()
            .ok_or_else(|| Error::internal("content without a file"))?;
        now.size += bytes.len() as u64;
        now.digest.update(bytes);
        if now.path == MANIFEST
            && let Some(manifest) = &mut self.manifest
        {
            manifest.extend_from_slice(bytes);
        }
        Ok(())
    }

    fn end(&mut self) -> Result<()> {
        let Some(now) = self.now.take() else {
            return Ok(());
        };
        let seen = Seen {
            size: now.size,
            crc32c: u32::try_from(now.digest.finalize())
                .map_err(|_| Error::internal("a CRC32C has more than 32 bits"))?,
        };
        match self.seen.insert(now.path, seen) {
            None => Ok(()),
            Some(_) => Err(damaged("a file is in it twice")),
        }
    }
}
