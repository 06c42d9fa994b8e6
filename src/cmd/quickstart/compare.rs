//! Compares a tree with its restored copy: type, content, mode, owner, time and link target of everything in it.

use anyhow::{Context, Result};
use std::fs::{self, Metadata};
use std::io::Read;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// What a comparison found.
#[derive(Debug, Default)]
pub(super) struct Comparison {
    /// Things compared, of all kinds.
    pub(super) entries: u64,
    /// Bytes of content compared.
    pub(super) bytes: u64,
    /// What differs, each as a sentence.
    pub(super) differences: Vec<String>,
    /// Things that were changed after the backup began: they prove nothing either way.
    pub(super) changed_since: u64,
}

impl Comparison {
    /// Adds what another comparison found.
    pub(super) fn add(&mut self, other: Self) {
        self.entries += other.entries;
        self.bytes += other.bytes;
        self.changed_since += other.changed_since;
        self.differences.extend(other.differences);
    }
}

/// What is compared and what is left out.
pub(super) struct Scope<'a> {
    /// The folder below which the copy was restored under its archived path.
    pub(super) restored: &'a Path,
    /// A folder that the backup left out.
    pub(super) left_out: &'a Path,
    /// When the backup began.
    pub(super) since: SystemTime,
    /// Owners are compared only when the restore could set them.
    pub(super) owners: Owners,
}

/// Whether owners are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Owners {
    /// They were restored.
    Compare,
    /// An ordinary user can't give files away.
    Ignore,
}

impl Scope<'_> {
    /// Compares `original` (absolute) and all below it with the restored copy.
    pub(super) fn compare(&self, original: &Path) -> Result<Comparison> {
        let mut found = Comparison::default();
        let mut waiting = vec![original.to_path_buf()];
        while let Some(path) = waiting.pop() {
            if path == self.left_out {
                continue;
            }
            let Ok(metadata) = fs::symlink_metadata(&path) else {
                found.changed_since += 1;
                continue;
            };
            if metadata.file_type().is_socket() {
                continue;
            }
            found.entries += 1;
            if let Some(difference) = self.difference(&path, &metadata, &mut found.bytes)? {
                if self.is_recent(&metadata) {
                    found.changed_since += 1;
                } else {
                    found
                        .differences
                        .push(format!("{}: {difference}", path.display()));
                }
            }
            if metadata.is_dir() {
                match fs::read_dir(&path) {
                    Ok(children) => waiting
                        .extend(children.filter_map(|child| child.ok().map(|child| child.path()))),
                    Err(error) => found
                        .differences
                        .push(format!("{}: can't be read ({error})", path.display())),
                }
            }
        }
        Ok(found)
    }

    fn is_recent(&self, metadata: &Metadata) -> bool {
        let since = self
            .since
            .duration_since(SystemTime::UNIX_EPOCH)
            .map_or(0, |d| i64::try_from(d.as_secs()).unwrap_or(i64::MAX));
        metadata.mtime() >= since || metadata.ctime() >= since
    }

    fn difference(
        &self,
        path: &Path,
        original: &Metadata,
        bytes: &mut u64,
    ) -> Result<Option<String>> {
        let copy_path = self.counterpart(path);
        let copy = match fs::symlink_metadata(&copy_path) {
            Ok(copy) => copy,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Some("is missing in the restored tree".to_owned()));
            }
            Err(error) => {
                return Err(error)
                    .with_context(|| format!("{} can't be looked at", copy_path.display()));
            }
        };
        if original.file_type() != copy.file_type() {
            return Ok(Some("has another type".to_owned()));
        }
        let same_times =
            (original.mtime(), original.mtime_nsec()) == (copy.mtime(), copy.mtime_nsec());
        let same_owner = self.owners == Owners::Ignore
            || (original.uid(), original.gid()) == (copy.uid(), copy.gid());
        let checks = [
            (original.mode() == copy.mode(), "mode"),
            (same_owner, "owner"),
            (same_times, "modification time"),
            (original.rdev() == copy.rdev(), "device number"),
            (!original.is_file() || original.len() == copy.len(), "size"),
        ];
        if let Some((_, what)) = checks.into_iter().find(|(same, _)| !same) {
            return Ok(Some(format!("has another {what}")));
        }
        if original.is_symlink() {
            return Ok((fs::read_link(path)? != fs::read_link(&copy_path)?)
                .then(|| "points elsewhere".to_owned()));
        }
        if original.is_file() {
            *bytes += original.len();
            return Ok((!same_content(path, &copy_path)?).then(|| "has other content".to_owned()));
        }
        Ok(None)
    }

    fn counterpart(&self, path: &Path) -> PathBuf {
        self.restored.join(path.strip_prefix("/").unwrap_or(path))
    }
}

fn same_content(a: &Path, b: &Path) -> Result<bool> {
    let open = |path: &Path| {
        fs::File::open(path).with_context(|| format!("{} can't be opened", path.display()))
    };
    let (mut a, mut b) = (open(a)?, open(b)?);
    let (mut block_a, mut block_b) = (vec![0; 128 * 1024], vec![0; 128 * 1024]);
    loop {
        let length = a.read(&mut block_a)?;
        if length == 0 {
            return Ok(b.read(&mut block_b)? == 0);
        }
        match b.read_exact(&mut block_b[..length]) {
            Ok(()) if block_a[..length] == block_b[..length] => {}
            Ok(()) => return Ok(false),
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => return Ok(false),
            Err(error) => return Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trees() -> (tempfile::TempDir, tempfile::TempDir) {
        let original = tempfile::tempdir().expect("a temporary folder");
        let restored = tempfile::tempdir().expect("a temporary folder");
        let copy = restored
            .path()
            .join(original.path().strip_prefix("/").expect("absolute"));
        fs::create_dir_all(&copy).expect("makes the copy's folder");
        fs::write(original.path().join("a"), b"same").expect("writes");
        fs::write(copy.join("a"), b"same").expect("writes");
        for path in [
            original.path().join("a"),
            copy.join("a"),
            original.path().to_path_buf(),
            copy,
        ] {
            let file = fs::File::open(path).expect("opens");
            file.set_modified(SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000))
                .expect("sets the time");
        }
        (original, restored)
    }

    fn compare(original: &Path, restored: &Path) -> Comparison {
        let since = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(u64::from(u32::MAX));
        let scope = Scope {
            restored,
            left_out: Path::new("/nowhere"),
            since,
            owners: Owners::Compare,
        };
        fs::set_permissions(
            original,
            fs::metadata(restored).expect("is there").permissions(),
        )
        .expect("sets the mode");
        scope.compare(original).expect("compares")
    }

    #[test]
    fn equal_trees_have_no_difference() {
        let (original, restored) = trees();
        let copy = restored
            .path()
            .join(original.path().strip_prefix("/").expect("absolute"));
        fs::set_permissions(
            &copy,
            fs::metadata(restored.path())
                .expect("is there")
                .permissions(),
        )
        .expect("sets the mode");
        let found = compare(original.path(), restored.path());
        assert_eq!(
            (found.entries, found.bytes, found.differences),
            (2, 4, Vec::<String>::new())
        );
    }

    #[test]
    fn other_content_of_equal_size_and_time_is_found() {
        let (original, restored) = trees();
        let copy = restored
            .path()
            .join(original.path().strip_prefix("/").expect("absolute"))
            .join("a");
        let modified = fs::metadata(&copy)
            .expect("is there")
            .modified()
            .expect("has a time");
        fs::write(&copy, b"evil").expect("writes");
        fs::File::options()
            .write(true)
            .open(&copy)
            .expect("opens")
            .set_modified(modified)
            .expect("sets the time");
        let found = compare(original.path(), restored.path());
        assert!(
            found
                .differences
                .iter()
                .any(|d| d.ends_with("a: has other content")),
            "{:?}",
            found.differences
        );
    }

    #[test]
    fn missing_things_are_found() {
        let (original, restored) = trees();
        fs::write(original.path().join("b"), b"").expect("writes");
        let found = compare(original.path(), restored.path());
        assert!(
            found
                .differences
                .iter()
                .any(|d| d.ends_with("b: is missing in the restored tree")),
            "{:?}",
            found.differences
        );
    }
}
