//! Backups that are made, of every level and on every way.

use super::bed::{Bed, PASSWORD, described, files};
use backupx_core::domain::database::{Selection, Server, Tls};
use backupx_core::domain::saphana::{SaphanaLevel, SaphanaSource, SaphanaVia};
use backupx_core::ports::source::StopFlag;
use serde_json::json;
use std::os::unix::fs::PermissionsExt;

pub(super) fn every_database_is_one_archive_of_its_files(bed: &Bed) {
    let task = bed.task(bed.spec());
    let plan = task.source.plan(&StopFlag::default()).expect("a plan");
    let names: Vec<_> = plan.dumps.iter().map(|dump| dump.name.as_str()).collect();
    assert_eq!(names, ["SYSTEMDB", "T1", "T2"]);
    assert_eq!(plan.tools["server"], "2.00.067.00.1666666666");
    for (database, volume) in [("SYSTEMDB", "1"), ("T1", "2")] {
        let archive = task.dump(database).expect("a backup");
        let (said, files) = (described(&archive), files(&archive));
        let prefix = said["prefix"].as_str().expect("a prefix");
        assert_eq!(
            files.keys().collect::<Vec<_>>(),
            [
                "backup.json",
                &format!("{prefix}_databackup_0_1"),
                &format!("{prefix}_databackup_{volume}_1")
            ]
        );
        assert!(archive.starts_with(b"backup.json\0"));
        assert_eq!(
            (&said["database"], &said["sid"]),
            (&json!(database), &json!("HN1"))
        );
        assert_eq!(
            (&said["level"], &said["via"]),
            (&json!("full"), &json!("file"))
        );
        let entry = bed.catalogue().pop().expect("an entry");
        assert_eq!(
            (&said["backupId"], &json!("successful")),
            (&entry["id"], &entry["state"])
        );
        let data = &files[&format!("{prefix}_databackup_{volume}_1")];
        assert_eq!(said["parts"][1]["sizeBytes"], data.len());
    }
    let folder = bed.data().display().to_string();
    let orders = bed.orders();
    let begins = [
        format!("BACKUP DATA USING FILE ('{folder}/backupx-"),
        format!("BACKUP DATA FOR \"T1\" USING FILE ('{folder}/backupx-"),
    ];
    for (order, begin) in orders.iter().zip(begins) {
        assert!(
            order.starts_with(&begin) && order.contains("COMMENT"),
            "{order}"
        );
    }
    assert_eq!(orders.len(), 2);
    bed.nothing_is_left();
}

pub(super) fn what_changed_is_backed_up_on_its_own(bed: &Bed) {
    let at = |level| {
        bed.task(SaphanaSource {
            level,
            ..bed.spec()
        })
    };
    let error = at(SaphanaLevel::Incremental)
        .dump("T1")
        .expect_err("there is nothing that it goes on from");
    assert_eq!(error.code(), "dump_failed");
    at(SaphanaLevel::Full).dump("T1").expect("a backup");
    for (level, word) in [
        (SaphanaLevel::Incremental, "incremental"),
        (SaphanaLevel::Differential, "differential"),
    ] {
        let archive = at(level).dump("T1").expect("a backup");
        assert_eq!(described(&archive)["level"], word);
        let names: Vec<_> = files(&archive).into_keys().collect();
        assert!(
            names[1].contains(&format!("_databackup_{word}_")),
            "{names:?}"
        );
        let order = bed.orders().pop().expect("an order");
        let begin = format!(
            "BACKUP DATA {} FOR \"T1\" USING FILE (",
            word.to_uppercase()
        );
        assert!(order.starts_with(&begin), "{order}");
    }
    bed.nothing_is_left();
}

pub(super) fn a_tenant_is_backed_up_by_its_own_sign_in(bed: &Bed) {
    let mut spec = bed.spec();
    spec.server.port = Some(30041);
    let by_port = bed.task(spec);
    let by_name = bed.task(SaphanaSource {
        connect_to: Some("T1".to_owned()),
        ..bed.spec()
    });
    for task in [by_port, by_name] {
        let plan = task.source.plan(&StopFlag::default()).expect("a plan");
        assert_eq!(plan.dumps.len(), 1);
        assert_eq!(plan.dumps[0].name, "T1");
        let archive = task.dump("T1").expect("a backup");
        assert_eq!(described(&archive)["database"], "T1");
        let order = bed.orders().pop().expect("an order");
        assert!(order.starts_with("BACKUP DATA USING FILE ("), "{order}");
    }
    bed.nothing_is_left();
}

pub(super) fn files_go_where_hana_says_when_the_task_says_nothing(bed: &Bed) {
    let spec = SaphanaSource {
        folder: None,
        ..bed.spec()
    };
    bed.task(spec.clone()).dump("T1").expect("a backup");
    let order = bed.orders().pop().expect("an order");
    assert!(order.contains(&bed.data().display().to_string()), "{order}");
    // Its default is a place in the folder of the instance, which is not on this host.
    bed.change("/ini/basepath_databackup", serde_json::Value::Null);
    let error = bed.task(spec).dump("T1").expect_err("no such folder");
    assert_eq!(error.code(), "source_missing");
    let place = "/usr/sap/HN1/HDB00/backup/elsewhere";
    assert!(error.message().contains(place), "{}", error.message());
}

pub(super) fn a_backup_through_backint_leaves_what_the_catalogue_says(bed: &Bed) {
    let through = |channels, connect_to: Option<&str>| {
        bed.task(SaphanaSource {
            via: SaphanaVia::Backint,
            folder: None,
            channels,
            connect_to: connect_to.map(str::to_owned),
            ..bed.spec()
        })
    };
    let task = through(Some(4), None);
    let archive = task.dump("T1").expect("a backup");
    let said = described(&archive);
    assert_eq!(files(&archive).len(), 1);
    assert_eq!(said["via"], "backint");
    let id = said["parts"][1]["externalId"].as_str().expect("a name");
    assert!(id.starts_with("ebid-"), "{id}");
    let warnings = task.heard.warnings();
    assert!(
        warnings[0].contains("where the Backint tool keeps it"),
        "{warnings:?}"
    );
    let orders = bed.orders();
    assert!(
        orders[0].contains("'global.ini', 'DATABASE', 'T1'"),
        "{orders:?}"
    );
    assert!(
        orders[1].starts_with("BACKUP DATA FOR \"T1\" USING BACKINT ('backupx-"),
        "{orders:?}"
    );
    through(Some(32), None).dump("SYSTEMDB").expect("a backup");
    through(Some(2), Some("T2")).dump("T2").expect("a backup");
    through(None, None).dump("T2").expect("a backup");
    assert_eq!(
        bed.world()["channels"],
        json!({"T1": 4, "SYSTEMDB": 32, "T2": 2})
    );

    bed.change("/behave/backup", "no_id");
    let error = through(None, None).dump("T1").expect_err("nobody finds it");
    assert_eq!(error.code(), "dump_incomplete");
}

pub(super) fn a_backup_that_fails_is_made_again(bed: &Bed) {
    bed.change("/behave/fail_first", 2);
    let task = bed.task(SaphanaSource {
        retries: 2,
        ..bed.spec()
    });
    let archive = task.dump("T1").expect("the third attempt succeeds");
    let prefix = described(&archive)["prefix"]
        .as_str()
        .expect("a prefix")
        .to_owned();
    assert!(prefix.ends_with("-3"), "{prefix}");
    assert_eq!(bed.orders().len(), 3);
    let lines = task.heard.lines();
    assert!(lines[0].starts_with("attempt 1 of 3 failed"), "{lines:?}");
    assert!(lines[1].starts_with("attempt 2 of 3 failed"), "{lines:?}");
    bed.nothing_is_left();

    bed.change("/behave/fail_first", 100);
    let error = task.dump("T1").expect_err("it never succeeds");
    assert_eq!(error.code(), "dump_failed");
    assert!(error.message().contains("447") && error.message().contains("no space left"));
    assert_eq!(bed.orders().len(), 6);
    bed.nothing_is_left();
}

pub(super) fn what_a_killed_run_left_is_swept_by_the_next_one(bed: &Bed) {
    let prefix = "backupx-0123456789abcdef";
    for name in [
        format!("{prefix}.lock"),
        format!("{prefix}-1_databackup_0_1"),
        "nightly_databackup_0_1".to_owned(),
        "backupx-notes.txt".to_owned(),
    ] {
        std::fs::write(bed.data().join(name), b"T1").expect("written");
    }
    bed.catalogued(vec![json!({
        "id": 1_600_000_000_000_u64, "database": "T1", "type": "complete data backup", "state": "running", "message": "",
        "comment": format!("made by BackupX: {prefix}-1"), "parts": [],
    })]);
    // HANA may still write it, and only the catalogue of T2 could tell.
    let of_another = format!("{}.lock", prefix.replace('0', "f"));
    std::fs::write(bed.data().join(&of_another), b"T2").expect("written");
    bed.task(bed.spec()).dump("T1").expect("a backup");
    assert_eq!(
        bed.left(),
        [
            of_another.as_str(),
            "backupx-notes.txt",
            "nightly_databackup_0_1"
        ]
    );
    assert_eq!(bed.catalogue()[0]["state"], "canceled");
    assert_eq!(bed.orders()[0], "BACKUP CANCEL FOR \"T1\" 1600000000000");
}

pub(super) fn a_connection_is_sealed_as_the_settings_say(bed: &Bed) {
    let trusted = bed.path("trusted.pem");
    std::fs::write(&trusted, b"certificates").expect("written");
    for (offered, tls, works) in [
        (json!(true), Tls::Off, true),
        (json!(true), Tls::Verify, true),
        (json!("required"), Tls::Off, false),
        (json!("required"), Tls::Prefer, true),
        (json!(false), Tls::Prefer, true),
        (json!(false), Tls::Require, false),
    ] {
        bed.change("/tls", offered.clone());
        let mut spec = bed.spec();
        spec.server.tls = tls;
        spec.server.tls_ca = (tls == Tls::Verify).then(|| trusted.display().to_string());
        let outcome = bed.task(spec).source.discover(&StopFlag::default());
        assert_eq!(outcome.is_ok(), works, "{offered} {tls:?} {outcome:?}");
        if let Err(error) = outcome {
            assert_eq!(error.code(), "database_unreachable");
        }
    }
    let verified = bed.calls().iter().any(|call| {
        let arguments = call["arguments"].to_string();
        arguments.contains("\"-e\",\"-ssltruststore\"") && !arguments.contains("trustcert")
    });
    assert!(verified, "no call checked the certificate");
}

pub(super) fn a_key_of_the_user_store_signs_in(bed: &Bed) {
    let spec = SaphanaSource {
        server: Server::default(),
        user_store_key: Some("NOBODY_HAS_THIS".to_owned()),
        ..bed.spec()
    };
    let error = bed
        .signed_in(spec, None)
        .source
        .discover(&StopFlag::default())
        .expect_err("no such key");
    assert_eq!(error.code(), "sign_in_failed");
    assert!(
        error.message().contains("hdbuserstore LIST"),
        "{}",
        error.message()
    );
    let call = bed.calls();
    // Nothing is written into the store of the host.
    assert!(call.iter().all(|call| call["tool"] == "hdbsql"));
}

pub(super) fn never_30_no_password_is_in_an_argument_or_the_environment(bed: &Bed) {
    let file = bed.path("password");
    std::fs::write(&file, format!("{PASSWORD}\n")).expect("written");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).expect("set");
    let mut spec = bed.spec();
    spec.server.password_file = Some(file.display().to_string());
    spec.databases = Selection {
        only: vec!["T1".to_owned()],
        ..Selection::default()
    };
    let task = bed.signed_in(spec, None);
    let archive = task.dump("T1").expect("a backup");
    task.put_back("T1", &archive, &super::bed::under("T9"))
        .expect("restored");
    let calls = bed.calls();
    assert!(calls.len() > 10, "{}", calls.len());
    for call in &calls {
        let shown = format!("{} {}", call["arguments"], call["environment"]);
        assert!(!shown.contains(PASSWORD), "{shown}");
        assert!(
            !shown.contains("SELECT") && !shown.contains("CREATE DATABASE"),
            "{shown}"
        );
    }
    let mut made = bed.orders().into_iter();
    let made = made
        .find(|order| order.starts_with("CREATE DATABASE"))
        .expect("made");
    let password = made.rsplit('"').nth(1).expect("a password");
    let all = format!("{calls:?} {:?}", task.heard.lines());
    assert_eq!(
        all.matches(password).count(),
        1,
        "only the statement has it"
    );
    bed.nothing_is_left();
}
