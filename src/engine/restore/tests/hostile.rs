//! Archives that somebody made to do harm, or that broke.

use super::bed::{Backup, dir, entry, file, link};
use backupx_core::domain::entry::EntryKind;
use backupx_core::domain::operation::Overwrite;
use proptest::prelude::*;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

const RULES: [Overwrite; 3] = [Overwrite::Never, Overwrite::IfChanged, Overwrite::Always];

/// Restores made-up entries into `bed/target` beside `bed/outside`, which must stay as it is.
fn attack(entries: Vec<(backupx_core::domain::entry::Entry, Vec<u8>)>, prepare: impl Fn(&Path)) {
    for overwrite in RULES {
        let bed = tempfile::tempdir().expect("a folder");
        let (outside, target) = (bed.path().join("outside"), bed.path().join("target"));
        fs::create_dir(&outside).expect("folder");
        fs::write(outside.join("precious"), "untouched").expect("file");
        fs::create_dir(&target).expect("folder");
        prepare(&target);
        let before = super::bed::tree(&outside);
        let backup = Backup::made_up(entries.clone());
        let mut spec = super::bed::spec(&target, &[]);
        spec.overwrite = overwrite;
        // Whether it ends well or not: nothing outside changes.
        drop(backup.restore(spec));
        assert_eq!(before, super::bed::tree(&outside), "{overwrite:?}");
        let beside: Vec<_> = fs::read_dir(bed.path()).expect("a folder").collect();
        assert_eq!(beside.len(), 2, "{overwrite:?}: {beside:?}");
    }
}

#[test]
fn never_32_dots_lead_nowhere() {
    attack(
        vec![
            dir("a"),
            file("../outside/precious", "evil"),
            file("../evil", "evil"),
            file("a/../../evil", "evil"),
            dir("a/../../evil-folder"),
            link("../outside/evil", EntryKind::Symlink, "/etc"),
        ],
        |_| {},
    );
}

#[test]
fn never_32_no_way_through_a_link_of_the_archive() {
    attack(
        vec![
            link("link", EntryKind::Symlink, "../outside"),
            file("link/precious", "evil"),
            file("link/evil", "evil"),
            dir("link/evil-folder"),
            link("link/evil-link", EntryKind::Symlink, "x"),
            link("hard", EntryKind::Hardlink, "link/precious"),
            link("link/hard", EntryKind::Hardlink, "hard"),
        ],
        |_| {},
    );
}

#[test]
fn never_32_no_way_through_a_link_that_was_there() {
    attack(
        vec![
            dir("sub"),
            file("sub/precious", "evil"),
            file("sub/evil", "evil"),
            file("direct", "evil"),
        ],
        |target| {
            symlink("../outside", target.join("sub")).expect("link");
            symlink("../outside/precious", target.join("direct")).expect("link");
        },
    );
}

#[test]
fn never_32_attributes_go_through_no_link_either() {
    let mut evil = dir("sub");
    evil.0.mode = 0o777;
    evil.0.xattrs.push((b"user.evil".to_vec(), b"yes".to_vec()));
    let mut evil_file = file("direct", "");
    evil_file.0.mode = 0o6777;
    attack(vec![evil, evil_file], |target| {
        symlink("../outside", target.join("sub")).expect("link");
        symlink("../outside/precious", target.join("direct")).expect("link");
    });
}

#[test]
fn never_32_a_folder_that_becomes_a_link_is_not_entered() {
    attack(
        vec![
            dir("sub"),
            file("sub/first", "fine"),
            link("sub", EntryKind::Symlink, "../outside"),
            file("sub/precious", "evil"),
            file("other/x", "fine"),
            file("sub/evil", "evil"),
        ],
        |_| {},
    );
}

#[test]
fn never_32_absolute_paths_are_refused() {
    let bed = tempfile::tempdir().expect("a folder");
    let evil = bed.path().join("evil");
    let mut backup = Backup::made_up(vec![file("fine", "fine")]);
    let mut archive = tar::Builder::new(Vec::new());
    for (path, content) in [
        (evil.display().to_string(), "evil"),
        ("fine".to_owned(), "fine"),
    ] {
        let mut header = tar::Header::new_ustar();
        header.as_mut_bytes()[..path.len()].copy_from_slice(path.as_bytes());
        header.set_entry_type(tar::EntryType::Regular);
        header.set_mode(0o644);
        header.set_mtime(0);
        header.set_uid(0);
        header.set_gid(0);
        header.set_size(content.len() as u64);
        header.set_cksum();
        archive
            .append(&header, content.as_bytes())
            .expect("appended");
    }
    backup.data.bytes = archive.into_inner().expect("finished");
    backup.manifest.counts.entries = 2;
    backup.manifest.counts.bytes = 8;
    let report = backup
        .restore_all(&bed.path().join("target"))
        .expect("the rest");
    assert!(!evil.exists());
    assert_eq!((report.restored_entries, report.failed_entries), (1, 1));
    assert!(
        report.warnings[0].contains("refused"),
        "{:?}",
        report.warnings
    );
}

#[test]
fn never_32_devices_and_links_are_made_and_never_followed() {
    let mut pipe = (entry("pipe", EntryKind::Fifo), Vec::new());
    pipe.0.mode = 0o777;
    let bed = tempfile::tempdir().expect("a folder");
    let backup = Backup::made_up(vec![
        pipe,
        file("pipe", "a file in place of a pipe"),
        link("loop", EntryKind::Symlink, "loop"),
        file("loop/x", "evil"),
    ]);
    let mut spec = super::bed::spec(bed.path(), &[]);
    spec.overwrite = Overwrite::Always;
    let report = backup.restore(spec).expect("restored what could be");
    assert_eq!(report.restored_entries, 3, "{:?}", report.warnings);
    let text = fs::read_to_string(bed.path().join("pipe")).expect("a file");
    assert_eq!(text, "a file in place of a pipe");
}

fn small_backup() -> Backup {
    let mut holes = file("d/holes", "datadata");
    holes.0.size = 9000;
    holes.0.segments = Some(vec![(0, 4), (8000, 4)]);
    let mut attributes = file("d/attributes", "x");
    attributes
        .0
        .xattrs
        .push((b"user.a".to_vec(), vec![b'v'; 300]));
    attributes.0.path.extend([b'n'; 200]);
    Backup::made_up(vec![
        dir("d"),
        holes,
        attributes,
        file("d/file", &"content ".repeat(200)),
        link("d/hard", EntryKind::Hardlink, "d/file"),
        link("d/soft", EntryKind::Symlink, "file"),
    ])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_cut_archive_is_an_error_and_never_a_success(part in 0.0..1.0_f64) {
        let mut backup = small_backup();
        let whole = backup.data.bytes.len() - 1024;
        let length = (whole as f64 * part) as usize;
        backup.data.bytes.truncate(length);
        let bed = tempfile::tempdir().expect("a folder");
        let restored = backup.restore_all(bed.path());
        let code = restored.expect_err("must not look good").code();
        let known = ["archive_truncated", "nothing_restored", "counts_differ"];
        prop_assert!(known.contains(&code), "{code}");
    }

    #[test]
    fn a_flipped_bit_never_panics(at in any::<prop::sample::Index>(), bit in 0..8_u8) {
        let mut backup = small_backup();
        let at = at.index(backup.data.bytes.len());
        backup.data.bytes[at] ^= 1 << bit;
        let bed = tempfile::tempdir().expect("a folder");
        drop(backup.restore_all(&bed.path().join("target")));
        let beside = fs::read_dir(bed.path()).expect("a folder").count();
        prop_assert!(beside <= 1);
    }

    #[test]
    fn a_damaged_index_never_panics(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut backup = small_backup();
        let at = at.index(backup.index.bytes.len());
        backup.index.bytes[at] = byte;
        let bed = tempfile::tempdir().expect("a folder");
        drop(backup.restore(super::bed::spec(bed.path(), &["d/*"])));
    }
}
