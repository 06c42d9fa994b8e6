//! Entries: one thing found in a file tree, as the archive and the index know it.

use serde::{Deserialize, Serialize};

/// What a thing in a file tree is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum EntryKind {
    /// A regular file.
    File,
    /// A folder.
    Dir,
    /// A symbolic link, never followed.
    Symlink,
    /// A further name of a file that stands earlier in the archive.
    Hardlink,
    /// A character device.
    CharDevice,
    /// A block device.
    BlockDevice,
    /// A named pipe.
    Fifo,
}

/// One thing found in a file tree. Names are bytes: they need not be UTF-8.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Path in the archive: the absolute path without its leading `/`, no trailing `/`.
    pub path: Vec<u8>,
    /// What it is.
    pub kind: EntryKind,
    /// Permission bits with setuid, setgid and sticky.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Owner's name where the host knows one.
    pub user: Option<Vec<u8>>,
    /// Group's name where the host knows one.
    pub group: Option<Vec<u8>>,
    /// Modification time: seconds since 1970 (negative before) and nanoseconds.
    pub mtime: (i64, u32),
    /// Bytes of content as announced; zero for all but files.
    pub size: u64,
    /// Extended attributes, POSIX ACLs among them (`system.posix_acl_*`).
    pub xattrs: Vec<(Vec<u8>, Vec<u8>)>,
    /// Target of a symbolic link, or archive path of the first name of a hard link.
    pub link: Option<Vec<u8>>,
    /// Major and minor number of a device.
    pub device: Option<(u32, u32)>,
    /// The parts that hold data, as (offset, length), when the file has holes.
    pub segments: Option<Vec<(u64, u64)>>,
}

impl Entry {
    /// The path for people: bytes that are no UTF-8 are shown as `\xNN`.
    pub fn display_path(&self) -> String {
        display_bytes(&self.path)
    }
}

/// Bytes of a name as text: what is no UTF-8 becomes `\xNN`, control characters and backslashes are escaped.
pub fn display_bytes(bytes: &[u8]) -> String {
    use std::fmt::Write;
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            if c.is_control() || c == '\\' {
                text.extend(c.escape_default());
            } else {
                text.push(c);
            }
        }
        for byte in chunk.invalid() {
            write!(text, "\\x{byte:02x}").expect("writing to a string does not fail");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_names_can_be_shown() {
        assert_eq!(display_bytes("grün".as_bytes()), "grün");
        assert_eq!(display_bytes(b"a\xff\nb\\"), "a\\xff\\nb\\\\");
    }
}
