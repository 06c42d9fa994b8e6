//! Measuring: how much there is to read, from names and sizes alone.

use super::list::{Item, Node, Rules, Walk};
use backupx_core::Result;
use backupx_core::ports::source::{Extent, StopFlag};
use rustix::fs::{AtFlags, FileType};
use std::collections::HashSet;

/// What a walk of `roots` finds. What can't be looked at counts as an empty thing: the backup itself says what is the matter.
pub(super) fn measure(roots: &[Vec<u8>], rules: &Rules, stop: &StopFlag) -> Result<Extent> {
    let mut extent = Extent::default();
    // Files of several names, by device and inode: their content is read once.
    let mut named = HashSet::new();
    let mut walk = Walk::new(rules, stop, |item| {
        if let Item::Node(node) = item
            && node.hint != FileType::Socket
        {
            extent.entries += 1;
            extent.bytes += content_bytes(&node, &mut named);
        }
        Ok(())
    });
    for root in roots {
        walk.root(root)?;
    }
    Ok(extent)
}

fn content_bytes(node: &Node, named: &mut HashSet<(u64, u64)>) -> u64 {
    if node.hint != FileType::RegularFile {
        return 0;
    }
    let looked = node
        .dir
        .handle()
        .and_then(|dir| rustix::fs::statat(&*dir, &*node.name, AtFlags::SYMLINK_NOFOLLOW));
    match looked {
        Ok(stat) if stat.st_nlink > 1 && !named.insert((stat.st_dev, stat.st_ino)) => 0,
        Ok(stat) => u64::try_from(stat.st_size).unwrap_or(0),
        Err(_) => 0,
    }
}
