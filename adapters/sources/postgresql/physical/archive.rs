//! The archive that pg_basebackup writes, read as it goes by.

use backupx_core::{Error, Result};

const BLOCK: usize = 512;

/// What is made of an archive.
pub(super) trait Visitor {
    /// An entry begins. Its path is relative and has no `..`.
    fn begin(&mut self, entry: &Entry) -> Result<()>;

    /// The next bytes of that entry.
    fn data(&mut self, bytes: &[u8]) -> Result<()>;

    /// That entry is over.
    fn end(&mut self) -> Result<()>;
}

/// A file or folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) path: String,
    pub(super) kind: Kind,
    pub(super) size: u64,
    pub(super) mode: u32,
    pub(super) uid: u64,
    pub(super) gid: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    File,
    Folder,
}

/// Walks an archive that comes in pieces of any size.
#[derive(Debug)]
pub(super) struct Walker {
    at: At,
    /// The beginning of a header, or of the block behind an entry.
    header: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    Header,
    /// In an entry: bytes of it, and of the padding behind it, that are to come.
    Entry {
        left: u64,
        padding: u64,
    },
    /// Behind the first empty block.
    Trailer {
        blocks: u32,
    },
}

impl Walker {
    pub(super) fn new() -> Self {
        Self {
            at: At::Header,
            header: Vec::with_capacity(BLOCK),
        }
    }

    /// Takes the next bytes.
    pub(super) fn feed(&mut self, mut bytes: &[u8], visitor: &mut dyn Visitor) -> Result<()> {
        while !bytes.is_empty() {
            bytes = match self.at {
                At::Header | At::Trailer { .. } => self.in_header(bytes, visitor)?,
                At::Entry { left, padding } => self.in_entry(bytes, left, padding, visitor)?,
            };
        }
        Ok(())
    }

    /// Refuses an archive that has not come to its end.
    pub(super) fn finish(&self) -> Result<()> {
        match self.at {
            At::Trailer { blocks } if blocks >= 2 && self.header.is_empty() => Ok(()),
            At::Header | At::Entry { .. } | At::Trailer { .. } => {
                Err(damaged("it breaks off before its end"))
            }
        }
    }

    fn in_header<'a>(&mut self, bytes: &'a [u8], visitor: &mut dyn Visitor) -> Result<&'a [u8]> {
        let missing = BLOCK - self.header.len();
        let (taken, rest) = bytes.split_at(missing.min(bytes.len()));
        self.header.extend_from_slice(taken);
        if self.header.len() < BLOCK {
            return Ok(rest);
        }
        let header = std::mem::take(&mut self.header);
        let is_empty = header.iter().all(|byte| *byte == 0);
        self.at = match (self.at, is_empty) {
            (At::Trailer { blocks }, true) => At::Trailer { blocks: blocks + 1 },
            (_, true) => At::Trailer { blocks: 1 },
            (At::Trailer { .. }, false) => return Err(damaged("there is more behind its end")),
            (_, false) => self.begin(&header, visitor)?,
        };
        Ok(rest)
    }

    fn begin(&self, header: &[u8], visitor: &mut dyn Visitor) -> Result<At> {
        let header = tar::Header::from_byte_slice(header);
        let entry = entry(header)?;
        visitor.begin(&entry)?;
        let size = entry.size;
        if size == 0 {
            visitor.end()?;
            return Ok(At::Header);
        }
        Ok(At::Entry {
            left: size,
            padding: size.next_multiple_of(BLOCK as u64) - size,
        })
    }

    fn in_entry<'a>(
        &mut self,
        bytes: &'a [u8],
        left: u64,
        padding: u64,
        visitor: &mut dyn Visitor,
    ) -> Result<&'a [u8]> {
        let upto = |most: u64| usize::try_from(most).map_or(bytes.len(), |n| n.min(bytes.len()));
        if left > 0 {
            let (taken, rest) = bytes.split_at(upto(left));
            visitor.data(taken)?;
            let left = left - taken.len() as u64;
            if left == 0 {
                visitor.end()?;
            }
            self.at = behind(left, padding);
            return Ok(rest);
        }
        let (taken, rest) = bytes.split_at(upto(padding));
        self.at = behind(0, padding - taken.len() as u64);
        Ok(rest)
    }
}

fn behind(left: u64, padding: u64) -> At {
    if left == 0 && padding == 0 {
        At::Header
    } else {
        At::Entry { left, padding }
    }
}

fn entry(header: &tar::Header) -> Result<Entry> {
    let bad = |error: std::io::Error| damaged("a header has a bad number").with_source(error);
    let stated = header.cksum().map_err(bad)?;
    let block = header.as_bytes();
    // The sum counts its own field as spaces.
    let sum: u32 = block
        .iter()
        .enumerate()
        .map(|(at, byte)| {
            if (148..156).contains(&at) {
                32
            } else {
                u32::from(*byte)
            }
        })
        .sum();
    if sum != stated {
        return Err(damaged("the checksum of a header does not hold"));
    }
    let path = header.path_bytes();
    let path = std::str::from_utf8(&path).map_err(|_| damaged("a path is no text"))?;
    let path = path.trim_start_matches("./").trim_end_matches('/');
    let kind = match header.entry_type() {
        tar::EntryType::Regular => Kind::File,
        tar::EntryType::Directory => Kind::Folder,
        other => {
            return Err(damaged(&format!(
                "{path:?} is neither a file nor a folder ({other:?}); a cluster with tablespaces is not one archive"
            )));
        }
    };
    // What is laid down lies in the folder, whatever an archive says (never 32).
    let is_plain = path
        .split('/')
        .all(|part| !matches!(part, "" | "." | "..") && !part.contains('\0'));
    let is_root = path.is_empty() && kind == Kind::Folder;
    if !is_plain && !is_root {
        return Err(damaged(&format!("{path:?} is no plain path")));
    }
    Ok(Entry {
        path: path.to_owned(),
        kind,
        size: match kind {
            Kind::File => header.entry_size().map_err(bad)?,
            Kind::Folder => 0,
        },
        mode: header.mode().map_err(bad)?,
        uid: header.uid().map_err(bad)?,
        gid: header.gid().map_err(bad)?,
    })
}

pub(super) fn damaged(why: &str) -> Error {
    Error::invalid(
        "dump_incomplete",
        format!("the copy of the cluster is not whole: {why}"),
    )
}
