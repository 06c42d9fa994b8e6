//! Whole clusters: copied from real servers and laid down again, and copies that are not whole.

use super::bed::{Bed, Task, under};
use super::fake::tool_set;
use crate::support::trial;
use backupx_core::domain::database::{PostgresqlFormat, PostgresqlSource};
use backupx_core::domain::dump::{Dump, DumpFormat};
use backupx_core::ports::source::StopFlag;
use libtest_mimic::Trial;
use std::path::Path;
use std::process::Command;

fn cluster() -> Dump {
    Dump::cluster("cluster", DumpFormat::PostgresqlBase)
}

fn physical(spec: PostgresqlSource) -> PostgresqlSource {
    PostgresqlSource {
        format: PostgresqlFormat::Physical,
        ..spec
    }
}

pub(super) fn fakes() -> Vec<Trial> {
    vec![trial(
        "postgresql_tools::never_01_a_copy_that_is_not_whole_is_never_green".to_owned(),
        None,
        || {
            never_01_a_copy_that_is_not_whole_is_never_green();
            Ok(())
        },
    )]
}

pub(super) fn a_cluster_comes_back_as_its_server_made_it(bed: &Bed) {
    bed.fill("copied");
    let task = Task::new(physical(bed.spec()));
    let steps = task.source.check(&StopFlag::default());
    assert!(steps.iter().all(|step| step.ok), "{steps:?}");
    let plan = task.source.plan(&StopFlag::default()).expect("a plan");
    assert_eq!(plan.dumps, [cluster()]);
    let bytes = task.dump(&cluster()).expect("copied");

    let place = tempfile::tempdir().expect("a folder");
    let data = place.path().join("data");
    let how = under(&data.display().to_string());
    task.put_back(&cluster(), &bytes, &how).expect("laid down");
    verified(bed, &data);
    let again = task.put_back(&cluster(), &bytes, &how);
    assert_eq!(again.expect_err("it is there").code(), "database_exists");

    // A copy that was cut or changed leaves nothing that a server would start on.
    let other = under(&place.path().join("other").display().to_string());
    let mut changed = bytes.clone();
    let middle = changed.len() / 2;
    changed[middle..middle + 64].fill(0xa5);
    for damaged in [
        &bytes[..bytes.len() / 2],
        &bytes[..bytes.len() - 1024],
        &changed,
    ] {
        let error = task
            .put_back(&cluster(), damaged, &other)
            .expect_err("not whole");
        assert_eq!(error.code(), "dump_incomplete", "{error:?}");
        assert!(!Path::new(&other.name).exists());
    }
    bed.drop("copied");
}

/// What the server's own tool says of a data folder.
fn verified(bed: &Bed, data: &Path) {
    let output = Command::new(bed.tools.join("pg_verifybackup"))
        .arg("--no-parse-wal")
        .arg(data)
        .output()
        .expect("it starts");
    assert!(output.status.success(), "{output:?}");
}

fn never_01_a_copy_that_is_not_whole_is_never_green() {
    for (script, code) in [
        ("exit 1", "dump_failed"),
        ("exit 0", "dump_incomplete"),
        ("head -c 10240 /dev/zero", "dump_incomplete"),
        ("echo no archive", "dump_incomplete"),
        ("cd /etc && tar c hostname", "dump_incomplete"),
        (
            "cd /etc && tar c hostname; echo 'pg_basebackup: error: gone' >&2; exit 1",
            "dump_failed",
        ),
        ("tar c -C /etc hostname | head -c 700", "dump_incomplete"),
    ] {
        let (_folder, spec) = tool_set(script, "");
        let task = Task::new(physical(spec));
        let error = task.dump(&cluster()).expect_err(script);
        assert_eq!(error.code(), code, "{script}: {error:?}");
    }
}
