//! Reading on: the first frame alone, then ever larger batches of frames fetched and decoded ahead of the reader.

use super::decode::{Decoder, Job, start_pool};
use super::opened::Frames;
use backupx_core::{Error, Result};
use crossbeam_channel::{Receiver, Sender, bounded};
use std::collections::VecDeque;
use std::io::{self, Read};
use std::sync::Arc;
use tokio::runtime::Handle;

/// Frames that one range read fetches once the reading goes on.
const MOST_BATCH: usize = 4;
/// Frames that are fetched or decoded ahead of the reader.
const MOST_AHEAD: usize = 12;

/// A reader of raw bytes from some frame on.
pub(super) struct AheadReader {
    frames: Arc<Frames>,
    runtime: Handle,
    /// The frame whose bytes are given out, and how many of them already were.
    current: Vec<u8>,
    given: usize,
    /// Next frame to be asked for.
    next: usize,
    batch: usize,
    ahead: VecDeque<Receiver<Result<Vec<u8>>>>,
    spent: Vec<Vec<u8>>,
    started: bool,
}

impl AheadReader {
    /// A reader that begins at byte `skip` of frame `first`.
    pub(super) fn new(frames: Arc<Frames>, runtime: Handle, first: usize, skip: usize) -> Self {
        Self {
            frames,
            runtime,
            current: Vec::new(),
            given: skip,
            next: first,
            batch: 1,
            ahead: VecDeque::new(),
            spent: Vec::new(),
            started: false,
        }
    }

    /// Takes the next frame as the current one. False at the end.
    fn advance(&mut self) -> Result<bool> {
        if !self.started {
            self.started = true;
            return self.first();
        }
        self.given = 0;
        self.spent.push(std::mem::take(&mut self.current));
        self.fetch_ahead()?;
        let Some(frame) = self.ahead.pop_front() else {
            return Ok(false);
        };
        self.current = frame.recv().map_err(|_| {
            Error::unavailable(
                "reading_ended",
                "reading ahead was stopped with its runtime",
            )
        })??;
        Ok(true)
    }

    /// The first frame is often all that is wanted: it is fetched alone and decoded right here.
    fn first(&mut self) -> Result<bool> {
        if self.next >= self.frames.table.frames() {
            return Ok(false);
        }
        let range = self.frames.table.compressed_range(self.next);
        let region = self.runtime.block_on(self.frames.plain.fetch(range))?;
        Decoder::default().decode(&self.frames, &region, self.next, &mut self.current)?;
        self.next += 1;
        Ok(true)
    }

    fn fetch_ahead(&mut self) -> Result<()> {
        while self.next < self.frames.table.frames() && self.ahead.len() + self.batch <= MOST_AHEAD
        {
            let until = (self.next + self.batch).min(self.frames.table.frames());
            let mut orders = Vec::new();
            for index in self.next..until {
                let (reply, frame) = bounded(1);
                let buffer = self.spent.pop().unwrap_or_default();
                orders.push(Order {
                    index,
                    buffer,
                    reply,
                });
                self.ahead.push_back(frame);
            }
            self.order(orders)?;
            self.next = until;
            self.batch = (self.batch * 2).min(MOST_BATCH);
        }
        Ok(())
    }

    /// Has a batch fetched in one read and its frames decoded by the pool.
    fn order(&self, orders: Vec<Order>) -> Result<()> {
        let (Some(first), Some(last)) = (orders.first(), orders.last()) else {
            return Ok(());
        };
        let table = &self.frames.table;
        let range =
            table.compressed_range(first.index).start..table.compressed_range(last.index).end;
        let pool = self.frames.pool(start_pool)?;
        let frames = Arc::clone(&self.frames);
        self.runtime.spawn(async move {
            match frames.plain.fetch(range).await {
                Ok(region) => {
                    for order in orders {
                        let job = Job {
                            frames: Arc::clone(&frames),
                            region: region.clone(),
                            index: order.index,
                            buffer: order.buffer,
                            reply: order.reply,
                        };
                        // The pool lives as long as `frames`.
                        let _ = pool.send(job);
                    }
                }
                Err(error) => {
                    let mut error = Some(error);
                    for order in orders {
                        let why = error.take().unwrap_or_else(|| {
                            Error::unavailable("reading_ended", "an earlier part could not be read")
                        });
                        // A reader that was dropped wants no more frames.
                        let _ = order.reply.send(Err(why));
                    }
                }
            }
        });
        Ok(())
    }
}

/// A frame that was asked for.
struct Order {
    index: usize,
    /// A buffer to use again.
    buffer: Vec<u8>,
    reply: Sender<Result<Vec<u8>>>,
}

impl Read for AheadReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        while self.given >= self.current.len() {
            if !self.advance().map_err(io::Error::other)? {
                return Ok(0);
            }
        }
        let rest = &self.current[self.given..];
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        self.given += count;
        Ok(count)
    }
}
