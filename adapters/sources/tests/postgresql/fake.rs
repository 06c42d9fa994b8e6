//! Tools that lie: none of them may look like a backup or a restore.

use super::bed::{Task, custom, under};
use crate::support::{tool, trial};
use backupx_core::domain::database::PostgresqlSource;
use backupx_core::domain::dump::{Dump, DumpFormat};
use backupx_core::ports::source::StopFlag;
use libtest_mimic::Trial;
use tempfile::TempDir;

/// A psql that knows just enough.
const PSQL: &str = r#"case "$*" in
*--version*) echo "psql (PostgreSQL) 17.1" ;;
*server_version_num*) printf '170001\00017.1\000' ;;
*datistemplate*) printf 'shop\0001000\000' ;;
*pg_authid*) printf 't\000' ;;
*"from pg_roles"*) printf 'boss\000t\000' ;;
esac"#;
const END: &str = "\n--\n-- PostgreSQL database dump complete\n--\n\n";

/// A task with a tool set in which pg_dump does `dump` and pg_restore `restore`.
fn tools(dump: &str, restore: &str) -> (TempDir, Task) {
    let (folder, spec) = tool_set(dump, restore);
    (folder, Task::new(spec))
}

/// A tool set in which pg_dump and its kin do `dump` and pg_restore `restore`, and a source that names it.
pub(super) fn tool_set(dump: &str, restore: &str) -> (TempDir, PostgresqlSource) {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, script) in [
        ("pg_dump", dump),
        ("pg_dumpall", dump),
        ("pg_basebackup", dump),
        ("pg_restore", restore),
        ("psql", PSQL),
    ] {
        tool(folder.path(), name, "(PostgreSQL) 17.1", script);
    }
    let spec = PostgresqlSource {
        tools: Some(folder.path().display().to_string()),
        ..PostgresqlSource::default()
    };
    (folder, spec)
}

pub(super) fn trials() -> Vec<Trial> {
    let cases: [(&str, fn()); 6] = [
        (
            "never_01_a_tool_that_fails_or_stops_half_way_is_never_green",
            never_01_a_tool_that_fails_or_stops_half_way_is_never_green,
        ),
        (
            "never_01_an_archive_without_its_end_is_never_green",
            never_01_an_archive_without_its_end_is_never_green,
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
        .map(|(name, case)| trial(format!("postgresql_tools::{name}"), None, run(case)))
        .collect()
}

fn never_01_a_tool_that_fails_or_stops_half_way_is_never_green() {
    let plain = Dump::database("shop", DumpFormat::PostgresqlSql);
    for (script, code) in [
        ("exit 1", "dump_failed"),
        (
            "echo half; echo 'pg_dump: error: disk' >&2; exit 1",
            "dump_failed",
        ),
        ("echo half; kill -9 $$", "dump_failed"),
        ("exit 0", "dump_incomplete"),
        ("echo 'create table t ();'", "dump_incomplete"),
        (
            "echo '-- PostgreSQL database dump complete'; echo 'copy t from stdin;'",
            "dump_incomplete",
        ),
        (
            "printf -- '-- PostgreSQL database dump comp'",
            "dump_incomplete",
        ),
        (
            "echo 'pg_dump: error: connection to server failed: FATAL:  sorry, too many clients' >&2; exit 1",
            "database_unreachable",
        ),
    ] {
        let (_folder, task) = tools(script, "");
        let error = task.dump(&plain).expect_err(script);
        assert_eq!(error.code(), code, "{script}: {}", error.message());
    }
    // The end of one database is none of a whole server.
    let (_folder, task) = tools(&format!("printf -- '{END}'"), "");
    let error = task
        .dump(&Dump::accounts("globals", DumpFormat::PostgresqlSql))
        .expect_err("not its end");
    assert_eq!(error.code(), "dump_incomplete");
}

fn never_01_an_archive_without_its_end_is_never_green() {
    for script in [
        "exit 0",
        "printf 'PGDMP'",
        "printf 'PGDMP\\001\\020\\000\\004\\010\\001\\000'",
        "echo 'some text that is no archive at all'",
    ] {
        let (_folder, task) = tools(script, "");
        let error = task.dump(&custom("shop")).expect_err(script);
        assert_eq!(
            error.code(),
            "dump_incomplete",
            "{script}: {}",
            error.message()
        );
    }
}

fn a_warning_is_heard_and_the_dump_is_good() {
    let (_folder, task) = tools(
        &format!("echo 'pg_dump: warning: circular' >&2; printf -- '{END}'"),
        "",
    );
    task.dump(&Dump::database("shop", DumpFormat::PostgresqlSql))
        .expect("it is whole");
    assert_eq!(task.heard.warnings(), ["pg_dump: warning: circular"]);
}

fn a_tool_that_hangs_ends_when_the_run_is_stopped() {
    let (folder, task) = tools("echo half; touch \"$(dirname \"$0\")/runs\"; sleep 600", "");
    let stop = StopFlag::default();
    std::thread::scope(|scope| {
        let reading = scope.spawn(|| {
            let dump = Dump::database("shop", DumpFormat::PostgresqlSql);
            task.source.read(&dump, &mut Vec::new(), &task.heard, &stop)
        });
        while !folder.path().join("runs").exists() && !reading.is_finished() {
            std::thread::yield_now();
        }
        stop.stop();
        let error = reading
            .join()
            .expect("no panic")
            .expect_err("it was stopped");
        assert_eq!(error.code(), "cancelled");
    });
}

fn never_04_a_restore_whose_tool_fails_or_reads_nothing_is_no_success() {
    // A database without anything in it: the archive of one entry, and no data.
    let mut archive = b"PGDMP\x01\x10\x00\x04\x08\x01\x00".to_vec();
    archive.extend([0; 35]);
    archive.extend([1, 1, 0, 0, 0].repeat(3));
    archive.extend([0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]);
    archive.extend([1, 1, 0, 0, 0].repeat(4));
    archive.extend([0, 2, 0, 0, 0]);
    archive.extend([1, 1, 0, 0, 0].repeat(6));
    archive.extend([0, 0, 0, 0, 0]);
    archive.extend([1, 1, 0, 0, 0].repeat(3));
    archive.extend([0; 9]);
    for (script, works) in [
        ("cat >/dev/null", true),
        ("cat >/dev/null; exit 1", false),
        ("exit 1", false),
    ] {
        let (_folder, task) = tools("", script);
        let outcome = task.put_back(&custom("shop"), &archive, &under("copy"));
        assert_eq!(outcome.is_ok(), works, "{script}: {outcome:?}");
        if let Err(error) = outcome {
            assert_eq!(error.code(), "restore_failed");
        }
    }
}

fn tools_that_are_missing_are_named() {
    let (folder, task) = tools("", "");
    std::fs::remove_file(folder.path().join("pg_restore")).expect("it was there");
    let error = task
        .source
        .plan(&StopFlag::default())
        .expect_err("one is missing");
    assert_eq!(error.code(), "tool_missing");
    assert!(error.message().contains("pg_restore"));
    let steps = task.source.check(&StopFlag::default());
    assert_eq!(
        (steps.len(), steps[0].name.as_str(), steps[0].ok),
        (1, "tools", false)
    );
}
