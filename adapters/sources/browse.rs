//! A look into one folder, for a person who chooses what to back up.

use backupx_core::domain::entry::{EntryKind, display_bytes};
use backupx_core::domain::report::{ListedEntry, Listing};
use backupx_core::{Error, Result};
use std::fs::Metadata;
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;

/// Entries that a listing holds at most.
const MOST_ENTRIES: usize = 1000;

/// Lists the folder `path`: folders first, then by name. Sockets are left out, as a backup leaves them out.
pub(crate) fn browse(path: &str) -> Result<Listing> {
    let folder = Path::new(path);
    if !folder.is_absolute() || path.contains('\0') {
        return Err(Error::field(
            "path",
            format!("{path:?} is not an absolute path"),
        ));
    }
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(|error| refuse(path, error))? {
        let entry = entry.map_err(|error| refuse(path, error))?;
        // `d_type` is enough to sort; attributes are asked for what is shown only.
        let is_dir = entry.file_type().is_ok_and(|kind| kind.is_dir());
        found.push((!is_dir, entry.file_name()));
    }
    found.sort_unstable();
    let truncated = found.len() > MOST_ENTRIES;
    found.truncate(MOST_ENTRIES);
    let entries = found.into_iter().filter_map(|(_, name)| {
        let full = folder.join(&name);
        // What vanished meanwhile is not shown.
        let metadata = std::fs::symlink_metadata(&full).ok()?;
        Some(ListedEntry {
            name: display_bytes(name.as_bytes()),
            path: display_bytes(full.as_os_str().as_bytes()),
            kind: kind_of(&metadata)?,
            size: if metadata.is_file() {
                metadata.len()
            } else {
                0
            },
            mtime: metadata.mtime(),
        })
    });
    Ok(Listing {
        path: path.to_owned(),
        entries: entries.collect(),
        truncated,
    })
}

fn kind_of(metadata: &Metadata) -> Option<EntryKind> {
    let kind = metadata.file_type();
    if kind.is_dir() {
        Some(EntryKind::Dir)
    } else if kind.is_file() {
        Some(EntryKind::File)
    } else if kind.is_symlink() {
        Some(EntryKind::Symlink)
    } else if kind.is_fifo() {
        Some(EntryKind::Fifo)
    } else if kind.is_char_device() {
        Some(EntryKind::CharDevice)
    } else if kind.is_block_device() {
        Some(EntryKind::BlockDevice)
    } else {
        None
    }
}

fn refuse(path: &str, error: std::io::Error) -> Error {
    let path = display_bytes(path.as_bytes());
    match error.kind() {
        ErrorKind::NotFound => Error::not_found(
            "path_not_found",
            format!("{path} does not exist on this node"),
        ),
        ErrorKind::NotADirectory => {
            Error::invalid("not_a_folder", format!("{path} is not a folder"))
        }
        ErrorKind::PermissionDenied => Error::forbidden(
            "unreadable",
            format!("{path} may not be read by the agent's user"),
        ),
        ErrorKind::InvalidFilename => Error::invalid(
            "name_too_long",
            format!(
                "a path of {} bytes is longer than this node allows",
                path.len()
            ),
        ),
        _ => Error::unavailable("unreadable", format!("{path} can't be read: {error}")),
    }
    .with_source(error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn folders_come_first_then_names() {
        let bed = tempfile::tempdir().expect("a folder");
        fs::create_dir(bed.path().join("z")).expect("folder");
        fs::write(bed.path().join("a"), "12345").expect("file");
        std::os::unix::fs::symlink("nowhere", bed.path().join("b")).expect("link");
        let listing = browse(&bed.path().display().to_string()).expect("a listing");
        let seen: Vec<_> = listing
            .entries
            .iter()
            .map(|e| (&e.name[..], e.kind, e.size))
            .collect();
        assert_eq!(
            seen,
            [
                ("z", EntryKind::Dir, 0),
                ("a", EntryKind::File, 5),
                ("b", EntryKind::Symlink, 0)
            ]
        );
        assert!(!listing.truncated);
    }

    #[test]
    fn a_listing_has_a_thousand_entries_at_most() {
        let bed = tempfile::tempdir().expect("a folder");
        for number in 0..1001 {
            fs::write(bed.path().join(format!("{number:04}")), "").expect("file");
        }
        let listing = browse(&bed.path().display().to_string()).expect("a listing");
        assert_eq!((listing.entries.len(), listing.truncated), (1000, true));
        assert_eq!(listing.entries[999].name, "0999");
    }

    #[test]
    fn what_cant_be_listed_is_refused_for_its_reason() {
        let bed = tempfile::tempdir().expect("a folder");
        fs::write(bed.path().join("file"), "").expect("file");
        let code = |path: String| browse(&path).expect_err("no folder").code();
        let below = |name: &str| bed.path().join(name).display().to_string();
        assert_eq!(code(below("missing")), "path_not_found");
        assert_eq!(code(below("file")), "not_a_folder");
        assert_eq!(code(below(&"x".repeat(10_000))), "name_too_long");
        assert_eq!(code("relative".to_owned()), "invalid_input");
    }
}
