//! A tree to back up, places to keep it, and one run from the one to the other.

use backupx_core::Error;
use backupx_core::domain::access::{StreamKey, TargetAccess};
use backupx_core::domain::catalogue::Driver;
use backupx_core::domain::id::{NodeId, RecordId, TargetId, TaskId};
use backupx_core::domain::key::ObjectKey;
use backupx_core::domain::log::Level;
use backupx_core::domain::manifest::Manifest;
use backupx_core::domain::operation::VerifyMode;
use backupx_core::domain::report::{BackupReport, VerifiedCopy};
use backupx_core::domain::secret::WireSecret;
use backupx_core::domain::work::BackupWork;
use backupx_core::ports::keys::{KeyPair, SealKeys};
use backupx_core::ports::objects::StoreOpener;
use backupx_core::ports::observer::{Counters, Observer};
use backupx_core::ports::source::{SourceOpener, StopFlag};
use backupx_engine::{AgeKeys, BackupPlan, Destination, backup, verify};
use backupx_sources::Files;
use backupx_storage::Opener;
use serde_json::json;
use std::fs;
use std::path::Path;
use std::sync::Arc;

/// How a case ends.
pub(crate) type Outcome<T = ()> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// Watches nothing.
#[derive(Default)]
pub(crate) struct Silent(Counters);

impl Observer for Silent {
    fn counters(&self) -> &Counters {
        &self.0
    }

    fn log(&self, _level: Level, _message: String) {}
}

/// A folder as a target.
pub(crate) fn folder(id: i64, path: &Path) -> Outcome<Destination> {
    opened(
        id,
        Driver::Local,
        &[("path", &path.display().to_string())],
        &[],
    )
}

/// A service as a target, below a prefix of this process.
pub(crate) fn service(id: i64, endpoint: &str, prefix: &str) -> Outcome<Destination> {
    let variable = |name: &str, other: &str| {
        std::env::var(format!("BACKUPX_TEST_S3_{name}")).unwrap_or_else(|_| other.to_owned())
    };
    let config = [
        ("endpoint", endpoint),
        ("bucket", &variable("BUCKET", "b")),
        ("accessKeyId", &variable("KEY", "k")),
        ("prefix", &format!("{prefix}-{}", std::process::id())),
    ];
    opened(
        id,
        Driver::S3,
        &config,
        &[("secretAccessKey", &variable("SECRET", "s"))],
    )
}

fn opened(
    id: i64,
    kind: Driver,
    config: &[(&str, &str)],
    secrets: &[(&str, &str)],
) -> Outcome<Destination> {
    let access = TargetAccess {
        id: TargetId(id),
        name: format!("target-{id}"),
        kind,
        config: config
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect(),
        secrets: secrets
            .iter()
            .map(|(k, v)| ((*k).to_owned(), WireSecret::new(*v)))
            .collect(),
        relay: false,
    };
    Ok(Destination {
        target_id: access.id,
        name: access.name.clone(),
        store: Opener::default().open(&access)?,
    })
}

/// Where the runs of these tests lie.
pub(crate) fn location() -> ObjectKey {
    ObjectKey::parse("tree/2026/01/7-20260102T030405Z").expect("a valid key")
}

/// A tree with some of each kind; `large` bytes that do not compress are in it.
pub(crate) fn make_tree(path: &Path, large: usize) -> Outcome {
    fs::create_dir_all(path.join("deep/er"))?;
    fs::write(path.join("hello"), "hello\n")?;
    fs::write(path.join("deep/er/empty"), "")?;
    fs::write(
        path.join("deep/name with spaces and ünïcode"),
        "x".repeat(5000),
    )?;
    let mut state = 88_172_645_463_325_252u64;
    let noise = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    });
    fs::write(
        path.join("noise"),
        noise.flatten().take(large).collect::<Vec<u8>>(),
    )?;
    std::os::unix::fs::symlink("../hello", path.join("deep/link"))?;
    fs::hard_link(path.join("hello"), path.join("deep/again"))?;
    Ok(())
}

/// Backs `tree` up, sealed to `pair`.
pub(crate) async fn back_up(
    tree: &Path,
    pair: &KeyPair,
    destinations: Vec<Destination>,
) -> Result<BackupReport, Error> {
    let task = json!({
        "name": "tree",
        "source": {"type": "file", "paths": [tree]},
        "targetIds": [1],
    });
    let work = BackupWork {
        secrets: Default::default(),
        record_id: RecordId(7),
        task_id: TaskId(1),
        previous_run: None,
        task: serde_json::from_value(task).map_err(|error| Error::internal(error.to_string()))?,
        location: location(),
        created_at: chrono::DateTime::UNIX_EPOCH,
        node_id: NodeId(0),
        node_name: "node".to_owned(),
        targets: Vec::new(),
        recipients: vec![pair.recipient.clone()],
    };
    let source = Files::new(2).open(&work.task.source)?;
    let plan = BackupPlan {
        work,
        hostname: "host".to_owned(),
        cores: 2,
    };
    backup(
        plan,
        source,
        destinations,
        Arc::new(Silent::default()),
        StopFlag::default(),
    )
    .await
}

/// The keys of a stored backup.
pub(crate) fn keys(manifest: &Manifest, pair: &KeyPair) -> Result<Vec<StreamKey>, Error> {
    let sealed = manifest.streams.iter();
    sealed
        .filter_map(|stream| Some((stream, stream.age_header.as_deref()?)))
        .map(|(stream, header)| AgeKeys.unwrap(&pair.identity, &stream.stream, header))
        .collect()
}

/// A full verification.
pub(crate) async fn prove(
    destination: &Destination,
    pair: &KeyPair,
) -> Result<VerifiedCopy, Error> {
    let manifest = backupx_engine::read_manifest(destination.store.as_ref(), &location()).await?;
    let keys = keys(&manifest, pair)?;
    verify(
        &location(),
        &keys,
        VerifyMode::Full,
        destination,
        Arc::new(Silent::default()),
        StopFlag::default(),
    )
    .await
}
