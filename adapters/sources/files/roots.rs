//! The named paths of a source: absolute, without one inside another.

use backupx_core::domain::entry::display_bytes;
use backupx_core::{Error, Result};
use std::path::{Component, Path};

/// The paths in order, each `/` or without a trailing `/`, without doubles and without those below another.
pub(super) fn normalize(paths: &[String]) -> Result<Vec<Vec<u8>>> {
    let mut roots: Vec<Vec<u8>> = Vec::new();
    for text in paths {
        let path = Path::new(text);
        if !path.is_absolute() || text.contains('\0') {
            return Err(Error::field(
                "source.paths",
                format!("{text:?} is not an absolute path"),
            ));
        }
        let mut root = Vec::new();
        for component in path.components() {
            match component {
                Component::Normal(name) => {
                    root.push(b'/');
                    root.extend_from_slice(name.as_encoded_bytes());
                }
                Component::RootDir | Component::CurDir => {}
                Component::ParentDir | Component::Prefix(_) => {
                    return Err(Error::field(
                        "source.paths",
                        format!("{text:?} must not contain '..'"),
                    ));
                }
            }
        }
        if root.is_empty() {
            root.push(b'/');
        }
        roots.push(root);
    }
    roots.sort_by(|a, b| a.split(|c| *c == b'/').cmp(b.split(|c| *c == b'/')));
    roots.dedup_by(|later, earlier| is_below(later, earlier));
    Ok(roots)
}

/// Refuses the run when a named path is not there or can't be looked at.
pub(super) fn check(root: &[u8]) -> Result<()> {
    use std::os::unix::ffi::OsStrExt;
    let path = Path::new(std::ffi::OsStr::from_bytes(root));
    match std::fs::symlink_metadata(path) {
        Ok(_) => Ok(()),
        Err(error)
            if matches!(
                error.kind(),
                std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory
            ) =>
        {
            Err(Error::not_found(
                "source_missing",
                format!(
                    "source path {} does not exist on this node; correct the task or create it",
                    display_bytes(root)
                ),
            ))
        }
        Err(error) => Err(unreadable(root, error)),
    }
}

/// A named path that is there and can't be read: nothing of it would be in the backup, so the run must not look good.
pub(super) fn unreadable(root: &[u8], error: impl Into<std::io::Error>) -> Error {
    let error = error.into();
    Error::forbidden(
        "source_unreadable",
        format!("source path {} can't be read: {error}", display_bytes(root)),
    )
    .with_source(error)
}

fn is_below(path: &[u8], folder: &[u8]) -> bool {
    folder == b"/"
        || path
            .strip_prefix(folder)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_inside_others_are_read_once() {
        let paths = ["/b/", "/a/x", "/a", "/a/./y//z", "/ab", "/b"].map(str::to_owned);
        let roots = normalize(&paths).expect("good paths");
        assert_eq!(roots, [b"/a".to_vec(), b"/ab".to_vec(), b"/b".to_vec()]);
        assert!(normalize(&["rel".to_owned()]).is_err());
        assert!(normalize(&["/a/../b".to_owned()]).is_err());
    }
}
