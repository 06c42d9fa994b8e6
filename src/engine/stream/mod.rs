//! Streams: compressed in frames, sealed, laid down as objects, and read back at any place.
//!
//! The storage format of one stream, from the inside out:
//!
//! 1. **Frames.** The raw bytes are cut into frames of [`FRAME_BYTES`]; the last one is shorter. With zstd each is an independent
//!    zstd frame that states its content size and carries its content checksum; with gzip each is a gzip member; without
//!    compression the bytes stay as they are. So plain `zstd -d` and `gzip -d` read the whole.
//! 2. **Seek table** (zstd only): a skippable frame in the zstd seekable format behind the last frame. Plain `zstd -d` skips it.
//! 3. **Seal** (when there are recipients): age v1, binary, to X25519 recipients. The header and the 16 bytes of nonce that begin
//!    the file also stand in the manifest, so that a key for this one stream can be unwrapped without touching storage.
//! 4. **Objects.** One object, or a series of plain byte splits called `NAME.000001`, `NAME.000002` … Joining them gives the stream.
//!
//! So `cat NAME* | age -d -i key.txt | zstd -d` opens it without BackupX.

mod block;
mod fan_out;
mod lay_down;
mod layers;
mod read;
mod seek_table;
mod threads;
mod volumes;
mod write;

pub(crate) use fan_out::{Piece, Pieces, queue};
pub(crate) use lay_down::{GIVEN_UP, lay_down};
pub(crate) use layers::object_name;
pub(crate) use read::{Opened, StoredBytes};
pub(crate) use threads::spawn;
pub(crate) use volumes::Budget;
pub(crate) use write::{Compressors, RawWriter, StreamPlan, StreamSummary, start};

use crate::Destination;
use backupx_core::Result;
use backupx_core::domain::access::StreamKey;
use backupx_core::domain::key::ObjectKey;
use backupx_core::domain::manifest::Manifest;
use std::io::Read;
use std::sync::Arc;

/// The stream that holds the content.
pub const DATA: &str = "data";
/// The stream that holds one line per entry.
pub const INDEX: &str = "index";

/// Raw bytes in each frame but the last: the frame that holds raw offset `n` is `n / FRAME_BYTES`. Part of the storage format.
pub const FRAME_BYTES: u64 = 2 << 20;

/// A stored stream, opened: its raw bytes (decrypted and decompressed) from any place on.
pub trait RawStream: Send + Sync {
    /// Raw bytes in all.
    fn raw_len(&self) -> u64;

    /// A blocking reader from `raw_offset` to the end. It must be used on a thread that may block, not on a runtime's own. It starts with
    /// the one frame that is needed; when the reading goes on, further frames are fetched and decoded ahead on several threads.
    fn open_at(&self, raw_offset: u64) -> Result<Box<dyn Read + Send>>;

    /// Bytes read from storage so far, by all readers.
    fn stored_bytes_read(&self) -> u64;
}

/// Opens the stream called `stream` of the backup at `location`. Must be called within a tokio runtime, which the readers go on using.
pub async fn open(
    destination: &Destination,
    location: &ObjectKey,
    manifest: &Manifest,
    stream: &str,
    keys: &[StreamKey],
) -> Result<Arc<dyn RawStream>> {
    let opened = Opened::open(destination, location, manifest, stream, keys).await?;
    Ok(Arc::new(opened))
}

#[cfg(test)]
mod tests;
