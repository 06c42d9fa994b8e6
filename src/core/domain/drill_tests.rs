//! Drills: what is refused, what an answer means, how scratch databases are called.

use super::*;
use crate::domain::database::{PostgresqlSource, SqliteSource};

fn postgresql() -> SourceSpec {
    SourceSpec::Postgresql(PostgresqlSource::default())
}

fn files() -> SourceSpec {
    SourceSpec::File {
        paths: vec!["/srv".to_owned()],
        excludes: Vec::new(),
        one_file_system: false,
        skip_cache_dirs: true,
    }
}

fn sql(query: &str) -> Assertion {
    Assertion::Sql {
        database: "shop".to_owned(),
        query: query.to_owned(),
        name: None,
    }
}

fn fields(spec: &DrillSpec, source: &SourceSpec) -> Vec<String> {
    let wrong = spec.wrong("drill", source);
    wrong.into_iter().map(|error| error.field).collect()
}

#[test]
fn a_drill_that_says_nothing_is_right_for_every_kind() {
    let sqlite = SourceSpec::Sqlite(SqliteSource {
        paths: vec!["/a.db".to_owned()],
    });
    for (source, place) in [
        (files(), "folder"),
        (sqlite, "folder"),
        (postgresql(), "throwaway"),
        (SourceSpec::Mysql(Default::default()), "throwaway"),
        (SourceSpec::Mongodb(Default::default()), "server"),
    ] {
        let spec = DrillSpec::default();
        assert_eq!(fields(&spec, &source), [""; 0], "{source:?}");
        assert_eq!(spec.place(&source).type_name(), place, "{source:?}");
        let json = serde_json::to_string(&spec).expect("writes");
        assert_eq!(json, "{}");
    }
}

#[test]
fn what_does_not_fit_is_refused_by_its_field() {
    let spec = DrillSpec {
        place: Some(DrillPlace::Folder),
        only: vec![String::new()],
        assertions: vec![
            sql("select 1"),
            sql("drop table orders"),
            sql("select 1; drop table orders"),
            sql("copy orders to program 'x'"),
            sql("\\! sh"),
            Assertion::Path {
                path: "/etc".to_owned(),
            },
            Assertion::Rows {
                database: "shop".to_owned(),
                table: "orders".to_owned(),
                within: 101,
            },
        ],
        time_limit_secs: Some(0),
        ..DrillSpec::default()
    };
    assert_eq!(
        fields(&spec, &postgresql()),
        [
            "drill.place",
            "drill.only",
            "drill.timeLimitSecs",
            "drill.assertions[1].query",
            "drill.assertions[2].query",
            "drill.assertions[3].query",
            "drill.assertions[4].query",
            "drill.assertions[5].type",
            "drill.assertions[6].within",
        ]
    );
    let of_files = DrillSpec {
        place: Some(DrillPlace::Server {
            server: Some(Server {
                host: Some("--x".to_owned()),
                ..Server::default()
            }),
            tools: Some("relative".to_owned()),
        }),
        assertions: vec![
            sql("select 1"),
            Assertion::Path {
                path: "a/../b".to_owned(),
            },
        ],
        ..DrillSpec::default()
    };
    assert_eq!(
        fields(&of_files, &files()),
        [
            "drill.place",
            "drill.place.tools",
            "drill.assertions[0].type",
            "drill.assertions[1].path",
            "drill.place.server.host",
        ]
    );
    let many = DrillSpec {
        assertions: vec![sql("select 1"); 101],
        ..DrillSpec::default()
    };
    assert_eq!(fields(&many, &postgresql()), ["drill.assertions"]);
}

#[test]
fn an_answer_holds_when_it_is_true_or_a_number_other_than_zero() {
    for answer in ["t", "true", "TRUE", "1", "-3", "0.5", " 7 "] {
        assert!(holds(answer), "{answer}");
    }
    for answer in ["", "f", "false", "0", "0.0", "yes", "NaN", "null"] {
        assert!(!holds(answer), "{answer}");
    }
}

#[test]
fn scratch_names_have_the_prefix_fit_and_never_meet() {
    let long = "x".repeat(80);
    let longer = format!("{long}y");
    let names = scratch_names(
        OperationId(12),
        ["shop", "Shop", &long, &longer, "grün", ""],
    );
    assert_eq!(
        names[..2],
        ["backupx_drill_12_shop", "backupx_drill_12_Shop~2"]
    );
    assert_eq!(names[4], "backupx_drill_12_grün");
    let mut seen = BTreeSet::new();
    for name in &names {
        assert!(
            name.starts_with("backupx_drill_12_") && name.len() <= 63,
            "{name}"
        );
        assert!(seen.insert(name.to_lowercase()), "{name} comes twice");
    }
    let umlauts = "ü".repeat(60);
    assert!(scratch_names(OperationId(1), [umlauts.as_str()])[0].len() <= 63);
}

#[test]
fn a_report_fails_by_its_problem_first_and_then_by_what_does_not_hold() {
    let mut report = DrillReport {
        restored_entries: 2,
        ..DrillReport::default()
    };
    assert_eq!(report.failure(), None);
    let answer = |ok, answer: &str| DrillAnswer::new(&sql("select x"), ok, answer, 1);
    report.answers = vec![answer(true, "t"), answer(false, "f")];
    let failure = report.failure().expect("it fails");
    assert_eq!(failure.code, "drill_failed");
    for part in ["1 of 2", "shop: select x", "answered f"] {
        assert!(failure.message.contains(part), "{}", failure.message);
    }
    report.problems = vec!["the disk is full".to_owned()];
    let failure = report.failure().expect("it fails");
    assert!(failure.message.contains("the disk is full"));
    assert!(DrillReport::default().failure().is_some());
    assert!(answer(true, &"ü".repeat(2000)).answer.chars().count() <= 501);
}

#[test]
fn rows_are_counted_once_for_each_table() {
    let rows = |database: &str, table: &str| Assertion::Rows {
        database: database.to_owned(),
        table: table.to_owned(),
        within: 5,
    };
    let spec = DrillSpec {
        assertions: vec![
            rows("shop", "orders"),
            rows("other", "t"),
            rows("shop", "orders"),
            sql("select 1"),
        ],
        ..DrillSpec::default()
    };
    let counted: Vec<_> = spec.counted(Some("shop")).collect();
    assert_eq!(counted, [("shop", "orders")]);
    assert_eq!(spec.counted(None).count(), 2);
}
