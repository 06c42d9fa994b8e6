//! Reading a whole stream from its stored bytes, in order and to the last one: what a full verification does.

use super::damaged;
use super::opened::Frames;
use crate::archive::lift;
use backupx_core::Result;
use backupx_core::domain::task::Compression;
use flate2::bufread::MultiGzDecoder;
use std::io::{self, BufRead, BufReader, Read};

impl Frames {
    /// Opens what `input` gives (the whole stored stream), has `work` read the raw bytes, and checks that all of them are there and
    /// nothing else: every frame as the seek table says, and the table as the last thing.
    pub(crate) fn read_through<T>(
        &self,
        input: impl BufRead,
        work: impl FnOnce(&mut dyn Read) -> Result<T>,
    ) -> Result<T> {
        let broken = |error: io::Error| match lift(error, "stream_damaged", "reading") {
            error if error.code() == "stream_damaged" => {
                damaged(self.plain.stream(), "it does not open").with_source(error)
            }
            error => error,
        };
        let mut plain =
            BufReader::with_capacity(1 << 20, self.plain.unseal_all(input).map_err(broken)?);
        let mut raw: Box<dyn Read + '_> = match self.compression {
            Compression::Zstd => Box::new(InOrder {
                frames: self,
                plain: &mut plain,
                context: zstd::bulk::Decompressor::new().map_err(broken)?,
                next: 0,
                current: Vec::new(),
                given: 0,
            }),
            Compression::Gzip => Box::new(MultiGzDecoder::new(&mut plain)),
            Compression::None => Box::new(&mut plain),
        };
        let outcome = work(&mut raw)?;
        io::copy(&mut raw, &mut io::sink()).map_err(broken)?;
        drop(raw);
        let mut rest = Vec::new();
        plain.read_to_end(&mut rest).map_err(broken)?;
        let expected = match self.compression {
            Compression::Zstd => self.table.encode()?,
            Compression::Gzip | Compression::None => Vec::new(),
        };
        if rest == expected {
            Ok(outcome)
        } else {
            Err(damaged(
                self.plain.stream(),
                "something else than its seek table stands behind its frames",
            ))
        }
    }
}

/// Decompresses one frame after the other.
struct InOrder<'a, R> {
    frames: &'a Frames,
    plain: &'a mut R,
    context: zstd::bulk::Decompressor<'static>,
    next: usize,
    current: Vec<u8>,
    given: usize,
}

impl<R: Read> InOrder<'_, R> {
    fn advance(&mut self) -> io::Result<bool> {
        let table = &self.frames.table;
        if self.next == table.frames() {
            return Ok(false);
        }
        let too_large = |_| io::Error::from(io::ErrorKind::OutOfMemory);
        let range = table.compressed_range(self.next);
        let mut bytes = vec![0; usize::try_from(range.end - range.start).map_err(too_large)?];
        self.plain.read_exact(&mut bytes)?;
        let size = usize::try_from(table.raw_size(self.next)).map_err(too_large)?;
        self.current.clear();
        self.current.reserve_exact(size);
        self.context
            .decompress_to_buffer(&bytes, &mut self.current)?;
        if self.current.len() != size {
            let why = format!(
                "frame {} has another size than its seek table says",
                self.next
            );
            return Err(io::Error::other(damaged(self.frames.plain.stream(), why)));
        }
        self.next += 1;
        self.given = 0;
        Ok(true)
    }
}

impl<R: Read> Read for InOrder<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.given == self.current.len() {
            if !self.advance()? {
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
