//! The layers of a stream as its object's name tells them: `data.tar.zst.age`.

use super::{DATA, INDEX};
use backupx_core::domain::task::Compression;

/// The name of a stream's object, or of its series of volumes without the number.
pub(crate) fn object_name(stream: &str, compression: Compression, sealed: bool) -> String {
    let content = match stream {
        DATA => "data.tar",
        INDEX => "index.jsonl",
        other => other,
    };
    let seal = if sealed { ".age" } else { "" };
    format!("{content}{}{seal}", compression.extension())
}
