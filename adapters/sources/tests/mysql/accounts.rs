//! Users, roles and their rights, which belong to the whole server.

use super::bed::{Bed, Task, under};
use backupx_core::domain::dump::{Dump, DumpFormat};
use backupx_core::ports::source::StopFlag;

const DROP: &str = "DROP USER IF EXISTS 'acc ü'@'%', acc_stays, 'acc\"\\''@localhost; DROP ROLE IF EXISTS acc_role; DROP DATABASE IF EXISTS acc_db";

pub(crate) fn users_come_with_their_passwords_and_leave_those_that_are_there(bed: &Bed) {
    bed.sql(DROP);
    bed.sql(
        "CREATE DATABASE acc_db; CREATE TABLE acc_db.t (a INT, b INT); CREATE ROLE acc_role; GRANT INSERT ON acc_db.* TO acc_role; \
         CREATE USER 'acc ü'@'%' IDENTIFIED BY 'first' WITH MAX_USER_CONNECTIONS 3; GRANT acc_role TO 'acc ü'@'%'; SET DEFAULT ROLE acc_role FOR 'acc ü'@'%'; \
         GRANT SELECT ON *.* TO 'acc ü'@'%' WITH GRANT OPTION; GRANT UPDATE (a) ON acc_db.t TO 'acc ü'@'%'; \
         CREATE USER 'acc\"\\''@localhost IDENTIFIED VIA unix_socket; CREATE USER acc_stays IDENTIFIED BY 'old'; GRANT DELETE ON acc_db.* TO acc_stays",
    );
    let mut spec = bed.only("acc_db");
    spec.accounts = true;
    let task = Task::new(spec);
    let plan = task.source.plan(&StopFlag::default()).expect("a plan");
    let accounts = Dump::accounts("accounts", DumpFormat::MysqlSql);
    assert_eq!(plan.dumps.first(), Some(&accounts));
    assert_eq!(plan.warnings, Vec::<String>::new());
    let bytes = task.dump(&accounts).expect("they are dumped");
    // The server of the tests resolves no names.
    let warnings = task.heard.warnings();
    assert!(
        warnings.len() <= 1
            && warnings
                .iter()
                .all(|warning| warning.contains("skip_name_resolve")),
        "{warnings:?}"
    );
    let about = || {
        bed.sql(
            "SHOW CREATE USER 'acc ü'@'%'; SHOW GRANTS FOR 'acc ü'@'%'; SHOW CREATE USER 'acc\"\\''@localhost; SHOW GRANTS FOR acc_role; \
             SHOW CREATE USER acc_stays; SHOW GRANTS FOR acc_stays",
        )
    };
    let before = about();
    let stays = bed.sql("SHOW CREATE USER acc_stays");

    bed.sql("DROP USER 'acc ü'@'%', 'acc\"\\''@localhost; DROP ROLE acc_role; ALTER USER acc_stays IDENTIFIED BY 'new'; REVOKE DELETE ON acc_db.* FROM acc_stays");
    let kept = bed.sql("SHOW CREATE USER acc_stays");
    assert_ne!(kept, stays);
    let put = |bytes: &[u8]| task.put_back(&accounts, bytes, &under("accounts"));
    put(&bytes).expect("they are put back");
    let after = about();
    let hash = |text: &str| {
        let (_, rest) = text.split_once("PASSWORD '").expect("a hash");
        rest.split('\'').next().map(str::to_owned).expect("its end")
    };
    assert_eq!(after, before.replace(&hash(&stays), &hash(&kept)));
    let lines = task.heard.lines();
    assert!(
        lines.iter().any(|line| line.contains("acc_stays")),
        "{lines:?}"
    );
    // Once more changes nothing.
    put(&bytes).expect("they are there");
    assert_eq!(about(), after);
    let error = put(&bytes[..bytes.len() / 2]).expect_err("it is cut");
    assert_eq!(error.code(), "restore_failed");

    // What a right is about may not be there yet.
    bed.sql("DROP DATABASE acc_db; DROP USER 'acc ü'@'%'");
    put(&bytes).expect("the users are there");
    let warnings = task.heard.warnings();
    assert!(
        warnings
            .iter()
            .any(|warning| warning.contains("`acc_db`.`t`")),
        "{warnings:?}"
    );
    bed.sql(DROP);
}
