//! What is put back is what was dumped, or nothing is.

use super::bed::{Bed, Task, quoted, rows, sql_of, under};
use backupx_core::ports::dumps::{Existing, PutBack};

pub(crate) fn everything_comes_back_under_another_name(bed: &Bed) {
    let (from, to) = ("all `of` it", "all_of_it_2");
    let rows = rows();
    bed.fill(from, &rows);
    bed.drop(to);
    let task = Task::new(bed.only(from));
    let bytes = task.dump(&sql_of(from)).expect("it is dumped");
    task.put_back(&sql_of(from), &bytes, &under(to))
        .expect("it is put back");
    assert_eq!(task.heard.warnings(), Vec::<String>::new());
    let (before, after) = (bed.checksums(from), bed.checksums(to));
    assert_eq!(before, after);
    assert_eq!(before.lines().count(), 12, "{before}");
    let (before, after) = (bed.text_of(from), bed.text_of(to));
    for (before, after) in before.lines().zip(after.lines()) {
        assert!(
            before == after,
            "before: {before:.2000}\nafter: {after:.2000}"
        );
    }
    assert!(before == after, "one is longer");
    for what in [
        "`greet`",
        "parents_touch",
        "`nightly`",
        "of_nobody_too",
        "-- Dump completed",
    ] {
        assert!(after.contains(what), "{what}");
    }
    // It works, and not on the first one.
    bed.drop(from);
    let answers = bed.sql(&format!(
        "USE {to}; CALL greet('Zoë', @said); SELECT @said; SELECT twice(21), `in another mode`('q'), COUNT(*) FROM many; \
         SELECT child FROM a_view_on_z ORDER BY child; INSERT INTO parents (id, name) VALUES (9, 'n'); SELECT n FROM touched; \
         INSERT INTO draws (n) VALUES (3); SELECT COUNT(*) FROM draws; SELECT v FROM history FOR SYSTEM_TIME ALL ORDER BY v"
    ));
    assert_eq!(
        answers,
        format!("grüß dich, Zoë; it's\n42\tq \"x\"\t{rows}\n10\n20\n1\n3\n1\n2\n")
    );
    bed.drop(to);
}

pub(crate) fn single_tables_come_back_with_all_that_hangs_on_them(bed: &Bed) {
    let odd = "näme with 'quotes' \"double\" `ticks` -- ; \\\\ /*";
    bed.fill("some_tables", "1000");
    bed.drop("some_tables_2");
    let task = Task::new(bed.only("some_tables"));
    let bytes = task.dump(&sql_of("some_tables")).expect("it is dumped");
    let tables = |names: &[&str]| PutBack {
        tables: names.iter().map(|name| (*name).to_owned()).collect(),
        ..under("some_tables_2")
    };
    task.put_back(
        &sql_of("some_tables"),
        &bytes,
        &tables(&["parents", odd, "bytes"]),
    )
    .expect("they are put back");
    let found = bed.sql("SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'some_tables_2' ORDER BY TABLE_NAME = 'bytes', TABLE_NAME = 'parents'");
    let found: Vec<_> = found.lines().collect();
    assert_eq!(found[1..], ["parents", "bytes"]);
    for name in ["parents", "bytes", odd] {
        let sum = |database: &str| {
            let answer = bed.sql(&format!("CHECKSUM TABLE {database}.{}", quoted(name)));
            answer.split('\t').next_back().map(str::to_owned)
        };
        assert_eq!(sum("some_tables"), sum("some_tables_2"), "{name}");
    }
    let triggers = "SELECT TRIGGER_NAME FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = 'some_tables_2'";
    assert_eq!(bed.sql(triggers), "parents_touch\n");

    bed.drop("some_tables_2");
    let error = task
        .put_back(
            &sql_of("some_tables"),
            &bytes,
            &tables(&["parents", "no_such", "z_view"]),
        )
        .expect_err("there is none");
    assert_eq!(error.code(), "source_missing");
    assert!(
        error.message().contains("no_such, z_view"),
        "{}",
        error.message()
    );
    assert_eq!(bed.sql("SHOW DATABASES LIKE 'some\\_tables\\_2'"), "");
    bed.drop("some_tables");
}

pub(crate) fn nasty_names_are_names(bed: &Bed) {
    let names = [
        "--help",
        "dbname=x;host=y",
        "ü 'q' \"d\" \\ /é",
        "a`b``c",
        "%_#",
        "it; DROP TABLE t -- x",
    ];
    for name in names {
        let copy = format!("{name} 2");
        bed.make(name);
        bed.drop(&copy);
        bed.script(name, "CREATE TABLE t AS SELECT 1 AS a; CREATE VIEW v AS SELECT a FROM t; CREATE FUNCTION f() RETURNS INT DETERMINISTIC RETURN 1;");
        bed.sql(&format!(
            "ALTER DATABASE {} CHARACTER SET utf8mb4",
            quoted(name)
        ));
        let task = Task::new(bed.only(name));
        assert_eq!(task.plan().expect("a plan"), [name]);
        let bytes = task.dump(&sql_of(name)).expect("it is dumped");
        task.put_back(&sql_of(name), &bytes, &under(&copy))
            .expect("it is put back");
        bed.drop(name);
        assert_eq!(
            bed.sql(&format!("USE {}; SELECT a, f() FROM v", quoted(&copy))),
            "1\t1\n"
        );
        bed.drop(&copy);
    }
}

pub(crate) fn a_database_that_is_there_is_refused_or_replaced(bed: &Bed) {
    for name in ["there", "there_from"] {
        bed.make(name);
    }
    bed.script("there_from", "CREATE TABLE t AS SELECT 1 AS a");
    bed.script("there", "CREATE TABLE other AS SELECT 2 AS b");
    let task = Task::new(bed.only("there_from"));
    let bytes = task.dump(&sql_of("there_from")).expect("it is dumped");
    let put = |name: &str, existing| {
        let how = PutBack {
            existing,
            ..under(name)
        };
        task.put_back(&sql_of("there_from"), &bytes, &how)
    };
    let error = put("there", Existing::Refuse).expect_err("it is not empty");
    assert_eq!(error.code(), "database_exists");
    assert_eq!(bed.sql("SELECT b FROM there.other"), "2\n");
    put("there", Existing::Replace).expect("it is replaced");
    assert_eq!(
        bed.sql("SELECT a FROM there.t; SHOW TABLES FROM there"),
        "1\nt\n"
    );
    let error = put("mysql", Existing::Replace).expect_err("never");
    assert_eq!(error.code(), "unsupported");
    for name in ["there", "there_from"] {
        bed.drop(name);
    }
}

pub(crate) fn never_04_a_restore_that_fails_leaves_nothing_and_no_success(bed: &Bed) {
    bed.make("fails_from");
    bed.drop("fails_new");
    bed.script("fails_from", "CREATE TABLE a_t (id INT); INSERT INTO a_t VALUES (1); CREATE TABLE z_t (id INT); INSERT INTO z_t VALUES (1);");
    let task = Task::new(bed.only("fails_from"));
    let bytes = task.dump(&sql_of("fails_from")).expect("it is dumped");
    let text = String::from_utf8(bytes.clone()).expect("SQL");
    let wrong = text.replace("INSERT INTO `z_t`", "INSERT INTO `no_such`");
    assert_ne!(wrong, text);
    let put = |bytes: &[u8]| task.put_back(&sql_of("fails_from"), bytes, &under("fails_new"));
    let error = put(wrong.as_bytes()).expect_err("the server refuses");
    assert_eq!(error.code(), "restore_failed");
    assert!(error.message().contains("no_such"), "{}", error.message());
    // Cut anywhere, it is never taken for the whole.
    let end = text.rfind("-- Dump completed").expect("its end");
    for end in [0, 3, 60, bytes.len() / 2, end - 1, end + 5] {
        let error = put(&bytes[..end]).expect_err("it is cut");
        assert_eq!(
            error.code(),
            "restore_failed",
            "cut at {end}: {}",
            error.message()
        );
        assert_eq!(bed.sql("SHOW DATABASES LIKE 'fails\\_new'"), "");
    }
    bed.drop("fails_from");
}

pub(crate) fn an_empty_database_is_restored_into(bed: &Bed) {
    bed.make("empty_from");
    bed.make("empty_to");
    bed.script(
        "empty_from",
        "CREATE TABLE t AS SELECT 1 AS a; ALTER DATABASE CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
    );
    let task = Task::new(bed.only("empty_from"));
    let bytes = task.dump(&sql_of("empty_from")).expect("it is dumped");
    let end = bytes.len() / 2;
    let put = |bytes: &[u8]| task.put_back(&sql_of("empty_from"), bytes, &under("empty_to"));
    put(&bytes[..end]).expect_err("it is cut");
    let set = "SELECT DEFAULT_COLLATION_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = 'empty_to'; SHOW TABLES FROM empty_to";
    assert_eq!(bed.sql(set), "latin1_swedish_ci\n");
    put(&bytes).expect("it is put back");
    assert_eq!(bed.sql(set), "utf8mb4_bin\nt\n");
    bed.drop("empty_from");
    bed.drop("empty_to");
}

/// What the server's own tool can't do is said, not left out.
pub(crate) fn never_01_what_can_not_be_dumped_whole_is_no_dump(bed: &Bed) {
    bed.make("broken");
    bed.script(
        "broken",
        "CREATE TABLE t (a INT); CREATE VIEW v AS SELECT a FROM t; DROP TABLE t",
    );
    let task = Task::new(bed.only("broken"));
    let error = task
        .dump(&sql_of("broken"))
        .expect_err("the view leads nowhere");
    assert!(error.message().contains("broken.v"), "{}", error.message());
    bed.drop("broken");

    let name = "event's `ticks`";
    bed.make(name);
    bed.script(
        name,
        "CREATE TABLE t (a INT); CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO DELETE FROM t",
    );
    let task = Task::new(bed.only(name));
    if let Ok(bytes) = task.dump(&sql_of(name)) {
        let text = String::from_utf8_lossy(&bytes);
        assert!(text.contains("EVENT `e`"), "the event is not in it");
    }
    bed.drop(name);
}
