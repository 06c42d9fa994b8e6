//! Decoding frames: opened and decompressed, on the reader's own thread or on a pool.

use super::damaged;
use super::opened::Frames;
use super::plain::Region;
use crate::stream::threads::spawn;
use backupx_core::domain::task::Compression;
use backupx_core::{Error, Result};
use crossbeam_channel::{Receiver, Sender, unbounded};
use std::sync::Arc;

/// More threads than this find nothing to do beside a disk or a network.
const MOST_THREADS: usize = 8;

/// Decodes frames one after the other.
#[derive(Default)]
pub(super) struct Decoder {
    zstd: Option<zstd::bulk::Decompressor<'static>>,
}

impl Decoder {
    /// The raw bytes of frame `index` out of a region that holds it, in `raw`.
    pub(super) fn decode(
        &mut self,
        frames: &Frames,
        region: &Region,
        index: usize,
        raw: &mut Vec<u8>,
    ) -> Result<()> {
        let stream = frames.plain.stream();
        let size = usize::try_from(frames.table.raw_size(index))
            .map_err(|_| damaged(stream, "a frame does not fit into memory"))?;
        let bytes = frames
            .plain
            .unseal(region, frames.table.compressed_range(index))?;
        raw.clear();
        match frames.compression {
            Compression::Gzip | Compression::None => raw.extend_from_slice(&bytes),
            Compression::Zstd => {
                raw.reserve_exact(size);
                self.zstd()?
                    .decompress_to_buffer(&bytes, raw)
                    .map_err(|error| {
                        damaged(stream, format_args!("frame {index} does not decompress"))
                            .with_source(error)
                    })?;
            }
        }
        if raw.len() == size {
            Ok(())
        } else {
            Err(damaged(
                stream,
                format_args!("frame {index} has {} bytes, {size} were stored", raw.len()),
            ))
        }
    }

    fn zstd(&mut self) -> Result<&mut zstd::bulk::Decompressor<'static>> {
        match &mut self.zstd {
            Some(context) => Ok(context),
            empty => {
                let context = zstd::bulk::Decompressor::new()
                    .map_err(|error| Error::internal("zstd has no memory").with_source(error))?;
                Ok(empty.insert(context))
            }
        }
    }
}

/// A frame on its way to a thread of the pool.
pub(super) struct Job {
    pub(super) frames: Arc<Frames>,
    pub(super) region: Region,
    pub(super) index: usize,
    /// A buffer to use again.
    pub(super) buffer: Vec<u8>,
    pub(super) reply: Sender<Result<Vec<u8>>>,
}

/// Starts the pool of one opened stream. Its threads end when the stream and all its readers are gone.
pub(super) fn start_pool() -> Result<Sender<Job>> {
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let (jobs, queue) = unbounded();
    for number in 1..=threads.min(MOST_THREADS) {
        let queue: Receiver<Job> = queue.clone();
        spawn(format!("decode-{number}"), move || work(&queue))?;
    }
    Ok(jobs)
}

fn work(queue: &Receiver<Job>) {
    let mut decoder = Decoder::default();
    for mut job in queue {
        let decoded = decoder
            .decode(&job.frames, &job.region, job.index, &mut job.buffer)
            .map(|()| job.buffer);
        // A reader that was dropped wants no more frames.
        let _ = job.reply.send(decoded);
    }
}
