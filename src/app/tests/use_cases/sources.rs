//! Sources: the sign-in of a database goes to its own server and nowhere else.

use crate::bed::{Bed, spec};
use backupx_app::WithSecrets;
use backupx_core::Result;
use backupx_core::domain::database::{PostgresqlSource, Server};
use backupx_core::domain::source::SourceSpec;
use backupx_core::domain::task::TaskSpec;
use backupx_core::domain::work::Work;

/// `spec` reading the server `host` with this password.
fn on(host: &str, password: &str, spec: TaskSpec) -> WithSecrets<TaskSpec> {
    let server = Server {
        host: Some(host.to_owned()),
        ..Server::default()
    };
    let source = PostgresqlSource {
        server,
        ..PostgresqlSource::default()
    };
    WithSecrets {
        spec: TaskSpec {
            source: SourceSpec::Postgresql(source),
            ..spec
        },
        secrets: [("password".to_owned(), password.to_owned())].into(),
    }
}

/// The password that the next run of `node` is given.
async fn given(bed: &Bed, node: backupx_core::domain::id::NodeId) -> Result<Option<String>> {
    let work = bed.take_one(node).await?;
    let Work::Backup(backup) = &work.work else {
        panic!("it is a backup");
    };
    let password = backup.secrets.get("password");
    Ok(password.map(|secret| secret.expose().to_owned()))
}

#[tokio::test]
async fn a_run_is_given_the_sign_in_of_its_own_server() -> Result<()> {
    let bed = Bed::new().await?;
    let node = bed.node("db").await?;
    let target = bed.bucket("b").await?;
    let wanted = on("old", "of-old", spec("shop", node, &[target])?);
    let task = bed.app.add_task(&bed.who, wanted).await?;
    bed.app.run_task(&bed.who, task.id).await?;
    assert_eq!(given(&bed, node).await?.as_deref(), Some("of-old"));
    Ok(())
}

#[tokio::test]
async fn never_30_a_run_that_waited_takes_no_password_to_the_server_before() -> Result<()> {
    let bed = Bed::new().await?;
    let node = bed.node("db").await?;
    let target = bed.bucket("b").await?;
    let wanted = on("old", "of-old", spec("shop", node, &[target])?);
    let task = bed.app.add_task(&bed.who, wanted).await?;
    bed.app.run_task(&bed.who, task.id).await?;
    let moved = on("new", "of-new", spec("shop", node, &[target])?);
    bed.app
        .update_task(&bed.who, task.id, task.version, moved)
        .await?;
    assert_eq!(given(&bed, node).await?, None);
    Ok(())
}
