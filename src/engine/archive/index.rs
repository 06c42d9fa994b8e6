//! The index: one JSON line per entry, in the archive's order. Part of the storage format.

use super::lift;
use crate::stream::FRAME_BYTES;
use backupx_core::domain::entry::{Entry, EntryKind, display_bytes};
use backupx_core::{Error, Result};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::io::{BufRead, Read, Write};

/// Bytes of one line at most when it is read.
const MOST_LINE: u64 = 1 << 20;

/// What the index says of one entry.
///
/// Its line is a JSON object: `path` (text; bytes that are no UTF-8 shown as `\xNN`, and then `pathBase64` has the true bytes),
/// `type`, `size`, `mode` (a number), `mtime` (seconds since 1970) with `nanos` when not zero, `uid`, `gid`, `user` and `group` when
/// they have UTF-8 names, `link` (with `linkBase64` likewise) for both kinds of links, `offset` (of the entry's first header in the
/// uncompressed archive) and `frame` (the compressed frame in which that is). Readers ignore fields that they don't know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexEntry {
    /// Archive path.
    pub path: Vec<u8>,
    /// What it is.
    pub kind: EntryKind,
    /// Bytes of content, holes included.
    pub size: u64,
    /// Permission bits with setuid, setgid and sticky.
    pub mode: u32,
    /// Modification time: seconds since 1970 and nanoseconds.
    pub mtime: (i64, u32),
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Owner's name.
    pub user: Option<String>,
    /// Group's name.
    pub group: Option<String>,
    /// Target of a symbolic link, or archive path of a hard link's first name.
    pub link: Option<Vec<u8>>,
    /// Where its first header begins in the uncompressed archive.
    pub offset: u64,
    /// The frame in which that is.
    pub frame: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Line<'a> {
    #[serde(borrow)]
    path: Cow<'a, str>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    path_base64: Option<Cow<'a, str>>,
    #[serde(rename = "type")]
    kind: EntryKind,
    size: u64,
    mode: u32,
    mtime: i64,
    #[serde(default, skip_serializing_if = "is_zero")]
    nanos: u32,
    uid: u32,
    gid: u32,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    user: Option<Cow<'a, str>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    group: Option<Cow<'a, str>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    link: Option<Cow<'a, str>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    link_base64: Option<Cow<'a, str>>,
    offset: u64,
    frame: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// Bytes as text, and as base64 when the text can't be turned back.
fn text_of(bytes: &[u8]) -> (Cow<'_, str>, Option<Cow<'_, str>>) {
    match std::str::from_utf8(bytes) {
        Ok(text) => (Cow::Borrowed(text), None),
        Err(_) => (
            Cow::Owned(display_bytes(bytes)),
            Some(Cow::Owned(STANDARD.encode(bytes))),
        ),
    }
}

fn bytes_of(text: Cow<'_, str>, base64: Option<Cow<'_, str>>) -> Option<Vec<u8>> {
    match base64 {
        Some(base64) => STANDARD.decode(base64.as_bytes()).ok(),
        None => Some(text.into_owned().into_bytes()),
    }
}

/// Writes an index.
pub(crate) struct IndexWriter<'a> {
    output: &'a mut dyn Write,
    buffer: Vec<u8>,
}

impl<'a> IndexWriter<'a> {
    pub(crate) fn new(output: &'a mut dyn Write) -> Self {
        Self {
            output,
            buffer: Vec::with_capacity(64 << 10),
        }
    }

    pub(crate) fn append(&mut self, entry: &Entry, offset: u64) -> Result<()> {
        let (path, path_base64) = text_of(&entry.path);
        let (link, link_base64) = match entry.link.as_deref().map(text_of) {
            Some((link, base64)) => (Some(link), base64),
            None => (None, None),
        };
        let name = |name: &'_ Option<Vec<u8>>| -> Option<Cow<'_, str>> {
            let text = std::str::from_utf8(name.as_deref()?).ok()?;
            Some(Cow::Owned(text.to_owned()))
        };
        let line = Line {
            path,
            path_base64,
            kind: entry.kind,
            size: entry.size,
            mode: entry.mode,
            mtime: entry.mtime.0,
            nanos: entry.mtime.1,
            uid: entry.uid,
            gid: entry.gid,
            user: name(&entry.user),
            group: name(&entry.group),
            link,
            link_base64,
            offset,
            frame: offset / FRAME_BYTES,
        };
        serde_json::to_writer(&mut self.buffer, &line).map_err(|error| {
            Error::internal("an index line can't be written").with_source(error)
        })?;
        self.buffer.push(b'\n');
        if self.buffer.len() >= 60 << 10 {
            self.flush()?;
        }
        Ok(())
    }

    pub(crate) fn finish(mut self) -> Result<()> {
        self.flush()
    }

    fn flush(&mut self) -> Result<()> {
        self.output
            .write_all(&self.buffer)
            .map_err(|error| lift(error, "write_failed", "writing the index"))?;
        self.buffer.clear();
        Ok(())
    }
}

/// Reads an index line by line. Errors: `index_damaged`, or what the stream below it says.
#[derive(Debug)]
pub struct IndexReader<R> {
    input: R,
    line: Vec<u8>,
    number: u64,
}

impl<R: BufRead> IndexReader<R> {
    /// A reader of the lines of `input`.
    pub fn new(input: R) -> Self {
        Self {
            input,
            line: Vec::new(),
            number: 0,
        }
    }

    /// The next entry, nothing at the end.
    pub fn next_entry(&mut self) -> Result<Option<IndexEntry>> {
        self.line.clear();
        self.number += 1;
        let count = (&mut self.input)
            .take(MOST_LINE)
            .read_until(b'\n', &mut self.line)
            .map_err(|error| lift(error, "index_unreadable", "reading the index"))?;
        if count == 0 {
            return Ok(None);
        }
        let damaged = || {
            Error::invalid(
                "index_damaged",
                format!("line {} of the index is damaged", self.number),
            )
        };
        let Some(line) = self.line.strip_suffix(b"\n") else {
            return Err(damaged());
        };
        let line: Line<'_> =
            serde_json::from_slice(line).map_err(|error| damaged().with_source(error))?;
        let path = bytes_of(line.path, line.path_base64).ok_or_else(damaged)?;
        let link = match line.link {
            Some(link) => Some(bytes_of(link, line.link_base64).ok_or_else(damaged)?),
            None => None,
        };
        Ok(Some(IndexEntry {
            path,
            kind: line.kind,
            size: line.size,
            mode: line.mode,
            mtime: (line.mtime, line.nanos),
            uid: line.uid,
            gid: line.gid,
            user: line.user.map(Cow::into_owned),
            group: line.group.map(Cow::into_owned),
            link,
            offset: line.offset,
            frame: line.frame,
        }))
    }
}

impl<R: BufRead> Iterator for IndexReader<R> {
    type Item = Result<IndexEntry>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_entry().transpose()
    }
}
