//! Refusals and silence of services that can't be had for real: played by a socket on loopback.

use super::*;
use crate::Opener;
use backupx_core::ErrorKind;
use backupx_core::domain::access::TargetAccess;
use backupx_core::domain::catalogue::Driver;
use backupx_core::domain::id::TargetId;
use backupx_core::domain::secret::WireSecret;
use backupx_core::ports::objects::StoreOpener;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

fn access(config: &[(&str, &str)]) -> TargetAccess {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    let mut access = TargetAccess {
        id: TargetId(1),
        name: "there".to_owned(),
        kind: Driver::S3,
        config: config.iter().map(owned).collect(),
        secrets: [(
            "secretAccessKey".to_owned(),
            WireSecret::new("hidden-secret"),
        )]
        .into(),
        relay: false,
    };
    access.config.insert("bucket".to_owned(), "b".to_owned());
    access
        .config
        .insert("accessKeyId".to_owned(), "id".to_owned());
    access
}

fn open(access: &TargetAccess) -> Result<Arc<dyn ObjectStore>> {
    Opener::default().open(access)
}

fn key() -> ObjectKey {
    ObjectKey::parse("a/1").expect("a valid key")
}

/// A service on loopback that gives the answers one after the other, the last one for ever; nothing means silence.
async fn service(answers: Vec<String>) -> (ServiceStore, tokio::task::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
    let serving = tokio::spawn(async move {
        let mut open = Vec::new();
        let mut served = 0;
        while let Ok((mut socket, _)) = listener.accept().await {
            let mut request = [0; 4096];
            drop(socket.read(&mut request).await);
            if let Some(answer) = answers.get(served).or(answers.last()) {
                drop(socket.write_all(answer.as_bytes()).await);
            }
            served += 1;
            open.push(socket);
        }
    });
    let limit = Duration::from_millis(500);
    let limits = Limits {
        call: limit,
        transfer: limit,
    };
    let prepared = s3::prepare(&access(&[("endpoint", &endpoint)])).expect("settings");
    let store = ServiceStore::within(prepared, limits).expect("opens");
    (store, serving)
}

/// What a create answers when every request is answered so.
async fn create_against(answers: Vec<String>) -> Error {
    let (store, serving) = service(answers).await;
    let created = store.create(&key(), vec![Bytes::from_static(b"x")]).await;
    serving.abort();
    created.expect_err("no such service creates anything")
}

fn answer(status: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
}

fn refusal(status: &str, code: &str) -> String {
    answer(
        status,
        &format!(
            "<Error><Code>{code}</Code><Message>m</Message><Resource>r</Resource><RequestId>i</RequestId></Error>"
        ),
    )
}

#[tokio::test]
async fn never_26_a_service_that_says_nothing_is_a_stall() {
    let error = create_against(Vec::new()).await;
    assert_eq!(
        (error.kind(), error.code()),
        (ErrorKind::Unavailable, "storage_stalled"),
        "{error:?}"
    );
}

#[tokio::test]
async fn refusals_become_a_code_and_a_next_step() {
    for (status, code, ours, step) in [
        (
            "403 Forbidden",
            "RequestTimeTooSkewed",
            "clock_skewed",
            "NTP",
        ),
        (
            "404 Not Found",
            "NoSuchBucket",
            "no_such_bucket",
            "create it",
        ),
        (
            "403 Forbidden",
            "InvalidAccessKeyId",
            "access_denied",
            "access key",
        ),
        (
            "400 Bad Request",
            "AuthorizationHeaderMalformed",
            "wrong_region",
            "region",
        ),
        ("503 Slow Down", "SlowDown", "storage_busy", "slow down"),
        (
            "412 Precondition Failed",
            "PreconditionFailed",
            "object_exists",
            "exists",
        ),
        (
            "409 Conflict",
            "ConditionalRequestConflict",
            "storage_busy",
            "busy",
        ),
        (
            "500 Internal Server Error",
            "InternalError",
            "storage_unavailable",
            "for the moment",
        ),
    ] {
        let error = create_against(vec![refusal(status, code)]).await;
        assert_eq!(error.code(), ours, "{error:?}");
        assert!(error.message().contains(step), "{error:?}");
    }
}

#[tokio::test]
async fn a_service_without_conditions_is_asked_first() {
    let not_known = refusal("501 Not Implemented", "NotImplemented");
    let (store, serving) = service(vec![
        not_known.clone(),
        answer("404 Not Found", ""),
        answer("200 OK", ""),
        "HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n\r\n".to_owned(),
    ])
    .await;
    store
        .create(&key(), vec![Bytes::from_static(b"x")])
        .await
        .expect("nothing is there");
    let second = store.create(&key(), vec![Bytes::from_static(b"x")]).await;
    serving.abort();
    assert_eq!(second.expect_err("it is there").code(), "object_exists");
}

#[tokio::test]
async fn never_33_a_redirect_is_not_followed() {
    let error = create_against(vec![
        "HTTP/1.1 307 Temporary Redirect\r\nlocation: http://127.0.0.1:9/\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".to_owned(),
    ])
    .await;
    assert_eq!(error.code(), "storage_refused", "{error:?}");
}

#[tokio::test]
async fn something_that_is_no_s3_is_said_as_such() {
    let error = create_against(vec![answer("404 Not Found", "<html></html>")]).await;
    assert!(error.message().contains("speaks S3"), "{error:?}");
}

#[tokio::test]
async fn nobody_there_is_said_as_such() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
    drop(listener);
    let store = open(&access(&[("endpoint", &endpoint)])).expect("opens");
    let error = store
        .create(&key(), Vec::new())
        .await
        .expect_err("nobody is there");
    assert_eq!(
        (error.kind(), error.code()),
        (ErrorKind::Unavailable, "storage_unreachable"),
        "{error:?}"
    );
    assert!(error.message().contains(&endpoint));
    assert!(
        !format!("{store:?} {error:?}").contains("hidden-secret"),
        "never_30: no secret in an error"
    );
}

/// Access to a target of that driver.
fn driven(driver: Driver, config: &[(&str, &str)], secrets: &[(&str, &str)]) -> TargetAccess {
    let mut access = access(config);
    access.kind = driver;
    let secret = |(name, value): &(&str, &str)| ((*name).to_owned(), WireSecret::new(*value));
    access.secrets = secrets.iter().map(secret).collect();
    access
}

#[test]
fn a_driver_of_a_newer_version_is_said_as_such() {
    let error = open(&driven(Driver::Unknown, &[], &[])).expect_err("nobody knows it");
    assert_eq!(error.code(), "unknown_storage");
    assert!(error.message().contains("update"), "{error}");
}

#[test]
fn never_31_credentials_that_reach_into_the_host_are_refused() {
    for key in [
        r#"{"type": "external_account", "credential_source": {"file": "/etc/shadow"}}"#,
        r#"{"type": "external_account", "credential_source": {"executable": {"command": "id"}}}"#,
        "no JSON",
    ] {
        let error = open(&driven(Driver::Gcs, &[], &[("serviceAccountKey", key)]));
        let error = error.expect_err("it is no service account");
        assert_eq!(error.field_errors()[0].field, "config.serviceAccountKey");
        assert!(!format!("{error:?}").contains("shadow"));
    }
}

#[test]
fn an_account_has_one_kind_of_key() {
    let config = [("account", "acme"), ("container", "backups")];
    for (secrets, opens) in [
        (vec![("accountKey", "a2V5")], true),
        (vec![("sasToken", "?sv=2024&sig=x")], true),
        (vec![("accountKey", "a2V5"), ("sasToken", "sv=2024")], false),
        (vec![("accountKey", "not base64!")], false),
    ] {
        let opened = open(&driven(Driver::Azblob, &config, &secrets));
        assert_eq!(opened.is_ok(), opens, "{opened:?}");
        assert!(!format!("{opened:?}").contains("not base64!"), "{opened:?}");
    }
}

#[test]
fn wrong_settings_are_refused_before_anything_is_called() {
    for (field, config) in [
        ("config.endpoint", ("endpoint", "minio:9000")),
        ("config.endpoint", ("endpoint", "ftp://minio")),
        ("config.endpoint", ("endpoint", "http://169.254.169.254/")),
        ("config.endpoint", ("endpoint", "http://user:word@minio")),
        ("config.virtualHost", ("virtualHost", "yes")),
        ("config.accessKeyId", ("accessKeyId", "")),
    ] {
        let mut access = access(&[]);
        access
            .config
            .insert(config.0.to_owned(), config.1.to_owned());
        let error = open(&access).expect_err("refused");
        assert_eq!(error.field_errors()[0].field, field, "{error:?}");
    }
}
