//! A source of files that are not on any disk, and the plan of a run over it.

use super::bytes;
use crate::{AgeKeys, BackupPlan};
use backupx_core::domain::access::StreamKey;
use backupx_core::domain::entry::{Entry, EntryKind};
use backupx_core::domain::id::{NodeId, RecordId, TaskId};
use backupx_core::domain::key::ObjectKey;
use backupx_core::domain::manifest::StoredStream;
use backupx_core::domain::report::Counts;
use backupx_core::domain::task::Compression;
use backupx_core::domain::work::BackupWork;
use backupx_core::ports::keys::{KeyPair, SealKeys};
use backupx_core::ports::source::{EntrySink, EntrySource, StopFlag};
use backupx_core::{Error, Result};
use serde_json::json;
use tokio::sync::mpsc;

/// Gives a folder and files of given sizes.
#[derive(Default)]
pub(crate) struct MemorySource {
    pub(crate) sizes: Vec<usize>,
    /// Files that are said to be unreadable.
    pub(crate) unreadable: u64,
    /// Fails behind the last file.
    pub(crate) fails: bool,
    /// Tells behind each file that it was taken.
    pub(crate) told: Option<mpsc::UnboundedSender<usize>>,
}

impl MemorySource {
    pub(crate) fn of(sizes: &[usize]) -> Box<Self> {
        Box::new(Self {
            sizes: sizes.to_vec(),
            ..Self::default()
        })
    }
}

fn entry(path: &str, kind: EntryKind, size: usize) -> Entry {
    Entry {
        path: path.as_bytes().to_vec(),
        kind,
        mode: 0o644,
        uid: 0,
        gid: 0,
        user: None,
        group: None,
        mtime: (1_700_000_000, 5),
        size: size as u64,
        xattrs: Vec::new(),
        link: None,
        device: None,
        segments: None,
    }
}

impl EntrySource for MemorySource {
    fn read(self: Box<Self>, sink: &mut dyn EntrySink, stop: &StopFlag) -> Result<Counts> {
        let mut counts = Counts {
            unreadable: self.unreadable,
            ..Counts::default()
        };
        let mut none: &[u8] = &[];
        sink.entry(&entry("home/a", EntryKind::Dir, 0), &mut none)?;
        counts.entries += 1;
        counts.dirs += 1;
        for (index, size) in self.sizes.iter().enumerate() {
            if stop.is_stopped() {
                return Err(Error::conflict("cancelled", "stopped"));
            }
            let content = bytes(*size, index as u64);
            let file = entry(&format!("home/a/file-{index:03}"), EntryKind::File, *size);
            sink.entry(&file, &mut content.as_slice())?;
            counts.entries += 1;
            counts.files += 1;
            counts.bytes += *size as u64;
            if let Some(told) = &self.told {
                // A test that looked away wants to hear no more.
                let _ = told.send(index);
            }
        }
        for _ in 0..self.unreadable {
            sink.warn("home/a/secret can't be read".to_owned());
        }
        if self.fails {
            return Err(Error::not_found("source_missing", "/home/b is not there"));
        }
        Ok(counts)
    }
}

/// A plan and the key that opens what comes of it.
pub(crate) struct Run {
    pub(crate) plan: BackupPlan,
    pub(crate) pair: KeyPair,
}

impl Run {
    pub(crate) fn new(compression: Compression) -> Self {
        let pair = AgeKeys.generate();
        let task = json!({
            "name": "etc",
            "source": {"type": "file", "paths": ["/home/a"]},
            "targetIds": [1],
            "compression": compression,
            "maxUnreadable": 3,
        });
        let plan = BackupPlan {
            work: BackupWork {
                secrets: Default::default(),
                record_id: RecordId(7),
                task_id: TaskId(1),
                previous_run: None,
                task: serde_json::from_value(task).expect("a valid task"),
                location: location(),
                created_at: chrono::DateTime::UNIX_EPOCH,
                node_id: NodeId(0),
                node_name: "node".to_owned(),
                targets: Vec::new(),
                recipients: vec![pair.recipient.clone()],
            },
            hostname: "host".to_owned(),
            cores: 2,
        };
        Self { plan, pair }
    }

    /// The keys of the streams of a run.
    pub(crate) fn keys(&self, streams: &[StoredStream]) -> Vec<StreamKey> {
        let unwrap = |stream: &StoredStream| {
            let header = stream.age_header.as_deref().expect("it is sealed");
            AgeKeys
                .unwrap(&self.pair.identity, &stream.stream, header)
                .expect("it opens")
        };
        streams.iter().map(unwrap).collect()
    }
}

/// Where the runs of tests lie.
pub(crate) fn location() -> ObjectKey {
    ObjectKey::parse("etc/1970/01/7-19700101T000000Z").expect("a valid key")
}
