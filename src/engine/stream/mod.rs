//! Streams: compressed in frames, sealed, laid down as objects, and read back at any place.

use crate::Destination;
use backupx_core::domain::access::StreamKey;
use backupx_core::domain::key::ObjectKey;
use backupx_core::domain::manifest::Manifest;
use backupx_core::{Error, Result};
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
    drop((destination, location, manifest, stream, keys));
    Err(Error::internal("reading streams is not built in yet"))
}
