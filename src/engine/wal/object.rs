//! Objects of an archive, as their names tell them.

use backupx_core::Result;
use backupx_core::domain::key::ObjectKey;
use backupx_core::domain::time::Timestamp;
use backupx_core::domain::wal::WalFile;
use backupx_core::ports::objects::ObjectInfo;
use chrono::DateTime;

const COMPRESSED: &str = ".zst";
const SEALED: &str = ".age";

/// A file of the log that is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Object {
    pub(super) file: WalFile,
    /// When the server had filled it.
    pub(super) filled_at: Timestamp,
    /// SHA-256 of the file itself, lower-case hex.
    pub(super) sha256: String,
    pub(super) is_sealed: bool,
    pub(super) key: ObjectKey,
    /// Bytes in storage.
    pub(super) size: u64,
}

impl Object {
    /// What a list says of an object; nothing when it is no file of the log, as one that was left half-written.
    pub(super) fn parse(info: ObjectInfo) -> Option<Self> {
        let name = info.key.file_name();
        let (name, is_sealed) = match name.strip_suffix(SEALED) {
            Some(name) => (name, true),
            None => (name, false),
        };
        let mut parts = name.strip_suffix(COMPRESSED)?.rsplitn(3, '.');
        let sha256 = parts.next()?;
        let is_sum = sha256.len() == 64
            && sha256
                .bytes()
                .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        let filled_at = DateTime::from_timestamp_millis(parts.next()?.parse().ok()?)?;
        let file = parts.next()?.parse().ok()?;
        is_sum.then(|| Self {
            file,
            filled_at,
            sha256: sha256.to_owned(),
            is_sealed,
            key: info.key.clone(),
            size: info.size,
        })
    }

    /// The key of a new one below `prefix`.
    pub(super) fn key(
        prefix: &ObjectKey,
        file: WalFile,
        filled_at: Timestamp,
        sha256: &str,
        is_sealed: bool,
    ) -> Result<ObjectKey> {
        let seal = if is_sealed { SEALED } else { "" };
        prefix.join(&file.folder())?.join(&format!(
            "{file}.{}.{sha256}{COMPRESSED}{seal}",
            filled_at.timestamp_millis()
        ))
    }
}
