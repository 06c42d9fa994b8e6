//! What a task is told before its first run, and what is refused.

use super::bed::Bed;
use backupx_core::domain::database::Selection;
use backupx_core::domain::saphana::{SaphanaLevel, SaphanaSource, SaphanaVia};
use backupx_core::ports::source::StopFlag;
use serde_json::json;

fn only(names: &[&str]) -> Selection {
    Selection {
        only: names.iter().map(|name| (*name).to_owned()).collect(),
        ..Selection::default()
    }
}

pub(super) fn what_is_there_is_found_and_chosen(bed: &Bed) {
    let stop = StopFlag::default();
    let task = bed.task(bed.spec());
    let found = task.source.discover(&stop).expect("found");
    let found: Vec<_> = found
        .iter()
        .map(|db| (db.name.as_str(), db.size_bytes))
        .collect();
    assert_eq!(
        found,
        [("SYSTEMDB", Some(10)), ("T1", Some(12)), ("T2", Some(13))]
    );

    bed.change("/databases/T2/status", "NO");
    let plan = task.source.plan(&stop).expect("a plan");
    assert_eq!(plan.dumps.len(), 2);
    assert!(
        plan.warnings[0].contains("T2 is stopped"),
        "{:?}",
        plan.warnings
    );
    let of = |databases, connect_to: Option<&str>| {
        let spec = SaphanaSource {
            databases,
            connect_to: connect_to.map(str::to_owned),
            ..bed.spec()
        };
        bed.task(spec).source.plan(&stop)
    };
    assert_eq!(of(only(&["T1"]), None).expect("a plan").dumps.len(), 1);
    let except = Selection {
        except: vec!["SYSTEM*".to_owned()],
        ..Selection::default()
    };
    assert_eq!(of(except, None).expect("a plan").dumps[0].name, "T1");
    for (outcome, word) in [
        (of(only(&["T1", "T7"]), None), "T7"),
        (of(only(&["T2"]), None), "ALTER SYSTEM START DATABASE"),
        (of(only(&["T2"]), Some("T1")), "connect to SYSTEMDB"),
    ] {
        let error = outcome.expect_err(word);
        assert_eq!(error.code(), "source_missing");
        assert!(error.message().contains(word), "{}", error.message());
    }
}

/// The steps of a check: name, whether it held, what it said.
fn steps(bed: &Bed, spec: SaphanaSource) -> Vec<(String, bool, String)> {
    let steps = bed.task(spec).source.check(&StopFlag::default());
    let steps = steps.into_iter();
    steps
        .map(|step| (step.name, step.ok, step.message))
        .collect()
}

pub(super) fn a_check_says_that_all_is_well(bed: &Bed) {
    let steps = steps(bed, bed.spec());
    let names: Vec<_> = steps.iter().map(|step| step.0.as_str()).collect();
    assert_eq!(
        names,
        [
            "tools",
            "connect",
            "version",
            "rights",
            "databases",
            "folder"
        ]
    );
    assert!(steps.iter().all(|step| step.1), "{steps:?}");
    assert!(
        steps[0].2.ends_with("/hdbsql 2.19.21.1715281221"),
        "{}",
        steps[0].2
    );
    assert_eq!(steps[1].2, "signed in to SYSTEMDB of HN1");
    assert_eq!(steps[4].2, "SYSTEMDB, T1, T2");
    bed.nothing_is_left();
}

pub(super) fn a_sign_in_that_is_refused_is_said_in_plain_words(bed: &Bed) {
    let stop = StopFlag::default();
    let wrong = bed.signed_in(bed.spec(), Some("wrong")).source.check(&stop);
    let last = wrong.last().expect("a step");
    assert_eq!((last.name.as_str(), last.ok), ("connect", false));
    assert!(
        last.message.contains("neither this user nor this password"),
        "{}",
        last.message
    );
    // Tried once: HANA locks users who are refused too often.
    let retried = SaphanaSource {
        retries: 5,
        ..bed.spec()
    };
    let before = bed.calls().len();
    let error = bed
        .signed_in(retried, Some("wrong"))
        .dump("T1")
        .expect_err("refused");
    assert_eq!(error.code(), "sign_in_failed");
    let made = bed.calls().split_off(before);
    assert!(
        made.iter().all(|call| call["tool"] == "hdbuserstore"),
        "{made:?}"
    );
    assert_eq!(made.len(), 1);
    for (state, word) in [
        ("expired", "DISABLE PASSWORD LIFETIME"),
        ("locked", "RESET CONNECT ATTEMPTS"),
    ] {
        bed.change("/users/BACKUP/state", state);
        let error = bed.task(bed.spec()).source.plan(&stop).expect_err(state);
        assert_eq!(error.code(), "sign_in_failed");
        assert!(error.message().contains(word), "{}", error.message());
    }
    let error = bed
        .signed_in(bed.spec(), None)
        .source
        .plan(&stop)
        .expect_err("none");
    assert_eq!(error.code(), "sign_in_failed");
    bed.nothing_is_left();
}

pub(super) fn missing_rights_are_named_as_the_statement_that_grants_them(bed: &Bed) {
    let log = SaphanaSource {
        level: SaphanaLevel::Log,
        ..bed.spec()
    };
    let backint = SaphanaSource {
        via: SaphanaVia::Backint,
        channels: Some(2),
        ..bed.spec()
    };
    let tenant = SaphanaSource {
        databases: only(&["T1"]),
        ..bed.spec()
    };
    for (rights, spec, grant) in [
        (
            json!([]),
            bed.spec(),
            "GRANT CATALOG READ, BACKUP OPERATOR, DATABASE BACKUP OPERATOR TO \"BACKUP\"",
        ),
        (json!([]), log.clone(), "GRANT CATALOG READ TO \"BACKUP\""),
        (
            json!(["CATALOG READ"]),
            tenant,
            "GRANT DATABASE BACKUP OPERATOR TO \"BACKUP\"",
        ),
        (
            json!(["CATALOG READ", "BACKUP ADMIN"]),
            backint,
            "GRANT DATABASE BACKUP OPERATOR, INIFILE ADMIN TO \"BACKUP\"",
        ),
    ] {
        bed.change("/users/BACKUP/rights", rights);
        let steps = steps(bed, spec);
        let (name, ok, message) = steps.last().expect("a step");
        assert_eq!((name.as_str(), *ok), ("rights", false));
        assert!(message.ends_with(grant), "{message}");
    }
    // Even when nobody looked before.
    let error = bed.task(bed.spec()).dump("T1").expect_err("not allowed");
    assert_eq!(error.code(), "rights_missing");
    assert!(error.message().contains("258"), "{}", error.message());
    bed.nothing_is_left();
}

pub(super) fn an_unreachable_server_is_said_as_such(bed: &Bed) {
    let mut spec = bed.spec();
    spec.server.port = Some(39913);
    spec.retries = 1;
    let task = bed.task(spec);
    let error = task.dump("T1").expect_err("nobody is there");
    assert_eq!(error.code(), "database_unreachable");
    assert!(error.message().contains("3NN13"), "{}", error.message());
    assert_eq!(task.heard.lines().len(), 1, "tried again once");
    std::fs::remove_file(bed.path("hdbsql")).expect("it was there");
    let missing = steps(bed, bed.spec());
    assert_eq!(missing.len(), 1);
    assert!(
        !missing[0].1 && missing[0].2.contains("install the SAP HANA client"),
        "{missing:?}"
    );
}

pub(super) fn a_folder_that_is_not_there_is_said_as_such(bed: &Bed) {
    let spec = SaphanaSource {
        folder: Some(bed.path("nowhere").display().to_string()),
        ..bed.spec()
    };
    let steps = steps(bed, spec.clone());
    let (name, ok, message) = steps.last().expect("a step");
    assert_eq!((name.as_str(), *ok), ("folder", false));
    assert!(message.contains("on the host of the database"), "{message}");
    let error = bed.task(spec).dump("T1").expect_err("no folder");
    assert_eq!(error.code(), "source_missing");
    assert_eq!(
        bed.orders(),
        [""; 0],
        "HANA is not asked for what nobody could read"
    );
}
