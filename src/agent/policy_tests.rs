//! The policy against a master that asks for more than the host allows.

use super::Policy;
use backupx_core::ErrorKind;
use backupx_core::domain::access::TargetAccess;
use backupx_core::domain::catalogue::Driver;
use backupx_core::domain::database::{PostgresqlSource, Server, SqliteSource};
use backupx_core::domain::drill::{DrillPlace, DrillSpec};
use backupx_core::domain::id::{OperationId, RecordId, TargetId};
use backupx_core::domain::key::ObjectKey;
use backupx_core::domain::operation::{Overwrite, RestoreSpec};
use backupx_core::domain::saphana::{SaphanaSource, SaphanaVia};
use backupx_core::domain::source::SourceSpec;
use backupx_core::domain::work::{DatabaseWork, DrillWork, RestoreWork, Work};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use tempfile::TempDir;

/// A host with the folders `allowed` and `secret`, and a policy that knows only the first.
fn host(rules: &str) -> (TempDir, Policy) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for name in ["allowed", "allowed/inner", "secret", "allowed-too"] {
        fs::create_dir(folder.path().join(name)).expect("a folder");
    }
    let rules = rules.replace("HOST", folder.path().to_str().expect("UTF-8"));
    let file = folder.path().join("policy.yaml");
    fs::write(&file, rules).expect("a policy file");
    let policy = Policy::read(&file).expect("a good policy");
    (folder, policy)
}

fn at(folder: &TempDir, path: &str) -> String {
    folder.path().join(path).to_str().expect("UTF-8").to_owned()
}

fn restore(to: Option<String>) -> Work {
    Work::Restore(RestoreWork {
        dumps: false,
        database: None,
        record_id: RecordId(1),
        location: ObjectKey::parse("t/2026/01/1-x").expect("a key"),
        sources: Vec::new(),
        keys: Vec::new(),
        spec: RestoreSpec {
            database: None,
            to,
            include: Vec::new(),
            overwrite: Overwrite::IfChanged,
            dry_run: false,
        },
    })
}

fn drill(place: DrillPlace, source: Option<SourceSpec>) -> Work {
    Work::Drill(Box::new(DrillWork {
        operation_id: OperationId(1),
        record_id: RecordId(1),
        location: ObjectKey::parse("t/2026/01/1-x").expect("a key"),
        sources: Vec::new(),
        keys: Vec::new(),
        spec: DrillSpec {
            place: Some(place),
            ..DrillSpec::default()
        },
        database: source.map(|source| {
            Box::new(DatabaseWork {
                source,
                secrets: Default::default(),
            })
        }),
    }))
}

fn folder_target(path: String) -> Work {
    Work::TestTarget {
        target: TargetAccess {
            id: TargetId(1),
            name: "disk".to_owned(),
            kind: Driver::Local,
            config: [("path".to_owned(), path)].into(),
            secrets: Default::default(),
            relay: false,
        },
    }
}

fn browse(path: String) -> Work {
    Work::Browse { path }
}

#[track_caller]
fn refused(policy: &Policy, mut work: Work) -> String {
    let error = policy.admit(&mut work).expect_err("must be refused");
    assert_eq!(
        (error.kind(), error.code()),
        (ErrorKind::Forbidden, "policy_denied")
    );
    assert!(error.message().contains("policy.yaml"), "{error}");
    error.message().to_owned()
}

#[track_caller]
fn allowed(policy: &Policy, mut work: Work) -> Work {
    policy.admit(&mut work).expect("must be allowed");
    work
}

#[test]
fn without_a_policy_everything_is_allowed() {
    let policy = Policy::default();
    allowed(&policy, browse("/etc".to_owned()));
    allowed(&policy, restore(None));
    assert_eq!(policy.cap(8), 8);
}

#[test]
fn never_31_nothing_outside_the_roots_is_read() {
    let (folder, policy) = host("allowedRoots: [HOST/allowed]");
    allowed(&policy, browse(at(&folder, "allowed")));
    allowed(&policy, browse(at(&folder, "allowed/inner/not/there/yet")));
    let message = refused(&policy, browse(at(&folder, "secret")));
    assert!(message.contains("/secret may not be read"), "{message}");
    refused(&policy, browse(at(&folder, "allowed-too")));
    refused(&policy, browse("/".to_owned()));
    refused(&policy, browse("relative".to_owned()));
    refused(&policy, browse(String::new()));
}

#[test]
fn never_31_no_way_leads_out_of_the_roots() {
    let (folder, policy) = host("allowedRoots: [HOST/allowed]");
    let links = folder.path().join("allowed");
    symlink(folder.path().join("secret"), links.join("out")).expect("a link");
    symlink(folder.path().join("not-there"), links.join("dangling")).expect("a link");
    symlink(links.join("loop"), links.join("loop")).expect("a link");
    refused(&policy, browse(at(&folder, "allowed/../secret")));
    let message = refused(&policy, browse(at(&folder, "allowed/out")));
    assert!(message.contains("it leads to"), "{message}");
    refused(&policy, browse(at(&folder, "allowed/out/below")));
    refused(&policy, browse(at(&folder, "allowed/dangling")));
    refused(&policy, browse(at(&folder, "allowed/dangling/below")));
    refused(&policy, browse(at(&folder, "allowed/loop")));
}

#[test]
fn a_root_may_be_a_link_itself() {
    let (folder, policy) = host("allowedRoots: [HOST/data]");
    symlink(folder.path().join("allowed"), folder.path().join("data")).expect("a link");
    allowed(&policy, browse(at(&folder, "data/inner")));
    allowed(&policy, browse(at(&folder, "allowed/inner")));
    refused(&policy, browse(at(&folder, "secret")));
}

#[test]
fn never_31_restores_stay_below_the_restore_roots() {
    let (folder, policy) = host("allowedRestoreRoots: [HOST/allowed]");
    symlink(
        folder.path().join("allowed/inner"),
        folder.path().join("allowed/in"),
    )
    .expect("a link");
    refused(&policy, restore(Some(at(&folder, "secret"))));
    let message = refused(&policy, restore(None));
    assert!(message.contains("name a folder below"), "{message}");
    let Work::Restore(work) = allowed(&policy, restore(Some(at(&folder, "allowed/in/new")))) else {
        unreachable!("the work keeps its kind")
    };
    let resolved = folder
        .path()
        .canonicalize()
        .expect("exists")
        .join("allowed/inner/new");
    assert_eq!(
        work.spec.to.as_deref().map(Path::new),
        Some(resolved.as_path())
    );
    allowed(&policy, browse("/etc".to_owned()));
}

#[test]
fn never_31_backups_are_kept_below_the_target_roots() {
    let (folder, policy) = host("allowedTargetRoots: [HOST/allowed]");
    allowed(&policy, folder_target(at(&folder, "allowed/backups")));
    refused(&policy, folder_target(at(&folder, "secret")));
}

#[test]
fn never_31_rclone_reads_the_files_alone_that_may_be_read_for_a_sign_in() {
    let (folder, policy) = host("allowedSecretFiles: [HOST/allowed]");
    let share = |file: &str| {
        let mut work = folder_target(String::new());
        if let Work::TestTarget { target } = &mut work {
            target.kind = Driver::Rclone;
            target.config = [
                ("backend".to_owned(), "sftp".to_owned()),
                ("option.key_file".to_owned(), at(&folder, file)),
            ]
            .into();
        }
        work
    };
    allowed(&policy, share("allowed/id"));
    refused(&policy, share("secret/id"));
}

#[test]
fn never_31_an_empty_list_allows_nothing() {
    let (folder, policy) = host("allowedRoots: []");
    let message = refused(&policy, browse(at(&folder, "allowed")));
    assert!(message.contains("no folder is allowed"), "{message}");
}

#[test]
fn the_policy_lowers_the_number_of_works_and_never_raises_it() {
    let (_folder, policy) = host("maxConcurrent: 2");
    assert_eq!((policy.cap(8), policy.cap(1)), (2, 1));
}

#[test]
fn never_31_a_policy_that_is_not_right_is_an_error() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("policy.yaml");
    let missing = Policy::read(&file).expect_err("must be refused");
    assert!(missing.message().contains("can't be read"), "{missing}");
    for (text, part) in [
        ("allowedRoot: [/etc]", "unknown field `allowedRoot`"),
        ("allowedRoots: [etc]", "not an absolute path"),
        ("allowedRoots: [/a/../etc]", "not an absolute path"),
        ("maxConcurrent: 0", "1 is the least"),
        ("allowedRoots: /etc", "is not right"),
    ] {
        fs::write(&file, text).expect("a policy file");
        let error = Policy::read(&file).expect_err("must be refused");
        assert!(error.message().contains(part), "{text}: {error}");
    }
}

fn postgresql(server: Server, tools: Option<String>) -> Work {
    let source = PostgresqlSource {
        server,
        tools,
        ..PostgresqlSource::default()
    };
    Work::TestSource(Box::new(DatabaseWork {
        source: SourceSpec::Postgresql(source),
        secrets: Default::default(),
    }))
}

fn sqlite(path: String) -> Work {
    Work::TestSource(Box::new(DatabaseWork {
        source: SourceSpec::Sqlite(SqliteSource { paths: vec![path] }),
        secrets: Default::default(),
    }))
}

#[test]
fn never_31_a_task_brings_no_tools_of_its_own() {
    let (folder, policy) = host("allowedToolRoots: [HOST/allowed]");
    let with = |tools| postgresql(Server::default(), tools);
    allowed(&policy, with(None));
    allowed(&policy, with(Some(at(&folder, "allowed/inner"))));
    refused(&policy, with(Some(at(&folder, "secret"))));
    symlink(
        folder.path().join("secret"),
        folder.path().join("allowed/link"),
    )
    .expect("a link");
    refused(&policy, with(Some(at(&folder, "allowed/link"))));
}

#[test]
fn never_31_what_may_not_be_read_is_sent_to_no_server_as_a_password() {
    let with = |path: String| {
        let server = Server {
            password_file: Some(path),
            ..Server::default()
        };
        postgresql(server, None)
    };
    let (folder, policy) = host("allowedRoots: [HOST/allowed]");
    allowed(&policy, with(at(&folder, "allowed/pw")));
    refused(&policy, with(at(&folder, "secret/pw")));
    let (folder, policy) = host("allowedRoots: [HOST/allowed]\nallowedSecretFiles: [HOST/secret]");
    allowed(&policy, with(at(&folder, "secret/pw")));
    refused(&policy, with(at(&folder, "allowed/pw")));
}

#[test]
fn databases_obey_the_policy_too() {
    let (folder, policy) = host("allowedRoots: [HOST/allowed]\nallowedTaskTypes: [sqlite]");
    allowed(&policy, sqlite(at(&folder, "allowed/a.db")));
    allowed(&policy, sqlite(at(&folder, "allowed/*.db")));
    refused(&policy, sqlite(at(&folder, "secret/a.db")));
    refused(&policy, sqlite(at(&folder, "*/a.db")));
    assert!(refused(&policy, postgresql(Server::default(), None)).contains("allowedTaskTypes"));
}

#[test]
fn a_policy_with_a_hook_that_can_not_run_is_no_policy() {
    for (hook, why) in [
        ("command: []", "empty"),
        ("command: [sh, -c, x]", "absolute"),
        ("command: [/bin/sh]\n    timeoutSecs: 0", "timeoutSecs"),
        ("command: [/bin/sh]\n    shell: true", "shell"),
    ] {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = folder.path().join("policy.yaml");
        fs::write(&file, format!("hooks:\n  x:\n    {hook}\n")).expect("a policy file");
        let error = Policy::read(&file).expect_err("must be refused");
        assert!(error.message().contains(why), "{error}");
    }
}

fn hana(folder: Option<String>, via: SaphanaVia) -> DatabaseWork {
    DatabaseWork {
        source: SourceSpec::Saphana(SaphanaSource {
            folder,
            via,
            ..SaphanaSource::default()
        }),
        secrets: Default::default(),
    }
}

#[test]
fn never_31_the_folder_of_a_hana_is_named_and_allowed() {
    let read = |folder, via| Work::TestSource(Box::new(hana(folder, via)));
    let (folder, policy) = host("allowedRoots: [HOST/allowed]");
    allowed(
        &policy,
        read(Some(at(&folder, "allowed")), SaphanaVia::File),
    );
    allowed(&policy, read(None, SaphanaVia::Backint));
    let said = refused(&policy, read(None, SaphanaVia::File));
    assert!(said.contains("name a folder below"), "{said}");
    refused(&policy, read(Some(at(&folder, "secret")), SaphanaVia::File));

    let back = |folder, via| match restore(None) {
        Work::Restore(work) => Work::Restore(RestoreWork {
            dumps: true,
            database: Some(Box::new(hana(folder, via))),
            ..work
        }),
        other => other,
    };
    let (folder, policy) = host("allowedRestoreRoots: [HOST/allowed]");
    allowed(
        &policy,
        back(Some(at(&folder, "allowed")), SaphanaVia::File),
    );
    allowed(&policy, back(None, SaphanaVia::Backint));
    refused(&policy, back(Some(at(&folder, "secret")), SaphanaVia::File));
    refused(&policy, back(None, SaphanaVia::File));
}

#[test]
fn never_31_a_drill_has_no_place_that_the_host_does_not_allow() {
    let into = || DrillPlace::Server {
        server: None,
        tools: None,
    };
    let throwaway = || DrillPlace::Throwaway { tools: None };
    let postgresql = |tools: Option<String>| {
        Some(SourceSpec::Postgresql(PostgresqlSource {
            tools,
            ..PostgresqlSource::default()
        }))
    };
    // Its own folder for temporary files is no root of anybody's.
    let (folder, policy) = host("allowedRestoreRoots: []\nallowedToolRoots: [HOST/allowed]");
    allowed(&policy, drill(DrillPlace::Folder, None));
    allowed(&policy, drill(throwaway(), postgresql(None)));
    allowed(
        &policy,
        drill(into(), postgresql(Some(at(&folder, "allowed")))),
    );
    let message = refused(
        &policy,
        drill(throwaway(), postgresql(Some(at(&folder, "secret")))),
    );
    assert!(message.contains("tools"), "{message}");

    let (_folder, policy) = host("allowedDrillPlaces: [folder, server]");
    allowed(&policy, drill(DrillPlace::Folder, None));
    allowed(&policy, drill(into(), postgresql(None)));
    let message = refused(&policy, drill(throwaway(), postgresql(None)));
    assert!(message.contains("allowedDrillPlaces"), "{message}");

    let (_folder, policy) = host("allowedTaskTypes: [file]");
    allowed(&policy, drill(DrillPlace::Folder, None));
    refused(&policy, drill(throwaway(), postgresql(None)));
    refused(&policy, drill(DrillPlace::Folder, postgresql(None)));
}
