//! Entries as they come out of the archive, each to its place.

use super::place::{Blocks, Placed};
use super::run::{Failed, Restoration};
use super::select::Chosen;
use super::stopped;
use super::tally::Trouble;
use super::tree::{Tree, names};
use super::writers::{Job, SMALL_FILE, Writers};
use crate::archive::{ArchiveReader, lift};
use backupx_core::Error;
use backupx_core::domain::entry::{Entry, EntryKind, display_bytes};
use backupx_core::ports::source::StopFlag;
use std::io::Read;

const COPY_BYTES: usize = 256 << 10;

impl Restoration {
    /// Restores an entry when it is chosen; answers for how many chosen ones it stands.
    pub(super) fn meet(
        &mut self,
        mut entry: Entry,
        chosen: &Chosen,
        archive: &mut ArchiveReader<Box<dyn Read + Send>>,
        writers: &mut Writers,
    ) -> Result<u64, Failed> {
        if self.patterns.matches(&entry.path) {
            let is_orphan = entry.kind == EntryKind::Hardlink
                && entry
                    .link
                    .as_ref()
                    .is_some_and(|first| chosen.orphans.contains_key(first));
            // Those were made when their first name came by.
            if is_orphan {
                return Ok(0);
            }
            self.put(entry, chosen, archive, writers)?;
            return Ok(1);
        }
        let Some((first, others)) = chosen
            .orphans
            .get(&entry.path)
            .and_then(|all| all.split_first())
        else {
            return Ok(0);
        };
        entry.path.clone_from(first);
        let mut links = Vec::new();
        for other in others {
            let mut link = entry.clone();
            link.kind = EntryKind::Hardlink;
            link.path.clone_from(other);
            link.link = Some(first.clone());
            link.size = 0;
            links.push(link);
        }
        self.put(entry, chosen, archive, writers)?;
        for link in links {
            self.put(link, chosen, archive, writers)?;
        }
        Ok(1 + others.len() as u64)
    }

    fn put(
        &mut self,
        entry: Entry,
        chosen: &Chosen,
        archive: &mut ArchiveReader<Box<dyn Read + Send>>,
        writers: &mut Writers,
    ) -> Result<(), Failed> {
        match self.try_put(entry, chosen, archive, writers) {
            Ok(()) => {}
            Err(Trouble::Reading(error)) => return Err(Failed::Reading(error)),
            Err(trouble) => self.tally.miss(trouble),
        }
        Ok(())
    }

    fn try_put(
        &mut self,
        entry: Entry,
        chosen: &Chosen,
        archive: &mut ArchiveReader<Box<dyn Read + Send>>,
        writers: &mut Writers,
    ) -> Result<(), Trouble> {
        let path = entry.path.clone();
        let at = tree_of(&self.trees, &path);
        let below = self.trees[at].strip(&path).unwrap_or(&path);
        let all = names(below)?;
        let Some((name, folders)) = all.split_last() else {
            return Ok(());
        };
        let folder = self.trees[at].enter(folders, &chosen.parents)?;
        let size = entry.size;
        let placed = match entry.kind {
            EntryKind::File if stored_size(&entry) <= SMALL_FILE => {
                let mut content = writers.buffer();
                let stored = usize::try_from(stored_size(&entry)).unwrap_or(0);
                content.resize(stored, 0);
                archive.read_exact(&mut content).map_err(reading)?;
                writers.push(Job {
                    folder,
                    name: name.to_vec(),
                    entry,
                    content,
                });
                return Ok(());
            }
            EntryKind::File => {
                let mut content = Streamed {
                    archive,
                    buffer: vec![0; COPY_BYTES],
                    stop: &self.stop,
                };
                self.manner
                    .file(&folder, name, &entry, &mut content, &self.tally)?
            }
            EntryKind::Dir => {
                drop(folder);
                let overwrite = self.manner.overwrite;
                match self.trees[at].make(name, entry, overwrite)? {
                    true => Placed::Written,
                    false => Placed::Kept,
                }
            }
            EntryKind::Hardlink => {
                writers.settle();
                let first = entry.link.clone().unwrap_or_default();
                let at = tree_of(&self.trees, &first);
                let below = self.trees[at].strip(&first).unwrap_or(&first);
                let all = names(below)?;
                let Some((first_name, folders)) = all.split_last() else {
                    return Ok(());
                };
                let failed = |error: rustix::io::Errno| {
                    Trouble::Entry(format!(
                        "{} can't be linked to {}: {}",
                        entry.display_path(),
                        display_bytes(&first),
                        std::io::Error::from(error)
                    ))
                };
                let from = self.trees[at].find(folders).map_err(failed)?;
                self.manner
                    .link(&folder, name, &entry, (&from, first_name))
                    .map_err(failed)?
            }
            EntryKind::Symlink
            | EntryKind::CharDevice
            | EntryKind::BlockDevice
            | EntryKind::Fifo => self.manner.special(&folder, name, &entry, &self.tally)?,
        };
        self.tally.placed(placed == Placed::Written, size);
        Ok(())
    }
}

/// The tree that an archive path belongs to: the one with the longest prefix. The last one takes everything.
fn tree_of(trees: &[Tree], path: &[u8]) -> usize {
    let found = trees.iter().position(|tree| tree.strip(path).is_some());
    found.unwrap_or(trees.len() - 1)
}

/// Bytes of content in the archive.
fn stored_size(entry: &Entry) -> u64 {
    match &entry.segments {
        Some(segments) => segments.iter().map(|(_, length)| length).sum(),
        None => entry.size,
    }
}

fn reading(error: std::io::Error) -> Trouble {
    Trouble::Reading(lift(error, "archive_unreadable", "reading the archive"))
}

/// Content of a large file, straight from the archive.
struct Streamed<'a> {
    archive: &'a mut ArchiveReader<Box<dyn Read + Send>>,
    buffer: Vec<u8>,
    stop: &'a StopFlag,
}

impl Blocks for Streamed<'_> {
    fn next_up_to(&mut self, most: u64) -> Result<&[u8], Trouble> {
        if self.stop.is_stopped() {
            return Err(Trouble::Fatal(stopped()));
        }
        let most = usize::try_from(most).unwrap_or(usize::MAX).min(COPY_BYTES);
        let count = self
            .archive
            .read(&mut self.buffer[..most])
            .map_err(reading)?;
        if count == 0 {
            return Err(Trouble::Reading(Error::invalid(
                "archive_truncated",
                "the archive ends within a file",
            )));
        }
        Ok(&self.buffer[..count])
    }
}
