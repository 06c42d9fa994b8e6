//! The layers of a stream as its object's name tells them: `data.tar.zst.age`.

use super::StreamPlan;

/// The name of a stream's object, or of its series of volumes without the number.
pub(crate) fn object_name(stream: &StreamPlan) -> String {
    let seal = if stream.recipients.is_empty() {
        ""
    } else {
        ".age"
    };
    format!("{}{}{seal}", stream.content, stream.compression.extension())
}
