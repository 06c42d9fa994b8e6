//! Whole folders: what is in them, and their removal.

use super::beneath::{Missing, Root, folder_flags};
use super::error::disk_error;
use backupx_core::Result;
use backupx_core::domain::key::ObjectKey;
use backupx_core::ports::objects::ObjectInfo;
use rustix::fs::{AtFlags, Dir, FileType, Mode};
use rustix::io::Errno;
use std::ffi::CString;
use std::os::fd::OwnedFd;

/// Every file below `key`, unfinished ones included.
pub(super) fn list(root: &Root, key: &ObjectKey) -> Result<Vec<ObjectInfo>> {
    let mut found = Vec::new();
    let Some(folder) = root.folder(key, Missing::Leave)? else {
        return Ok(found);
    };
    let mut waiting = vec![(folder, key.clone())];
    while let Some((folder, key)) = waiting.pop() {
        for child in children(&root.show(&key), &folder)? {
            // Names that are no keys were not made by us.
            let Some(child_key) = child
                .name
                .to_str()
                .ok()
                .and_then(|name| key.join(name).ok())
            else {
                continue;
            };
            match child.kind {
                Kind::File(size) => found.push(ObjectInfo {
                    key: child_key,
                    size,
                    sha256: None,
                }),
                Kind::Folder => {
                    if let Some(next) = open_child(root, &key, &folder, &child)? {
                        waiting.push((next, child_key));
                    }
                }
                Kind::Other => {}
            }
        }
    }
    Ok(found)
}

/// The folders right below `key`, or below the root.
pub(super) fn folders(root: &Root, key: Option<&ObjectKey>) -> Result<Vec<ObjectKey>> {
    let folder = match key {
        Some(key) => root.folder(key, Missing::Leave)?,
        None => root.top(Missing::Leave)?,
    };
    let Some(folder) = folder else {
        return Ok(Vec::new());
    };
    let shown = key.map_or_else(|| root.path().display().to_string(), |key| root.show(key));
    let found = children(&shown, &folder)?;
    let names = found
        .iter()
        .filter(|child| matches!(child.kind, Kind::Folder))
        .filter_map(|child| child.name.to_str().ok());
    Ok(names
        .filter_map(|name| match key {
            Some(key) => key.join(name).ok(),
            None => ObjectKey::parse(name).ok(),
        })
        .collect())
}

/// Removes the folder `key` with all that is in it, then its parents as far as they are empty, never the root.
pub(super) fn remove_all(root: &Root, key: &ObjectKey) -> Result<(u64, u64)> {
    let mut gone = (0, 0);
    if let Some(folder) = root.folder(key, Missing::Leave)? {
        empty(root, key, &folder, &mut gone)?;
    }
    let mut next = Some(key.clone());
    while let Some(key) = next {
        let parent = root.parent_of(&key, Missing::Leave)?;
        next = key.parent();
        let Some(parent) = parent else {
            continue;
        };
        match rustix::fs::unlinkat(&parent, key.file_name(), AtFlags::REMOVEDIR) {
            Ok(()) | Err(Errno::NOENT) => {}
            Err(Errno::NOTEMPTY | Errno::EXIST | Errno::BUSY) => break,
            Err(error) => return Err(disk_error(&root.show(&key), error)),
        }
    }
    Ok(gone)
}

fn empty(root: &Root, key: &ObjectKey, folder: &OwnedFd, gone: &mut (u64, u64)) -> Result<()> {
    let failed = |error| disk_error(&root.show(key), error);
    for child in children(&root.show(key), folder)? {
        let flags = match child.kind {
            Kind::Folder => {
                if let Some(inner) = open_child(root, key, folder, &child)? {
                    empty(root, key, &inner, gone)?;
                }
                AtFlags::REMOVEDIR
            }
            Kind::File(_) | Kind::Other => AtFlags::empty(),
        };
        match rustix::fs::unlinkat(folder, &child.name, flags) {
            Ok(()) => {
                if let Kind::File(size) = child.kind {
                    gone.0 += 1;
                    gone.1 += size;
                }
            }
            Err(Errno::NOENT) => {}
            Err(error) => return Err(failed(error)),
        }
    }
    Ok(())
}

struct Child {
    name: CString,
    kind: Kind,
}

#[derive(Clone, Copy)]
enum Kind {
    File(u64),
    Folder,
    Other,
}

/// What is in `folder`, which people find on the disk as `shown`.
fn children(shown: &str, folder: &OwnedFd) -> Result<Vec<Child>> {
    let failed = |error| disk_error(shown, error);
    let mut children = Vec::new();
    for entry in Dir::read_from(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name();
        if name.to_bytes() == b"." || name.to_bytes() == b".." {
            continue;
        }
        let stat = match rustix::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => stat,
            Err(Errno::NOENT) => continue,
            Err(error) => return Err(failed(error)),
        };
        let kind = match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => Kind::File(stat.st_size.unsigned_abs()),
            FileType::Directory => Kind::Folder,
            _ => Kind::Other,
        };
        children.push(Child {
            name: name.to_owned(),
            kind,
        });
    }
    Ok(children)
}

fn open_child(
    root: &Root,
    key: &ObjectKey,
    folder: &OwnedFd,
    child: &Child,
) -> Result<Option<OwnedFd>> {
    match rustix::fs::openat(folder, &child.name, folder_flags(), Mode::empty()) {
        Ok(next) => Ok(Some(next)),
        Err(Errno::NOENT) => Ok(None),
        Err(error) => Err(disk_error(&root.show(key), error)),
    }
}
