//! What was dumped comes back the same.

use super::bed::{Bed, archive, under};
use backupx_core::ports::dumps::{Existing, PutBack};
use backupx_core::ports::source::StopFlag;

pub(super) fn everything_comes_back_under_another_name(bed: &Bed) {
    let rows = std::env::var("BACKUPX_TEST_ROWS").unwrap_or_else(|_| "100000".to_owned());
    let (from, to) = ("t_hergekommen_ü", "t_wiedergekommen_ü");
    let types = bed.fill(from, &rows);
    assert!(types.matches(',').count() > 20, "{types}");
    bed.drop(to);
    let task = bed.task(&[from]);
    let plan = task.source.plan(&StopFlag::default()).expect("a plan");
    assert_eq!(plan.dumps, [archive(from)]);
    let bytes = task.dump(&plan.dumps[0]).expect("a dump");
    let how = PutBack {
        jobs: 4,
        ..under(to)
    };
    task.put_back(&plan.dumps[0], &bytes, &how)
        .expect("it comes back");
    let (before, after) = (bed.total(from), bed.total(to));
    assert!(before.contains(&format!("[{rows},")), "{before}");
    assert_eq!(before, after);
    // And mongodump sees no difference either.
    let again = bed.task(&[to]).dump(&archive(to)).expect("a dump of it");
    let [before, after] = [&bytes, &again].map(|bytes| {
        let file = task.temp.path().join("archive");
        std::fs::write(&file, bytes).expect("written");
        let told = bed.python(&["archive", file.to_str().expect("a plain path")]);
        std::fs::remove_file(file).expect("it is there");
        told
    });
    assert!(before.contains(&format!("[{rows},")), "{before}");
    assert_eq!(before, after);
    assert_eq!(task.heard.warnings(), Vec::<String>::new());
    bed.drop(from);
    bed.drop(to);
}

pub(super) fn a_database_that_is_there_is_refused_or_replaced(bed: &Bed) {
    let (from, to) = ("t_refuse", "t_refuse_there");
    bed.fill(from, "100");
    bed.drop(to);
    bed.python(&["insert", to, "orders", r#"{"_id": "mine"}"#]);
    bed.python(&["insert", to, "other", r#"{"_id": "mine too"}"#]);
    let before = bed.total(to);
    let task = bed.task(&[from]);
    let bytes = task.dump(&archive(from)).expect("a dump");
    let error = task
        .put_back(&archive(from), &bytes, &under(to))
        .expect_err("it is there");
    assert_eq!(error.code(), "database_exists", "{}", error.message());
    assert_eq!(bed.total(to), before);

    let how = PutBack {
        existing: Existing::Replace,
        ..under(to)
    };
    task.put_back(&archive(from), &bytes, &how)
        .expect("it is replaced");
    let warnings = task.heard.warnings().join("\n");
    assert!(warnings.contains("t_refuse_there.other"), "{warnings}");
    let after = bed.total(to);
    assert!(after.contains("\"other\""), "{after}");
    bed.python(&["drop", to]);
    task.put_back(&archive(from), &bytes, &under(to))
        .expect("into nothing");
    assert_eq!(bed.total(to), bed.total(from));
    bed.drop(from);
    bed.drop(to);
}

pub(super) fn single_collections_come_back_alone(bed: &Bed) {
    let (from, to) = ("t_some", "t_some_back");
    bed.fill(from, "1000");
    bed.drop(to);
    let task = bed.task(&[from]);
    let bytes = task.dump(&archive(from)).expect("a dump");
    let tables = ["kätzchen * und mehr", "keys2", "a.b.c"];
    let how = PutBack {
        tables: tables.iter().map(|name| (*name).to_owned()).collect(),
        ..under(to)
    };
    task.put_back(&archive(from), &bytes, &how)
        .expect("they come back");
    let (all, some) = (bed.total(from), bed.total(to));
    assert_eq!(some.matches("\"collection\"").count(), 3, "{some}");
    let body = some.trim().trim_start_matches('{').trim_end_matches('}');
    for table in body.split("], \"") {
        assert!(all.contains(table.trim_end_matches(']')), "{table}: {all}");
    }
    let how = PutBack {
        tables: vec!["nothing".to_owned()],
        ..under("t_some_other")
    };
    let error = task
        .put_back(&archive(from), &bytes, &how)
        .expect_err("it has none");
    assert_eq!(error.code(), "source_missing");
    bed.drop(from);
    bed.drop(to);
}

pub(super) fn a_replica_set_is_one_dump_of_one_moment(bed: &Bed) {
    let (_first, from) = bed.own();
    let (_second, to) = bed.own();
    from.fill("shop", "2000");
    from.python(&["insert", "blog", "posts", r#"{"_id": 1}"#]);
    // The last entry of the oplog, which is in the dump as what was written meanwhile.
    from.python(&["insert", "blog", "posts", r#"{"_id": 2}"#]);
    let task = from.task(&[]);
    let plan = task.source.plan(&StopFlag::default()).expect("a plan");
    assert_eq!(plan.dumps, [archive("all databases")]);
    let bytes = task.dump(&plan.dumps[0]).expect("a dump");
    let target = to.task(&[]);
    let error = target
        .put_back(&plan.dumps[0], &bytes, &under("other"))
        .expect_err("it has no other name");
    assert_eq!(error.code(), "unsupported");
    // This server has no applyOps, which mongorestore asks it for: so the oplog is replayed, and that this fails is no success.
    let error = target
        .put_back(&plan.dumps[0], &bytes, &under("all databases"))
        .expect_err("it has no applyOps");
    assert_eq!(error.code(), "restore_failed");
    assert!(error.message().contains("applyOps"), "{}", error.message());
    let error = target
        .put_back(&plan.dumps[0], &bytes, &under("all databases"))
        .expect_err("they are there");
    assert_eq!(error.code(), "database_exists");
    // Databases out of it, without the oplog.
    let how = PutBack {
        tables: vec!["blog.*".to_owned(), "shop.*".to_owned()],
        existing: Existing::Replace,
        ..under("all databases")
    };
    target
        .put_back(&plan.dumps[0], &bytes, &how)
        .expect("they come back");
    for database in ["shop", "blog"] {
        assert_eq!(from.total(database), to.total(database));
    }
    let warnings = target.heard.warnings().join("\n");
    assert!(warnings.contains("while the dump was made"), "{warnings}");
}

pub(super) fn never_04_a_dump_that_is_cut_is_no_success(bed: &Bed) {
    let (from, to) = ("t_cut", "t_cut_back");
    bed.fill(from, "5000");
    let task = bed.task(&[from]);
    let bytes = task.dump(&archive(from)).expect("a dump");
    for length in [0, 3, 50, 5000, bytes.len() / 2, bytes.len() - 1] {
        bed.drop(to);
        let error = task
            .put_back(&archive(from), &bytes[..length], &under(to))
            .expect_err("it is cut");
        assert_eq!(error.code(), "restore_failed", "{length}");
    }
    bed.drop(to);
    bed.drop(from);
}
