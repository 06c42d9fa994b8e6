//! What holds of every backend of rclone: it is a child of this process and nothing of it is seen or stays.

use crate::backends::{Fresh, key};
use backupx_core::{Error, ErrorKind, Result};
use bytes::Bytes;
use rustix::process::{Pid, Signal, kill_process};
use std::fs;

fn body() -> Vec<Bytes> {
    vec![Bytes::from_static(b"x")]
}

pub(crate) async fn a_server_that_is_away_is_said_as_such(fresh: &Fresh) -> Result<()> {
    let away = fresh.reopened(
        &[("option.url", "http://127.0.0.1:9"), ("option.port", "9")],
        &[],
    )?;
    let refused = away.list(&key("a")).await.expect_err("nobody is there");
    assert_eq!(
        (refused.kind(), refused.code()),
        (ErrorKind::Unavailable, "storage_unreachable"),
        "{refused:?}"
    );
    Ok(())
}

/// The processes of rclone that serve this one, with their arguments and environment.
fn children() -> Vec<(Pid, String)> {
    let ours = format!("backupx-rclone-{}-", std::process::id());
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let name = entry.file_name();
        let Some(pid) = name
            .to_str()
            .and_then(|name| name.parse().ok())
            .and_then(Pid::from_raw)
        else {
            continue;
        };
        let read = |file: &str| {
            let bytes = fs::read(entry.path().join(file)).unwrap_or_default();
            String::from_utf8_lossy(&bytes).replace('\0', " ")
        };
        let arguments = read("cmdline");
        if arguments.contains(&ours) && arguments.starts_with("rclone") {
            found.push((pid, format!("{arguments} {}", read("environ"))));
        }
    }
    found
}

pub(crate) async fn never_30_no_password_is_seen(fresh: &Fresh) -> Result<()> {
    fresh.store.create(&key("a/1"), body()).await?;
    let children = children();
    assert!(!children.is_empty(), "no rclone was found");
    for (_, seen) in children {
        assert!(!seen.contains("testsecret"), "{seen}");
    }
    Ok(())
}

pub(crate) async fn a_child_that_died_is_started_again(fresh: &Fresh) -> Result<()> {
    fresh.store.create(&key("a/1"), body()).await?;
    for (pid, _) in children() {
        kill_process(pid, Signal::KILL)
            .map_err(|error| Error::internal("it could not be killed").with_source(error))?;
    }
    fresh.store.create(&key("a/2"), body()).await?;
    assert_eq!(fresh.store.read(&key("a/1"), 0..1).await?, "x");
    Ok(())
}

pub(crate) async fn what_reaches_around_the_policy_is_refused(fresh: &Fresh) -> Result<()> {
    for (name, value) in [
        ("backend", "local"),
        ("backend", "alias"),
        ("option.ssh", "touch /tmp/x"),
        ("option.bearer_token_command", "id"),
    ] {
        let refused = fresh.reopened(&[(name, value)], &[]);
        let refused = refused.expect_err("it is no place for backups");
        assert_eq!(refused.field_errors()[0].field, format!("config.{name}"));
    }
    Ok(())
}
