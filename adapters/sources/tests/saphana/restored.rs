//! Tenants that come back, and what does not.

use super::bed::{Bed, described, files, in_place_of, under};
use backupx_core::domain::saphana::{SaphanaLevel, SaphanaSource, SaphanaVia};
use std::path::Path;

/// A full backup of T1.
fn backup(bed: &Bed) -> Vec<u8> {
    bed.task(bed.spec()).dump("T1").expect("a backup")
}

/// What the stand-in has in a database.
fn content(bed: &Bed, name: &str) -> String {
    bed.world()["databases"][name]["content"].to_string()
}

/// The statements since the first `before`.
fn since(bed: &Bed, before: usize) -> Vec<String> {
    bed.orders().split_off(before)
}

fn prefix_in(bed: &Bed, archive: &[u8]) -> String {
    let said = described(archive);
    let prefix = said["prefix"].as_str().expect("a prefix");
    bed.data().join(prefix).display().to_string()
}

pub(super) fn a_tenant_comes_back(bed: &Bed) {
    let archive = backup(bed);
    bed.change("/databases/T1/content", "changed since");
    let task = bed.task(bed.spec());
    task.put_back("T1", &archive, &in_place_of("T1"))
        .expect("restored");
    assert_eq!(content(bed, "T1"), "\"first tenant\"");
    assert_eq!(bed.world()["databases"]["T1"]["status"], "YES");
    let prefix = prefix_in(bed, &archive);
    assert_eq!(
        since(bed, 1),
        [
            "ALTER SYSTEM STOP DATABASE \"T1\"".to_owned(),
            format!("RECOVER DATA FOR \"T1\" USING FILE ('{prefix}') CLEAR LOG"),
        ]
    );
    bed.nothing_is_left();
}

pub(super) fn a_tenant_comes_back_under_another_name(bed: &Bed) {
    let archive = backup(bed);
    let task = bed.task(bed.spec());
    task.put_back("T1", &archive, &under("T\"9"))
        .expect("restored");
    assert_eq!(content(bed, "T\"9"), "\"first tenant\"");
    assert_eq!(content(bed, "T1"), "\"first tenant\"");
    let orders = since(bed, 1);
    assert!(
        orders[0].starts_with("CREATE DATABASE \"T\"\"9\" SYSTEM USER PASSWORD \"Aa1"),
        "{orders:?}"
    );
    assert_eq!(orders[1], "ALTER SYSTEM STOP DATABASE \"T\"\"9\"");
    assert!(
        orders[2].starts_with("RECOVER DATA FOR \"T\"\"9\" USING FILE ("),
        "{orders:?}"
    );
    bed.nothing_is_left();
}

pub(super) fn what_is_there_is_refused_or_replaced(bed: &Bed) {
    let archive = backup(bed);
    let task = bed.task(bed.spec());
    for name in ["T1", "T2"] {
        let error = task
            .put_back("T1", &archive, &under(name))
            .expect_err("it is there");
        assert_eq!(error.code(), "database_exists");
    }
    assert_eq!(since(bed, 1), [""; 0], "nothing is touched");
    task.put_back("T1", &archive, &in_place_of("T2"))
        .expect("replaced");
    assert_eq!(content(bed, "T2"), "\"first tenant\"");
    bed.nothing_is_left();
}

pub(super) fn what_one_statement_does_not_bring_back_is_said_with_what_does(bed: &Bed) {
    let full = backup(bed);
    let system = bed.task(bed.spec()).dump("SYSTEMDB").expect("a backup");
    let changed = bed
        .task(SaphanaSource {
            level: SaphanaLevel::Incremental,
            ..bed.spec()
        })
        .dump("T1")
        .expect("a backup");
    let tenant = bed.task(SaphanaSource {
        connect_to: Some("T1".to_owned()),
        ..bed.spec()
    });
    let task = bed.task(bed.spec());
    let before = bed.orders().len();
    for (outcome, word) in [
        (
            task.put_back("SYSTEMDB", &system, &in_place_of("SYSTEMDB")),
            "recoverSys.py",
        ),
        // Under any name, and whatever the dump is called.
        (
            task.put_back("SYSTEMDB", &system, &under("T9")),
            "recoverSys.py",
        ),
        (task.put_back("T1", &system, &under("T9")), "recoverSys.py"),
        (
            task.put_back("T1", &changed, &in_place_of("T1")),
            "USING DATA PATH",
        ),
        (
            tenant.put_back("T1", &full, &in_place_of("T1")),
            "from the system database",
        ),
    ] {
        let error = outcome.expect_err(word);
        assert_eq!(error.code(), "unsupported", "{}", error.message());
        assert!(error.message().contains(word), "{}", error.message());
    }
    assert_eq!(since(bed, before), [""; 0]);
    bed.nothing_is_left();
}

/// The archive with one of its files changed by `change`.
fn rebuilt(archive: &[u8], change: impl Fn(&str, &mut Vec<u8>) -> Option<String>) -> Vec<u8> {
    let mut built = tar::Builder::new(Vec::new());
    let mut append = |name: &str, content: &[u8]| {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o600);
        built
            .append_data(&mut header, Path::new(name), content)
            .expect("memory takes it");
    };
    let mut files = files(archive);
    let mut described = files.remove("backup.json").expect("it is there");
    change("backup.json", &mut described);
    append("backup.json", &described);
    for (name, mut content) in files {
        if let Some(name) = change(&name, &mut content) {
            append(&name, &content);
        }
    }
    built.into_inner().expect("memory takes it")
}

pub(super) fn never_04_a_restore_that_fails_is_no_success_and_leaves_nothing(bed: &Bed) {
    let archive = backup(bed);
    let task = bed.task(bed.spec());
    let is_data = |name: &str| name.ends_with("_2_1");
    let replaced = |from: &'static str, to: &'static str| {
        rebuilt(&archive, move |name, content| {
            if name == "backup.json" {
                *content = String::from_utf8_lossy(content)
                    .replace(from, to)
                    .into_bytes();
            }
            Some(name.replace(from, to))
        })
    };
    let broken = [
        archive[..archive.len() / 2].to_vec(),
        archive[..1000].to_vec(),
        Vec::new(),
        rebuilt(&archive, |name, _| {
            (!is_data(name)).then(|| name.to_owned())
        }),
        rebuilt(&archive, |name, content| {
            if is_data(name) {
                content.truncate(1000);
            }
            Some(name.to_owned())
        }),
        // Files that would lie elsewhere, or be called otherwise.
        replaced("_databackup_0_1", "_databackup_0_1;"),
        replaced("backupx-", "other-"),
        replaced("\"formatVersion\": 1", "\"formatVersion\": 2"),
    ];
    for (number, broken) in broken.iter().enumerate() {
        let outcome = task.put_back("T1", broken, &in_place_of("T1"));
        assert!(outcome.is_err(), "{number}");
        bed.nothing_is_left();
    }
    // Nothing was touched until all of it was on the host.
    assert_eq!(since(bed, 1), [""; 0]);

    bed.change("/behave/recover", "fail");
    let error = task
        .put_back("T1", &archive, &under("T9"))
        .expect_err("it is damaged");
    assert_eq!(error.code(), "restore_failed");
    assert!(
        error.message().contains("data is damaged"),
        "{}",
        error.message()
    );
    let world = bed.world();
    assert!(world["databases"]["T9"].is_null(), "{world}");
    let error = task
        .put_back("T1", &archive, &in_place_of("T1"))
        .expect_err("it is damaged");
    assert!(
        error.message().contains("stopped and not whole"),
        "{}",
        error.message()
    );
    assert!(
        !bed.world()["databases"]["T1"].is_null(),
        "what was there is not dropped"
    );
    bed.nothing_is_left();
}

pub(super) fn a_backup_that_lies_with_backint_comes_back(bed: &Bed) {
    let task = bed.task(SaphanaSource {
        via: SaphanaVia::Backint,
        folder: None,
        ..bed.spec()
    });
    let archive = task.dump("T1").expect("a backup");
    let error = task
        .put_back("T1", &archive, &under("T9"))
        .expect_err("another name");
    assert_eq!(error.code(), "unsupported");
    assert!(
        error.message().contains("USING SOURCE 'T1@HN1'"),
        "{}",
        error.message()
    );
    task.put_back("T1", &archive, &in_place_of("T1"))
        .expect("restored");
    assert_eq!(content(bed, "T1"), "\"from backint\"");
    let order = bed.orders().pop().expect("an order");
    assert!(
        order.starts_with("RECOVER DATA FOR \"T1\" USING BACKINT ('backupx-"),
        "{order}"
    );
}
