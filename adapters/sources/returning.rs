//! A dump on its way back to its tool: told to be whole before its end is handed on, so that no tool takes a part for all of it.

use crate::tool::lift;
use backupx_core::{Error, Result};
use std::io::{Cursor, ErrorKind, Read};

const BLOCK: usize = 256 << 10;

/// What tells whether a stream is whole. Errors say why it is not.
pub(crate) trait Watch {
    /// The next bytes go by.
    fn feed(&mut self, bytes: &[u8]) -> std::result::Result<(), String>;

    /// Nothing more comes.
    fn finish(&mut self) -> std::result::Result<(), String>;
}

/// The dump, as its tool reads it. What is not whole is an error of the read that would be its last (`restore_failed`).
pub(crate) struct Returning<'a, W> {
    /// What was read ahead, and watched already.
    ahead: Cursor<Vec<u8>>,
    input: &'a mut dyn Read,
    watch: W,
}

impl<'a, W: Watch> Returning<'a, W> {
    /// A dump of which `ahead` was read and watched already.
    pub(crate) fn new(ahead: Vec<u8>, input: &'a mut dyn Read, watch: W) -> Self {
        Self {
            ahead: Cursor::new(ahead),
            input,
            watch,
        }
    }

    /// A dump that is read ahead until `known` finds what stands at its beginning.
    pub(crate) fn from<T>(
        input: &'a mut dyn Read,
        mut watch: W,
        known: impl Fn(&W) -> Option<T>,
    ) -> Result<(Self, T)> {
        let mut ahead = Vec::new();
        let mut block = vec![0; BLOCK];
        loop {
            if let Some(head) = known(&watch) {
                return Ok((Self::new(ahead, input, watch), head));
            }
            let count = match input.read(&mut block) {
                Ok(count) => count,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(lift(error, "the dump could not be read")),
            };
            ahead.extend_from_slice(&block[..count]);
            see(&mut watch, &block[..count])?;
            if count == 0 && known(&watch).is_none() {
                return Err(not_whole("it has no beginning"));
            }
        }
    }

    /// What was read ahead.
    pub(crate) fn ahead(&self) -> &[u8] {
        self.ahead.get_ref()
    }
}

impl<W: Watch> Read for Returning<'_, W> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let ahead = self.ahead.read(buffer)?;
        if ahead > 0 || buffer.is_empty() {
            return Ok(ahead);
        }
        let count = self.input.read(buffer)?;
        see(&mut self.watch, &buffer[..count]).map_err(std::io::Error::other)?;
        Ok(count)
    }
}

/// Shows what was read; nothing is the end.
fn see(watch: &mut impl Watch, bytes: &[u8]) -> Result<()> {
    if bytes.is_empty() {
        watch.finish()
    } else {
        watch.feed(bytes)
    }
    .map_err(|why| not_whole(&why))
}

/// A dump of which a part is missing.
pub(crate) fn not_whole(why: &str) -> Error {
    Error::invalid("restore_failed", format!("the dump is not whole: {why}"))
}
