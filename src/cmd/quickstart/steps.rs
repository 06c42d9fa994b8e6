//! The steps of the quickstart, each through the same use-cases that the API calls.

use super::compare::{Comparison, Owners, Scope};
use crate::cmd::display::Display;
use crate::cmd::failure::say;
use anyhow::{Context, Result, bail};
use backupx_app::{App, NewTarget};
use backupx_core::domain::account::Principal;
use backupx_core::domain::id::{OperationId, RecordId, TargetId, TaskId};
use backupx_core::domain::name::Name;
use backupx_core::domain::operation::{
    Operation, OperationState, Overwrite, RestoreSpec, VerifyMode,
};
use backupx_core::domain::record::{Record, RecordState};
use backupx_core::domain::retention::RetentionPolicy;
use backupx_core::domain::source::SourceSpec;
use backupx_core::domain::target::TargetKind;
use backupx_core::domain::task::{Compression, TaskSpec};
use secrecy::{ExposeSecret, SecretString};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

/// What the target and the task are called.
const NAME: &str = "quickstart";
/// The administrator's name.
const ADMIN: &str = "admin";
/// How often a run is looked at.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// What the journey found.
pub(super) struct Found {
    pub(super) paths: Vec<PathBuf>,
    pub(super) record: Record,
    pub(super) stored_in: PathBuf,
    pub(super) backup_time: Duration,
    pub(super) verify_time: Duration,
    pub(super) restore_time: Duration,
    pub(super) restored_to: PathBuf,
    pub(super) comparison: Comparison,
    /// The new administrator's name and password; absent when there was one already.
    pub(super) admin: Option<(String, SecretString)>,
}

/// The main job, step by step.
pub(super) struct Journey {
    app: Arc<App>,
    host: Principal,
    data_dir: PathBuf,
    paths: Vec<PathBuf>,
}

impl Journey {
    /// A journey over `paths` on this master.
    pub(super) fn new(app: Arc<App>, data_dir: PathBuf, paths: Vec<PathBuf>) -> Self {
        Self {
            app,
            host: App::host_principal(),
            data_dir,
            paths,
        }
    }

    /// Backs up, verifies, restores beside, compares.
    pub(super) async fn travel(&self) -> Result<Found> {
        let admin = self.admin().await?;
        let storage = self.data_dir.join("storage");
        let target = self.target(&storage).await?;
        let task = self.task(target).await?;

        let since = now();
        let (record, backup_time) = self.back_up(task).await?;
        let verify = self
            .app
            .verify_record(&self.host, record.id, VerifyMode::Full, &[])
            .await?;
        let (_, verify_time) = self.operation("Verifying", verify.id).await?;
        let restored_to = self.data_dir.join("restored").join(record.id.to_string());
        let restore_time = self.restore(record.id, &restored_to).await?;
        let comparison = self.compare(restored_to.clone(), since).await?;
        let stored_in = storage.join(record.location.as_str());
        Ok(Found {
            paths: self.paths.clone(),
            record,
            stored_in,
            backup_time,
            verify_time,
            restore_time,
            restored_to,
            comparison,
            admin,
        })
    }

    async fn admin(&self) -> Result<Option<(String, SecretString)>> {
        if self.app.is_set_up().await? {
            return Ok(None);
        }
        let password = SecretString::from(hex::encode(rand::random::<[u8; 10]>()));
        self.app.create_admin(ADMIN, &password).await?;
        Ok(Some((ADMIN.to_owned(), password)))
    }

    async fn target(&self, storage: &Path) -> Result<TargetId> {
        match self.app.target_named(&self.host, NAME).await {
            Ok(target) => return Ok(target.id),
            Err(error) if error.kind() == backupx_core::ErrorKind::NotFound => {}
            Err(error) => return Err(error.into()),
        }
        let path = storage
            .to_str()
            .context("the data dir's path is no UTF-8")?;
        let settings = BTreeMap::from([("path".to_owned(), path.to_owned())]);
        let new = NewTarget {
            name: NAME.to_owned(),
            kind: TargetKind::parse(TargetKind::LOCAL)?,
            settings,
        };
        Ok(self.app.add_target(&self.host, new).await?.id)
    }

    async fn task(&self, target: TargetId) -> Result<TaskId> {
        let spec = self.spec(target)?;
        match self.app.task_named(&self.host, NAME).await {
            Ok(task) => Ok(self
                .app
                .update_task(&self.host, task.id, task.version, spec)
                .await?
                .id),
            Err(error) if error.kind() == backupx_core::ErrorKind::NotFound => {
                Ok(self.app.add_task(&self.host, spec).await?.id)
            }
            Err(error) => Err(error.into()),
        }
    }

    fn spec(&self, target: TargetId) -> Result<TaskSpec> {
        let text = |path: &Path| {
            path.to_str()
                .map(str::to_owned)
                .context("a path is no UTF-8")
        };
        let covers_data_dir = self
            .paths
            .iter()
            .any(|path| self.data_dir.starts_with(path));
        Ok(TaskSpec {
            name: Name::parse("name", NAME)?,
            node_id: backupx_core::domain::id::NodeId::LOCAL,
            pool: None,
            source: SourceSpec::File {
                paths: self
                    .paths
                    .iter()
                    .map(|path| text(path))
                    .collect::<Result<_>>()?,
                excludes: if covers_data_dir {
                    vec![literal(&text(&self.data_dir)?)]
                } else {
                    Vec::new()
                },
                one_file_system: false,
                skip_cache_dirs: false,
            },
            target_ids: vec![target],
            schedule: None,
            after: None,
            compression: Compression::Zstd,
            encrypt: true,
            extra_recipients: Vec::new(),
            retention: RetentionPolicy::default(),
            max_unreadable: 100,
            max_cores: None,
            time_limit_secs: None,
            drill: None,
            hooks: Default::default(),
            guard: Default::default(),
            verify: Vec::new(),
        })
    }

    async fn back_up(&self, task: TaskId) -> Result<(Record, Duration)> {
        let begun = Instant::now();
        let started = self.app.run_task(&self.host, task).await?;
        let mut display = Display::new();
        let record = loop {
            let record = self.app.record(&self.host, started.id).await?;
            display.show_own("Backing up", &record.progress.into());
            if record.state.is_final() {
                break record;
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        };
        let took = begun.elapsed();
        display.end("Backing up");
        if record.state != RecordState::Success {
            self.say_log(started.id).await?;
            bail!(
                "the backup ended as {}: {}",
                record.state.as_str(),
                reason(record.failure.as_ref())
            );
        }
        Ok((record, took))
    }

    async fn restore(&self, record: RecordId, to: &Path) -> Result<Duration> {
        let spec = RestoreSpec {
            database: None,
            to: Some(
                to.to_str()
                    .context("the data dir's path is no UTF-8")?
                    .to_owned(),
            ),
            include: Vec::new(),
            overwrite: Overwrite::Always,
            dry_run: false,
        };
        let operation = self
            .app
            .restore_record(&self.host, record, None, spec)
            .await?;
        Ok(self.operation("Restoring", operation.id).await?.1)
    }

    async fn operation(&self, doing: &str, id: OperationId) -> Result<(Operation, Duration)> {
        let begun = Instant::now();
        let mut display = Display::new();
        let operation = loop {
            let operation = self.app.operation(&self.host, id).await?;
            display.show_own(doing, &operation.progress.into());
            if operation.state.is_final() {
                break operation;
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        };
        let took = begun.elapsed();
        display.end(doing);
        if operation.state != OperationState::Success {
            bail!(
                "{} ended as {}: {}",
                doing.to_lowercase(),
                operation.state.as_str(),
                reason(operation.failure.as_ref())
            );
        }
        Ok((operation, took))
    }

    async fn compare(&self, restored: PathBuf, since: SystemTime) -> Result<Comparison> {
        let display = Display::new();
        let (paths, data_dir) = (self.paths.clone(), self.data_dir.clone());
        let whole = tokio::task::spawn_blocking(move || {
            let owners = if rustix::process::geteuid().is_root() {
                Owners::Compare
            } else {
                Owners::Ignore
            };
            let left_out = if paths.iter().any(|path| data_dir.starts_with(path)) {
                data_dir
            } else {
                PathBuf::new()
            };
            let scope = Scope {
                restored: &restored,
                left_out: &left_out,
                since,
                owners,
            };
            let mut whole = Comparison::default();
            for path in &paths {
                whole.add(scope.compare(path)?);
            }
            anyhow::Ok(whole)
        })
        .await
        .context("the comparison panicked")??;
        display.end("Comparing");
        Ok(whole)
    }

    async fn say_log(&self, record: RecordId) -> Result<()> {
        for line in self.app.record_log(&self.host, record, 0, 500).await? {
            say(&format!(
                "  {} {}",
                line.line.level.as_str(),
                line.line.message
            ));
        }
        Ok(())
    }
}

impl Found {
    /// The line that signs a newcomer in.
    pub(super) fn sign_in(&self) -> Option<(&str, &str)> {
        self.admin
            .as_ref()
            .map(|(name, password)| (name.as_str(), password.expose_secret()))
    }
}

fn reason(failure: Option<&backupx_core::domain::report::Failure>) -> &str {
    failure.map_or("no reason was given", |failure| failure.message.as_str())
}

#[expect(
    clippy::disallowed_methods,
    reason = "compared with times that the file system gave, not with the master's"
)]
fn now() -> SystemTime {
    SystemTime::now()
}

/// A path as a pattern that matches it alone.
fn literal(path: &str) -> String {
    let mut pattern = String::with_capacity(path.len());
    for character in path.chars() {
        if matches!(character, '\\' | '*' | '?' | '[' | ']' | '{' | '}') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern
}
