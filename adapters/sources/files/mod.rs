//! A file tree as a source: one thread walks, some look at things and read small files ahead, and the caller's thread takes
//! everything in order.
//!
//! Batches of names go to the workers over one channel and to the taker over another, each with a place for its result, so
//! that the order of the walk is the order of the archive whoever is faster. Memory is bounded by the number of batches
//! that may be under way and by the bytes that each may read ahead.

mod attributes;
mod content;
mod dir;
mod examine;
mod exclude;
mod holes;
mod list;
mod measure;
mod owners;
mod roots;
#[cfg(test)]
mod tests;

use backupx_core::domain::entry::{EntryKind, display_bytes};
use backupx_core::domain::report::Counts;
use backupx_core::ports::source::{EntrySink, EntrySource, Extent, StopFlag};
use backupx_core::{Error, ErrorKind, Result};
use content::{Content, Fate};
use crossbeam_channel::{Receiver, Sender, bounded};
use examine::{Examined, Examiner, Found};
use list::{Item, Problem, Rules, Walk};
use std::collections::HashMap;
use std::io::Read;
use std::sync::Arc;

/// Names in one batch at most.
const BATCH_ITEMS: usize = 32;
/// Folders that one batch keeps open at most.
const BATCH_FOLDERS: usize = 12;
/// Batches between the walk and the taker.
const BATCHES_AHEAD: usize = 16;

/// The trees at some paths of this host.
#[derive(Debug)]
pub struct FileSource {
    roots: Vec<Vec<u8>>,
    rules: Rules,
    cores: usize,
}

impl FileSource {
    /// The trees at `paths` (absolute) without what `excludes` (gitignore syntax) match.
    pub fn new(paths: &[String], excludes: &[String]) -> Result<Self> {
        let roots = roots::normalize(paths)?;
        let excludes = exclude::Excludes::new(&roots, excludes)?;
        Ok(Self {
            roots,
            rules: Rules {
                excludes,
                one_file_system: false,
                skip_cache_dirs: true,
            },
            cores: std::thread::available_parallelism().map_or(1, usize::from),
        })
    }

    /// Whether to stay on the file systems that the paths themselves are on.
    #[must_use]
    pub fn one_file_system(mut self, stay: bool) -> Self {
        self.rules.one_file_system = stay;
        self
    }

    /// Whether to leave out what is below a folder with a valid `CACHEDIR.TAG`. The folder and the tag are kept.
    #[must_use]
    pub fn skip_cache_dirs(mut self, skip: bool) -> Self {
        self.rules.skip_cache_dirs = skip;
        self
    }

    /// How many threads read ahead.
    #[must_use]
    pub fn cores(mut self, cores: usize) -> Self {
        self.cores = cores;
        self
    }
}

/// A batch on its way to a worker, and where its result goes.
type Assignment = (Vec<Item>, Sender<Batch>);

/// Looked-at things in order, with the content that was read ahead.
struct Batch {
    items: Vec<Examined>,
    ahead: Vec<u8>,
}

impl EntrySource for FileSource {
    fn measure(&self, stop: &StopFlag) -> Result<Option<Extent>> {
        measure::measure(&self.roots, &self.rules, stop).map(Some)
    }

    fn read(self: Box<Self>, sink: &mut dyn EntrySink, stop: &StopFlag) -> Result<Counts> {
        for root in &self.roots {
            roots::check(root)?;
        }
        let (to_workers, for_workers) = bounded::<Assignment>(BATCHES_AHEAD);
        let (to_taker, for_taker) = bounded::<Receiver<Batch>>(BATCHES_AHEAD);
        let (give_back, spare) = bounded::<Vec<u8>>(BATCHES_AHEAD);
        std::thread::scope(|scope| {
            let Self { roots, rules, .. } = &*self;
            let walk = scope.spawn(move || walk(roots, rules, stop, to_workers, to_taker));
            for _ in 0..self.cores.clamp(1, 8) {
                let (for_workers, spare) = (for_workers.clone(), spare.clone());
                scope.spawn(move || work(&for_workers, &spare));
            }
            // The workers hold the rest; when they and the walk are gone, the channels close.
            drop((for_workers, spare));
            let mut taker = Taker::new(sink, stop);
            let taken = taker.take_all(&for_taker, &give_back);
            drop(for_taker);
            let walked = walk
                .join()
                .unwrap_or_else(|_| Err(Error::internal("the walk of a file tree broke off")));
            match (taken, walked) {
                (Err(error), _) => Err(error),
                (Ok(()), Err(error)) => Err(error),
                (Ok(()), Ok(())) => Ok(taker.counts),
            }
        })
    }
}

/// What a run that was asked to stop ends with.
fn stopped() -> Error {
    Error::new(ErrorKind::Conflict, "cancelled", "the run was stopped")
}

fn walk(
    roots: &[Vec<u8>],
    rules: &Rules,
    stop: &StopFlag,
    to_workers: Sender<Assignment>,
    to_taker: Sender<Receiver<Batch>>,
) -> Result<()> {
    let mut batch: Vec<Item> = Vec::with_capacity(BATCH_ITEMS);
    let mut folders = 0;
    let mut last_folder = std::ptr::null();
    let send = |batch: &mut Vec<Item>| -> Result<()> {
        let (result, place) = bounded(1);
        let batch = std::mem::replace(batch, Vec::with_capacity(BATCH_ITEMS));
        // Both fail only when the taker has given up, which then says why.
        to_taker.send(place).map_err(|_| stopped())?;
        to_workers.send((batch, result)).map_err(|_| stopped())
    };
    let mut walk = Walk::new(rules, stop, |item| {
        if let Item::Node(node) = &item
            && !std::ptr::eq(last_folder, Arc::as_ptr(&node.dir))
        {
            last_folder = Arc::as_ptr(&node.dir);
            folders += 1;
        }
        batch.push(item);
        if batch.len() >= BATCH_ITEMS || folders >= BATCH_FOLDERS {
            folders = 0;
            send(&mut batch)?;
        }
        Ok(())
    });
    for root in roots {
        walk.root(root)?;
    }
    drop(walk);
    if batch.is_empty() {
        return Ok(());
    }
    send(&mut batch)
}

fn work(assignments: &Receiver<Assignment>, spare: &Receiver<Vec<u8>>) {
    let mut examiner = Examiner::default();
    for (items, result) in assignments {
        let mut ahead = spare.try_recv().unwrap_or_default();
        let items = items
            .into_iter()
            .map(|item| examiner.examine(item, &mut ahead))
            .collect();
        examiner.rest();
        // Fails only when the taker has given up.
        let _taken = result.send(Batch { items, ahead });
    }
}

/// Gives everything to the sink in order, and counts.
struct Taker<'a> {
    sink: &'a mut dyn EntrySink,
    stop: &'a StopFlag,
    examiner: Examiner,
    counts: Counts,
    /// Archive path of the first name of each file that has further ones still to come, and how many those are.
    first_names: HashMap<(u64, u64), (Vec<u8>, u64)>,
}

impl<'a> Taker<'a> {
    fn new(sink: &'a mut dyn EntrySink, stop: &'a StopFlag) -> Self {
        Self {
            sink,
            stop,
            examiner: Examiner::default(),
            counts: Counts::default(),
            first_names: HashMap::new(),
        }
    }

    fn take_all(
        &mut self,
        batches: &Receiver<Receiver<Batch>>,
        give_back: &Sender<Vec<u8>>,
    ) -> Result<()> {
        for batch in batches {
            let Ok(Batch { items, mut ahead }) = batch.recv() else {
                return Err(Error::internal("a thread that reads files broke off"));
            };
            for item in items {
                self.take(item, &ahead)?;
            }
            self.examiner.rest();
            ahead.clear();
            // When enough are kept, this one is let go.
            let _kept = give_back.try_send(ahead);
            if self.stop.is_stopped() {
                return Err(stopped());
            }
        }
        Ok(())
    }

    fn take(&mut self, item: Examined, ahead: &[u8]) -> Result<()> {
        match item {
            Examined::Problem(problem) => self.problem(problem),
            Examined::Found(mut found) => {
                let content = found.content.clone();
                let resized = found.resized;
                if self.entry(&mut found, &mut &ahead[content])? && resized {
                    self.resized(&found);
                }
            }
            Examined::Later(node) => match self.examiner.open(&node, self.stop) {
                Ok((mut found, Some(mut content))) => {
                    if self.entry(&mut found, &mut content)? {
                        self.judge(&found, &content);
                    }
                }
                Ok((mut found, None)) => {
                    self.entry(&mut found, &mut std::io::empty())?;
                }
                Err(problem) => self.problem(problem),
            },
        }
        Ok(())
    }

    /// Gives one entry to the sink; answers whether its content went along, which a further name of a file does not have.
    fn entry(&mut self, found: &mut Found, content: &mut dyn Read) -> Result<bool> {
        if let Some(notice) = found.notice.take() {
            self.warn(notice);
        }
        let is_further_name = self.link(found);
        let entry = &found.entry;
        self.sink.entry(entry, content)?;
        self.counts.entries += 1;
        match entry.kind {
            EntryKind::File => self.counts.files += 1,
            EntryKind::Dir => self.counts.dirs += 1,
            EntryKind::Symlink
            | EntryKind::Hardlink
            | EntryKind::CharDevice
            | EntryKind::BlockDevice
            | EntryKind::Fifo => {}
        }
        self.counts.bytes += entry.size;
        Ok(!is_further_name)
    }

    /// Makes the entry a hard link when its file came by before under another name.
    fn link(&mut self, found: &mut Found) -> bool {
        let Some((device, inode, names)) = found.names else {
            return false;
        };
        let key = (device, inode);
        let Some((first, left)) = self.first_names.get_mut(&key) else {
            self.first_names
                .insert(key, (found.entry.path.clone(), names - 1));
            return false;
        };
        let entry = &mut found.entry;
        entry.kind = EntryKind::Hardlink;
        entry.link = Some(first.clone());
        entry.size = 0;
        entry.xattrs.clear();
        entry.device = None;
        entry.segments = None;
        *left -= 1;
        if *left == 0 {
            self.first_names.remove(&key);
        }
        true
    }

    fn judge(&mut self, found: &Found, content: &Content<'_>) {
        match content.fate() {
            Fate::Whole => {}
            Fate::Resized => self.resized(found),
            Fate::Broken(offset, error) => self.problem(Problem::Unreadable(format!(
                "{} can't be read from byte {offset} on ({}); zeros stand for the rest",
                found.entry.display_path(),
                std::io::Error::from(error)
            ))),
        }
    }

    fn resized(&mut self, found: &Found) {
        self.counts.changed += 1;
        self.warn(format!(
            "{} changed its size while it was read; it is kept with the {} bytes that it had first",
            display_bytes(&found.entry.path),
            found.entry.size
        ));
    }

    fn problem(&mut self, problem: Problem) {
        match problem {
            Problem::Unreadable(text) => {
                self.counts.unreadable += 1;
                self.warn(text);
            }
            Problem::Vanished(text) => {
                self.counts.vanished += 1;
                self.warn(text);
            }
            Problem::Skipped(text) => {
                self.counts.skipped += 1;
                tracing::debug!("left out: {text}");
            }
            Problem::Notice(text) => self.warn(text),
        }
    }

    fn warn(&mut self, message: String) {
        self.counts.warnings += 1;
        self.sink.warn(message);
    }
}
