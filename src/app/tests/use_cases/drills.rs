//! Drills: what their node is given, who may ask for what, and what becomes of a report.

use crate::bed::{Bed, backup_report, code, spec};
use backupx_app::WithSecrets;
use backupx_core::Result;
use backupx_core::domain::account::{Principal, Role};
use backupx_core::domain::database::{PostgresqlSource, Server};
use backupx_core::domain::drill::{
    Assertion, DRILL_PASSWORD, DrillAnswer, DrillPlace, DrillReport, DrillSpec,
};
use backupx_core::domain::dump::{Dump, DumpFormat};
use backupx_core::domain::id::NodeId;
use backupx_core::domain::operation::{OperationState, VerifyMode};
use backupx_core::domain::record::{CopyState, Record, RecordState};
use backupx_core::domain::report::{Outcome, Report};
use backupx_core::domain::source::SourceSpec;
use backupx_core::domain::task::TaskSpec;
use backupx_core::domain::work::{DrillWork, Work};

fn sql() -> Assertion {
    Assertion::Sql {
        database: "shop".to_owned(),
        query: "select count(*) > 0 from orders".to_owned(),
        name: None,
    }
}

fn rows() -> Assertion {
    Assertion::Rows {
        database: "shop".to_owned(),
        table: "orders".to_owned(),
        within: 5,
    }
}

fn at(host: &str) -> Server {
    Server {
        host: Some(host.to_owned()),
        ..Server::default()
    }
}

fn into(server: Option<Server>) -> DrillPlace {
    DrillPlace::Server {
        server,
        tools: None,
    }
}

/// `spec` reading a PostgreSQL server, with a drill into another one.
fn database(spec: TaskSpec) -> WithSecrets<TaskSpec> {
    let drill = DrillSpec {
        place: Some(into(Some(at("scratch")))),
        assertions: vec![sql(), rows()],
        ..DrillSpec::default()
    };
    WithSecrets {
        spec: TaskSpec {
            source: SourceSpec::Postgresql(PostgresqlSource {
                server: at("live"),
                ..PostgresqlSource::default()
            }),
            encrypt: false,
            drill: Some(Box::new(drill)),
            ..spec
        },
        secrets: [("password", "of-live"), (DRILL_PASSWORD, "of-scratch")]
            .map(|(name, secret)| (name.to_owned(), secret.to_owned()))
            .into(),
    }
}

/// A bed with a record of such a task, and what its node was given for the run.
async fn made(bed: &Bed) -> Result<(NodeId, Record)> {
    let node = bed.node("db").await?;
    let target = bed.bucket("a").await?;
    let task = database(spec("shop", node, &[target])?);
    let task = bed.app.add_task(&bed.who, task).await?;
    let record = bed.app.run_task(&bed.who, task.id).await?;
    let work = bed.take_one(node).await?;
    let Work::Backup(backup) = &work.work else {
        panic!("it is a backup");
    };
    // The rows to count, and neither where to drill nor with which password.
    let drill = backup.task.drill.as_deref().expect("rows are counted");
    assert_eq!(drill.assertions, [rows()]);
    assert_eq!(drill.place, None);
    assert!(!backup.secrets.contains_key(DRILL_PASSWORD));
    let mut report = backup_report([target].into_iter(), &[]);
    for stream in &mut report.streams {
        stream.age_header = None;
        if stream.stream == "data" {
            stream.stream = "data.shop.dump".to_owned();
            stream.dump = Some(Dump::database("shop", DumpFormat::PostgresqlCustom));
        }
    }
    let report = Report::Backup(report);
    bed.end(node, &work, Outcome::Succeeded { report }).await?;
    let record = bed.record(record.id).await?;
    assert_eq!(record.state, RecordState::Success, "{:?}", record.failure);
    Ok((node, record))
}

/// What `node` is given for the drill that waits.
async fn given(bed: &Bed, node: NodeId) -> Result<(DrillWork, Option<String>)> {
    let work = bed.take_one(node).await?;
    let Work::Drill(drill) = work.work else {
        panic!("it is a drill");
    };
    let database = drill.database.as_ref().expect("a database");
    let password = database.secrets.get("password");
    let password = password.map(|secret| secret.expose().to_owned());
    Ok((*drill, password))
}

fn host(work: &DrillWork) -> Option<String> {
    let database = work.database.as_ref()?;
    database.source.server()?.host.clone()
}

#[tokio::test]
async fn a_drill_goes_as_its_task_says_now() -> Result<()> {
    let bed = Bed::new().await?;
    let (node, record) = made(&bed).await?;
    bed.app
        .verify_record(&bed.who, record.id, VerifyMode::Drill, &[])
        .await?;
    let (work, password) = given(&bed, node).await?;
    assert_eq!(work.spec.assertions, [sql(), rows()]);
    assert_eq!(host(&work).as_deref(), Some("scratch"));
    assert_eq!(password.as_deref(), Some("of-scratch"));
    assert_eq!(work.spec.secrets, None);
    Ok(())
}

#[tokio::test]
async fn never_30_a_password_goes_to_the_server_alone_that_it_was_given_for() -> Result<()> {
    let bed = Bed::new().await?;
    let (node, record) = made(&bed).await?;
    let brought = [("password".to_owned(), "brought".to_owned())];
    for (place, secrets, expected) in [
        (into(None), vec![], Some("of-live")),
        (into(Some(at("live"))), vec![], Some("of-live")),
        (into(Some(at("scratch"))), vec![], Some("of-scratch")),
        (into(Some(at("elsewhere"))), vec![], None),
        (
            into(Some(at("elsewhere"))),
            brought.to_vec(),
            Some("brought"),
        ),
        (DrillPlace::Throwaway { tools: None }, vec![], None),
    ] {
        let wanted = WithSecrets {
            spec: DrillSpec {
                place: Some(place.clone()),
                ..DrillSpec::default()
            },
            secrets: secrets.into_iter().collect(),
        };
        let operation = bed
            .app
            .drill_record(&bed.who, record.id, Some(wanted), &[])
            .await?;
        let stored = serde_json::to_string(&operation.spec).expect("it is written");
        assert!(!stored.contains("brought\""), "{stored}");
        let (_, password) = given(&bed, node).await?;
        assert_eq!(password.as_deref(), expected, "{place:?}");
    }
    Ok(())
}

#[tokio::test]
async fn who_is_no_administrator_brings_no_sql() -> Result<()> {
    let bed = Bed::new().await?;
    let (_, record) = made(&bed).await?;
    let operator = Principal {
        role: Role::Operator,
        ..bed.who.clone()
    };
    let wanted = |assertion| {
        Some(WithSecrets::from(DrillSpec {
            assertions: vec![assertion],
            ..DrillSpec::default()
        }))
    };
    let app = &bed.app;
    let asked = app.drill_record(&operator, record.id, wanted(sql()), &[]);
    assert_eq!(code(asked.await), "forbidden");
    let asked = app.drill_record(&operator, record.id, wanted(rows()), &[]);
    assert!(asked.await.is_ok());
    let asked = app.drill_record(&operator, record.id, None, &[]);
    assert!(asked.await.is_ok(), "the task's own was an administrator's");
    Ok(())
}

#[tokio::test]
async fn a_drill_that_does_not_hold_fails_and_proves_no_damage() -> Result<()> {
    let bed = Bed::new().await?;
    let (node, record) = made(&bed).await?;
    let operation = bed
        .app
        .verify_record(&bed.who, record.id, VerifyMode::Drill, &[])
        .await?;
    let work = bed.take_one(node).await?;
    let report = DrillReport {
        restored_entries: 1,
        answers: vec![DrillAnswer::new(&sql(), false, "f", 3)],
        ..DrillReport::default()
    };
    // Also when its node takes it for a success.
    let report = Report::Drill(Box::new(report));
    bed.end(
        node,
        &work,
        Outcome::Succeeded {
            report: report.clone(),
        },
    )
    .await?;
    let ended = bed.app.operation(&bed.who, operation.id).await?;
    assert_eq!(ended.state, OperationState::Failed);
    assert_eq!(ended.report, Some(report));
    let failure = ended.failure.expect("it failed");
    assert_eq!(failure.code, "drill_failed");
    assert!(failure.message.contains("orders"), "{}", failure.message);
    let after = bed.record(record.id).await?;
    assert_eq!(after.copies[0].state, CopyState::Good);
    assert_eq!(after.state, RecordState::Success);
    Ok(())
}
