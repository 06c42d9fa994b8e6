//! What refusals become: a kind, a code and a next step. The same for every server that can refuse so.

use crate::backends::{Backend, Fresh, WRONG_SECRET, key};
use backupx_core::{ErrorKind, Result};
use bytes::Bytes;

fn body() -> Vec<Bytes> {
    vec![Bytes::from_static(b"x")]
}

pub(crate) async fn a_wrong_secret_is_said_as_such(fresh: &Fresh) -> Result<()> {
    let store = fresh.with_a_wrong_secret()?;
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
        assert!(refused.message().contains("key"), "{refused}");
        // A user's name is no secret.
        assert!(
            fresh.backend == Backend::Openssh || !refused.chain().contains(WRONG_SECRET),
            "never_30: no secret in an error"
        );
    }
    assert!(!format!("{store:?}").contains(WRONG_SECRET));
    Ok(())
}

pub(crate) async fn an_identity_that_may_not_write_is_said_as_such(fresh: &Fresh) -> Result<()> {
    fresh.store.create(&key("a/1"), body()).await?;
    let store = fresh.read_only()?;
    for refused in [
        store.create(&key("a/2"), body()).await,
        store.remove(&key("a/1")).await,
    ] {
        let refused = refused.expect_err("it may only read");
        assert_eq!(
            (refused.kind(), refused.code()),
            (ErrorKind::Forbidden, "access_denied"),
            "{refused:?}"
        );
    }
    assert_eq!(store.read(&key("a/1"), 0..1).await?, "x");
    assert_eq!(store.list(&key("a")).await?.len(), 1);
    Ok(())
}

pub(crate) async fn a_signature_does_instead_of_a_key(fresh: &Fresh) -> Result<()> {
    let store = fresh.with_a_signature("SAS")?;
    store.create(&key("a/1"), body()).await?;
    let again = store.create(&key("a/1"), body()).await;
    assert_eq!(again.expect_err("it exists").code(), "object_exists");
    assert_eq!(store.read(&key("a/1"), 0..1).await?, "x");
    assert_eq!(store.list(&key("a")).await?.len(), 1);
    assert_eq!(store.remove_all(&key("a")).await?, (1, 1));
    assert_eq!(store.stat(&key("a/1")).await?, None);
    Ok(())
}

pub(crate) async fn a_missing_bucket_is_said_as_such(fresh: &Fresh) -> Result<()> {
    let setting = match fresh.backend {
        Backend::Azblob => "container",
        _ => "bucket",
    };
    let store = fresh.reopened(&[(setting, "there-is-no-such-place")], &[])?;
    for refused in [
        store.create(&key("a/1"), body()).await,
        store.list(&key("a")).await.map(drop),
    ] {
        let refused = refused.expect_err("there is no such place");
        assert_eq!(
            (refused.kind(), refused.code()),
            (ErrorKind::Invalid, format!("no_such_{setting}").as_str()),
            "{refused:?}"
        );
        assert!(
            refused.message().contains("there-is-no-such-place"),
            "{refused}"
        );
    }
    Ok(())
}

pub(crate) async fn a_prefix_keeps_targets_apart(fresh: &Fresh) -> Result<()> {
    fresh.store.create(&key("a/1"), body()).await?;
    let other = fresh.reopened(&[("prefix", "conformance/elsewhere")], &[])?;
    assert_eq!(other.stat(&key("a/1")).await?, None);
    Ok(())
}

pub(crate) async fn a_full_disk_leaves_no_half_object(fresh: &Fresh) -> Result<()> {
    let store = fresh.on_a_small_disk()?;
    let block = Bytes::from(vec![7; 1 << 20]);
    let mut refused = None;
    for number in 0..12 {
        let object = key(&format!("a/{number:02}"));
        if let Err(error) = store.create(&object, vec![block.clone()]).await {
            refused = Some(error);
            break;
        }
    }
    let left = store.list(&key("a")).await;
    let removed = store.remove_all(&key("a")).await;
    let refused = refused.expect("the disk has 6 MiB");
    // rclone's S3 server says no more than that it failed.
    let expected: &[&str] = match fresh.backend {
        Backend::WeakS3 => &["storage_unavailable", "disk_full"],
        _ => &["disk_full"],
    };
    assert!(expected.contains(&refused.code()), "{refused:?}");
    let sizes: Vec<u64> = left?.iter().map(|info| info.size).collect();
    assert!(sizes.iter().all(|size| *size == 1 << 20), "{sizes:?}");
    assert_eq!(removed?.0 as usize, sizes.len());
    Ok(())
}
