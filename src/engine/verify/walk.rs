//! Walking an opened stream to its end, and what must be found on the way.

use crate::archive::{ArchiveReader, IndexEntry, IndexReader, Located, lift};
use crate::dumps::Marks;
use crate::stop::cancelled;
use crate::stream::RawStream;
use backupx_core::domain::dump::Dump;
use backupx_core::domain::entry::display_bytes;
use backupx_core::ports::observer::Observer;
use backupx_core::ports::source::StopFlag;
use backupx_core::{Error, Result};
use std::io::{BufReader, Read};
use std::sync::Arc;
use std::sync::atomic::Ordering;

const BUFFER_BYTES: usize = 1 << 20;

/// What is walked.
pub(super) enum Walk {
    /// The index: every line can be read.
    Index,
    /// The archive, each entry as the index says.
    Data(Arc<dyn RawStream>),
    /// A dump with this many bytes, begun and ended as its kind is.
    Dump(Box<Dump>, u64),
}

impl Walk {
    /// Reads `raw` to where its content ends. Answers how many entries it has.
    pub(super) fn run(
        self,
        raw: &mut dyn Read,
        observer: &dyn Observer,
        stop: &StopFlag,
    ) -> Result<u64> {
        match self {
            Self::Index => {
                let mut index = IndexReader::new(BufReader::with_capacity(BUFFER_BYTES, raw));
                let mut entries = 0;
                while index.next_entry()?.is_some() {
                    entries += 1;
                }
                Ok(entries)
            }
            Self::Data(index) => compare(raw, &index, observer, stop),
            Self::Dump(dump, bytes) => look_through(raw, &dump, bytes, observer, stop),
        }
    }
}

fn look_through(
    raw: &mut dyn Read,
    dump: &Dump,
    bytes: u64,
    observer: &dyn Observer,
    stop: &StopFlag,
) -> Result<u64> {
    let mut marks = Marks::new();
    let mut block = vec![0; BUFFER_BYTES];
    loop {
        if stop.is_stopped() {
            return Err(cancelled());
        }
        let count = raw
            .read(&mut block)
            .map_err(|error| lift(error, "stream_damaged", "the dump can't be read"))?;
        if count == 0 {
            break;
        }
        marks.see(&block[..count]);
        observer
            .counters()
            .bytes
            .fetch_add(count as u64, Ordering::Relaxed);
    }
    if marks.bytes() != bytes {
        return Err(Error::invalid(
            "stream_damaged",
            format!(
                "the dump of {} has {} bytes, the manifest says {bytes}",
                dump.name,
                marks.bytes()
            ),
        ));
    }
    marks.whole(dump)?;
    observer.counters().files.fetch_add(1, Ordering::Relaxed);
    Ok(1)
}

fn compare(
    raw: &mut dyn Read,
    index: &Arc<dyn RawStream>,
    observer: &dyn Observer,
    stop: &StopFlag,
) -> Result<u64> {
    let mut archive = ArchiveReader::new(BufReader::with_capacity(BUFFER_BYTES, raw), 0);
    let mut index = IndexReader::new(BufReader::with_capacity(BUFFER_BYTES, index.open_at(0)?));
    let mut entries = 0;
    while let Some(found) = archive.next_entry()? {
        if stop.is_stopped() {
            return Err(cancelled());
        }
        let said = index
            .next_entry()?
            .ok_or_else(|| differs(&found, "the index has no line for it"))?;
        same(&found, &said)?;
        entries += 1;
        observer.counters().files.fetch_add(1, Ordering::Relaxed);
        observer
            .counters()
            .bytes
            .fetch_add(found.entry.size, Ordering::Relaxed);
    }
    match index.next_entry()? {
        None => Ok(entries),
        Some(entry) => Err(Error::invalid(
            "stream_damaged",
            format!(
                "{} stands in the index and not in the archive",
                display_bytes(&entry.path)
            ),
        )),
    }
}

fn same(found: &Located, said: &IndexEntry) -> Result<()> {
    let entry = &found.entry;
    if entry.path != said.path {
        return Err(differs(
            found,
            &format!("the index has {} in its place", display_bytes(&said.path)),
        ));
    }
    let checks = [
        (entry.kind == said.kind, "kind"),
        (entry.size == said.size, "size"),
        (entry.mtime == said.mtime, "time"),
        (entry.link == said.link, "link"),
        (found.offset == said.offset, "place"),
    ];
    match checks.into_iter().find(|(same, _)| !same) {
        None => Ok(()),
        Some((_, what)) => Err(differs(found, &format!("the index says another {what}"))),
    }
}

fn differs(found: &Located, how: &str) -> Error {
    Error::invalid(
        "stream_damaged",
        format!("{}: {how}", found.entry.display_path()),
    )
}
