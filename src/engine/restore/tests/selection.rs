//! A part of a backup.

use super::bed::{Backup, dir, file, link, spec, tree};
use backupx_core::domain::entry::EntryKind;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};

fn backup() -> Backup {
    let mut private = dir("home/private");
    private.0.mode = 0o700;
    Backup::made_up(vec![
        dir("home"),
        file("home/a.txt", "a"),
        file("home/filler", &"filler ".repeat(2_000_000)),
        private,
        file("home/private/b.txt", "b"),
        file("home/private/c", "c"),
        link("home/private/link", EntryKind::Hardlink, "home/a.txt"),
        link("home/private/link2", EntryKind::Hardlink, "home/a.txt"),
    ])
}

#[test]
fn one_file_comes_with_the_folders_above_it_and_little_is_read() {
    let bed = tempfile::tempdir().expect("a folder");
    let backup = backup();
    let report = backup
        .restore(spec(bed.path(), &["/home/private/b.txt"]))
        .expect("restored");
    assert_eq!(report.selected_entries, 1);
    assert_eq!(report.restored_bytes, 1);
    assert!(report.stored_bytes_read < 10_000, "{report:?}");
    let folder = fs::metadata(bed.path().join("home/private")).expect("made");
    assert_eq!(folder.permissions().mode() & 0o7777, 0o700);
    assert_eq!((folder.mtime(), folder.mtime_nsec()), (1_000_000_000, 7));
    let names: Vec<_> = tree(bed.path()).into_keys().collect();
    let names: Vec<_> = names
        .iter()
        .map(|name| String::from_utf8_lossy(name))
        .collect();
    assert_eq!(names, ["", "home", "home/private", "home/private/b.txt"]);
}

#[test]
fn globs_choose_across_folders() {
    let bed = tempfile::tempdir().expect("a folder");
    let report = backup()
        .restore(spec(bed.path(), &["**/*.txt"]))
        .expect("restored");
    assert_eq!(report.restored_entries, 2);
    assert!(bed.path().join("home/a.txt").exists());
    assert!(!bed.path().join("home/filler").exists());
}

#[test]
fn a_folder_means_all_below_it_and_links_out_of_it_bring_their_content() {
    let bed = tempfile::tempdir().expect("a folder");
    let report = backup()
        .restore(spec(bed.path(), &["home/private/"]))
        .expect("restored");
    assert_eq!((report.selected_entries, report.restored_entries), (5, 5));
    let (link, link2) = (
        bed.path().join("home/private/link"),
        bed.path().join("home/private/link2"),
    );
    assert_eq!(fs::read_to_string(&link).expect("content"), "a");
    let inode = |path| fs::metadata(path).expect("it is there").ino();
    assert_eq!(inode(&link), inode(&link2));
    assert!(!bed.path().join("home/a.txt").exists());
}

#[test]
fn a_selection_that_matches_nothing_is_an_error() {
    let bed = tempfile::tempdir().expect("a folder");
    let error = backup()
        .restore(spec(bed.path(), &["nowhere/**"]))
        .expect_err("nothing matches");
    assert_eq!(error.code(), "nothing_selected");
    assert!(error.message().contains("nowhere/**"), "{error}");
}

#[test]
fn a_relative_target_is_refused() {
    let mut spec = spec(std::path::Path::new("x"), &[]);
    spec.to = Some("relative".to_owned());
    assert!(backup().restore(spec).is_err());
}
