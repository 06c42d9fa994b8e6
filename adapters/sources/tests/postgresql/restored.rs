//! What was backed up is what comes back.

use super::bed::{Bed, Task, custom, quoted, under};
use backupx_core::domain::database::{PostgresqlFormat, Selection};
use backupx_core::domain::dump::{Dump, DumpFormat};
use backupx_core::ports::dumps::{Existing, PutBack};
use backupx_core::ports::source::StopFlag;

fn everything(bed: &Bed, from: &str, to: &str, dump: &Dump, how: &PutBack) {
    bed.fill(from);
    bed.drop(to);
    let task = Task::new(bed.spec());
    let bytes = task.dump(dump).expect("it is dumped");
    task.put_back(dump, &bytes, how).expect("it is put back");
    // What psql says of a publication on a server that publishes nothing.
    let mut warnings = task.heard.warnings();
    warnings.retain(|warning| !warning.contains("wal_level"));
    assert_eq!(warnings, Vec::<String>::new());
    assert!(bed.text_of(from) == bed.text_of(to), "the dumps differ");
    let (before, after) = (bed.checksums(from), bed.checksums(to));
    if dump.format == DumpFormat::PostgresqlCustom {
        assert_eq!(before, after);
    } else {
        // The settings of the database itself are not in a text.
        let rows = |text: &str| {
            text.trim_end()
                .rsplit_once('\n')
                .map(|(rows, _)| rows.to_owned())
        };
        assert_eq!(rows(&before), rows(&after));
    }
    bed.drop(from);
    bed.drop(to);
}

pub(crate) fn everything_comes_back_under_another_name(bed: &Bed) {
    everything(
        bed,
        "all_custom",
        "all_custom_2",
        &custom("all_custom"),
        &under("all_custom_2"),
    );
}

pub(crate) fn sql_text_comes_back_under_another_name(bed: &Bed) {
    let dump = Dump::database("all_plain", DumpFormat::PostgresqlSql);
    everything(
        bed,
        "all_plain",
        "all_plain_2",
        &dump,
        &under("all_plain_2"),
    );
}

pub(crate) fn several_connections_restore_the_same(bed: &Bed) {
    let how = PutBack {
        jobs: 3,
        ..under("all_jobs_2")
    };
    everything(bed, "all_jobs", "all_jobs_2", &custom("all_jobs"), &how);
}

pub(crate) fn single_tables_come_back_with_all_that_hangs_on_them(bed: &Bed) {
    bed.fill("some_tables");
    bed.drop("some_tables_2");
    let task = Task::new(bed.spec());
    let bytes = task.dump(&custom("some_tables")).expect("it is dumped");
    let tables = |names: &[&str]| PutBack {
        tables: names.iter().map(|name| (*name).to_owned()).collect(),
        ..under("some_tables_2")
    };
    let how = tables(&[
        "customers",
        "Schéma \"quoted\".Tåble = ' -- \"x\"",
        "public.measured_2025",
    ]);
    task.put_back(&custom("some_tables"), &bytes, &how)
        .expect("they are put back");
    let found = bed.psql(
        "some_tables_2",
        "select relname from pg_class c join pg_namespace n on n.oid = relnamespace \
         where relkind in ('r', 'p') and nspname !~ '^pg_' and nspname <> 'information_schema' order by relname collate \"C\"",
    );
    assert_eq!(
        found,
        "Tåble = ' -- \"x\"\ncustomers\nmeasured\nmeasured_2025\n"
    );
    let count = bed.psql(
        "some_tables_2",
        "select (select count(*) from customers), (select count(*) from measured_2025)",
    );
    assert_eq!(count, "100|213\n");
    // The sequence goes on, and indexes, trigger and comment are there.
    let next = "insert into customers (name) values ('new') returning id";
    assert_eq!(bed.psql("some_tables_2", next), "101\n");
    let indexes = "select count(*) from pg_indexes where tablename = 'customers'";
    assert_eq!(
        bed.psql("some_tables_2", indexes),
        bed.psql("some_tables", indexes)
    );
    bed.psql(
        "some_tables_2",
        "update customers set note = 'x' where id = 1",
    );
    assert_eq!(
        bed.psql("some_tables_2", "select note from customers where id = 1"),
        "touched; x\n"
    );

    bed.drop("some_tables_2");
    task.put_back(&custom("some_tables"), &bytes, &tables(&["orders"]))
        .expect("it is put back");
    let left_out = task.heard.warnings();
    assert!(
        left_out
            .iter()
            .any(|warning| warning.contains("FK CONSTRAINT")),
        "{left_out:?}"
    );
    assert_eq!(
        bed.psql("some_tables_2", "select count(*) from orders"),
        "2000\n"
    );

    let error = task
        .put_back(&custom("some_tables"), &bytes, &tables(&["no_such"]))
        .expect_err("there is none");
    assert_eq!(error.code(), "source_missing");
    bed.drop("some_tables");
    bed.drop("some_tables_2");
}

pub(crate) fn nasty_names_are_names(bed: &Bed) {
    let names = [
        "postgres://localhost/x?a=b",
        "dbname=x host=y",
        "-Fp --help",
        "ü 'q' \"d\" \\ /é",
        "host='a b'",
    ];
    for name in names {
        bed.make(name);
        bed.psql(name, "create table t as select 1 as a");
        let copy = format!("{name} 2");
        bed.drop(&copy);
        let mut spec = bed.spec();
        spec.databases = Selection {
            only: vec![name.to_owned()],
            except: Vec::new(),
        };
        let task = Task::new(spec);
        let plan = task.source.plan(&StopFlag::default()).expect("a plan");
        assert_eq!(plan.dumps.last(), Some(&custom(name)));
        for format in [DumpFormat::PostgresqlCustom, DumpFormat::PostgresqlSql] {
            let dump = Dump::database(name, format);
            let bytes = task.dump(&dump).expect("it is dumped");
            bed.drop(&copy);
            task.put_back(&dump, &bytes, &under(&copy))
                .expect("it is put back");
            assert_eq!(bed.psql(&copy, "select a from t"), "1\n");
        }
        bed.drop(name);
        bed.drop(&copy);
    }
}

pub(crate) fn a_database_that_is_there_is_refused_or_replaced(bed: &Bed) {
    for name in ["there", "there_from"] {
        bed.make(name);
    }
    bed.psql("there_from", "create table t as select 1 as a");
    bed.psql("there", "create table other as select 2 as b");
    let task = Task::new(bed.spec());
    let bytes = task.dump(&custom("there_from")).expect("it is dumped");
    let put = |existing| {
        let how = PutBack {
            existing,
            ..under("there")
        };
        task.put_back(&custom("there_from"), &bytes, &how)
    };
    let error = put(Existing::Refuse).expect_err("it is not empty");
    assert_eq!(error.code(), "database_exists");
    assert_eq!(bed.psql("there", "select b from other"), "2\n");
    put(Existing::Replace).expect("it is replaced");
    assert_eq!(bed.psql("there", "select a from t"), "1\n");
    let left = "select count(*) from pg_class where relname = 'other'";
    assert_eq!(bed.psql("there", left), "0\n");
    let names = bed.psql(
        "postgres",
        "select datname from pg_database where datname like 'there%' order by 1",
    );
    assert_eq!(names, "there\nthere_from\n");
    let template = task.put_back(
        &custom("there_from"),
        &bytes,
        &PutBack {
            existing: Existing::Replace,
            ..under("template1")
        },
    );
    assert_eq!(template.expect_err("never").code(), "database_exists");
    bed.drop("there");
    bed.drop("there_from");
}

pub(crate) fn never_04_a_restore_that_fails_leaves_nothing_and_no_success(bed: &Bed) {
    for name in ["fails_from", "fails_old"] {
        bed.make(name);
        bed.drop("fails_new");
    }
    // What a check lets in on the old server is refused on the new one: the view's function fails when the index is built.
    bed.psql(
        "fails_from",
        "create table t (a int); insert into t select generate_series(1, 50000)",
    );
    bed.psql("fails_from", "create function f(int) returns int immutable language plpgsql as $$ begin \
        if current_database() <> 'fails_from' then raise 'not here'; end if; return $1; end $$; create index on t (f(a))");
    bed.psql("fails_old", "create table kept as select 7 as a");
    let task = Task::new(bed.spec());
    for format in [DumpFormat::PostgresqlCustom, DumpFormat::PostgresqlSql] {
        let dump = Dump::database("fails_from", format);
        let bytes = task.dump(&dump).expect("it is dumped");
        let error = task
            .put_back(&dump, &bytes, &under("fails_new"))
            .expect_err("the server refuses");
        assert_eq!(error.code(), "restore_failed");
        assert!(error.message().contains("not here"), "{}", error.message());
        // Cut anywhere, it is never taken for the whole.
        for end in [0, 3, 60, bytes.len() / 2, bytes.len() - 1] {
            let error = task
                .put_back(&dump, &bytes[..end], &under("fails_new"))
                .expect_err("it is cut");
            assert_eq!(
                error.code(),
                "restore_failed",
                "cut at {end}: {}",
                error.message()
            );
        }
        let replace = PutBack {
            existing: Existing::Replace,
            ..under("fails_old")
        };
        task.put_back(&dump, &bytes, &replace)
            .expect_err("the server refuses");
        assert_eq!(bed.psql("fails_old", "select a from kept"), "7\n");
        let names = bed.psql(
            "postgres",
            "select datname from pg_database where datname like 'fails%' order by 1",
        );
        assert_eq!(names, "fails_from\nfails_old\n");
    }
    bed.drop("fails_from");
    bed.drop("fails_old");
}

pub(crate) fn an_empty_database_is_restored_into_as_it_is(bed: &Bed) {
    bed.make("empty_from");
    bed.psql("empty_from", "create table t as select 1 as a");
    let task = Task::new(bed.spec());
    let bytes = task.dump(&custom("empty_from")).expect("it is dumped");
    bed.make("empty_to");
    let before = bed.psql(
        "postgres",
        "select oid from pg_database where datname = 'empty_to'",
    );
    task.put_back(&custom("empty_from"), &bytes, &under("empty_to"))
        .expect("it is put back");
    assert_eq!(
        bed.psql(
            "postgres",
            "select oid from pg_database where datname = 'empty_to'"
        ),
        before
    );
    assert_eq!(bed.psql("empty_to", "select a from t"), "1\n");
    bed.drop("empty_from");
    bed.drop("empty_to");
}

pub(crate) fn what_roles_are_missing_is_said(bed: &Bed) {
    let role = quoted("gone role");
    bed.make("roles_from");
    bed.drop("roles_to");
    bed.psql(
        "postgres",
        &format!("drop role if exists {role}; create role {role}"),
    );
    bed.psql("roles_from", &format!("create table t as select 1 as a; alter table t owner to {role}; grant select on t to {role}"));
    let task = Task::new(bed.spec());
    let bytes = task.dump(&custom("roles_from")).expect("it is dumped");
    bed.drop("roles_from");
    bed.psql("postgres", &format!("drop role {role}"));
    task.put_back(&custom("roles_from"), &bytes, &under("roles_to"))
        .expect("it is put back");
    let warnings = task.heard.warnings();
    assert!(
        warnings
            .iter()
            .any(|warning| warning.contains("no role gone role")),
        "{warnings:?}"
    );
    assert_eq!(bed.psql("roles_to", "select a from t"), "1\n");
    bed.drop("roles_to");
}

pub(crate) fn the_database_postgres_is_emptied_and_restored(bed: &Bed) {
    bed.make("into_postgres");
    bed.psql("into_postgres", "create table t as select 1 as a");
    bed.psql("postgres", "create schema if not exists old; create table if not exists old.x (a int); create table if not exists y (a int); select lo_create(0)");
    let mut spec = bed.spec();
    spec.format = PostgresqlFormat::Custom;
    let task = Task::new(spec);
    let bytes = task.dump(&custom("into_postgres")).expect("it is dumped");
    let put = |existing| {
        task.put_back(
            &custom("into_postgres"),
            &bytes,
            &PutBack {
                existing,
                ..under("postgres")
            },
        )
    };
    assert_eq!(
        put(Existing::Refuse).expect_err("it is not empty").code(),
        "database_exists"
    );
    put(Existing::Replace).expect("it is replaced");
    let tables = "select string_agg(relname, ',') from pg_class where relkind = 'r' and relnamespace not in (select oid from pg_namespace where nspname ~ '^pg_|^inf')";
    assert_eq!(bed.psql("postgres", tables), "t\n");
    bed.psql("postgres", "drop table t");
    bed.drop("into_postgres");
}
