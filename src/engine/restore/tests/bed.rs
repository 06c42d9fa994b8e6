//! What the tests of restores share: packed trees in memory, and trees on disk as comparable values.

use crate::archive::pack;
use crate::restore::run::{Failed, Restoration};
use crate::restore::{RestorePlan, stopped};
use crate::stream::RawStream;
use backupx_core::domain::entry::{Entry, EntryKind};
use backupx_core::domain::id::{NodeId, RecordId, TaskId};
use backupx_core::domain::key::ObjectKey;
use backupx_core::domain::log::Level;
use backupx_core::domain::manifest::{Manifest, ManifestNode, ManifestTask};
use backupx_core::domain::operation::{Overwrite, RestoreSpec};
use backupx_core::domain::report::{Counts, RestoreReport};
use backupx_core::domain::source::SourceSpec;
use backupx_core::ports::observer::{Counters, Observer};
use backupx_core::ports::source::{EntrySink, EntrySource, SourceOpener, StopFlag};
use backupx_core::{Error, Result};
use std::collections::BTreeMap;
use std::io::{Cursor, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

/// Keeps warnings.
#[derive(Default)]
pub(super) struct Listener {
    counters: Counters,
    pub(super) lines: Mutex<Vec<String>>,
}

impl Observer for Listener {
    fn counters(&self) -> &Counters {
        &self.counters
    }

    fn log(&self, _level: Level, message: String) {
        self.lines.lock().expect("no panic before").push(message);
    }
}

/// Raw bytes in memory. Reading stops with an error at `broken_at`.
#[derive(Default)]
pub(super) struct Raw {
    pub(super) bytes: Vec<u8>,
    pub(super) broken_at: Option<u64>,
    read: Arc<AtomicU64>,
}

impl Raw {
    pub(super) fn new(bytes: Vec<u8>) -> Self {
        Self {
            bytes,
            ..Self::default()
        }
    }
}

impl RawStream for Raw {
    fn raw_len(&self) -> u64 {
        self.bytes.len() as u64
    }

    fn open_at(&self, raw_offset: u64) -> Result<Box<dyn Read + Send>> {
        let start = usize::try_from(raw_offset).expect("fits");
        let end = self.broken_at.map_or(self.bytes.len(), |at| {
            usize::try_from(at).expect("fits").max(start)
        });
        let reader = CountingReader {
            inner: Cursor::new(self.bytes[start..end].to_vec()),
            is_broken: self.broken_at.is_some(),
            read: Arc::clone(&self.read),
        };
        Ok(Box::new(reader))
    }

    fn stored_bytes_read(&self) -> u64 {
        self.read.load(Ordering::Relaxed)
    }
}

struct CountingReader {
    inner: Cursor<Vec<u8>>,
    is_broken: bool,
    read: Arc<AtomicU64>,
}

impl Read for CountingReader {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.read.fetch_add(count as u64, Ordering::Relaxed);
        if count == 0 && self.is_broken && !buffer.is_empty() {
            let error = Error::unavailable("storage_down", "the storage went away");
            return Err(std::io::Error::other(error));
        }
        Ok(count)
    }
}

/// A backup in memory.
pub(super) struct Backup {
    pub(super) manifest: Manifest,
    pub(super) index: Raw,
    pub(super) data: Raw,
}

impl Backup {
    /// A backup of the trees at `paths`.
    pub(super) fn of(paths: &[&Path]) -> Self {
        let paths: Vec<String> = paths
            .iter()
            .map(|path| path.display().to_string())
            .collect();
        let spec = SourceSpec::File {
            paths: paths.clone(),
            excludes: Vec::new(),
            one_file_system: false,
            skip_cache_dirs: false,
        };
        let source = backupx_sources::Files::new(2)
            .open(&spec)
            .expect("a source");
        Self::from_source(source, spec)
    }

    /// A backup of made-up entries with their contents.
    pub(super) fn made_up(entries: Vec<(Entry, Vec<u8>)>) -> Self {
        let spec = SourceSpec::File {
            paths: vec!["/".to_owned()],
            excludes: Vec::new(),
            one_file_system: false,
            skip_cache_dirs: false,
        };
        Self::from_source(Box::new(MadeUp(entries)), spec)
    }

    fn from_source(source: Box<dyn EntrySource>, spec: SourceSpec) -> Self {
        let (mut data, mut index) = (Vec::new(), Vec::new());
        let listener = Listener::default();
        let packed = pack(
            source,
            None,
            &mut data,
            &mut index,
            &listener,
            &StopFlag::default(),
        );
        let packed = packed.expect("packed");
        Self {
            manifest: manifest(packed.counts, spec),
            index: Raw::new(index),
            data: Raw::new(data),
        }
    }

    /// Restores everything into `to`.
    pub(super) fn restore_all(&self, to: &Path) -> Result<RestoreReport> {
        self.restore(spec(to, &[]))
    }

    /// Restores as `spec` says.
    pub(super) fn restore(&self, spec: RestoreSpec) -> Result<RestoreReport> {
        restore_from(&[self], spec)
    }

    /// Offset of the entry at `path`.
    pub(super) fn offset_of(&self, path: &str) -> u64 {
        crate::archive::IndexReader::new(&self.index.bytes[..])
            .map(|entry| entry.expect("a good line"))
            .find(|entry| entry.path == path.as_bytes())
            .expect("it is in the index")
            .offset
    }
}

/// Restores from the first backup, from the others where it fails: what [`crate::restore::restore`] does with its sources.
pub(super) fn restore_from(backups: &[&Backup], spec: RestoreSpec) -> Result<RestoreReport> {
    let plan = RestorePlan {
        location: ObjectKey::parse("task/1").expect("a key"),
        keys: Vec::new(),
        spec,
    };
    let observer = Arc::new(Listener::default());
    let mut restoration = Restoration::new(Arc::new(plan), observer, StopFlag::default())?;
    let mut last = stopped();
    for backup in backups {
        match restoration.go(&backup.manifest, &backup.index, &backup.data) {
            Ok(()) => {
                restoration.add_stored_bytes(
                    backup.data.stored_bytes_read() + backup.index.stored_bytes_read(),
                );
                return restoration.finish();
            }
            Err(Failed::Writing(error)) => return Err(error),
            Err(Failed::Reading(error)) => last = error,
        }
    }
    Err(last)
}

pub(super) fn spec(to: &Path, include: &[&str]) -> RestoreSpec {
    RestoreSpec {
        database: None,
        to: Some(to.display().to_string()),
        include: include.iter().map(|&text| text.to_owned()).collect(),
        overwrite: Overwrite::IfChanged,
        dry_run: false,
    }
}

fn manifest(counts: Counts, source: SourceSpec) -> Manifest {
    Manifest {
        format_version: Manifest::FORMAT_VERSION,
        product_version: "0".to_owned(),
        record_id: RecordId(1),
        location: ObjectKey::parse("task/1").expect("a key"),
        created_at: Default::default(),
        task: ManifestTask {
            id: TaskId(1),
            name: "task".to_owned(),
            source,
        },
        node: ManifestNode {
            id: NodeId(0),
            name: "local".to_owned(),
            hostname: "here".to_owned(),
        },
        counts,
        warnings: Vec::new(),
        recipients: Vec::new(),
        tools: Default::default(),
        row_counts: Vec::new(),
        streams: Vec::new(),
    }
}

struct MadeUp(Vec<(Entry, Vec<u8>)>);

impl EntrySource for MadeUp {
    fn read(self: Box<Self>, sink: &mut dyn EntrySink, _stop: &StopFlag) -> Result<Counts> {
        let mut counts = Counts::default();
        for (entry, content) in self.0 {
            sink.entry(&entry, &mut &content[..])?;
            counts.entries += 1;
            counts.bytes += entry.size;
        }
        Ok(counts)
    }
}

/// A made-up entry that belongs to who runs the test.
pub(super) fn entry(path: &str, kind: EntryKind) -> Entry {
    Entry {
        path: path.as_bytes().to_vec(),
        kind,
        mode: if kind == EntryKind::Dir { 0o755 } else { 0o644 },
        uid: rustix::process::geteuid().as_raw(),
        gid: rustix::process::getegid().as_raw(),
        user: None,
        group: None,
        mtime: (1_000_000_000, 7),
        size: 0,
        xattrs: Vec::new(),
        link: None,
        device: None,
        segments: None,
    }
}

pub(super) fn file(path: &str, content: &str) -> (Entry, Vec<u8>) {
    let mut entry = entry(path, EntryKind::File);
    entry.size = content.len() as u64;
    (entry, content.as_bytes().to_vec())
}

pub(super) fn dir(path: &str) -> (Entry, Vec<u8>) {
    (entry(path, EntryKind::Dir), Vec::new())
}

pub(super) fn link(path: &str, kind: EntryKind, target: &str) -> (Entry, Vec<u8>) {
    let mut entry = entry(path, kind);
    entry.link = Some(target.as_bytes().to_vec());
    (entry, Vec::new())
}

/// Everything about one thing on disk that a restore has to bring back.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Seen {
    kind: &'static str,
    mode: u32,
    owner: (u32, u32),
    mtime: (i64, i64),
    rdev: u64,
    content: Vec<u8>,
    has_holes: bool,
    xattrs: Vec<(Vec<u8>, Vec<u8>)>,
    /// Number among the files with several names, by first appearance.
    links: Option<u64>,
}

/// The tree below `root`, by path.
pub(super) fn tree(root: &Path) -> BTreeMap<Vec<u8>, Seen> {
    let mut all = BTreeMap::new();
    let mut inodes = BTreeMap::new();
    look(root, root, &mut all, &mut inodes);
    all
}

fn look(
    root: &Path,
    at: &Path,
    all: &mut BTreeMap<Vec<u8>, Seen>,
    inodes: &mut BTreeMap<u64, u64>,
) {
    let meta = std::fs::symlink_metadata(at).expect("it is there");
    let kind = meta.file_type();
    let (name, content) = if kind.is_dir() {
        ("dir", Vec::new())
    } else if kind.is_symlink() {
        let target = std::fs::read_link(at).expect("a link");
        ("symlink", target.as_os_str().as_bytes().to_vec())
    } else if kind.is_file() {
        ("file", std::fs::read(at).expect("readable"))
    } else if kind.is_fifo() {
        ("fifo", Vec::new())
    } else if kind.is_socket() {
        return;
    } else {
        ("device", Vec::new())
    };
    let mut xattrs: Vec<_> = xattr::list(at)
        .expect("attributes")
        .map(|name| {
            let value = xattr::get(at, &name).expect("readable").unwrap_or_default();
            (name.as_bytes().to_vec(), value)
        })
        .collect();
    xattrs.sort();
    let links = (meta.nlink() > 1 && !kind.is_dir()).then(|| {
        let next = inodes.len() as u64;
        *inodes.entry(meta.ino()).or_insert(next)
    });
    let path = at.strip_prefix(root).expect("below").as_os_str();
    all.insert(
        path.as_bytes().to_vec(),
        Seen {
            kind: name,
            mode: meta.mode(),
            owner: (meta.uid(), meta.gid()),
            mtime: (meta.mtime(), meta.mtime_nsec()),
            rdev: meta.rdev(),
            has_holes: kind.is_file() && meta.blocks() * 512 < meta.len(),
            content,
            xattrs,
            links,
        },
    );
    if kind.is_dir() {
        let mut names: Vec<_> = std::fs::read_dir(at)
            .expect("a folder")
            .map(|entry| entry.expect("an entry").path())
            .collect();
        names.sort();
        for name in names {
            look(root, &name, all, inodes);
        }
    }
}
