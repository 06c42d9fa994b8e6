//! How a stream begins and ends: kept while it passes, since that is where a dump shows whether it is whole.

use std::io::Write;

/// Bytes that are kept of either end.
const KEPT: usize = 1024;

/// Passes a stream on and keeps its beginning and its end.
pub(crate) struct Ends<'a> {
    out: &'a mut dyn Write,
    head: Vec<u8>,
    tail: Vec<u8>,
    count: u64,
}

impl<'a> Ends<'a> {
    pub(crate) fn new(out: &'a mut dyn Write) -> Self {
        Self {
            out,
            head: Vec::new(),
            tail: Vec::new(),
            count: 0,
        }
    }

    /// Its first bytes.
    pub(crate) fn head(&self) -> &[u8] {
        &self.head
    }

    /// Its last bytes.
    pub(crate) fn tail(&self) -> &[u8] {
        &self.tail
    }

    /// How many bytes passed.
    pub(crate) fn count(&self) -> u64 {
        self.count
    }
}

impl Write for Ends<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let taken = self.out.write(bytes)?;
        let bytes = &bytes[..taken];
        self.count += taken as u64;
        let room = KEPT - self.head.len();
        self.head.extend_from_slice(&bytes[..room.min(taken)]);
        self.tail
            .extend_from_slice(&bytes[taken.saturating_sub(KEPT)..]);
        let surplus = self.tail.len().saturating_sub(KEPT);
        self.tail.drain(..surplus);
        Ok(taken)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ends_are_kept_however_the_stream_is_cut() {
        let stream: Vec<u8> = (0..5000_u32).map(|n| (n % 251) as u8).collect();
        for piece in [1, 7, 1023, 1024, 1025, 5000] {
            let mut out = Vec::new();
            let mut ends = Ends::new(&mut out);
            for part in stream.chunks(piece) {
                ends.write_all(part).expect("memory takes it");
            }
            assert_eq!(ends.head(), &stream[..KEPT], "{piece}");
            assert_eq!(ends.tail(), &stream[stream.len() - KEPT..], "{piece}");
            assert_eq!(ends.count(), 5000);
            assert_eq!(out, stream);
        }
    }
}
