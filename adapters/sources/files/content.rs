//! The content of a large file while it is read: always as many bytes as were announced.

use backupx_core::ports::source::StopFlag;
use rustix::fd::OwnedFd;
use rustix::io::Errno;
use std::io::{self, Read};

/// What became of a file while it was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// As announced.
    Whole,
    /// It was shorter in the end, zeros stand for the rest; or longer, and the rest is missing.
    Resized,
    /// It could not be read from this place on; zeros stand for the rest.
    Broken(u64, Errno),
}

/// Reads the announced parts of an open file.
pub(super) struct Content<'a> {
    file: OwnedFd,
    parts: std::vec::IntoIter<(u64, u64)>,
    part: (u64, u64),
    size: u64,
    fate: Fate,
    stop: &'a StopFlag,
}

impl<'a> Content<'a> {
    /// The content of `file`, announced as `size` bytes, of which `parts` (all when nothing) hold data.
    pub(super) fn new(
        file: OwnedFd,
        size: u64,
        parts: Option<Vec<(u64, u64)>>,
        stop: &'a StopFlag,
    ) -> Self {
        Self {
            file,
            parts: parts.unwrap_or_else(|| vec![(0, size)]).into_iter(),
            part: (0, 0),
            size,
            fate: Fate::Whole,
            stop,
        }
    }

    /// What became of the file. To be asked when everything was read.
    pub(super) fn fate(&self) -> Fate {
        match rustix::fs::fstat(&self.file) {
            Ok(stat)
                if self.fate == Fate::Whole && u64::try_from(stat.st_size) != Ok(self.size) =>
            {
                Fate::Resized
            }
            _ => self.fate,
        }
    }
}

impl Read for Content<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.stop.is_stopped() {
            return Err(io::Error::other("stopped"));
        }
        while self.part.1 == 0 {
            match self.parts.next() {
                Some(part) => self.part = part,
                None => return Ok(0),
            }
        }
        let (offset, left) = self.part;
        let most = usize::try_from(left)
            .unwrap_or(usize::MAX)
            .min(buffer.len());
        let buffer = &mut buffer[..most];
        let mut count = 0;
        if !matches!(self.fate, Fate::Broken(..)) {
            count = loop {
                match rustix::io::pread(&self.file, &mut *buffer, offset) {
                    Err(Errno::INTR) => {}
                    Ok(count) => break count,
                    Err(error) => {
                        self.fate = Fate::Broken(offset, error);
                        break 0;
                    }
                }
            };
        }
        if count == 0 {
            if self.fate == Fate::Whole {
                self.fate = Fate::Resized;
            }
            buffer.fill(0);
            count = most;
        }
        self.part = (offset + count as u64, left - count as u64);
        Ok(count)
    }
}
