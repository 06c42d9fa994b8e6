//! Log backups, which HANA makes by itself.

use super::bed::{Bed, described, files};
use backupx_core::domain::saphana::{SaphanaLevel, SaphanaSource};
use serde_json::{Value, json};

fn spec(bed: &Bed) -> SaphanaSource {
    SaphanaSource {
        level: SaphanaLevel::Log,
        folder: Some(bed.path("backups/log").display().to_string()),
        ..bed.spec()
    }
}

/// A log backup of a database, with its file.
fn log(bed: &Bed, database: &str, id: u64, state: &str) -> Value {
    let folder = bed.path("backups/log").join(format!("DB_{database}"));
    std::fs::create_dir_all(&folder).expect("made");
    let path = folder.join(format!("log_backup_2_0_{id}"));
    std::fs::write(&path, format!("log {id}")).expect("written");
    entry(database, id, state, &path.display().to_string(), "file")
}

fn entry(database: &str, id: u64, state: &str, path: &str, destination: &str) -> Value {
    json!({
        "id": id, "database": database, "type": "log backup", "state": state, "message": "", "comment": "",
        "parts": [{"path": path, "size": 17, "source": "volume", "service": "indexserver", "destination": destination, "external": null}],
    })
}

pub(super) fn log_backups_are_collected_and_stay(bed: &Bed) {
    bed.catalogued(vec![log(bed, "T1", 1_600_000_000_001, "successful")]);
    bed.task(bed.spec()).dump("T1").expect("a full backup");
    let full = bed.catalogue().pop().expect("an entry")["id"]
        .as_u64()
        .expect("a number");
    let later = [
        log(bed, "T1", full + 1, "successful"),
        log(bed, "T1", full + 2, "failed"),
        log(bed, "T2", full + 3, "successful"),
        log(bed, "T1", full + 4, "successful"),
    ];
    bed.catalogued(later.to_vec());
    for connect_to in [None, Some("T1".to_owned())] {
        let archive = bed
            .task(SaphanaSource {
                connect_to,
                ..spec(bed)
            })
            .dump("T1")
            .expect("the log");
        let said = described(&archive);
        assert_eq!(
            (&said["level"], &said["backupId"]),
            (&json!("log"), &json!(full))
        );
        let (one, four) = (full + 1, full + 4);
        let files = files(&archive);
        let names: Vec<_> = files.keys().collect();
        assert_eq!(
            names,
            [
                "backup.json",
                &format!("log_backup_2_0_{one}"),
                &format!("log_backup_2_0_{four}")
            ]
        );
        assert_eq!(files[names[1]], format!("log {one}").into_bytes());
    }
    let left = std::fs::read_dir(bed.path("backups/log/DB_T1")).expect("there");
    assert_eq!(left.count(), 4);
    assert_eq!(bed.orders().len(), 1, "log makes no order");
}

pub(super) fn log_that_is_of_no_use_is_refused(bed: &Bed) {
    let refused = |code: &str, word: &str| {
        let error = bed.task(spec(bed)).dump("T1").expect_err(word);
        assert_eq!(error.code(), code, "{}", error.message());
        assert!(error.message().contains(word), "{}", error.message());
    };
    refused("nothing_selected", "no full backup yet");
    bed.task(bed.spec()).dump("T1").expect("a full backup");
    refused("nothing_selected", "log_mode");
    let id = 1_800_000_000_000;
    let good = log(bed, "T1", id, "successful");
    let elsewhere = entry("T1", id + 1, "successful", "/etc/passwd", "file");
    let hidden = bed
        .path("backups/log/../log_backup_x")
        .display()
        .to_string();
    let external = entry("T1", id + 3, "successful", "/x/log_backup_1", "backint");
    let gone = bed
        .path("backups/log/log_backup_gone")
        .display()
        .to_string();
    let before = bed.catalogue();
    for (bad, code, word) in [
        (elsewhere, "dump_incomplete", "lies not below"),
        (
            entry("T1", id + 2, "successful", &hidden, "file"),
            "dump_incomplete",
            "lies not below",
        ),
        (external, "unsupported", "through Backint"),
        (
            entry("T1", id + 4, "successful", &gone, "file"),
            "dump_incomplete",
            "not on this host",
        ),
    ] {
        let entries = [before.clone(), vec![good.clone(), bad]].concat();
        let text = Value::from(entries).to_string();
        std::fs::write(bed.path("world/catalogue.json"), text).expect("written");
        refused(code, word);
    }
}
