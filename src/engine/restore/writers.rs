//! Threads that write small files while the archive is read on.

use super::folder::Folder;
use super::place::{Blocks, Manner, Placed};
use super::tally::{Tally, Trouble};
use backupx_core::domain::entry::Entry;
use crossbeam_channel::{Receiver, Sender, bounded};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::Scope;

/// Bytes of content of a file that is written by another thread.
pub(super) const SMALL_FILE: u64 = 128 << 10;
const BATCH_FILES: usize = 16;
const BATCH_BYTES: usize = 256 << 10;
const BATCHES_AHEAD: usize = 8;

/// A file with its content and the folder that it goes to.
pub(super) struct Job {
    pub(super) folder: Arc<Folder>,
    pub(super) name: Vec<u8>,
    pub(super) entry: Entry,
    pub(super) content: Vec<u8>,
}

/// The way to the threads.
pub(super) struct Writers {
    to_threads: Sender<Vec<Job>>,
    spare: Receiver<Vec<u8>>,
    pending: Arc<Pending>,
    batch: Vec<Job>,
    batch_bytes: usize,
}

impl Writers {
    /// Starts `count` threads, which end when this is dropped.
    pub(super) fn start<'scope>(
        scope: &'scope Scope<'scope, '_>,
        count: usize,
        manner: Manner,
        tally: &Arc<Tally>,
    ) -> Self {
        let (to_threads, jobs) = bounded::<Vec<Job>>(BATCHES_AHEAD);
        let (give_back, spare) = bounded(BATCHES_AHEAD * BATCH_FILES);
        let pending = Arc::new(Pending::default());
        for _ in 0..count {
            let (jobs, give_back) = (jobs.clone(), give_back.clone());
            let (tally, pending) = (Arc::clone(tally), Arc::clone(&pending));
            scope.spawn(move || {
                for batch in jobs {
                    let _done = Done(&pending);
                    write_all(batch, manner, &tally, &give_back);
                }
            });
        }
        Self {
            to_threads,
            spare,
            pending,
            batch: Vec::with_capacity(BATCH_FILES),
            batch_bytes: 0,
        }
    }

    /// An empty buffer for content.
    pub(super) fn buffer(&self) -> Vec<u8> {
        self.spare.try_recv().unwrap_or_default()
    }

    /// Hands over a file.
    pub(super) fn push(&mut self, job: Job) {
        self.batch_bytes += job.content.len();
        self.batch.push(job);
        if self.batch.len() >= BATCH_FILES || self.batch_bytes >= BATCH_BYTES {
            self.flush();
        }
    }

    /// Waits until everything that was handed over is written.
    pub(super) fn settle(&mut self) {
        self.flush();
        self.pending.wait();
    }

    fn flush(&mut self) {
        if self.batch.is_empty() {
            return;
        }
        self.batch_bytes = 0;
        let batch = std::mem::replace(&mut self.batch, Vec::with_capacity(BATCH_FILES));
        self.pending.add();
        if self.to_threads.send(batch).is_err() {
            self.pending.remove();
        }
    }
}

impl Drop for Writers {
    fn drop(&mut self) {
        self.flush();
    }
}

fn write_all(batch: Vec<Job>, manner: Manner, tally: &Tally, give_back: &Sender<Vec<u8>>) {
    for job in batch {
        let Job {
            folder,
            name,
            entry,
            mut content,
        } = job;
        if tally.is_over() {
            return;
        }
        let mut blocks = Whole(&content);
        match manner.file(&folder, &name, &entry, &mut blocks, tally) {
            Ok(placed) => tally.placed(placed == Placed::Written, entry.size),
            Err(trouble) => tally.miss(trouble),
        }
        content.clear();
        // When enough are kept, this one is let go.
        let _kept = give_back.try_send(content);
    }
}

/// Content that is in memory.
struct Whole<'a>(&'a [u8]);

impl Blocks for Whole<'_> {
    fn next_up_to(&mut self, most: u64) -> Result<&[u8], Trouble> {
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let (block, rest) = self.0.split_at(most.min(self.0.len()));
        self.0 = rest;
        Ok(block)
    }
}

/// How many batches are under way.
#[derive(Debug, Default)]
struct Pending {
    count: Mutex<usize>,
    none: Condvar,
}

impl Pending {
    fn add(&self) {
        *self.count.lock().unwrap_or_else(PoisonError::into_inner) += 1;
    }

    fn remove(&self) {
        let mut count = self.count.lock().unwrap_or_else(PoisonError::into_inner);
        *count -= 1;
        if *count == 0 {
            self.none.notify_all();
        }
    }

    fn wait(&self) {
        let count = self.count.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.none.wait_while(count, |count| *count > 0));
    }
}

/// Counts a batch as done however its thread leaves it.
struct Done<'a>(&'a Pending);

impl Drop for Done<'_> {
    fn drop(&mut self) {
        self.0.remove();
    }
}
