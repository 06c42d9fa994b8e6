//! A HANA that lies, fails or hangs: none of that may look like a backup.

use super::bed::{Bed, dump_of};
use backupx_core::ports::source::StopFlag;
use std::time::{Duration, Instant};

/// A wait for something that the stand-in does.
const LIMIT: Duration = Duration::from_secs(60);

pub(super) fn never_01_only_the_catalogue_and_whole_files_make_a_backup(bed: &Bed) {
    for (behave, code, word) in [
        ("fail", "dump_failed", "backup.log"),
        ("fail_quietly", "dump_failed", "calls the backup failed"),
        ("say", "dump_failed", "447"),
        ("no_entry", "dump_failed", "has no such backup"),
        ("no_parts", "dump_incomplete", "names no file with data"),
        ("no_files", "dump_incomplete", "not on this host"),
        (
            "short",
            "dump_incomplete",
            "and HANA's catalogue says 300001",
        ),
    ] {
        bed.change("/behave/backup", behave);
        let task = bed.task(bed.spec());
        let error = task.dump("T1").expect_err(behave);
        assert_eq!(error.code(), code, "{behave}: {}", error.message());
        assert!(
            error.message().contains(word),
            "{behave}: {}",
            error.message()
        );
        bed.nothing_is_left();
    }
}

pub(super) fn a_run_that_is_stopped_cancels_the_backup(bed: &Bed) {
    bed.change("/behave/backup", "hang");
    for database in ["T1", "SYSTEMDB"] {
        let (task, stop) = (bed.task(bed.spec()), StopFlag::default());
        std::thread::scope(|scope| {
            let reading = scope.spawn(|| {
                let mut out = Vec::new();
                let outcome = task
                    .source
                    .read(&dump_of(database), &mut out, &task.heard, &stop);
                (outcome, out)
            });
            let is_running = || {
                let entry = bed.catalogue().pop();
                entry.is_some_and(|entry| {
                    entry["state"] == "running" && entry["database"] == database
                })
            };
            let over = Instant::now() + LIMIT;
            while !is_running() && !reading.is_finished() {
                assert!(Instant::now() < over, "no backup begins");
                std::thread::yield_now();
            }
            stop.stop();
            let (outcome, out) = reading.join().expect("no panic");
            assert_eq!(outcome.expect_err("it was stopped").code(), "cancelled");
            assert!(out.is_empty());
        });
        assert_eq!(
            bed.catalogue().pop().expect("an entry")["state"],
            "canceled"
        );
        bed.nothing_is_left();
    }
    let orders = bed.orders();
    assert!(
        orders[1].starts_with("BACKUP CANCEL FOR \"T1\" "),
        "{orders:?}"
    );
    assert!(orders[3].starts_with("BACKUP CANCEL 17"), "{orders:?}");
}

pub(super) fn never_31_a_catalogue_names_no_other_file_of_the_host(bed: &Bed) {
    bed.change("/behave/backup", "foreign");
    let error = bed.task(bed.spec()).dump("T1").expect_err("not its own");
    assert_eq!(error.code(), "dump_incomplete");
    assert!(
        error.message().contains("world.json"),
        "{}",
        error.message()
    );
    // It is neither read nor removed.
    assert!(bed.path("world/world.json").exists());
    bed.nothing_is_left();
}

pub(super) fn a_user_store_elsewhere_is_not_used(bed: &Bed) {
    bed.change("/behave/store", "elsewhere");
    let error = bed.task(bed.spec()).dump("T1").expect_err("not there");
    assert_eq!(error.code(), "tool_failed");
    let calls = bed.calls();
    let last = calls.last().expect("a call")["arguments"].to_string();
    assert!(last.contains("\"DELETE\",\"BACKUPX\""), "{last}");
    bed.nothing_is_left();
}
