//! What a service's refusals become: a kind, a code and a next step.

use crate::backends::{Fresh, key};
use backupx_core::{ErrorKind, Result};
use bytes::Bytes;

fn body() -> Vec<Bytes> {
    vec![Bytes::from_static(b"x")]
}

pub(crate) async fn a_wrong_secret_is_said_as_such(fresh: &Fresh) -> Result<()> {
    let store = fresh.reopened(&[], &[("secretAccessKey", "a-secret-that-is-wrong")])?;
    for refused in [
        store.create(&key("a/1"), body()).await,
        store.stat(&key("a/1")).await.map(drop),
        store.list(&key("a")).await.map(drop),
    ] {
        let refused = refused.expect_err("the secret is wrong");
        assert_eq!(
            (refused.kind(), refused.code()),
            (ErrorKind::Forbidden, "access_denied"),
            "{refused:?}"
        );
        assert!(refused.message().contains("access key"), "{refused}");
        assert!(
            !refused.chain().contains("a-secret-that-is-wrong"),
            "never_30: no secret in an error"
        );
    }
    assert!(!format!("{store:?}").contains("a-secret-that-is-wrong"));
    Ok(())
}

pub(crate) async fn a_key_that_may_not_write_is_said_as_such(fresh: &Fresh) -> Result<()> {
    let variable =
        |name: &str| std::env::var(format!("BACKUPX_TEST_S3_READONLY_{name}")).unwrap_or_default();
    let store = fresh.reopened(
        &[("accessKeyId", &variable("KEY"))],
        &[("secretAccessKey", &variable("SECRET"))],
    )?;
    let refused = store
        .create(&key("a/1"), body())
        .await
        .expect_err("it may only read");
    assert_eq!(refused.code(), "access_denied", "{refused:?}");
    assert_eq!(store.list(&key("a")).await?, []);
    Ok(())
}

pub(crate) async fn a_prefix_keeps_targets_apart(fresh: &Fresh) -> Result<()> {
    fresh.store.create(&key("a/1"), body()).await?;
    let other = fresh.reopened(&[("prefix", "conformance/elsewhere")], &[])?;
    assert_eq!(other.stat(&key("a/1")).await?, None);
    Ok(())
}
