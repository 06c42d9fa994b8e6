//! Stores and observers for tests: memory that fails, hangs or loses answers on demand.

mod source;

pub(crate) use source::{MemorySource, Run, location};

use crate::{Destination, backup};
use async_trait::async_trait;
use backupx_core::domain::id::TargetId;
use backupx_core::domain::key::ObjectKey;
use backupx_core::domain::log::Level;
use backupx_core::domain::task::Compression;
use backupx_core::ports::objects::{Layout, ObjectInfo, ObjectStore, ObjectWriter};
use backupx_core::ports::observer::{Counters, Observer};
use backupx_core::ports::source::StopFlag;
use backupx_core::{Error, Result};
use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Semaphore;

/// A store in memory.
#[derive(Debug, Clone)]
pub(crate) struct MemoryStore(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    layout: Layout,
    objects: Mutex<BTreeMap<ObjectKey, Bytes>>,
    faults: Mutex<Faults>,
    /// Each written block takes one permit; closed, writing fails.
    gate: Semaphore,
}

/// What goes wrong, each the given number of times.
#[derive(Debug, Default, Clone)]
pub(crate) struct Faults {
    /// Creates that take effect and answer `Unavailable`.
    pub(crate) lost_answers: u32,
    /// Creates that take no effect and answer `Unavailable`.
    pub(crate) lost_creates: u32,
    /// Every create and every block answers this code as `Forbidden`.
    pub(crate) refused: bool,
    /// Every read answers `Unavailable`.
    pub(crate) unreadable: bool,
}

/// Volumes small enough for tests.
pub(crate) fn small_volumes() -> Layout {
    Layout::Volumes {
        volume_bytes: 100_000,
        parallel: 3,
    }
}

impl MemoryStore {
    pub(crate) fn new(layout: Layout) -> Self {
        Self::with(layout, Faults::default(), Semaphore::MAX_PERMITS)
    }

    pub(crate) fn faulty(layout: Layout, faults: Faults) -> Self {
        Self::with(layout, faults, Semaphore::MAX_PERMITS)
    }

    /// A store that takes nothing before [`MemoryStore::fail_hung`] makes it fail: what a store's own stall limit does.
    pub(crate) fn hung(layout: Layout) -> Self {
        Self::with(layout, Faults::default(), 0)
    }

    fn with(layout: Layout, faults: Faults, permits: usize) -> Self {
        Self(Arc::new(Inner {
            layout,
            objects: Mutex::default(),
            faults: Mutex::new(faults),
            gate: Semaphore::new(permits),
        }))
    }

    pub(crate) fn fail_hung(&self) {
        self.0.gate.close();
    }

    pub(crate) fn destination(&self, id: i64) -> Destination {
        Destination {
            target_id: TargetId(id),
            name: format!("target-{id}"),
            store: Arc::new(self.clone()),
        }
    }

    pub(crate) fn objects(&self) -> MutexGuard<'_, BTreeMap<ObjectKey, Bytes>> {
        lock(&self.0.objects)
    }

    pub(crate) fn faults(&self) -> MutexGuard<'_, Faults> {
        lock(&self.0.faults)
    }

    /// The names of all objects, without their folder.
    pub(crate) fn names(&self) -> Vec<String> {
        let objects = self.objects();
        objects
            .keys()
            .map(|key| key.file_name().to_owned())
            .collect()
    }

    /// The objects whose names begin with `prefix`, joined in order.
    pub(crate) fn joined(&self, prefix: &str) -> Vec<u8> {
        let objects = self.objects();
        let wanted = objects
            .iter()
            .filter(|(key, _)| key.file_name().starts_with(prefix));
        wanted
            .flat_map(|(_, bytes)| bytes.iter().copied())
            .collect()
    }

    async fn pass_gate(&self) -> Result<()> {
        if self.faults().refused {
            return Err(Error::forbidden("access_denied", "access denied"));
        }
        match self.0.gate.acquire().await {
            Ok(permit) => {
                drop(permit);
                Ok(())
            }
            Err(_) => Err(Error::unavailable("storage_stalled", "no progress")),
        }
    }

    fn put(&self, key: &ObjectKey, bytes: Bytes) -> Result<()> {
        let mut objects = self.objects();
        if objects.contains_key(key) {
            return Err(Error::conflict(
                "object_exists",
                format!("{key} exists already"),
            ));
        }
        objects.insert(key.clone(), bytes);
        Ok(())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn take(count: &mut u32) -> bool {
    let some = *count > 0;
    *count = count.saturating_sub(1);
    some
}

#[async_trait]
impl ObjectStore for MemoryStore {
    fn layout(&self) -> Layout {
        self.0.layout
    }

    async fn begin(&self, key: &ObjectKey) -> Result<Box<dyn ObjectWriter>> {
        Ok(Box::new(MemoryWriter {
            store: self.clone(),
            key: key.clone(),
            bytes: Vec::new(),
        }))
    }

    async fn create(&self, key: &ObjectKey, body: Vec<Bytes>) -> Result<()> {
        self.pass_gate().await?;
        let lost = || Error::unavailable("no_answer", "the answer was lost");
        if take(&mut self.faults().lost_creates) {
            return Err(lost());
        }
        self.put(key, body.concat().into())?;
        if take(&mut self.faults().lost_answers) {
            return Err(lost());
        }
        Ok(())
    }

    async fn stat(&self, key: &ObjectKey) -> Result<Option<ObjectInfo>> {
        if self.faults().unreadable {
            return Err(Error::unavailable("no_answer", "no answer"));
        }
        Ok(self.objects().get(key).map(|bytes| ObjectInfo {
            key: key.clone(),
            size: bytes.len() as u64,
            sha256: None,
        }))
    }

    async fn read(&self, key: &ObjectKey, range: Range<u64>) -> Result<Bytes> {
        if self.faults().unreadable {
            return Err(Error::unavailable("no_answer", "no answer"));
        }
        let objects = self.objects();
        let missing = || Error::not_found("object_not_found", format!("{key} is not there"));
        let bytes = objects.get(key).ok_or_else(missing)?;
        let short = || Error::invalid("object_too_short", format!("{key} is too short"));
        if range.end > bytes.len() as u64 {
            return Err(short());
        }
        let (start, end) = (usize::try_from(range.start), usize::try_from(range.end));
        match (start, end) {
            (Ok(start), Ok(end)) => Ok(bytes.slice(start..end)),
            _ => Err(short()),
        }
    }

    async fn list(&self, folder: &ObjectKey) -> Result<Vec<ObjectInfo>> {
        let objects = self.objects();
        let below = objects.iter().filter(|(key, _)| key.is_below(folder));
        Ok(below
            .map(|(key, bytes)| ObjectInfo {
                key: key.clone(),
                size: bytes.len() as u64,
                sha256: None,
            })
            .collect())
    }

    async fn folders(&self, folder: Option<&ObjectKey>) -> Result<Vec<ObjectKey>> {
        let before = folder.map_or_else(String::new, |folder| format!("{folder}/"));
        let objects = self.objects();
        let names: BTreeSet<_> = objects
            .keys()
            .filter_map(|key| key.as_str().strip_prefix(&before)?.split_once('/'))
            .map(|(name, _)| format!("{before}{name}"))
            .collect();
        names.iter().map(|name| ObjectKey::parse(name)).collect()
    }

    async fn remove(&self, key: &ObjectKey) -> Result<()> {
        self.objects().remove(key);
        Ok(())
    }

    async fn remove_all(&self, folder: &ObjectKey) -> Result<(u64, u64)> {
        let mut objects = self.objects();
        let before = objects.len() as u64;
        objects.retain(|key, _| !key.is_below(folder));
        Ok((before - objects.len() as u64, 0))
    }
}

struct MemoryWriter {
    store: MemoryStore,
    key: ObjectKey,
    bytes: Vec<u8>,
}

#[async_trait]
impl ObjectWriter for MemoryWriter {
    async fn write(&mut self, block: Bytes) -> Result<()> {
        self.store.pass_gate().await?;
        self.bytes.extend_from_slice(&block);
        Ok(())
    }

    async fn finish(self: Box<Self>) -> Result<()> {
        self.store.put(&self.key, self.bytes.into())
    }

    async fn abort(self: Box<Self>) -> Result<()> {
        Ok(())
    }
}

/// A store with the same backup laid down in each of these folders.
pub(crate) async fn laid_down(places: &[&str]) -> Result<MemoryStore> {
    let store = MemoryStore::new(small_volumes());
    backup(
        Run::new(Compression::Zstd).plan,
        MemorySource::of(&[300_000, 5]),
        vec![store.destination(1)],
        Arc::new(Watching::default()),
        StopFlag::default(),
    )
    .await?;
    let mut objects = store.objects();
    let whole: Vec<_> = std::mem::take(&mut *objects).into_iter().collect();
    for place in places {
        for (key, bytes) in &whole {
            let key = ObjectKey::parse(&format!("{place}/{}", key.file_name()))?;
            objects.insert(key, bytes.clone());
        }
    }
    drop(objects);
    Ok(store)
}

/// Counts, and keeps what is logged.
#[derive(Default)]
pub(crate) struct Watching {
    counters: Counters,
    pub(crate) lines: Mutex<Vec<(Level, String)>>,
}

impl Observer for Watching {
    fn counters(&self) -> &Counters {
        &self.counters
    }

    fn log(&self, level: Level, message: String) {
        lock(&self.lines).push((level, message));
    }
}

/// Bytes that compress a little, the same for the same seed.
pub(crate) fn bytes(length: usize, seed: u64) -> Vec<u8> {
    let mut state = seed | 1;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes()[..4]);
        bytes.extend_from_slice(&[0, 7, 0, 7]);
    }
    bytes.truncate(length);
    bytes
}
