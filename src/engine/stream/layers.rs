//! The layers of a stream as its object's name tells them: `data.tar.zst.age`.

use super::{DATA, INDEX, StreamPlan};

/// The name of a stream's object, or of its series of volumes without the number.
pub(crate) fn object_name(stream: &StreamPlan) -> String {
    let content = match stream.stream.as_str() {
        DATA => "data.tar",
        INDEX => "index.jsonl",
        // A dump's name has its extension.
        dump => dump,
    };
    let seal = if stream.recipients.is_empty() {
        ""
    } else {
        ".age"
    };
    format!("{content}{}{seal}", stream.compression.extension())
}
