//! A reader that knows how much must come: less is an error, not an end.

use super::damaged;
use std::io::{self, Read};

/// Gives `left` bytes of `input`, or an error.
pub(super) struct Exact<R> {
    pub(super) stream: String,
    pub(super) input: R,
    pub(super) left: u64,
}

impl<R: Read> Exact<R> {
    /// Passes over `count` bytes.
    pub(super) fn skip(&mut self, count: u64) -> io::Result<()> {
        io::copy(&mut self.by_ref().take(count), &mut io::sink()).map(drop)
    }
}

impl<R: Read> Read for Exact<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left)
            .unwrap_or(usize::MAX)
            .min(buffer.len());
        if most == 0 {
            return Ok(0);
        }
        let count = self.input.read(&mut buffer[..most])?;
        if count == 0 {
            let why = format!("it ends {} bytes too early", self.left);
            return Err(io::Error::other(damaged(&self.stream, why)));
        }
        self.left -= count as u64;
        Ok(count)
    }
}
