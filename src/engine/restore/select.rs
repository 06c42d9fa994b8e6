//! What is restored: patterns looked up in the index, and the parts of the archive that hold what they choose.

use crate::archive::{IndexEntry, IndexReader};
use backupx_core::domain::entry::{Entry, EntryKind};
use backupx_core::{Error, Result};
use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use std::collections::{BTreeMap, HashMap};
use std::ffi::OsStr;
use std::io::BufRead;
use std::ops::Range;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// A gap between two parts of the archive that is read through rather than jumped over.
const SMALL_GAP: u64 = crate::stream::FRAME_BYTES;

/// Patterns of archived paths.
#[derive(Debug)]
pub(super) struct Patterns(Option<GlobSet>);

impl Patterns {
    /// Reads `include`: globs in which `*` stops at `/` and `**` does not; a folder's path means all below it. None means everything.
    pub(super) fn new(include: &[String]) -> Result<Self> {
        if include.is_empty() {
            return Ok(Self(None));
        }
        let bad = |pattern: &str, error: globset::Error| {
            Error::field(
                "include",
                format!("{pattern:?} is no pattern: {}", error.kind()),
            )
        };
        let mut set = GlobSetBuilder::new();
        for pattern in include {
            let path = pattern.trim_matches('/');
            let texts = match path {
                // `/` is everything.
                "" | "." => vec!["**".to_owned()],
                path => vec![path.to_owned(), format!("{path}/**")],
            };
            for text in texts {
                let glob = GlobBuilder::new(&text)
                    .literal_separator(true)
                    .backslash_escape(true)
                    .build()
                    .map_err(|error| bad(pattern, error))?;
                set.add(glob);
            }
        }
        let set = set
            .build()
            .map_err(|error| bad(&include.join(", "), error))?;
        Ok(Self(Some(set)))
    }

    /// True when everything is meant.
    pub(super) fn is_everything(&self) -> bool {
        self.0.is_none()
    }

    /// True when the entry at `path` is meant.
    pub(super) fn matches(&self, path: &[u8]) -> bool {
        self.0
            .as_ref()
            .is_none_or(|set| set.is_match(Path::new(OsStr::from_bytes(path))))
    }
}

/// What the index says of a selection.
#[derive(Debug, Default)]
pub(super) struct Chosen {
    /// Entries.
    pub(super) entries: u64,
    /// Bytes of content.
    pub(super) bytes: u64,
    /// The parts of the archive that hold them, in order. Each begins and ends where an entry does.
    pub(super) ranges: Vec<Range<u64>>,
    /// Folders above them that are not chosen themselves.
    pub(super) parents: BTreeMap<Vec<u8>, Entry>,
    /// Chosen hard links by the archive path of their first name, where that is not chosen.
    pub(super) orphans: HashMap<Vec<u8>, Vec<Vec<u8>>>,
}

impl Chosen {
    /// Reads the index to its end. `each` is told of every chosen entry.
    pub(super) fn read(
        index: impl BufRead,
        archive_len: u64,
        patterns: &Patterns,
        mut each: impl FnMut(&IndexEntry) -> Result<()>,
    ) -> Result<Self> {
        let mut chosen = Self::default();
        let mut above: Vec<IndexEntry> = Vec::new();
        let mut open = None;
        for entry in IndexReader::new(index) {
            let entry = entry?;
            if let Some(start) = open.take() {
                chosen.add_range(start..entry.offset);
            }
            above.retain(|folder| is_below(&entry.path, &folder.path));
            if patterns.matches(&entry.path) {
                each(&entry)?;
                open = Some(entry.offset);
                chosen.entries += 1;
                chosen.bytes += entry.size;
                for folder in above.drain(..) {
                    chosen.parents.insert(folder.path.clone(), facts(&folder));
                }
                if let (EntryKind::Hardlink, Some(first)) = (entry.kind, entry.link)
                    && !patterns.matches(&first)
                {
                    chosen.orphans.entry(first).or_default().push(entry.path);
                }
            } else if entry.kind == EntryKind::Dir {
                above.push(entry);
            }
        }
        if let Some(start) = open {
            chosen.add_range(start..archive_len);
        }
        Ok(chosen)
    }

    /// Reads the index once more for the first names of chosen hard links, whose content is needed.
    pub(super) fn read_orphans(&mut self, index: impl BufRead, archive_len: u64) -> Result<()> {
        let mut open = None;
        let mut more = Vec::new();
        for entry in IndexReader::new(index) {
            let entry = entry?;
            if let Some(start) = open.take() {
                more.push(start..entry.offset);
            }
            if self.orphans.contains_key(&entry.path) {
                open = Some(entry.offset);
                self.bytes += entry.size;
            }
        }
        if let Some(start) = open {
            more.push(start..archive_len);
        }
        let mut all = std::mem::take(&mut self.ranges);
        all.append(&mut more);
        all.sort_unstable_by_key(|range| range.start);
        for range in all {
            self.add_range(range);
        }
        Ok(())
    }

    fn add_range(&mut self, range: Range<u64>) {
        match self.ranges.last_mut() {
            Some(last) if range.start <= last.end.saturating_add(SMALL_GAP) => {
                last.end = last.end.max(range.end);
            }
            _ => self.ranges.push(range),
        }
    }
}

/// What the index knows of an entry.
pub(super) fn facts(entry: &IndexEntry) -> Entry {
    Entry {
        path: entry.path.clone(),
        kind: entry.kind,
        mode: entry.mode & 0o7777,
        uid: entry.uid,
        gid: entry.gid,
        user: None,
        group: None,
        mtime: entry.mtime,
        size: entry.size,
        xattrs: Vec::new(),
        link: entry.link.clone(),
        device: None,
        segments: None,
    }
}

fn is_below(path: &[u8], folder: &[u8]) -> bool {
    path.strip_prefix(folder)
        .is_some_and(|rest| rest.starts_with(b"/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, path: &str) -> bool {
        let patterns = Patterns::new(&[pattern.to_owned()]).expect("a pattern");
        patterns.matches(path.as_bytes())
    }

    #[test]
    fn a_star_stops_at_a_slash_and_a_folder_means_all_below() {
        assert!(matches("/etc/*.conf", "etc/a.conf"));
        assert!(!matches("/etc/*.conf", "etc/d/a.conf"));
        assert!(matches("etc/**/*.conf", "etc/d/e/a.conf"));
        assert!(matches("**/*.conf", "a.conf"));
        assert!(matches("etc", "etc/d/e"));
        assert!(matches("etc/", "etc"));
        assert!(matches("/", "anything/at/all"));
        assert!(matches("et*", "etc/d/e"));
        assert!(!matches("et", "etc"));
    }

    #[test]
    fn a_broken_pattern_is_refused_by_name() {
        let error = Patterns::new(&["[z-a]".to_owned()]).expect_err("no pattern");
        assert!(error.message().contains("[z-a]"), "{error}");
    }
}
