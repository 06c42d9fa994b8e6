//! A sealed stream of which only some ranges are in memory: enough for age to open those, as if it were the whole file.

use bytes::Bytes;
use std::io::{self, BufRead, Read, Seek, SeekFrom};

/// Reads a file of `len` bytes through the ranges that are there; elsewhere is an error.
pub(super) struct Window {
    len: u64,
    position: u64,
    /// Ranges by their start: header, what is to be opened, the last chunk.
    ranges: [(u64, Bytes); 3],
}

impl Window {
    pub(super) fn new(len: u64, ranges: [(u64, Bytes); 3]) -> Self {
        Self {
            len,
            position: 0,
            ranges,
        }
    }
}

impl BufRead for Window {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.position >= self.len {
            return Ok(&[]);
        }
        for (start, bytes) in &self.ranges {
            let inside = self
                .position
                .checked_sub(*start)
                .and_then(|offset| usize::try_from(offset).ok())
                .and_then(|offset| bytes.get(offset..))
                .filter(|rest| !rest.is_empty());
            if let Some(rest) = inside {
                return Ok(rest);
            }
        }
        Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            format!("byte {} of the stream was not fetched", self.position),
        ))
    }

    fn consume(&mut self, amount: usize) {
        self.position += amount as u64;
    }
}

impl Read for Window {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        let there = self.fill_buf()?;
        let count = there.len().min(buffer.len());
        buffer[..count].copy_from_slice(&there[..count]);
        self.consume(count);
        Ok(count)
    }
}

impl Seek for Window {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let target = match to {
            SeekFrom::Start(offset) => Some(offset),
            SeekFrom::End(offset) => self.len.checked_add_signed(offset),
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
        };
        self.position = target.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}
