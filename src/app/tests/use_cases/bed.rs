//! The bed that every case starts on: a control plane on a fresh database, a node that the case plays, a target and a task.

use crate::faults::Faults;
use async_trait::async_trait;
use backupx_app::{App, AppSettings, NewTarget, Ports};
use backupx_core::domain::access::{StreamKey, TargetAccess};
use backupx_core::domain::account::Principal;
use backupx_core::domain::command::{Lane, Lease};
use backupx_core::domain::id::{NodeId, RecordId, TargetId, TaskId};
use backupx_core::domain::key::ObjectKey;
use backupx_core::domain::manifest::{StoredObject, StoredStream};
use backupx_core::domain::name::Name;
use backupx_core::domain::progress::Progress;
use backupx_core::domain::protocol::{Hello, Poll, ProgressReport, ResultReport};
use backupx_core::domain::record::Record;
use backupx_core::domain::report::{
    BackupReport, CopyReport, Counts, DeleteReport, Failure, Outcome, Report,
};
use backupx_core::domain::secret::WireSecret;
use backupx_core::domain::source::SourceSpec;
use backupx_core::domain::target::TargetKind;
use backupx_core::domain::task::{Compression, Task, TaskSpec};
use backupx_core::domain::time::Timestamp;
use backupx_core::domain::work::{Assignment, Work};
use backupx_core::ports::clock::Clock;
use backupx_core::ports::keys::{KeyPair, SealKeys};
use backupx_core::ports::objects::{Layout, ObjectInfo, ObjectStore, ObjectWriter, StoreOpener};
use backupx_core::{Error, Result};
use backupx_sql::SqlStores;
use bytes::Bytes;
use chrono::{Duration, TimeZone, Utc};
use secrecy::{ExposeSecret, SecretString};
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

/// The root key of the bed's installation.
const ROOT_KEY: [u8; 32] = [7; 32];
/// A folder that is on no host.
pub(crate) const NOWHERE: &str = "/nowhere";

/// A clock that stands still until a case moves it.
pub(crate) struct HandClock(Mutex<Timestamp>);

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Keys that are no cryptography: an identity `identity-N` opens headers `header-N-…`.
struct PlayKeys;

impl SealKeys for PlayKeys {
    fn generate(&self) -> KeyPair {
        KeyPair {
            identity: SecretString::from("identity-7".to_owned()),
            recipient: "recipient-7".to_owned(),
        }
    }

    fn recipient_of(&self, identity: &SecretString) -> Result<String> {
        Ok(identity.expose_secret().replace("identity", "recipient"))
    }

    fn check_recipient(&self, recipient: &str) -> Result<()> {
        match recipient.starts_with("recipient-") {
            true => Ok(()),
            false => Err(Error::invalid("bad_recipient", "it is no recipient")),
        }
    }

    fn unwrap(&self, identity: &SecretString, stream: &str, header: &str) -> Result<StreamKey> {
        let wanted = identity.expose_secret().replace("identity", "header");
        if !header.starts_with(&wanted) {
            return Err(Error::invalid(
                "wrong_key",
                "it was sealed to somebody else",
            ));
        }
        Ok(StreamKey {
            stream: stream.to_owned(),
            file_key: WireSecret::new(format!("key of {header}")),
        })
    }
}

/// Objects in memory, by target and key.
#[derive(Debug, Clone, Default)]
pub(crate) struct Shelf(Arc<Mutex<BTreeMap<String, Bytes>>>);

#[derive(Debug)]
struct ShelfStore {
    shelf: Shelf,
    target: TargetId,
    is_there: bool,
}

impl StoreOpener for Shelf {
    fn open(&self, access: &TargetAccess) -> Result<Arc<dyn ObjectStore>> {
        Ok(Arc::new(ShelfStore {
            is_there: access.config.get("path").is_none_or(|path| path != NOWHERE),
            shelf: self.clone(),
            target: access.id,
        }))
    }
}

impl ShelfStore {
    fn at<T>(
        &self,
        key: &ObjectKey,
        act: impl FnOnce(&mut BTreeMap<String, Bytes>, String) -> T,
    ) -> T {
        let mut objects = self.shelf.0.lock().unwrap_or_else(PoisonError::into_inner);
        act(&mut objects, format!("{}:{key}", self.target))
    }
}

#[async_trait]
impl ObjectStore for ShelfStore {
    fn layout(&self) -> Layout {
        Layout::OneObject
    }

    async fn is_there(&self) -> Result<bool> {
        Ok(self.is_there)
    }

    async fn begin(&self, _key: &ObjectKey) -> Result<Box<dyn ObjectWriter>> {
        Err(Error::internal("no case writes streams"))
    }

    async fn create(&self, key: &ObjectKey, body: Vec<Bytes>) -> Result<()> {
        self.at(key, |objects, at| {
            if objects.contains_key(&at) {
                return Err(Error::conflict("object_exists", "it exists"));
            }
            objects.insert(at, Bytes::from(body.concat()));
            Ok(())
        })
    }

    async fn stat(&self, key: &ObjectKey) -> Result<Option<ObjectInfo>> {
        let found = self.at(key, |objects, at| objects.get(&at).map(Bytes::len));
        Ok(found.map(|size| ObjectInfo {
            key: key.clone(),
            size: size as u64,
            sha256: None,
        }))
    }

    async fn read(&self, key: &ObjectKey, range: Range<u64>) -> Result<Bytes> {
        let found = self.at(key, |objects, at| objects.get(&at).cloned());
        let all = found.ok_or_else(|| Error::not_found("object_not_found", "it is not there"))?;
        let bounds = usize::try_from(range.start)
            .ok()
            .zip(usize::try_from(range.end).ok());
        bounds
            .filter(|(_, end)| *end <= all.len())
            .map(|(start, end)| all.slice(start..end))
            .ok_or_else(|| Error::invalid("short_object", "it is shorter"))
    }

    async fn list(&self, _folder: &ObjectKey) -> Result<Vec<ObjectInfo>> {
        Ok(Vec::new())
    }

    async fn folders(&self, _folder: Option<&ObjectKey>) -> Result<Vec<ObjectKey>> {
        Ok(Vec::new())
    }

    async fn remove(&self, key: &ObjectKey) -> Result<()> {
        self.at(key, |objects, at| drop(objects.remove(&at)));
        Ok(())
    }

    async fn remove_all(&self, _folder: &ObjectKey) -> Result<(u64, u64)> {
        Ok((0, 0))
    }
}

/// A control plane with its stores in a folder of its own.
pub(crate) struct Bed {
    pub(crate) app: App,
    pub(crate) stores: Arc<SqlStores>,
    pub(crate) clock: Arc<HandClock>,
    pub(crate) who: Principal,
    _folder: tempfile::TempDir,
}

impl Bed {
    /// A bed with node 0 only.
    pub(crate) async fn new() -> Result<Self> {
        Self::with_settings(AppSettings::new(ROOT_KEY)).await
    }

    /// A bed of masters that do not run node 0.
    pub(crate) async fn without_local_node() -> Result<Self> {
        Self::with_settings(AppSettings {
            local_node: false,
            ..AppSettings::new(ROOT_KEY)
        })
        .await
    }

    async fn with_settings(settings: AppSettings) -> Result<Self> {
        let folder = tempfile::tempdir()
            .map_err(|e| Error::internal("no folder for the case").with_source(e))?;
        let url = format!("sqlite://{}/backupx.db", folder.path().display());
        let stores = Arc::new(SqlStores::connect(&url).await?);
        let start = Utc
            .with_ymd_and_hms(2026, 11, 23, 12, 0, 0)
            .single()
            .ok_or_else(|| Error::internal("no such instant"))?;
        let clock = Arc::new(HandClock(Mutex::new(start)));
        let app = Self::over(&stores, &clock, settings);
        app.prepare().await?;
        Ok(Self {
            app,
            stores,
            clock,
            who: App::host_principal(),
            _folder: folder,
        })
    }

    /// Another replica over the same stores and the same clock.
    pub(crate) fn replica(&self) -> App {
        self.replica_with(AppSettings::new(ROOT_KEY))
    }

    /// The same with settings of its own.
    pub(crate) fn replica_with(&self, settings: AppSettings) -> App {
        Self::over(&self.stores, &self.clock, settings)
    }

    /// Another replica whose calls to the stores fail when they are told to.
    pub(crate) fn failing_replica(&self, faults: &Faults) -> App {
        let ports = Self::ports(&self.stores, &self.clock);
        App::new(
            crate::faults::with(faults, ports),
            AppSettings::new(ROOT_KEY),
        )
    }

    fn over(stores: &Arc<SqlStores>, clock: &Arc<HandClock>, settings: AppSettings) -> App {
        App::new(Self::ports(stores, clock), settings)
    }

    fn ports(stores: &Arc<SqlStores>, clock: &Arc<HandClock>) -> Ports {
        Ports {
            nodes: stores.clone(),
            targets: stores.clone(),
            tasks: stores.clone(),
            records: stores.clone(),
            operations: stores.clone(),
            logs: stores.clone(),
            events: stores.clone(),
            settings: stores.clone(),
            answers: stores.clone(),
            users: stores.clone(),
            sessions: stores.clone(),
            api_keys: stores.clone(),
            sign_in_guard: stores.clone(),
            queue: stores.clone(),
            presence: stores.clone(),
            signals: stores.clone(),
            clock: clock.clone(),
            keys: Arc::new(PlayKeys),
            opener: Arc::new(Shelf::default()),
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) fn pass(&self, time: Duration) {
        let mut now = self.clock.0.lock().unwrap_or_else(PoisonError::into_inner);
        *now += time;
    }

    /// Adds a node and says hello for it.
    pub(crate) async fn node(&self, name: &str) -> Result<NodeId> {
        let node = self.app.add_node(&self.who, name, &[]).await?.node.node.id;
        self.app.hello(node, Hello::default()).await?;
        Ok(node)
    }

    pub(crate) async fn target(
        &self,
        name: &str,
        kind: &str,
        settings: &[(&str, &str)],
    ) -> Result<TargetId> {
        let settings = settings
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let new = NewTarget {
            name: name.to_owned(),
            kind: TargetKind::parse(kind)?,
            settings,
        };
        Ok(self.app.add_target(&self.who, new).await?.id)
    }

    /// A service that every node reaches, with a secret.
    pub(crate) async fn bucket(&self, name: &str) -> Result<TargetId> {
        let settings = [("bucket", name), ("secretAccessKey", "hunter2-secret")];
        self.target(name, TargetKind::S3, &settings).await
    }

    pub(crate) async fn task(&self, node: NodeId, targets: &[TargetId]) -> Result<Task> {
        self.app
            .add_task(&self.who, spec("web", node, targets)?)
            .await
    }

    pub(crate) async fn record(&self, id: RecordId) -> Result<Record> {
        self.app.record(&self.who, id).await
    }

    /// Takes what there is in the work lane, without waiting.
    pub(crate) async fn take(&self, node: NodeId) -> Result<Vec<Assignment>> {
        take(&self.app, node).await
    }

    /// Takes exactly one command of the work lane.
    pub(crate) async fn take_one(&self, node: NodeId) -> Result<Assignment> {
        let mut taken = self.take(node).await?;
        match (taken.pop(), taken.len()) {
            (Some(one), 0) => Ok(one),
            (_, more) => Err(Error::internal(format!("not one command but {more} more"))),
        }
    }

    /// Reports progress of an assignment: the proof that it arrived.
    pub(crate) async fn progress(&self, node: NodeId, work: &Assignment) -> Result<bool> {
        let report = ProgressReport {
            lease: work.lease,
            progress: Progress::default(),
            log: Vec::new(),
        };
        let answer = self.app.progress(node, work.command_id, report).await?;
        Ok(answer.cancel)
    }

    pub(crate) async fn end(
        &self,
        node: NodeId,
        work: &Assignment,
        outcome: Outcome,
    ) -> Result<()> {
        let report = result_under(work.lease, outcome);
        self.app.result(node, work.command_id, report).await
    }

    /// Runs a task to its end with a good copy on every target.
    pub(crate) async fn run_well(&self, node: NodeId, task: TaskId) -> Result<Record> {
        let record = self.app.run_task(&self.who, task).await?;
        let work = self.take_one(node).await?;
        self.end(node, &work, well(&work)).await?;
        self.record(record.id).await
    }

    /// Sweeps, and carries out every removal that the sweep hands to these nodes, until nothing is left to do.
    pub(crate) async fn settle(&self, nodes: &[NodeId]) -> Result<()> {
        for _ in 0..10 {
            self.app.sweep().await?;
            let mut idle = true;
            for node in nodes {
                for work in self.take(*node).await? {
                    idle = false;
                    self.end(*node, &work, well(&work)).await?;
                }
            }
            if idle {
                return Ok(());
            }
        }
        Err(Error::internal("the bed does not come to rest"))
    }
}

pub(crate) async fn take(app: &App, node: NodeId) -> Result<Vec<Assignment>> {
    let poll = Poll {
        wait_secs: 0,
        free: 8,
        lane: Some(Lane::Work),
    };
    Ok(app.poll(node, poll).await?.commands)
}

pub(crate) fn spec(name: &str, node: NodeId, targets: &[TargetId]) -> Result<TaskSpec> {
    Ok(TaskSpec {
        name: Name::parse("name", name)?,
        node_id: node,
        pool: None,
        source: SourceSpec::File {
            paths: vec!["/srv/data".to_owned()],
            excludes: Vec::new(),
            one_file_system: false,
            skip_cache_dirs: true,
        },
        target_ids: targets.to_vec(),
        schedule: None,
        after: None,
        compression: Compression::Zstd,
        encrypt: true,
        extra_recipients: Vec::new(),
        retention: Default::default(),
        max_unreadable: 10,
        max_cores: None,
        time_limit_secs: None,
        drill: None,
        hooks: Default::default(),
        guard: Default::default(),
        verify: Vec::new(),
    })
}

/// The report of an agent that did all it was asked to.
pub(crate) fn well(work: &Assignment) -> Outcome {
    let report = match &work.work {
        Work::Backup(backup) => Report::Backup(backup_report(
            backup.targets.iter().map(|target| target.id),
            &[],
        )),
        Work::Delete(_) => Report::Delete(DeleteReport::default()),
        Work::Copy(copy) => Report::Copy {
            copies: copy.targets.iter().map(|target| good(target.id)).collect(),
        },
        Work::Restore(_)
        | Work::Verify(_)
        | Work::Drill(_)
        | Work::Browse { .. }
        | Work::TestTarget { .. }
        | Work::TestSource(_)
        | Work::CheckTarget(_)
        | Work::Inventory(_)
        | Work::ListFiles(_)
        | Work::Unknown => return failed("not_played", "no case asks for this"),
    };
    Outcome::Succeeded { report }
}

/// A backup report with a good copy on each target but the `bad` ones.
pub(crate) fn backup_report(
    targets: impl Iterator<Item = TargetId>,
    bad: &[TargetId],
) -> BackupReport {
    let copies = targets
        .map(|target| match bad.contains(&target) {
            false => good(target),
            true => CopyReport {
                target_id: target,
                stored_bytes: 0,
                manifest_sha256: None,
                failure: Some(Failure::new("disk_full", "the disk is full")),
            },
        })
        .collect();
    BackupReport {
        counts: Counts {
            files: 3,
            bytes: 300,
            ..Counts::default()
        },
        streams: ["data", "index"].map(stream).to_vec(),
        copies,
    }
}

fn good(target: TargetId) -> CopyReport {
    CopyReport {
        target_id: target,
        stored_bytes: 250,
        manifest_sha256: Some("a".repeat(64)),
        failure: None,
    }
}

fn stream(name: &str) -> StoredStream {
    StoredStream {
        dump: None,
        stream: name.to_owned(),
        compression: Compression::Zstd,
        raw_bytes: 300,
        stored_bytes: 100,
        sha256: "b".repeat(64),
        age_header: Some(format!("header-7-{name}")),
        objects: vec![StoredObject {
            name: format!("{name}.zst.age"),
            size: 100,
            sha256: "b".repeat(64),
        }],
    }
}

pub(crate) fn failed(code: &str, message: &str) -> Outcome {
    Outcome::Failed {
        failure: Failure::new(code, message),
        report: None,
    }
}

/// The code of an error that must have happened.
pub(crate) fn code<T>(result: Result<T>) -> &'static str {
    match result {
        Ok(_) => "no error",
        Err(error) => error.code(),
    }
}

/// A hello that names these leases.
pub(crate) fn hello(works: &[&Assignment]) -> Hello {
    Hello {
        leases: works
            .iter()
            .map(|work| backupx_core::domain::protocol::HeldLease {
                command_id: work.command_id,
                lease: work.lease,
            })
            .collect(),
        ..Hello::default()
    }
}

/// A report of progress under another lease.
pub(crate) fn progress_under(lease: Lease) -> ProgressReport {
    ProgressReport {
        lease,
        progress: Progress::default(),
        log: Vec::new(),
    }
}

/// A result under a lease.
pub(crate) fn result_under(lease: Lease, outcome: Outcome) -> ResultReport {
    ResultReport {
        lease,
        log: Vec::new(),
        outcome,
    }
}
