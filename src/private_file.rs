//! Private files: readable by their owner alone, and whole or not there at all.

use std::fs::{self, OpenOptions};
use std::io::{Result, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Writes a file that is not there yet; one that exists stays as it is (`AlreadyExists`).
pub(crate) fn create(path: &Path, content: &[u8]) -> Result<()> {
    write_beside(path, content, |beside| fs::hard_link(beside, path))
}

/// Writes a file in the place of one that may exist.
pub(crate) fn replace(path: &Path, content: &[u8]) -> Result<()> {
    write_beside(path, content, |beside| fs::rename(beside, path))
}

/// Writes under a temporary name in the same folder, then gives the file its own.
fn write_beside(path: &Path, content: &[u8], name: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
    let beside = path.with_extension(format!("new-{}", std::process::id()));
    // A process of the same number may have died over it; what it left is no more private than it was made.
    remove(&beside)?;
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&beside)?;
    let written = file
        .write_all(content)
        .and_then(|()| file.sync_all())
        .and_then(|()| name(&beside));
    remove(&beside)?;
    written
}

/// Removes a file that may have gone already.
fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        done => done,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_file_is_private_and_made_once() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("secret.key");

        create(&path, b"first").expect("made");
        let again = create(&path, b"second").expect_err("it is there");
        assert_eq!(again.kind(), std::io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&path).expect("read"), b"first");

        replace(&path, b"third").expect("replaced");
        assert_eq!(fs::read(&path).expect("read"), b"third");
        let mode = fs::metadata(&path).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let left = fs::read_dir(folder.path()).expect("a folder").count();
        assert_eq!(left, 1, "nothing lies beside it");
    }
}
