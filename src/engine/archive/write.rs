//! Entries into an archive's bytes.

use super::header::{self, EXTENDED, Header, MOST_LONG, MOST_OWNER, MOST_SHORT};
use super::{BLOCK, MOST_EXTENDED, acl, lift, pax, sparse};
use backupx_core::domain::entry::{Entry, EntryKind};
use backupx_core::{Error, Result};
use std::io::{Read, Write};

const COPY_BYTES: usize = 256 << 10;

/// Writes an archive.
pub(super) struct ArchiveWriter<'a> {
    output: &'a mut dyn Write,
    offset: u64,
    head: Vec<u8>,
    records: Vec<u8>,
    buffer: Vec<u8>,
}

impl<'a> ArchiveWriter<'a> {
    pub(super) fn new(output: &'a mut dyn Write) -> Self {
        Self {
            output,
            offset: 0,
            head: Vec::with_capacity(4 * BLOCK),
            records: Vec::new(),
            buffer: vec![0; COPY_BYTES],
        }
    }

    /// Bytes written so far: where the next entry begins.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// Writes one entry with its content; `step` is told of every block of content that went through.
    pub(super) fn append(
        &mut self,
        entry: &Entry,
        content: &mut dyn Read,
        mut step: impl FnMut(u64) -> Result<()>,
    ) -> Result<()> {
        let stored = self.fill_head(entry)?;
        let head = std::mem::take(&mut self.head);
        self.put(&head)?;
        self.head = head;
        let mut left = stored;
        while left > 0 {
            let most = usize::try_from(left).unwrap_or(usize::MAX).min(COPY_BYTES);
            let count = match content.read(&mut self.buffer[..most]) {
                Ok(0) => {
                    return Err(Error::internal(format!(
                        "{} ended {left} bytes before its announced size",
                        entry.display_path()
                    )));
                }
                Ok(count) => count,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(lift(error, "source_failed", "reading the source")),
            };
            self.offset += count as u64;
            left -= count as u64;
            self.output
                .write_all(&self.buffer[..count])
                .map_err(write_failed)?;
            step(count as u64)?;
        }
        self.pad(stored)
    }

    /// Ends the archive: two empty blocks.
    pub(super) fn finish(mut self) -> Result<u64> {
        self.put(&[0; 2 * BLOCK])?;
        Ok(self.offset)
    }

    fn put(&mut self, bytes: &[u8]) -> Result<()> {
        self.offset += bytes.len() as u64;
        self.output.write_all(bytes).map_err(write_failed)
    }

    fn pad(&mut self, length: u64) -> Result<()> {
        let over = usize::try_from(length % BLOCK as u64).unwrap_or(0);
        if over == 0 {
            return Ok(());
        }
        self.put(&[0; BLOCK][over..])
    }

    /// Fills `head` with everything in front of the entry's content; answers how many bytes of content follow.
    fn fill_head(&mut self, entry: &Entry) -> Result<u64> {
        self.head.clear();
        self.records.clear();
        let mut plain = Header::new(header::type_of(entry.kind));
        let mut stored = entry.size;
        let mut map = Vec::new();
        if let Some(segments) = &entry.segments {
            sparse::append_map(&mut map, segments, entry.size);
            stored = segments.iter().map(|(_, length)| length).sum();
            self.name_sparse(&mut plain, entry);
        } else {
            self.name(&mut plain, entry);
        }
        if let Some(link) = &entry.link
            && !plain.set_link(link)
        {
            self.record(b"linkpath", link);
        }
        let in_archive = stored + map.len() as u64;
        self.numbers(&mut plain, entry, in_archive);
        self.attributes(entry);
        if self.records.len() > MOST_EXTENDED {
            return Err(Error::invalid(
                "attributes_too_large",
                format!(
                    "{} has more than 16 MiB of attributes",
                    entry.display_path()
                ),
            ));
        }
        plain.seal();
        if !self.records.is_empty() {
            let mut extended = Header::new(EXTENDED);
            let last = entry.path.rsplit(|byte| *byte == b'/').next();
            let last = last.unwrap_or_default();
            extended.set_name(&[b"PaxHeaders/", &last[..last.len().min(80)]].concat());
            extended.set_numbers(0o644, 0, 0, self.records.len() as u64, 0);
            extended.seal();
            self.head.extend_from_slice(&extended.0);
            self.head.extend_from_slice(&self.records);
            self.head.resize(self.head.len().next_multiple_of(BLOCK), 0);
        }
        self.head.extend_from_slice(&plain.0);
        self.head.extend_from_slice(&map);
        Ok(stored)
    }

    fn name(&mut self, plain: &mut Header, entry: &Entry) {
        if entry.kind == EntryKind::Dir {
            let name = [&entry.path[..], b"/"].concat();
            if !plain.set_name(&name) {
                self.record(b"path", &name);
            }
        } else if !plain.set_name(&entry.path) {
            self.record(b"path", &entry.path);
        }
    }

    fn name_sparse(&mut self, plain: &mut Header, entry: &Entry) {
        let last = entry.path.rsplit(|byte| *byte == b'/').next();
        let last = last.unwrap_or_default();
        plain.set_name(&[b"GNUSparseFile.0/", &last[..last.len().min(80)]].concat());
        self.record(b"GNU.sparse.major", b"1");
        self.record(b"GNU.sparse.minor", b"0");
        self.record(b"GNU.sparse.name", &entry.path);
        self.record(b"GNU.sparse.realsize", entry.size.to_string().as_bytes());
    }

    fn numbers(&mut self, plain: &mut Header, entry: &Entry, size: u64) {
        let (seconds, nanos) = entry.mtime;
        plain.set_numbers(entry.mode, entry.uid, entry.gid, size, seconds);
        plain.set_owners(entry.user.as_deref(), entry.group.as_deref());
        let (major, minor) = entry.device.unwrap_or_default();
        plain.set_device(major, minor);
        let has_time = u64::try_from(seconds).is_ok_and(|seconds| seconds <= MOST_LONG);
        if nanos != 0 || !has_time {
            self.record(b"mtime", &pax::time(seconds, nanos));
        }
        if size > MOST_LONG {
            self.record(b"size", size.to_string().as_bytes());
        }
        for (key, id) in [(b"uid", entry.uid), (b"gid", entry.gid)] {
            if u64::from(id) > MOST_SHORT {
                self.record(key, id.to_string().as_bytes());
            }
        }
        for (key, name) in [(b"uname", &entry.user), (b"gname", &entry.group)] {
            if let Some(name) = name.as_ref().filter(|name| name.len() > MOST_OWNER) {
                self.record(key, name);
            }
        }
    }

    fn attributes(&mut self, entry: &Entry) {
        for (name, value) in &entry.xattrs {
            let key: &[u8] = match &name[..] {
                acl::ACCESS => b"SCHILY.acl.access",
                acl::DEFAULT => b"SCHILY.acl.default",
                _ => b"",
            };
            if let Some(text) = Some(key).filter(|k| !k.is_empty()).and(acl::text(value)) {
                self.record(key, text.as_bytes());
            }
            let name = pax::encode_name(name);
            pax::append(&mut self.records, &[b"SCHILY.xattr.", &name], value);
        }
    }

    fn record(&mut self, key: &[u8], value: &[u8]) {
        pax::append(&mut self.records, &[key], value);
    }
}

fn write_failed(error: std::io::Error) -> Error {
    lift(error, "write_failed", "writing the archive")
}
