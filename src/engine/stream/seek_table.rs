//! The seek table of the zstd seekable format: where each frame lies, in a skippable frame behind the last one.
//!
//! Layout, all little-endian (zstd's `contrib/seekable_format/zstd_seekable_compression_format.md`): magic `0x184D2A5E`, `u32` size
//! of what follows, per frame `u32` compressed and `u32` raw size, then the footer: `u32` number of frames, one descriptor byte (its top
//! bit says that entries carry a checksum too; ours don't, the frames have their own), magic `0x8F92EAB1`.

use backupx_core::{Error, Result};

const SKIPPABLE_MAGIC: u32 = 0x184D_2A5E;
const SEEKABLE_MAGIC: u32 = 0x8F92_EAB1;
const HEADER_BYTES: usize = 8;
/// Bytes of the footer that ends the table.
pub(crate) const FOOTER_BYTES: usize = 9;
const CHECKSUM_FLAG: u8 = 0x80;
const RESERVED_BITS: u8 = 0x7C;
const MAX_FRAMES: u32 = 0x0800_0000;

/// Where the frames of a stream lie. All frames but the last have the same raw size.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct SeekTable {
    frame_raw: u64,
    last_raw: u64,
    /// Where each frame ends among the compressed bytes.
    ends: Vec<u64>,
}

impl SeekTable {
    /// Adds the next frame.
    pub(crate) fn push(&mut self, compressed: u64, raw: u64) {
        if self.ends.is_empty() {
            self.frame_raw = raw;
        }
        self.last_raw = raw;
        self.ends.push(self.compressed_len() + compressed);
    }

    /// A table of `raw_len` bytes that were not compressed at all, in pieces of `frame_raw`.
    pub(crate) fn uncompressed(raw_len: u64, frame_raw: u64) -> Self {
        let mut table = Self::default();
        let mut left = raw_len;
        while left > 0 {
            let raw = left.min(frame_raw);
            table.push(raw, raw);
            left -= raw;
        }
        table
    }

    /// Frames in all.
    pub(crate) fn frames(&self) -> usize {
        self.ends.len()
    }

    /// Compressed bytes of all frames, the table itself not counted.
    pub(crate) fn compressed_len(&self) -> u64 {
        self.ends.last().copied().unwrap_or(0)
    }

    /// Raw bytes of all frames.
    pub(crate) fn raw_len(&self) -> u64 {
        match self.ends.len() as u64 {
            0 => 0,
            frames => (frames - 1) * self.frame_raw + self.last_raw,
        }
    }

    /// The frame that holds raw `offset`, and the offset within it; nothing at or behind the end.
    pub(crate) fn locate(&self, offset: u64) -> Option<(usize, usize)> {
        if offset >= self.raw_len() {
            return None;
        }
        let frame = offset / self.frame_raw;
        Some((
            usize::try_from(frame).ok()?,
            usize::try_from(offset % self.frame_raw).ok()?,
        ))
    }

    /// Where frame `index` lies among the compressed bytes.
    pub(crate) fn compressed_range(&self, index: usize) -> std::ops::Range<u64> {
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        start..self.ends[index]
    }

    /// Raw bytes of frame `index`.
    pub(crate) fn raw_size(&self, index: usize) -> u64 {
        if index + 1 == self.ends.len() {
            self.last_raw
        } else {
            self.frame_raw
        }
    }

    /// The table as its skippable frame.
    pub(crate) fn encode(&self) -> Result<Vec<u8>> {
        let too_long = || Error::internal("the stream has more frames than a seek table can hold");
        let frames = u32::try_from(self.frames())
            .ok()
            .filter(|frames| *frames <= MAX_FRAMES)
            .ok_or_else(too_long)?;
        let content = u32::try_from(self.frames() * 8 + FOOTER_BYTES).map_err(|_| too_long())?;
        let mut bytes = Vec::with_capacity(HEADER_BYTES + content as usize);
        bytes.extend_from_slice(&SKIPPABLE_MAGIC.to_le_bytes());
        bytes.extend_from_slice(&content.to_le_bytes());
        for index in 0..self.frames() {
            let range = self.compressed_range(index);
            for size in [range.end - range.start, self.raw_size(index)] {
                let size = u32::try_from(size)
                    .map_err(|_| Error::internal("a frame is larger than 4 GiB"))?;
                bytes.extend_from_slice(&size.to_le_bytes());
            }
        }
        bytes.extend_from_slice(&frames.to_le_bytes());
        bytes.push(0);
        bytes.extend_from_slice(&SEEKABLE_MAGIC.to_le_bytes());
        Ok(bytes)
    }

    /// How long the whole table is, read from its footer, the last [`FOOTER_BYTES`] of the stream.
    pub(crate) fn encoded_len(footer: &[u8]) -> Result<u64> {
        let (frames, entry) = read_footer(footer)?;
        Ok(HEADER_BYTES as u64 + u64::from(frames) * entry as u64 + FOOTER_BYTES as u64)
    }

    /// Reads the skippable frame.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self> {
        let footer = bytes
            .len()
            .checked_sub(FOOTER_BYTES)
            .and_then(|start| bytes.get(start..))
            .ok_or_else(|| damaged("is too short"))?;
        let (frames, entry) = read_footer(footer)?;
        let content = frames as usize * entry + FOOTER_BYTES;
        if bytes.len() != HEADER_BYTES + content
            || word(bytes, 0) != Some(SKIPPABLE_MAGIC)
            || word(bytes, 4).map(|size| size as usize) != Some(content)
        {
            return Err(damaged("does not begin as one"));
        }
        let mut table = Self::default();
        let entries = &bytes[HEADER_BYTES..HEADER_BYTES + frames as usize * entry];
        for (index, pair) in entries.chunks_exact(entry).enumerate() {
            let (Some(compressed), Some(raw)) = (word(pair, 0), word(pair, 4)) else {
                return Err(damaged("ends within an entry"));
            };
            if compressed == 0 || raw == 0 {
                return Err(damaged("names an empty frame"));
            }
            if index > 0 && (table.last_raw != table.frame_raw || u64::from(raw) > table.frame_raw)
            {
                return Err(damaged("names frames of different sizes"));
            }
            table.push(u64::from(compressed), u64::from(raw));
        }
        Ok(table)
    }
}

fn read_footer(footer: &[u8]) -> Result<(u32, usize)> {
    if footer.len() != FOOTER_BYTES || word(footer, 5) != Some(SEEKABLE_MAGIC) {
        return Err(damaged("does not end as one"));
    }
    let descriptor = footer[4];
    let frames = word(footer, 0).filter(|frames| *frames <= MAX_FRAMES);
    match frames {
        Some(frames) if descriptor & RESERVED_BITS == 0 => {
            let entry = if descriptor & CHECKSUM_FLAG == 0 {
                8
            } else {
                12
            };
            Ok((frames, entry))
        }
        _ => Err(damaged("has a footer that makes no sense")),
    }
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    let four = bytes.get(at..at + 4)?;
    Some(u32::from_le_bytes(four.try_into().ok()?))
}

fn damaged(how: &str) -> Error {
    Error::invalid(
        "stream_damaged",
        format!("the seek table at the end of the stream {how}: the stream is damaged"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn table(frames: &[u32], last: u64) -> SeekTable {
        let mut table = SeekTable::default();
        for (index, compressed) in frames.iter().enumerate() {
            let raw = if index + 1 == frames.len() {
                last
            } else {
                1000
            };
            table.push(u64::from(*compressed), raw);
        }
        table
    }

    proptest! {
        #[test]
        fn a_table_survives_its_encoding(frames in proptest::collection::vec(1u32..5000, 0..50), last in 1u64..=1000) {
            let table = table(&frames, last);
            let bytes = table.encode().expect("encodes");
            prop_assert_eq!(SeekTable::encoded_len(&bytes[bytes.len() - FOOTER_BYTES..]).expect("footer"), bytes.len() as u64);
            prop_assert_eq!(SeekTable::decode(&bytes).expect("decodes"), table);
        }

        #[test]
        fn hostile_tables_are_refused_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(SeekTable::decode(&bytes).is_err());
        }

        #[test]
        fn a_cut_table_is_refused(cut in 1usize..40) {
            let bytes = table(&[5, 6, 7], 9).encode().expect("encodes");
            prop_assert!(SeekTable::decode(&bytes[..bytes.len() - cut.min(bytes.len())]).is_err());
        }
    }

    #[test]
    fn raw_offsets_are_found() {
        let table = table(&[10, 20, 30], 500);
        assert_eq!(table.locate(0), Some((0, 0)));
        assert_eq!(table.locate(1999), Some((1, 999)));
        assert_eq!(table.locate(2499), Some((2, 499)));
        assert_eq!(table.locate(2500), None);
        assert_eq!(table.compressed_range(1), 10..30);
        assert_eq!(SeekTable::uncompressed(2500, 1000).raw_len(), 2500);
    }
}
