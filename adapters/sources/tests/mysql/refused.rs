//! What can't be read is said before a run, by its code and in plain words.

use super::bed::{Bed, PASSWORD, Task, sql_of};
use backupx_core::domain::database::{MysqlSource, Selection};
use backupx_core::ports::source::StopFlag;
use std::io::Write;

pub(crate) fn what_is_there_is_found_and_chosen(bed: &Bed) {
    for name in ["found_a", "found_b", "found_c"] {
        bed.make(name);
    }
    bed.script(
        "found_a",
        "CREATE TABLE t AS SELECT seq FROM seq_1_to_100000",
    );
    // Sizes come from the server's statistics, which it brings up to date when it likes.
    bed.script("found_a", "ANALYZE TABLE t");
    let mut spec = bed.spec();
    spec.databases.except = vec!["found_b".to_owned()];
    let task = Task::new(spec.clone());
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
    assert!(size("found_b").is_some() && size("mysql").is_none() && size("sys").is_none());
    let plan = task.source.plan(&StopFlag::default()).expect("a plan");
    let has = |name: &str| plan.dumps.contains(&sql_of(name));
    assert!(has("found_a") && !has("found_b") && has("found_c") && !has("mysql"));
    assert!(
        plan.tools["server"].starts_with("MariaDB 1"),
        "{:?}",
        plan.tools
    );
    assert!(plan.tools.contains_key("mariadb-dump"), "{:?}", plan.tools);

    spec.databases = Selection {
        only: vec!["found_a".to_owned(), "found_b".to_owned()],
        except: vec!["*_b".to_owned()],
    };
    assert_eq!(Task::new(spec).plan().expect("a plan"), ["found_a"]);
    for name in ["found_a", "found_b", "found_c"] {
        bed.drop(name);
    }
}

pub(crate) fn a_database_that_is_not_there_fails_the_run(bed: &Bed) {
    let task = Task::new(bed.only("no such database"));
    let error = task.plan().expect_err("it is not there");
    assert_eq!(error.code(), "source_missing");
    let error = task
        .dump(&sql_of("no such database"))
        .expect_err("it is not there");
    assert_eq!(error.code(), "source_missing");
    let mut spec = bed.spec();
    spec.databases.except = vec!["*".to_owned()];
    let error = Task::new(spec).plan().expect_err("none is left");
    assert_eq!(error.code(), "nothing_selected");
}

pub(crate) fn a_check_says_that_all_is_well(bed: &Bed) {
    bed.make("checked");
    let steps = Task::new(bed.only("checked"))
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
    assert_eq!(
        task.plan().expect_err("nobody is there").code(),
        "database_unreachable"
    );
    let steps = task.source.check(&StopFlag::default());
    assert_eq!(
        steps.last().map(|step| (step.name.as_str(), step.ok)),
        Some(("connect", false))
    );
    spec.server.host = None;
    spec.server.port = None;
    spec.server.socket = Some("/nowhere/mysqld.sock".to_owned());
    let error = Task::new(spec).plan().expect_err("nobody is there");
    assert_eq!(error.code(), "database_unreachable");
}

/// A user who owns nothing and signs in with a password in which everything is that an option file could take for something else.
const ODD: &str = "s3 #c'r\"e\\t;=ü";

fn user(bed: &Bed, name: &str) -> MysqlSource {
    let password = super::bed::literal(ODD);
    bed.sql(&format!(
        "CREATE OR REPLACE USER {name} IDENTIFIED BY {password}"
    ));
    let mut spec = bed.spec();
    spec.server.user = Some(name.to_owned());
    spec
}

pub(crate) fn a_wrong_password_is_said_as_such(bed: &Bed) {
    let mut spec = user(bed, "wrong_user");
    for password in [Some("hunter2 is wrong"), None] {
        let task = Task::with_password(spec.clone(), password);
        let error = task.plan().expect_err("it is wrong");
        assert_eq!(error.code(), "sign_in_failed");
        assert!(!error.chain().contains("hunter2"));
    }
    let file = tempfile::NamedTempFile::new().expect("a file");
    writeln!(file.as_file(), "{ODD}\nnot this").expect("written");
    spec.server.password_file = Some(file.path().display().to_string());
    Task::with_password(spec, None)
        .source
        .discover(&StopFlag::default())
        .expect("the file has the right one");
    bed.sql("DROP USER wrong_user");
}

pub(crate) fn missing_rights_are_named_as_the_statements_that_grant_them(bed: &Bed) {
    bed.make("rights_db");
    bed.script(
        "rights_db",
        "CREATE TABLE t (a INT); CREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW SET NEW.a = 1; CREATE PROCEDURE p() SELECT 1; \
         CREATE VIEW v AS SELECT a FROM t; CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO DELETE FROM t;",
    );
    let mut spec = user(bed, "poor_user");
    bed.sql("GRANT SELECT ON rights_db.* TO poor_user");
    spec.databases.only = vec!["rights_db".to_owned()];
    spec.accounts = true;
    let task = Task::with_password(spec, Some(ODD));
    let error = task.plan().expect_err("it may not");
    assert_eq!(error.code(), "rights_missing");
    let steps = task.source.check(&StopFlag::default());
    assert_eq!(
        steps.last().map(|step| (step.name.as_str(), step.ok)),
        Some(("rights", false))
    );
    // Who does what is said there has enough.
    let (_, statements) = error.message().split_once("run: ").expect("statements");
    assert!(!error.chain().contains(PASSWORD));
    bed.sql(statements);
    let plan = task.source.plan(&StopFlag::default()).expect("now it may");
    assert!(
        plan.warnings
            .iter()
            .any(|warning| warning.contains("users and their rights are not backed up")),
        "{:?}",
        plan.warnings
    );
    let bytes = task.dump(&sql_of("rights_db")).expect("it is dumped");
    let text = String::from_utf8_lossy(&bytes);
    for what in ["TRIGGER tr", "PROCEDURE `p`", "VIEW `v`", "EVENT `e`"] {
        assert!(text.contains(what), "{what} is not in it");
    }
    bed.sql("GRANT SELECT ON mysql.* TO poor_user");
    assert_eq!(task.plan().expect("more")[0], "accounts");
    bed.drop("rights_db");
    bed.sql("DROP USER poor_user");
}

pub(crate) fn tables_without_transactions_are_warned_of(bed: &Bed) {
    bed.make("old_engines");
    bed.script(
        "old_engines",
        "CREATE TABLE m (a INT) ENGINE = MyISAM; CREATE TABLE i (a INT)",
    );
    let plan = Task::new(bed.only("old_engines"))
        .source
        .plan(&StopFlag::default())
        .expect("a plan");
    assert!(
        plan.warnings.len() == 1 && plan.warnings[0].ends_with("m (MyISAM)"),
        "{:?}",
        plan.warnings
    );
    bed.drop("old_engines");
}
