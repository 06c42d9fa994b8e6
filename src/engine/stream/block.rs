//! Blocks: what a sealed stream is handed on in, large enough that queues and system calls cost nothing.

use bytes::Bytes;
use crossbeam_channel::Sender;
use std::io;

/// Bytes in each block but the last.
pub(crate) const BLOCK_BYTES: usize = 1 << 20;

/// Gathers written bytes into blocks and sends each on. A receiver that is gone is a broken pipe.
pub(crate) struct BlockWriter {
    block: Vec<u8>,
    next: Sender<Bytes>,
}

impl BlockWriter {
    pub(crate) fn new(next: Sender<Bytes>) -> Self {
        Self {
            block: Vec::with_capacity(BLOCK_BYTES),
            next,
        }
    }

    /// Sends the last, shorter block on.
    pub(crate) fn finish(mut self) -> io::Result<()> {
        if self.block.is_empty() {
            return Ok(());
        }
        let last = std::mem::take(&mut self.block);
        self.send(last)
    }

    fn send(&self, block: Vec<u8>) -> io::Result<()> {
        self.next
            .send(Bytes::from(block))
            .map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))
    }
}

impl io::Write for BlockWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut left = bytes;
        while !left.is_empty() {
            let room = BLOCK_BYTES - self.block.len();
            let (now, later) = left.split_at(room.min(left.len()));
            self.block.extend_from_slice(now);
            left = later;
            if self.block.len() == BLOCK_BYTES {
                let full = std::mem::replace(&mut self.block, Vec::with_capacity(BLOCK_BYTES));
                self.send(full)?;
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
