//! What can't be read is said before a run, by its code and in plain words, and never with a password.

use super::bed::{Bed, Task, custom};
use crate::support::{Heard, Spy};
use backupx_core::domain::database::{PostgresqlFormat, PostgresqlSource, Selection};
use backupx_core::ports::source::StopFlag;
use std::io::Write;

const PASSWORD: &str = "s3cret pässword";

fn only(bed: &Bed, name: &str) -> PostgresqlSource {
    let mut spec = bed.spec();
    spec.databases.only = vec![name.to_owned()];
    spec
}

pub(crate) fn what_is_there_is_found_and_chosen(bed: &Bed) {
    for name in ["found_a", "found_b", "found_c"] {
        bed.make(name);
    }
    bed.psql(
        "postgres",
        "update pg_database set datallowconn = false where datname = 'found_c'",
    );
    let mut spec = bed.spec();
    spec.accounts = false;
    spec.format = PostgresqlFormat::Plain;
    spec.databases = Selection {
        only: vec!["found_a".to_owned(), "found_b".to_owned()],
        except: vec!["*_b".to_owned()],
    };
    let task = Task::new(spec);
    let found = task
        .source
        .discover(&StopFlag::default())
        .expect("they are found");
    let size = |name: &str| {
        found
            .iter()
            .find(|database| database.name == name)
            .map(|found| found.size_bytes)
    };
    assert!(size("found_a").flatten().is_some_and(|size| size > 1 << 20));
    assert!(size("found_b").is_some() && size("postgres").is_some());
    assert!(size("found_c").is_none() && size("template1").is_none());
    let plan = task.source.plan(&StopFlag::default()).expect("a plan");
    let names: Vec<_> = plan.dumps.iter().map(|dump| dump.name.as_str()).collect();
    assert_eq!(names, ["found_a"]);
    assert!(plan.tools["server"].starts_with(&bed.major.to_string()));
    // Old servers have no tools of their own here.
    assert!(plan.tools["pg_dump"].starts_with(&bed.major.max(15).to_string()));
    bed.psql(
        "postgres",
        "update pg_database set datallowconn = true where datname = 'found_c'",
    );
    for name in ["found_a", "found_b", "found_c"] {
        bed.drop(name);
    }
}

pub(crate) fn a_database_that_is_not_there_fails_the_run(bed: &Bed) {
    let task = Task::new(only(bed, "no such database"));
    let error = task
        .source
        .plan(&StopFlag::default())
        .expect_err("it is not there");
    assert_eq!(error.code(), "source_missing");
    let mut spec = bed.spec();
    spec.databases.except = vec!["*".to_owned()];
    let error = Task::new(spec)
        .source
        .plan(&StopFlag::default())
        .expect_err("none is left");
    assert_eq!(error.code(), "nothing_selected");
    let error = task
        .dump(&custom("no such database"))
        .expect_err("it is not there");
    assert_eq!(error.code(), "source_missing");
}

pub(crate) fn a_check_says_that_all_is_well(bed: &Bed) {
    bed.make("checked");
    let steps = Task::new(only(bed, "checked"))
        .source
        .check(&StopFlag::default());
    let names: Vec<_> = steps.iter().map(|step| step.name.as_str()).collect();
    assert_eq!(
        names,
        ["tools", "connect", "version", "rights", "databases"]
    );
    assert!(steps.iter().all(|step| step.ok), "{steps:?}");
    bed.drop("checked");
}

pub(crate) fn an_unreachable_server_is_said_as_such(bed: &Bed) {
    let mut spec = bed.spec();
    spec.server.port = Some(1);
    let task = Task::new(spec.clone());
    let error = task
        .source
        .plan(&StopFlag::default())
        .expect_err("nobody is there");
    assert_eq!(error.code(), "database_unreachable");
    let steps = task.source.check(&StopFlag::default());
    assert_eq!(
        steps.last().map(|step| (step.name.as_str(), step.ok)),
        Some(("connect", false))
    );
    spec.server.host = None;
    spec.server.socket = Some("/nowhere".to_owned());
    let error = Task::new(spec)
        .source
        .plan(&StopFlag::default())
        .expect_err("nobody is there");
    assert_eq!(error.code(), "database_unreachable");
}

/// A user who signs in with a password, owning nothing.
fn user(bed: &Bed, name: &str) -> PostgresqlSource {
    bed.psql("postgres", &format!("do $$ begin create role {name} login password '{PASSWORD}'; exception when duplicate_object then null; end $$"));
    let mut spec = bed.spec();
    spec.server.user = Some(name.to_owned());
    spec
}

pub(crate) fn a_wrong_password_is_said_as_such(bed: &Bed) {
    let spec = user(bed, "wrong_user");
    for password in [Some("hunter2 is wrong"), None] {
        let task = Task::with_password(spec.clone(), password);
        let error = task
            .source
            .plan(&StopFlag::default())
            .expect_err("it is wrong");
        assert_eq!(error.code(), "sign_in_failed");
        assert!(!error.chain().contains("hunter2"));
    }
    let file = tempfile::NamedTempFile::new().expect("a file");
    writeln!(file.as_file(), "{PASSWORD}\nnot this").expect("written");
    let mut spec = PostgresqlSource {
        databases: Selection {
            only: vec!["postgres".to_owned()],
            except: Vec::new(),
        },
        ..spec
    };
    spec.server.password_file = Some(file.path().display().to_string());
    Task::new(spec)
        .source
        .discover(&StopFlag::default())
        .expect("the file has the right one");
}

pub(crate) fn missing_rights_are_named(bed: &Bed) {
    bed.make("rights");
    bed.psql(
        "rights",
        "create schema closed; create table closed.orders (a int); create table open (a int)",
    );
    let mut spec = user(bed, "poor_user");
    spec.databases.only = vec!["rights".to_owned()];
    let task = Task::with_password(spec.clone(), Some(PASSWORD));
    let error = task
        .source
        .plan(&StopFlag::default())
        .expect_err("it may not");
    assert_eq!(error.code(), "rights_missing");
    assert!(
        error.message().contains("closed.orders") && error.message().contains("public.open"),
        "{}",
        error.message()
    );
    let steps = task.source.check(&StopFlag::default());
    assert_eq!(
        steps.last().map(|step| (step.name.as_str(), step.ok)),
        Some(("rights", false))
    );
    assert_eq!(
        task.dump(&custom("rights")).expect_err("it may not").code(),
        "rights_missing"
    );

    bed.psql("rights", "grant usage on schema closed to poor_user; grant select on open, closed.orders to poor_user");
    let plan = task.source.plan(&StopFlag::default()).expect("now it may");
    assert!(
        plan.warnings[0].contains("without their passwords"),
        "{:?}",
        plan.warnings
    );
    for dump in &plan.dumps {
        task.dump(dump).expect("it is dumped");
    }
    bed.psql("rights", "alter table open enable row level security");
    assert_eq!(
        task.source
            .plan(&StopFlag::default())
            .expect_err("not all rows")
            .code(),
        "rights_missing"
    );
    bed.drop("rights");
}

pub(crate) fn older_tools_than_the_server_are_refused_in_plain_words(bed: &Bed) {
    let Ok(old) = Bed::new(15) else {
        return;
    };
    let mut spec = bed.spec();
    spec.tools = Some(old.tools.display().to_string());
    let task = Task::new(spec);
    let error = task
        .source
        .plan(&StopFlag::default())
        .expect_err("15 can't");
    assert_eq!(error.code(), "server_version_mismatch");
    let server = format!("the server is PostgreSQL {}", bed.major);
    assert!(
        error.message().contains(&server) && error.message().contains("here is 15."),
        "{}",
        error.message()
    );
    assert!(
        error
            .message()
            .contains(&format!("postgresql-client-{}", bed.major))
    );
    let steps = task.source.check(&StopFlag::default());
    assert_eq!(
        steps.last().map(|step| (step.name.as_str(), step.ok)),
        Some(("version", false))
    );
}

pub(crate) fn never_30_no_password_is_seen(bed: &Bed) {
    bed.make("spied");
    bed.psql(
        "spied",
        "create table t as select md5(n::text) from generate_series(1, 100000) n",
    );
    let spec = user(bed, "spied_user");
    bed.psql("postgres", "grant pg_read_all_data to spied_user");
    let task = Task::with_password(spec, Some(PASSWORD));
    let mut spy = Spy::new(PASSWORD, "pg_dump");
    let heard = Heard::default();
    task.source
        .read(&custom("spied"), &mut spy, &heard, &StopFlag::default())
        .expect("it is dumped");
    spy.saw_the_tool();
    bed.drop("spied");
}
