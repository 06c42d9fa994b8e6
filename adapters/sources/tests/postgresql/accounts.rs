//! Roles, which belong to the whole server.

use super::bed::{Bed, Task, under};
use backupx_core::domain::dump::{Dump, DumpFormat};
use backupx_core::ports::source::StopFlag;

pub(crate) fn roles_come_with_their_passwords_and_leave_those_that_are_there(bed: &Bed) {
    bed.psql("postgres", "drop role if exists \"acc ü\"; drop role if exists acc_stays; \
        create role \"acc ü\" login password 'first' connection limit 3; create role acc_stays; grant acc_stays to \"acc ü\"");
    let mut spec = bed.spec();
    spec.databases.only = vec!["postgres".to_owned()];
    let task = Task::new(spec);
    let plan = task.source.plan(&StopFlag::default()).expect("a plan");
    let globals = Dump::accounts("globals", DumpFormat::PostgresqlSql);
    assert_eq!(plan.dumps.first(), Some(&globals));
    assert_eq!(plan.warnings, Vec::<String>::new());
    let bytes = task.dump(&globals).expect("they are dumped");
    let about = "select rolname, rolcanlogin, rolconnlimit, rolpassword, (select count(*) from pg_auth_members m where m.member = a.oid) \
                 from pg_authid a where rolname like 'acc%' order by 1";
    let before = bed.psql("postgres", about);
    bed.psql(
        "postgres",
        "drop role \"acc ü\"; alter role acc_stays connection limit 9",
    );
    task.put_back(&globals, &bytes, &under("globals"))
        .expect("they are put back");
    let after = bed.psql("postgres", about);
    assert_eq!(after, before.replace("acc_stays|f|-1", "acc_stays|f|9"));
    let lines = task.heard.lines();
    assert!(
        lines
            .iter()
            .any(|line| line.contains("role \"acc_stays\" is there already")),
        "{lines:?}"
    );
    // Once more changes nothing.
    task.put_back(&globals, &bytes, &under("globals"))
        .expect("they are there");
    assert_eq!(bed.psql("postgres", about), after);
    let error = task
        .put_back(&globals, &bytes[..bytes.len() / 2], &under("globals"))
        .expect_err("it is cut");
    assert_eq!(error.code(), "restore_failed");
    bed.psql("postgres", "drop role \"acc ü\"; drop role acc_stays");
}
