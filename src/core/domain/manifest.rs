//! The manifest: the last object of a backup, whose presence is what makes it exist. Part of the storage format.

use super::drill::RowCount;
use super::dump::Dump;
use super::id::{NodeId, RecordId, TaskId};
use super::key::ObjectKey;
use super::report::Counts;
use super::source::SourceSpec;
use super::task::Compression;
use super::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// `manifest.json`. Unknown fields are ignored by readers, so that later versions may add some.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    /// Version of the storage format; readers refuse what is newer than they know.
    pub format_version: u32,
    /// Version of BackupX that wrote it.
    pub product_version: String,
    /// The record's id at the master that made it.
    pub record_id: RecordId,
    /// The record's folder on its target.
    pub location: ObjectKey,
    /// When the master received the order for this run, by its own clock: what retention counts from.
    pub created_at: Timestamp,
    /// The task, without secrets.
    pub task: ManifestTask,
    /// Where it ran.
    pub node: ManifestNode,
    /// What was read.
    pub counts: Counts,
    /// The first hundred warnings.
    pub warnings: Vec<String>,
    /// Public keys that the streams are sealed to; empty when they are not sealed.
    pub recipients: Vec<String>,
    /// What made the streams, by name with its version: the dump tool of a database, the compressor's library.
    #[serde(default)]
    pub tools: BTreeMap<String, String>,
    /// How many rows the tables had that the task's drill counts, right before their database was dumped.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub row_counts: Vec<RowCount>,
    /// The content, then `index`: one stream `data` with the archive of a file task, or one a dump, called `data.<name of its file>`.
    pub streams: Vec<StoredStream>,
}

impl Manifest {
    /// The format that this code writes, and the newest that it reads.
    pub const FORMAT_VERSION: u32 = 1;
    /// The manifest's object name.
    pub const FILE_NAME: &'static str = "manifest.json";
    /// What stands before the name of a dump's file in the name of its stream.
    pub const DUMP_PREFIX: &'static str = "data.";

    /// The stream called `name`.
    pub fn stream(&self, name: &str) -> Option<&StoredStream> {
        self.streams.iter().find(|stream| stream.stream == name)
    }

    /// The dumps with their streams and the names of their files; none in a backup of files.
    pub fn dumps(&self) -> impl Iterator<Item = (&Dump, &StoredStream, &str)> {
        self.streams.iter().filter_map(|stream| {
            let file = stream.stream.strip_prefix(Self::DUMP_PREFIX)?;
            Some((stream.dump.as_ref()?, stream, file))
        })
    }
}

/// What a manifest says of the task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ManifestTask {
    /// Its id.
    pub id: TaskId,
    /// Its name.
    pub name: String,
    /// What was read.
    pub source: SourceSpec,
}

/// What a manifest says of the node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ManifestNode {
    /// Its id.
    pub id: NodeId,
    /// Its name.
    pub name: String,
    /// Its host name.
    pub hostname: String,
}

/// One stream as it lies in storage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredStream {
    /// `data` or `index`, or `data.` and the file name of a dump.
    pub stream: String,
    /// Which database it holds, when it is a dump.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dump: Option<Dump>,
    /// How it is compressed.
    pub compression: Compression,
    /// Bytes before compression.
    pub raw_bytes: u64,
    /// Bytes in storage.
    pub stored_bytes: u64,
    /// SHA-256 of the whole stream as stored, lower-case hex.
    pub sha256: String,
    /// The age header and the 16 bytes of nonce behind it, base64, when the stream is sealed. The same bytes begin the stream.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub age_header: Option<String>,
    /// The objects that hold it, in order: one, or a series of volumes.
    pub objects: Vec<StoredObject>,
}

/// One object in storage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredObject {
    /// Its name below the record's folder.
    pub name: String,
    /// Its size in bytes.
    pub size: u64,
    /// SHA-256, lower-case hex.
    pub sha256: String,
}
