//! Reading a stream: ranges of objects, opened chunk by chunk, decompressed frame by frame.

mod ahead;
mod decode;
mod exact;
mod opened;
mod plain;
mod stored;
mod through;
mod window;

pub(crate) use opened::Opened;
pub(crate) use stored::StoredBytes;

use backupx_core::Error;

/// The stream is not what was stored.
fn damaged(stream: &str, how: impl std::fmt::Display) -> Error {
    Error::invalid(
        "stream_damaged",
        format!("the {stream} stream is damaged: {how}"),
    )
}
