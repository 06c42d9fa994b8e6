//! What happens to what is there already, and what a restore says of itself.

use super::bed::{Backup, dir, file, link, restore_from, spec, tree};
use backupx_core::domain::entry::EntryKind;
use backupx_core::domain::operation::Overwrite;
use std::fs;
use std::path::Path;

fn backup() -> Backup {
    Backup::made_up(vec![
        dir("d"),
        file("d/a", "from the backup"),
        file("d/b", "from the backup"),
        link("d/c", EntryKind::Hardlink, "d/b"),
    ])
}

fn restore(to: &Path, overwrite: Overwrite) -> (u64, u64) {
    let mut spec = spec(to, &[]);
    spec.overwrite = overwrite;
    let report = backup().restore(spec).expect("restored");
    (report.restored_entries, report.kept_entries)
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).expect("readable")
}

#[test]
fn never_means_that_what_is_there_stays() {
    let bed = tempfile::tempdir().expect("a folder");
    fs::create_dir(bed.path().join("d")).expect("folder");
    fs::write(bed.path().join("d/a"), "mine").expect("file");
    assert_eq!(restore(bed.path(), Overwrite::Never), (2, 2));
    assert_eq!(text(&bed.path().join("d/a")), "mine");
    assert_eq!(text(&bed.path().join("d/c")), "from the backup");
}

#[test]
fn if_changed_replaces_what_differs_alone() {
    let bed = tempfile::tempdir().expect("a folder");
    restore(bed.path(), Overwrite::IfChanged);
    fs::write(bed.path().join("d/a"), "mine").expect("file");
    assert_eq!(restore(bed.path(), Overwrite::IfChanged), (3, 1));
    assert_eq!(text(&bed.path().join("d/a")), "from the backup");
}

#[test]
fn always_replaces_files_links_and_what_stands_in_a_folders_place() {
    let bed = tempfile::tempdir().expect("a folder");
    fs::write(bed.path().join("d"), "a file where a folder belongs").expect("file");
    assert_eq!(restore(bed.path(), Overwrite::Always), (4, 0));
    let first = tree(bed.path());
    std::os::unix::fs::symlink("elsewhere", bed.path().join("d/x")).expect("link");
    fs::rename(bed.path().join("d/x"), bed.path().join("d/a")).expect("replaced");
    assert_eq!(restore(bed.path(), Overwrite::Always), (4, 0));
    // The folder that holds everything is not in the backup: its time is not compared.
    let content = |mut tree: std::collections::BTreeMap<_, _>| {
        tree.remove(&Vec::new());
        tree
    };
    assert_eq!(content(first), content(tree(bed.path())));
}

#[test]
fn replacing_leaves_no_temporary_file_and_never_writes_into_the_old_one() {
    let bed = tempfile::tempdir().expect("a folder");
    restore(bed.path(), Overwrite::Always);
    fs::hard_link(bed.path().join("d/a"), bed.path().join("kept-aside")).expect("link");
    fs::write(bed.path().join("d/a"), "mine").expect("file");
    restore(bed.path(), Overwrite::Always);
    assert_eq!(text(&bed.path().join("kept-aside")), "mine");
    let names = fs::read_dir(bed.path().join("d"))
        .expect("a folder")
        .count();
    assert_eq!(names, 3);
}

#[test]
fn a_dry_run_says_what_a_run_then_does() {
    let bed = tempfile::tempdir().expect("a folder");
    restore(bed.path(), Overwrite::IfChanged);
    fs::write(bed.path().join("d/a"), "mine").expect("file");
    for overwrite in [Overwrite::Never, Overwrite::IfChanged, Overwrite::Always] {
        let before = tree(bed.path());
        let mut dry = spec(bed.path(), &[]);
        dry.overwrite = overwrite;
        dry.dry_run = true;
        let said = backup().restore(dry).expect("looked at");
        assert_eq!(before, tree(bed.path()), "a dry run changed something");
        assert_eq!(said.would_write.len() as u64, said.restored_entries);
        let copy = tempfile::tempdir().expect("a folder");
        restore(copy.path(), Overwrite::IfChanged);
        fs::write(copy.path().join("d/a"), "mine").expect("file");
        let done = restore(copy.path(), overwrite);
        assert_eq!(
            (said.restored_entries, said.kept_entries),
            done,
            "{overwrite:?}"
        );
    }
}

#[test]
fn a_dry_run_makes_no_folder() {
    let bed = tempfile::tempdir().expect("a folder");
    let mut dry = spec(&bed.path().join("not-there"), &[]);
    dry.dry_run = true;
    let said = backup().restore(dry).expect("looked at");
    assert_eq!(said.would_write, ["d", "d/a", "d/b", "d/c"]);
    assert!(!bed.path().join("not-there").exists());
}

#[test]
fn never_04_nothing_written_is_a_failure() {
    let bed = tempfile::tempdir().expect("a folder");
    fs::write(bed.path().join("d"), "a file where a folder belongs").expect("file");
    let mut spec = spec(bed.path(), &["d/a"]);
    spec.overwrite = Overwrite::IfChanged;
    let error = backup().restore(spec).expect_err("nothing was written");
    assert_eq!(error.code(), "nothing_restored");
    assert!(error.message().contains("no folder"), "{error}");
}

#[test]
fn never_04_fewer_entries_than_the_index_says_is_a_failure() {
    let bed = tempfile::tempdir().expect("a folder");
    let mut backup = backup();
    let end = usize::try_from(backup.offset_of("d/c")).expect("fits");
    backup.data.bytes.truncate(end);
    backup.data.bytes.extend([0; 1024]);
    let error = backup.restore_all(bed.path()).expect_err("one is missing");
    assert_eq!(error.code(), "counts_differ");
}

#[test]
fn when_a_copy_fails_midway_the_next_one_goes_on() {
    let bed = tempfile::tempdir().expect("a folder");
    let (mut broken, good) = (backup(), backup());
    broken.data.broken_at = Some(broken.offset_of("d/b") + 520);
    let report = restore_from(&[&broken, &good], spec(bed.path(), &[])).expect("restored");
    assert_eq!((report.restored_entries, report.kept_entries), (4, 0));
    assert_eq!(text(&bed.path().join("d/b")), "from the backup");
    let alone = restore_from(&[&broken], spec(bed.path(), &[])).expect_err("no other copy");
    assert_eq!(alone.code(), "storage_down");
}

#[test]
fn a_full_disk_is_named_as_such() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let bed = tempfile::tempdir().expect("a folder");
    let run = |program: &str, args: &[&str]| {
        let status = std::process::Command::new(program)
            .args(args)
            .arg(bed.path())
            .status();
        assert!(status.expect("the program is there").success());
    };
    run("mount", &["-t", "tmpfs", "-o", "size=1m", "none"]);
    let content = "x".repeat(3 << 20);
    let backup = Backup::made_up(vec![file("too-large", &content)]);
    let restored = backup.restore_all(bed.path());
    let left = fs::read_dir(bed.path()).expect("a folder").count();
    run("umount", &[]);
    let error = restored.expect_err("no room");
    assert_eq!(error.code(), "disk_full");
    assert!(error.message().contains("too-large"), "{error}");
    assert_eq!(left, 0, "half a file stayed");
}
