//! Tools that lie: none of them may look like a backup or a restore.

use super::bed::{Task, archive, under};
use crate::support::trial;
use backupx_core::domain::database::{MongodbSource, Server};
use backupx_core::ports::source::StopFlag;
use libtest_mimic::Trial;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use tempfile::TempDir;

/// An archive of the collection `shop.a` without documents, as printf writes it: a head, its end, and the last block.
const HEAD: &str = r"\155\342\231\201\005\000\000\000\000\044\000\000\000\002db\000\005\000\000\000shop\000\002collection\000\002\000\000\000a\000\000\377\377\377\377";
const LAST: &str = r"\052\000\000\000\002db\000\005\000\000\000shop\000\002collection\000\002\000\000\000a\000\010EOF\000\001\000\377\377\377\377";
const RESTORED: &str = "7 document(s) restored successfully. 0 document(s) failed to restore.";

/// A tool set in which mongodump does `dump` and mongorestore `restore`, and a server that listens and says nothing.
struct Fake {
    folder: TempDir,
    task: Task,
    _server: TcpListener,
}

fn tools(dump: &str, restore: &str) -> Fake {
    let folder = tempfile::tempdir().expect("a folder");
    let server = TcpListener::bind("127.0.0.1:0").expect("a free port");
    for (name, script) in [("mongodump", dump), ("mongorestore", restore)] {
        let path = folder.path().join(name);
        let version =
            format!("case \"$*\" in *--version*) echo \"{name} version: 100.7.0\"; exit ;; esac\n");
        std::fs::write(&path, format!("#!/bin/sh\n{version}{script}\n")).expect("written");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755))
            .expect("it may run");
    }
    let spec = MongodbSource {
        server: Server {
            host: Some("127.0.0.1".to_owned()),
            port: Some(server.local_addr().expect("bound").port()),
            tls: backupx_core::domain::database::Tls::Off,
            ..Server::default()
        },
        tools: Some(folder.path().display().to_string()),
        ..MongodbSource::default()
    };
    Fake {
        folder,
        task: Task::with_password(spec, None),
        _server: server,
    }
}

pub(super) fn trials() -> Vec<Trial> {
    let cases: [(&str, fn()); 6] = [
        (
            "never_01_a_tool_that_fails_or_stops_half_way_is_never_green",
            never_01_a_tool_that_fails_or_stops_half_way_is_never_green,
        ),
        (
            "a_warning_is_heard_and_the_dump_is_good",
            a_warning_is_heard_and_the_dump_is_good,
        ),
        (
            "a_tool_that_hangs_ends_when_the_run_is_stopped",
            a_tool_that_hangs_ends_when_the_run_is_stopped,
        ),
        (
            "never_04_a_restore_whose_tool_fails_or_reads_nothing_is_no_success",
            never_04_a_restore_whose_tool_fails_or_reads_nothing_is_no_success,
        ),
        (
            "a_server_without_an_oplog_is_dumped_database_by_database",
            a_server_without_an_oplog_is_dumped_database_by_database,
        ),
        (
            "tools_that_are_missing_are_named",
            tools_that_are_missing_are_named,
        ),
    ];
    let run = |case: fn()| {
        move || {
            case();
            Ok(())
        }
    };
    cases
        .into_iter()
        .map(|(name, case)| trial(format!("mongodb_tools::{name}"), None, run(case)))
        .collect()
}

fn never_01_a_tool_that_fails_or_stops_half_way_is_never_green() {
    for (script, code) in [
        ("exit 1".to_owned(), "dump_failed"),
        (
            format!("printf '{HEAD}'; echo 'Failed: disk' >&2; exit 1"),
            "dump_failed",
        ),
        (format!("printf '{HEAD}{LAST}'; kill -9 $$"), "dump_failed"),
        ("exit 0".to_owned(), "dump_incomplete"),
        ("printf '\\155\\342'".to_owned(), "dump_incomplete"),
        (format!("printf '{HEAD}'"), "dump_incomplete"),
        (
            format!("printf '{HEAD}'; printf '{LAST}' | head -c 40"),
            "dump_incomplete",
        ),
        ("echo 'no archive at all'".to_owned(), "dump_incomplete"),
        (
            "echo 'Failed: not authorized on shop' >&2; exit 1".to_owned(),
            "rights_missing",
        ),
    ] {
        let fake = tools(&script, "");
        let error = fake.task.dump(&archive("shop")).expect_err(&script);
        assert_eq!(error.code(), code, "{script}: {}", error.message());
    }
}

fn a_warning_is_heard_and_the_dump_is_good() {
    let fake = tools(
        &format!("echo 'WARNING: old' >&2; printf '{HEAD}{LAST}'"),
        "",
    );
    fake.task.dump(&archive("shop")).expect("it is whole");
    assert_eq!(fake.task.heard.warnings(), ["WARNING: old"]);
}

fn a_tool_that_hangs_ends_when_the_run_is_stopped() {
    let script = format!("printf '{HEAD}'; touch \"$(dirname \"$0\")/runs\"; sleep 600");
    let fake = tools(&script, "");
    let stop = StopFlag::default();
    std::thread::scope(|scope| {
        let reading = scope.spawn(|| {
            let task = &fake.task;
            task.source
                .read(&archive("shop"), &mut Vec::new(), &task.heard, &stop)
        });
        while !fake.folder.path().join("runs").exists() && !reading.is_finished() {
            std::thread::yield_now();
        }
        stop.stop();
        let error = reading
            .join()
            .expect("no panic")
            .expect_err("it was stopped");
        assert_eq!(error.code(), "cancelled");
    });
    fake.task.nothing_is_left();
}

fn never_04_a_restore_whose_tool_fails_or_reads_nothing_is_no_success() {
    let whole = tools(&format!("printf '{HEAD}{LAST}'"), "");
    let bytes = whole.task.dump(&archive("shop")).expect("it is whole");
    // The target has nothing.
    let nothing = HEAD.replace(
        r"\044\000\000\000\002db\000\005\000\000\000shop\000\002collection\000\002\000\000\000a\000\000",
        "",
    );
    let restored = format!("cat >/dev/null; echo '{RESTORED}' >&2");
    for (script, works) in [
        (restored.clone(), true),
        (format!("{restored}; exit 1"), false),
        ("cat >/dev/null".to_owned(), false),
        (
            format!(
                "cat >/dev/null; echo '{}' >&2",
                RESTORED.replace(" 0 ", " 3 ")
            ),
            false,
        ),
        ("exit 1".to_owned(), false),
    ] {
        let fake = tools(&format!("printf '{nothing}'"), &script);
        let outcome = fake.task.put_back(&archive("shop"), &bytes, &under("copy"));
        assert_eq!(outcome.is_ok(), works, "{script}: {outcome:?}");
        if let Err(error) = outcome {
            assert_eq!(error.code(), "restore_failed");
        }
    }
}

fn a_server_without_an_oplog_is_dumped_database_by_database() {
    for (said, warnings) in [
        ("error finding oplog: not running with --replSet", 0),
        (
            "error getting oplog start: (Unauthorized) not authorized on local to execute command",
            1,
        ),
    ] {
        let script = format!(
            "case \"$*\" in *--oplog*) echo 'Failed: {said}' >&2; exit 1 ;; esac; printf '{HEAD}{LAST}'"
        );
        let fake = tools(&script, "");
        let plan = fake.task.source.plan(&StopFlag::default()).expect(said);
        assert_eq!(plan.dumps, [archive("shop")]);
        assert_eq!(plan.warnings.len(), warnings, "{:?}", plan.warnings);
    }
}

fn tools_that_are_missing_are_named() {
    let fake = tools("", "");
    std::fs::remove_file(fake.folder.path().join("mongorestore")).expect("it was there");
    let error = fake
        .task
        .source
        .plan(&StopFlag::default())
        .expect_err("one is missing");
    assert_eq!(error.code(), "tool_missing");
    assert!(error.message().contains("mongorestore"));
    let steps = fake.task.source.check(&StopFlag::default());
    assert_eq!(
        (steps.len(), steps[0].name.as_str(), steps[0].ok),
        (1, "tools", false)
    );
}
