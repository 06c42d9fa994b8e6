//! A restore that only says what it would do: the index against what is on disk.

use super::folder::Folder;
use super::place::Manner;
use super::select::facts;
use super::tally::Tally;
use super::tree::{Tree, names};
use crate::archive::IndexEntry;
use backupx_core::Result;
use backupx_core::domain::entry::EntryKind;
use backupx_core::domain::operation::Overwrite;
use rustix::fs::AtFlags;
use rustix::io::Errno;
use std::path::Path;
use std::sync::Arc;

/// Paths that a dry run shows at most.
pub(super) const MOST_SHOWN: usize = 1000;

/// Compares entries with what is on disk.
pub(super) struct Rehearsal {
    trees: Vec<Tree>,
    manner: Manner,
    tally: Arc<Tally>,
    /// The folder last looked into: tree, names, and what was found.
    last: Option<(usize, Vec<u8>, Option<Arc<Folder>>)>,
}

impl Rehearsal {
    /// A comparison with what is below `bases`, of which some may not be there.
    pub(super) fn new(
        bases: &[(String, Vec<u8>)],
        manner: Manner,
        tally: &Arc<Tally>,
    ) -> Result<Self> {
        let mut trees = Vec::new();
        for (path, prefix) in bases {
            match Tree::open_base(Path::new(path), manner.rights, Arc::clone(tally)) {
                Ok(tree) => trees.push(tree.at_prefix(prefix.clone())),
                Err(error) if error.code() == "target_missing" => {}
                Err(error) => return Err(error),
            }
        }
        Ok(Self {
            trees,
            manner,
            tally: Arc::clone(tally),
            last: None,
        })
    }

    /// True when the entry would be written; counted either way.
    pub(super) fn would_write(&mut self, entry: &IndexEntry) -> bool {
        match names(&entry.path) {
            Err(trouble) => {
                self.tally.miss(trouble);
                false
            }
            Ok(_) => {
                let is_kept = self.is_kept(entry);
                self.tally.placed(!is_kept, entry.size);
                !is_kept
            }
        }
    }

    fn is_kept(&mut self, entry: &IndexEntry) -> bool {
        let found = self.trees.iter().enumerate().find_map(|(at, tree)| {
            Some((at, tree.strip(&entry.path)?)).filter(|(_, below)| !below.is_empty())
        });
        let Some((at, below)) = found else {
            return false;
        };
        let (above, name) = match below.iter().rposition(|byte| *byte == b'/') {
            Some(slash) => (&below[..slash], &below[slash + 1..]),
            None => (&[][..], below),
        };
        let Some(folder) = self.folder(at, above) else {
            return false;
        };
        let is_there = || rustix::fs::statat(folder.fd(), name, AtFlags::SYMLINK_NOFOLLOW).is_ok();
        match (entry.kind, self.manner.overwrite) {
            (_, Overwrite::Always) => false,
            (_, Overwrite::Never) => is_there(),
            // Folders get their attributes, links are made again.
            (EntryKind::Dir | EntryKind::Hardlink, Overwrite::IfChanged) => false,
            (_, Overwrite::IfChanged) => matches!(
                self.manner.keeps(&folder, name, &facts(entry)),
                Ok::<_, Errno>(true)
            ),
        }
    }

    fn folder(&mut self, at: usize, above: &[u8]) -> Option<Arc<Folder>> {
        if let Some((tree, names, folder)) = &self.last
            && *tree == at
            && names == above
        {
            return folder.clone();
        }
        let names: Vec<&[u8]> = above
            .split(|byte| *byte == b'/')
            .filter(|n| !n.is_empty())
            .collect();
        let folder = self.trees[at].find(&names).ok();
        self.last = Some((at, above.to_vec(), folder.clone()));
        folder
    }
}
