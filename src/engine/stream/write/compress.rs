//! The compressors: a pool of threads that turn raw frames into compressed ones, shared by the streams of one run.

use crate::stream::threads::spawn;
use backupx_core::domain::task::Compression;
use backupx_core::{Error, Result};
use crossbeam_channel::{Receiver, Sender, bounded};
use flate2::write::GzEncoder;
use std::io::Write;
use zstd::zstd_safe::{CParameter, compress_bound};

/// Entries come sorted by path, so that alike files stand together: level 2 stores then what level 3 makes of an unsorted tree
/// (see docs/performance.md), in two thirds of the time.
const ZSTD_LEVEL: i32 = 2;
const GZIP_LEVEL: u32 = 6;

/// A frame ready to be stored.
pub(super) struct Frame {
    /// Its compressed bytes.
    pub(super) bytes: Vec<u8>,
    /// Its raw bytes in number.
    pub(super) raw_len: usize,
}

/// A raw frame on its way to a thread of the pool.
pub(super) struct Job {
    pub(super) raw: Vec<u8>,
    pub(super) compression: Compression,
    pub(super) reply: Sender<Result<Frame>>,
    /// Where the raw buffer goes when it is empty again.
    pub(super) spent: Sender<Vec<u8>>,
}

/// A pool of compressing threads. They end when the pool and all its writers are gone.
#[derive(Clone)]
pub(crate) struct Compressors {
    jobs: Sender<Job>,
    threads: usize,
}

impl Compressors {
    /// A pool of `cores` threads.
    pub(crate) fn start(cores: usize) -> Result<Self> {
        let threads = cores.max(1);
        let (jobs, queue) = bounded(threads * 2);
        for number in 1..=threads {
            let queue = queue.clone();
            spawn(format!("compress-{number}"), move || work(&queue))?;
        }
        Ok(Self { jobs, threads })
    }

    /// How many frames may be under way so that all threads have work while the next stage is busy.
    pub(super) fn in_flight(&self) -> usize {
        self.threads * 3 + 3
    }

    /// Hands a job to the pool; blocks while all threads are busy. False when the pool is gone.
    pub(super) fn send(&self, job: Job) -> bool {
        self.jobs.send(job).is_ok()
    }
}

fn work(queue: &Receiver<Job>) {
    let mut zstd = None;
    for job in queue {
        let raw_len = job.raw.len();
        let frame = match job.compression {
            Compression::Zstd => zstd_frame(&mut zstd, &job.raw),
            Compression::Gzip => gzip_member(&job.raw),
            Compression::None => Ok(job.raw.clone()),
        };
        // A run that was given up wants neither the frame nor its buffer back.
        let _ = job.reply.send(frame.map(|bytes| Frame { bytes, raw_len }));
        let _ = job.spent.try_send(job.raw);
    }
}

fn zstd_frame(
    context: &mut Option<zstd::bulk::Compressor<'static>>,
    raw: &[u8],
) -> Result<Vec<u8>> {
    let failed = |error| Error::internal("zstd failed to compress a frame").with_source(error);
    let compressor = match context {
        Some(compressor) => compressor,
        None => {
            let mut fresh = zstd::bulk::Compressor::new(ZSTD_LEVEL).map_err(failed)?;
            fresh
                .set_parameter(CParameter::ChecksumFlag(true))
                .map_err(failed)?;
            context.insert(fresh)
        }
    };
    let mut bytes = Vec::with_capacity(compress_bound(raw.len()));
    compressor
        .compress_to_buffer(raw, &mut bytes)
        .map_err(failed)?;
    Ok(bytes)
}

fn gzip_member(raw: &[u8]) -> Result<Vec<u8>> {
    let mut member = GzEncoder::new(
        Vec::with_capacity(raw.len() / 2),
        flate2::Compression::new(GZIP_LEVEL),
    );
    member
        .write_all(raw)
        .and_then(|()| member.finish())
        .map_err(|error| Error::internal("gzip failed to compress a frame").with_source(error))
}
