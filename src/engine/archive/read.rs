//! An archive's bytes back into entries. Whatever the bytes are, reading ends with entries or an error.

use super::header::{EXTENDED, GLOBAL, Header, kind_of};
use super::{BLOCK, MOST_EXTENDED, lift, pax, sparse};
use backupx_core::domain::entry::{Entry, EntryKind};
use backupx_core::{Error, Result};
use std::io::{self, Read};

/// An entry and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located {
    /// What it is.
    pub entry: Entry,
    /// Where its first header begins in the archive.
    pub offset: u64,
}

/// Reads an archive from its beginning, or from where an entry begins.
///
/// After [`ArchiveReader::next_entry`] the reader itself gives that entry's content: `size` bytes, of a sparse file the bytes of its
/// `segments` only. What is not read is passed over by the next call. Errors: `archive_damaged`, `archive_truncated`, or
/// what the stream below says.
#[derive(Debug)]
pub struct ArchiveReader<R> {
    input: R,
    offset: u64,
    left: u64,
    padding: u64,
}

impl<R: Read> ArchiveReader<R> {
    /// A reader of `input`, which stands at `offset` of the archive, where an entry begins.
    pub fn new(input: R, offset: u64) -> Self {
        Self {
            input,
            offset,
            left: 0,
            padding: 0,
        }
    }

    /// Where the next entry begins.
    pub fn next_offset(&self) -> u64 {
        self.offset + self.left + self.padding
    }

    /// The next entry, nothing at the end of the archive.
    pub fn next_entry(&mut self) -> Result<Option<Located>> {
        self.pass_over()?;
        let start = self.offset;
        let mut extended = Vec::new();
        loop {
            let plain = self.header()?;
            if plain.is_zero() {
                return Ok(None);
            }
            if !plain.is_valid() {
                return Err(self.damaged("a header's checksum does not hold"));
            }
            match plain.letter() {
                EXTENDED if extended.is_empty() => extended = self.extended(&plain)?,
                GLOBAL => drop(self.extended(&plain)?),
                letter => {
                    let kind = kind_of(letter).ok_or_else(|| {
                        self.damaged(&format!(
                            "type {:?} is not known",
                            letter.escape_ascii().to_string()
                        ))
                    })?;
                    let entry = self.entry(kind, &plain, &extended)?;
                    return Ok(Some(Located {
                        entry,
                        offset: start,
                    }));
                }
            }
        }
    }

    /// Gives the input back, wherever it stands.
    pub fn into_inner(self) -> R {
        self.input
    }

    fn header(&mut self) -> Result<Header> {
        let mut block = [0; BLOCK];
        self.fill(&mut block)?;
        Ok(Header(block))
    }

    /// The records of an extended header, to the end of its last block.
    fn extended(&mut self, plain: &Header) -> Result<Vec<u8>> {
        let size = plain.size().and_then(|size| usize::try_from(size).ok());
        let size = size.filter(|size| *size <= MOST_EXTENDED && *size > 0);
        let size = size.ok_or_else(|| self.damaged("an extended header has no sensible size"))?;
        let mut records = Vec::new();
        let whole = size.next_multiple_of(BLOCK);
        let taken = (&mut self.input)
            .take(whole as u64)
            .read_to_end(&mut records);
        let taken = taken.map_err(|error| self.unreadable(error))?;
        self.offset += taken as u64;
        if taken < whole {
            return Err(self.truncated());
        }
        records.truncate(size);
        Ok(records)
    }

    fn entry(&mut self, kind: EntryKind, plain: &Header, extended: &[u8]) -> Result<Entry> {
        let mut facts =
            Facts::of(plain).ok_or_else(|| self.damaged("a header has a bad number"))?;
        pax::parse(extended, |key, value| facts.take(key, value))
            .ok_or_else(|| self.damaged("an extended header is damaged"))?;
        let mut path = facts.path;
        if kind == EntryKind::Dir && path.len() > 1 && path.ends_with(b"/") {
            path.pop();
        }
        let has_content = kind == EntryKind::File;
        self.left = if has_content { facts.stored } else { 0 };
        if !has_content && facts.stored > 0 {
            return Err(self.damaged("a thing without content has some"));
        }
        // Far beyond what any file system holds; keeps the sums below from running over.
        if facts.stored >= 1 << 62 || facts.real_size.is_some_and(|size| size >= 1 << 62) {
            return Err(self.damaged("a size is beyond reason"));
        }
        self.padding = facts.stored.next_multiple_of(BLOCK as u64) - facts.stored;
        let mut size = self.left;
        let mut segments = None;
        if let (true, Some(real)) = (has_content && facts.is_sparse, facts.real_size) {
            segments = Some(self.map(real)?);
            size = real;
        }
        let is_link = matches!(kind, EntryKind::Symlink | EntryKind::Hardlink);
        let is_device = matches!(kind, EntryKind::CharDevice | EntryKind::BlockDevice);
        Ok(Entry {
            path,
            kind,
            mode: facts.mode,
            uid: facts.uid,
            gid: facts.gid,
            user: facts.user,
            group: facts.group,
            mtime: facts.mtime,
            size,
            xattrs: facts.xattrs,
            link: is_link.then_some(facts.link),
            device: is_device.then_some(facts.device),
            segments,
        })
    }

    /// Reads the map of a sparse file of `size` bytes; what is left of the content are its parts.
    fn map(&mut self, size: u64) -> Result<Vec<(u64, u64)>> {
        let mut input = (&mut self.input).take(self.left);
        let (segments, taken) =
            sparse::read_map(&mut input, size).map_err(|error| match error.kind() {
                io::ErrorKind::InvalidData => self.damaged(&error.to_string()),
                io::ErrorKind::UnexpectedEof => self.truncated(),
                _ => self.unreadable(error),
            })?;
        self.offset += taken;
        self.left -= taken;
        if segments.iter().map(|(_, length)| length).sum::<u64>() != self.left {
            return Err(self.damaged("the map of a sparse file does not fit its content"));
        }
        Ok(segments)
    }

    /// Passes over what is left of an entry.
    fn pass_over(&mut self) -> Result<()> {
        let rest = self.left + self.padding;
        if rest == 0 {
            return Ok(());
        }
        let passed = io::copy(&mut (&mut self.input).take(rest), &mut io::sink())
            .map_err(|error| self.unreadable(error))?;
        self.offset += passed;
        if passed < rest {
            return Err(self.truncated());
        }
        (self.left, self.padding) = (0, 0);
        Ok(())
    }

    fn fill(&mut self, block: &mut [u8]) -> Result<()> {
        match self.input.read_exact(block) {
            Ok(()) => {
                self.offset += block.len() as u64;
                Ok(())
            }
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(self.truncated()),
            Err(error) => Err(self.unreadable(error)),
        }
    }

    fn damaged(&self, why: &str) -> Error {
        Error::invalid(
            "archive_damaged",
            format!("the archive is damaged at byte {}: {why}", self.offset),
        )
    }

    fn truncated(&self) -> Error {
        Error::invalid(
            "archive_truncated",
            format!("the archive ends too early, after byte {}", self.offset),
        )
    }

    fn unreadable(&self, error: io::Error) -> Error {
        let what = format!("reading the archive at byte {}", self.offset);
        lift(error, "archive_unreadable", &what)
    }
}

/// The content of the current entry.
impl<R: Read> Read for ArchiveReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left)
            .unwrap_or(usize::MAX)
            .min(buffer.len());
        if most == 0 {
            return Ok(0);
        }
        let count = self.input.read(&mut buffer[..most])?;
        if count == 0 {
            return Err(io::Error::other(self.truncated()));
        }
        self.offset += count as u64;
        self.left -= count as u64;
        Ok(count)
    }
}

/// What the headers of an entry say.
struct Facts {
    path: Vec<u8>,
    link: Vec<u8>,
    mode: u32,
    uid: u32,
    gid: u32,
    user: Option<Vec<u8>>,
    group: Option<Vec<u8>>,
    mtime: (i64, u32),
    stored: u64,
    device: (u32, u32),
    xattrs: Vec<(Vec<u8>, Vec<u8>)>,
    is_sparse: bool,
    real_size: Option<u64>,
}

impl Facts {
    fn of(plain: &Header) -> Option<Self> {
        let name = |text: &[u8]| (!text.is_empty()).then(|| text.to_vec());
        let (major, minor) = plain.device()?;
        Some(Self {
            path: plain.name(),
            link: plain.link().to_vec(),
            mode: u32::try_from(plain.mode()?).ok()? & 0o7777,
            uid: u32::try_from(plain.uid()?).ok()?,
            gid: u32::try_from(plain.gid()?).ok()?,
            user: name(plain.user()),
            group: name(plain.group()),
            mtime: (i64::try_from(plain.mtime()?).ok()?, 0),
            stored: plain.size()?,
            device: (u32::try_from(major).ok()?, u32::try_from(minor).ok()?),
            xattrs: Vec::new(),
            is_sparse: false,
            real_size: None,
        })
    }

    /// Takes one record of the extended header; records that aren't known are passed over, bad values are an error.
    fn take(&mut self, key: &[u8], value: &[u8]) -> Option<()> {
        let id = |value| u32::try_from(pax::parse_number(value)?).ok();
        match key {
            b"path" | b"GNU.sparse.name" => self.path = value.to_vec(),
            b"linkpath" => self.link = value.to_vec(),
            b"size" => self.stored = pax::parse_number(value)?,
            b"uid" => self.uid = id(value)?,
            b"gid" => self.gid = id(value)?,
            b"uname" => self.user = Some(value.to_vec()),
            b"gname" => self.group = Some(value.to_vec()),
            b"mtime" => self.mtime = pax::parse_time(value)?,
            b"GNU.sparse.major" if value == b"1" => self.is_sparse = true,
            b"GNU.sparse.major" => return None,
            b"GNU.sparse.realsize" => self.real_size = Some(pax::parse_number(value)?),
            _ => {
                if let Some(name) = key.strip_prefix(b"SCHILY.xattr.") {
                    self.xattrs.push((pax::decode_name(name), value.to_vec()));
                }
            }
        }
        Some(())
    }
}
