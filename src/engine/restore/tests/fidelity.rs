//! What was packed comes back as it was.

use super::bed::{Backup, spec, tree};
use rustix::fs::{CWD, FileType, Mode, makedev};
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("mode");
}

fn set_time(path: &Path, seconds: i64, nanos: i64) {
    let time = rustix::fs::Timespec {
        tv_sec: seconds,
        tv_nsec: nanos,
    };
    let times = rustix::fs::Timestamps {
        last_access: time,
        last_modification: time,
    };
    rustix::fs::utimensat(CWD, path, &times, rustix::fs::AtFlags::SYMLINK_NOFOLLOW).expect("time");
}

/// A tree with one of everything that this user may make.
fn make_tree(root: &Path) {
    let is_root = rustix::process::geteuid().is_root();
    fs::create_dir_all(root.join("sub/empty")).expect("folders");
    fs::write(root.join("empty"), b"").expect("file");
    fs::write(root.join("text"), b"some text").expect("file");
    fs::write(root.join("sub/large"), vec![7; 700_001]).expect("file");
    fs::write(root.join("sub/block"), vec![1; 1024]).expect("file");
    fs::hard_link(root.join("text"), root.join("sub/other-name")).expect("link");
    symlink("../nowhere", root.join("sub/link")).expect("symlink");
    fs::hard_link(root.join("sub/link"), root.join("sub/link-of-link")).expect("link");
    let odd = root.join(OsStr::from_bytes(b"odd \xff\n=\\name"));
    fs::write(&odd, b"odd").expect("file");
    let long = root
        .join("l".repeat(255))
        .join("o".repeat(255))
        .join("n".repeat(200));
    fs::create_dir_all(&long).expect("folders");
    symlink("t".repeat(3000), long.join("long link")).expect("symlink");
    rustix::fs::mknodat(CWD, root.join("pipe"), FileType::Fifo, Mode::RUSR, 0).expect("pipe");
    let holes = fs::File::create(root.join("holes")).expect("file");
    std::os::unix::fs::FileExt::write_all_at(&holes, &[9; 5000], 1 << 20).expect("written");
    holes.set_len(5 << 20).expect("length");
    fs::File::create(root.join("hole"))
        .and_then(|f| f.set_len(1 << 20))
        .expect("file");
    if is_root {
        rustix::fs::mknodat(
            CWD,
            root.join("null"),
            FileType::CharacterDevice,
            Mode::RUSR,
            makedev(1, 3),
        )
        .expect("device");
        std::os::unix::fs::chown(&odd, Some(3_000_000), Some(70_000)).expect("owner");
        std::os::unix::fs::lchown(root.join("sub/link"), Some(12), Some(13)).expect("owner");
        xattr::set(root.join("sub/link"), "trusted.on-link", b"yes").expect("attribute");
    }
    xattr::set(root.join("text"), "user.a=b%", b"\0\n=value").expect("attribute");
    xattr::set(root.join("sub"), "user.folder", b"").expect("attribute");
    set_mode(&root.join("text"), 0o6751);
    set_mode(&root.join("sub/block"), 0o000);
    set_mode(&root.join("sub/empty"), 0o1777);
    set_time(&root.join("text"), -3, 5);
    set_time(&root.join("empty"), 1 << 33, 999_999_999);
    set_time(&root.join("sub/link"), 5, 6);
    set_time(&root.join("sub/empty"), 0, 0);
    set_time(&root.join("sub"), 77, 1);
    set_mode(&root.join("sub"), 0o2555);
    set_time(root, 1_234_567_890, 123_456_789);
}

#[test]
fn a_tree_comes_back_as_it_was() {
    let bed = tempfile::tempdir().expect("a folder");
    let (source, target) = (bed.path().join("source"), bed.path().join("target"));
    make_tree(&source);
    let backup = Backup::of(&[&source]);
    let report = backup.restore_all(&target).expect("restored");
    let restored = target.join(source.strip_prefix("/").expect("absolute"));
    assert_eq!(tree(&source), tree(&restored));
    assert_eq!(report.failed_entries, 0, "{:?}", report.warnings);
    assert_eq!(report.restored_entries, backup.manifest.counts.entries);
    assert_eq!(report.restored_bytes, backup.manifest.counts.bytes);
}

#[test]
fn a_second_restore_changes_nothing() {
    let bed = tempfile::tempdir().expect("a folder");
    let (source, target) = (bed.path().join("source"), bed.path().join("target"));
    make_tree(&source);
    let backup = Backup::of(&[&source]);
    backup.restore_all(&target).expect("restored");
    let before = tree(&target);
    let report = backup.restore_all(&target).expect("restored again");
    assert_eq!(before, tree(&target));
    assert_eq!(report.restored_bytes, 0);
    assert!(report.kept_entries >= 10, "{report:?}");
}

#[test]
fn paths_deeper_than_any_path_may_be_come_back() {
    let bed = tempfile::tempdir().expect("a folder");
    let (source, target) = (bed.path().join("source"), bed.path().join("target"));
    fs::create_dir(&source).expect("folder");
    let name = "d".repeat(100);
    let flags = rustix::fs::OFlags::DIRECTORY | rustix::fs::OFlags::RDONLY;
    let open = |at: &rustix::fd::OwnedFd, name: &str| {
        rustix::fs::openat(at, name, flags, Mode::empty()).expect("open")
    };
    let mut at = rustix::fs::open(&source, flags, Mode::empty()).expect("open");
    for _ in 0..200 {
        rustix::fs::mkdirat(&at, &*name, Mode::RWXU).expect("folder");
        at = open(&at, &name);
    }
    rustix::fs::symlinkat("bottom", &at, "bottom").expect("link");
    let backup = Backup::of(&[&source]);
    let report = backup.restore_all(&target).expect("restored");
    assert_eq!(report.failed_entries, 0, "{:?}", report.warnings);
    let restored = target.join(source.strip_prefix("/").expect("absolute"));
    let mut at = rustix::fs::open(restored, flags, Mode::empty()).expect("open");
    for _ in 0..200 {
        at = open(&at, &name);
    }
    let link = rustix::fs::readlinkat(&at, "bottom", Vec::new()).expect("the deepest thing");
    assert_eq!(link.to_bytes(), b"bottom");
}

#[test]
fn what_a_folder_gives_to_new_files_does_not_stay_on_restored_ones() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let bed = tempfile::tempdir().expect("a folder");
    let (source, target) = (bed.path().join("source"), bed.path().join("target"));
    make_tree(&source);
    fs::create_dir(&target).expect("folder");
    let mut acl = vec![2, 0, 0, 0];
    for (tag, permissions, id) in [
        (1_u16, 7_u16, u32::MAX),
        (2, 7, 1234),
        (4, 5, u32::MAX),
        (0x10, 7, u32::MAX),
        (0x20, 5, u32::MAX),
    ] {
        acl.extend(tag.to_le_bytes());
        acl.extend(permissions.to_le_bytes());
        acl.extend(id.to_le_bytes());
    }
    xattr::set(&target, "system.posix_acl_default", &acl).expect("default acl");
    std::os::unix::fs::chown(&target, None, Some(4321)).expect("group");
    set_mode(&target, 0o2755);
    let backup = Backup::of(&[&source]);
    backup.restore_all(&target).expect("restored");
    let restored = target.join(source.strip_prefix("/").expect("absolute"));
    assert_eq!(tree(&source), tree(&restored));
}

#[test]
fn gnu_tar_restores_the_same() {
    let bed = tempfile::tempdir().expect("a folder");
    let (source, target) = (bed.path().join("source"), bed.path().join("target"));
    make_tree(&source);
    fs::create_dir(&target).expect("folder");
    let backup = Backup::of(&[&source]);
    let archive = bed.path().join("archive.tar");
    fs::write(&archive, &backup.data.bytes).expect("written");
    let output = std::process::Command::new("tar")
        .args(["--xattrs", "--xattrs-include=*", "--numeric-owner", "-xpf"])
        .arg(&archive)
        .arg("-C")
        .arg(&target)
        .output()
        .expect("GNU tar is there");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let restored = target.join(source.strip_prefix("/").expect("absolute"));
    assert_eq!(tree(&source), tree(&restored));
}

#[test]
fn back_to_where_it_came_from_means_there() {
    let bed = tempfile::tempdir().expect("a folder");
    let real = bed.path().join("real");
    fs::create_dir(&real).expect("folder");
    // The path that the task names leads through a link; a person wrote it, so it is followed.
    symlink("real", bed.path().join("by-link")).expect("link");
    let source = bed.path().join("by-link/source");
    make_tree(&source);
    let backup = Backup::of(&[&source]);
    let before = tree(&source);
    fs::remove_file(source.join("text")).expect("removed");
    fs::write(source.join("sub/large"), b"changed").expect("written");
    let mut spec = spec(Path::new("/"), &[]);
    spec.to = None;
    let report = backup.restore(spec).expect("restored");
    assert_eq!(before, tree(&source), "{:?}", report.warnings);
}
