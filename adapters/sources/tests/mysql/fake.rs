//! Tools that lie: none of them may look like a backup or a restore.

use super::bed::{Task, sql_of, under};
use crate::support::{tool, trial};
use backupx_core::domain::database::{MysqlSource, Server, Tls};
use backupx_core::ports::source::StopFlag;
use libtest_mimic::Trial;
use tempfile::TempDir;

/// A client that knows just enough, of a server without TLS.
const CLIENT: &str = r#"case "$*" in
*VERSION*) printf '10.11.6-MariaDB\nSsl_cipher\t\n' ;;
*"SHOW DATABASES"*) echo shop ;;
*"SHOW GRANTS"*) echo 'GRANT ALL PRIVILEGES ON *.* TO `b`@`%`' ;;
*CURRENT_USER*) echo 'b@%' ;;
*DEFAULT_CHARACTER_SET_NAME*) printf 'utf8mb4\tutf8mb4_bin\n' ;;
*COUNT*) echo 0 ;;
esac"#;
const BEGIN: &str = "-- MariaDB dump 10.19  Distrib 10.11.6-MariaDB\n--\nCREATE TABLE a (";
const END: &str = "-- Dump completed on 2026-01-01  1:02:03\n";

/// A tool set in which the dump tool does `dump`, and the client `restore` with what it is not asked for.
fn tools(dump: &str, restore: &str) -> (TempDir, Task) {
    let folder = tempfile::tempdir().expect("a folder");
    let client = CLIENT.replace("esac", &format!("*--execute*) ;;\n*) {restore} ;;\nesac"));
    for (name, script) in [("mariadb-dump", dump), ("mariadb", &client)] {
        let version = "Ver 10.19 Distrib 10.11.6-MariaDB";
        tool(folder.path(), name, version, script);
    }
    let spec = MysqlSource {
        tools: Some(folder.path().display().to_string()),
        ..MysqlSource::default()
    };
    (folder, Task::new(spec))
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
            "tools_that_are_missing_are_named",
            tools_that_are_missing_are_named,
        ),
        (
            "a_server_without_tls_is_refused_where_it_is_required",
            a_server_without_tls_is_refused_where_it_is_required,
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
        .map(|(name, case)| trial(format!("mysql_tools::{name}"), None, run(case)))
        .collect()
}

fn never_01_a_tool_that_fails_or_stops_half_way_is_never_green() {
    let whole = format!("printf -- '{BEGIN}\n{END}'");
    let said = |line: &str| format!("cat >&2 <<'X'\n{line}\nX\n{whole}");
    for (script, code) in [
        ("exit 1".to_owned(), "dump_failed"),
        (format!("{whole}; exit 1"), "dump_failed"),
        (format!("{whole}; kill -9 $$"), "dump_failed"),
        ("exit 0".to_owned(), "dump_incomplete"),
        (format!("printf -- '{BEGIN}'"), "dump_incomplete"),
        (format!("printf -- '{END}'"), "dump_incomplete"),
        (
            format!("printf -- '{BEGIN}\n{END}CREATE TABLE b ('"),
            "dump_incomplete",
        ),
        ("echo 'some text'".to_owned(), "dump_incomplete"),
        // Ended well and whole to look at, but it says that it is not.
        (
            said(
                "mysqldump: Error: 'Access denied; you need PROCESS' when trying to dump tablespaces",
            ),
            "dump_failed",
        ),
        (
            said("mariadb-dump: Got error: 1142: SHOW VIEW command denied"),
            "dump_failed",
        ),
        (
            said("mariadb-dump: Couldn't execute 'SHOW TRIGGERS': gone (2013)"),
            "dump_failed",
        ),
        (
            said("mysqldump: b has insufficent privileges to SHOW CREATE PROCEDURE p!"),
            "dump_failed",
        ),
        (
            "echo 'mariadb-dump: Got error: 2002: connect' >&2; exit 2".to_owned(),
            "database_unreachable",
        ),
    ] {
        let (_folder, task) = tools(&script, "");
        let error = task.dump(&sql_of("shop")).expect_err(&script);
        assert_eq!(error.code(), code, "{script}: {}", error.message());
    }
}

fn a_warning_is_heard_and_the_dump_is_good() {
    let script = format!("echo 'Warning: this and that' >&2; printf -- '{BEGIN}\n{END}'");
    let (_folder, task) = tools(&script, "");
    task.dump(&sql_of("shop")).expect("it is whole");
    assert_eq!(task.heard.warnings(), ["shop: Warning: this and that"]);
}

fn a_tool_that_hangs_ends_when_the_run_is_stopped() {
    let (folder, task) = tools("echo half; touch \"$(dirname \"$0\")/runs\"; sleep 600", "");
    let stop = StopFlag::default();
    std::thread::scope(|scope| {
        let reading = scope.spawn(|| {
            task.source
                .read(&sql_of("shop"), &mut Vec::new(), &task.heard, &stop)
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
    let bytes = format!("{BEGIN}\n{}{END}", "-- filler\n".repeat(100_000)).into_bytes();
    let table = format!("-- Table structure for table `a`\n{END}").into_bytes();
    for (script, bytes, works) in [
        ("cat >/dev/null", &bytes, true),
        ("cat >/dev/null; exit 1", &bytes, false),
        ("exit 1", &bytes, false),
        ("exit 0", &bytes, false),
        // It took everything and made nothing of it.
        ("cat >/dev/null", &table, false),
    ] {
        let (_folder, task) = tools("", script);
        let outcome = task.put_back(&sql_of("shop"), bytes, &under("copy"));
        assert_eq!(outcome.is_ok(), works, "{script}: {outcome:?}");
        if let Err(error) = outcome {
            assert_eq!(error.code(), "restore_failed");
        }
    }
}

fn tools_that_are_missing_are_named() {
    let (folder, task) = tools("", "");
    std::fs::remove_file(folder.path().join("mariadb-dump")).expect("it was there");
    let error = task.plan().expect_err("one is missing");
    assert_eq!(error.code(), "tool_missing");
    assert!(error.message().contains("mariadb-dump"));
    let steps = task.source.check(&StopFlag::default());
    assert_eq!(
        (steps.len(), steps[0].name.as_str(), steps[0].ok),
        (1, "tools", false)
    );
}

fn a_server_without_tls_is_refused_where_it_is_required() {
    let (folder, _) = tools("", "");
    for (tls, works) in [
        (Tls::Off, true),
        (Tls::Prefer, true),
        (Tls::Require, false),
        (Tls::Verify, false),
    ] {
        let spec = MysqlSource {
            tools: Some(folder.path().display().to_string()),
            server: Server {
                host: Some("db".to_owned()),
                tls,
                ..Server::default()
            },
            ..MysqlSource::default()
        };
        let outcome = Task::new(spec).source.discover(&StopFlag::default());
        assert_eq!(outcome.is_ok(), works, "{tls:?} {outcome:?}");
        if let Err(error) = outcome {
            assert_eq!(error.code(), "database_unreachable");
        }
    }
}
