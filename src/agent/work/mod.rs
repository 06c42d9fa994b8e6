//! The work itself: what a command asks for, done with the data path of `backupx_engine`.

mod drill;
mod forecast;
mod limit;
mod relay;
mod targets;

pub use relay::RelayStore;

use crate::config::AgentConfig;
use crate::facts::hostname;
use crate::hooks::Around;
use crate::policy::Policy;
use crate::runtime::{AgentDeps, Job};
use async_trait::async_trait;
use backupx_core::domain::access::TargetAccess;
use backupx_core::domain::log::Level;
use backupx_core::domain::progress::Phase;
use backupx_core::domain::report::{
    BackupReport, Listing, Report, SourceReport, TestReport, TestStep, VerifyReport,
};
use backupx_core::domain::work::{
    BackupWork, CheckWork, CopyWork, DatabaseWork, InventoryWork, ListFilesWork, RestoreWork,
    VerifyWork, Work,
};
use backupx_core::ports::dumps::{Abilities, DatabaseAccess, DumpSource};
use backupx_core::ports::master::MasterLink;
use backupx_core::ports::observer::Observer;
use backupx_core::ports::source::StopFlag;
use backupx_core::{Error, Result};
use backupx_engine::dumps::DumpRestorePlan;
use backupx_engine::restore::RestorePlan;
use backupx_engine::{BackupPlan, Destination};
use forecast::Forecast;
use limit::TimeLimit;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use targets::Targets;
use tokio::time::Instant;

/// How long listing a folder may take: a dead network mount never answers.
const BROWSE: Duration = Duration::from_secs(30);
/// How long any other short question may take.
const SHORT: Duration = Duration::from_secs(120);
/// After how long a look at a target answers with what it has seen so far.
const LOOK: Duration = Duration::from_secs(20);
/// How long a test of a source may take: somebody waits for it.
const TEST_SOURCE: Duration = Duration::from_secs(40);
/// Databases of one answer.
const MOST_DATABASES: usize = 1000;

/// Carries commands out.
#[async_trait]
pub(crate) trait Hands: Send + Sync {
    /// Does `work`, tells `job` how far it is, and ends soon after the job's stop flag is raised. May be dropped at any time.
    async fn carry_out(&self, work: Work, job: Arc<Job>) -> Result<Report>;

    /// Clears away what an earlier life of the agent left on this host. Blocking.
    fn sweep(&self, _stop: &StopFlag) {}

    /// What the host can do beside files. Blocking.
    fn abilities(&self) -> Abilities {
        Abilities::default()
    }
}

/// The hands that really do it.
pub(crate) struct Engine {
    link: Arc<dyn MasterLink>,
    deps: AgentDeps,
    policy: Arc<Policy>,
    cores: usize,
    temp_dir: Option<PathBuf>,
}

#[async_trait]
impl Hands for Engine {
    async fn carry_out(&self, work: Work, job: Arc<Job>) -> Result<Report> {
        match self.admitted(work).await? {
            Work::Backup(work) => Box::pin(self.backup(*work, &job)).await.map(Report::Backup),
            Work::Restore(work) => self.restore(work, &job).await,
            Work::Verify(work) => self.verify(work, &job).await.map(Report::Verify),
            Work::Drill(work) => Box::pin(self.drill(*work, &job)).await,
            Work::Copy(work) => self.copy(work, &job).await,
            Work::Delete(work) => {
                let store = self.targets(&job).open(&work.target)?.store;
                backupx_engine::remove(store.as_ref(), &work.location)
                    .await
                    .map(Report::Delete)
            }
            Work::Browse { path } => self.browse(path).await.map(Report::Browse),
            Work::TestTarget { target } => {
                let report = match self.targets(&job).open(&target) {
                    Ok(destination) => within(SHORT, test(destination)).await,
                    Err(error) => Err(error),
                };
                Ok(Report::TestTarget(
                    report.unwrap_or_else(|error| failed_test(&error)),
                ))
            }
            Work::TestSource(work) => self.test_source(*work, &job).await.map(Report::TestSource),
            Work::CheckTarget(work) => within(SHORT, self.check_target(work, &job)).await,
            Work::Inventory(work) => within(SHORT, self.inventory(work, &job)).await,
            Work::ListFiles(work) => within(SHORT, self.list_files(work, &job)).await,
            Work::Unknown => Err(Error::invalid(
                "agent_outdated",
                format!(
                    "this host runs BackupX {}, which does not know what the master asks for: update it",
                    env!("CARGO_PKG_VERSION")
                ),
            )),
        }
    }

    fn sweep(&self, stop: &StopFlag) {
        self.deps.databases.sweep(self.temp_dir.as_deref(), stop);
    }

    fn abilities(&self) -> Abilities {
        self.deps.databases.abilities()
    }
}

impl Engine {
    pub(crate) fn new(link: Arc<dyn MasterLink>, deps: AgentDeps, config: &AgentConfig) -> Self {
        Self {
            link,
            deps,
            policy: Arc::clone(&config.policy),
            cores: config.cores.max(1),
            temp_dir: config.temp_dir.clone(),
        }
    }

    /// The work, once the host's policy lets it pass. Asks the file system, so it runs where blocking is allowed.
    async fn admitted(&self, mut work: Work) -> Result<Work> {
        let policy = Arc::clone(&self.policy);
        let asked = tokio::task::spawn_blocking(move || policy.admit(&mut work).map(|()| work));
        within(BROWSE, async { asked.await.map_err(broke_down)? }).await
    }

    fn targets(&self, job: &Arc<Job>) -> Targets {
        Targets {
            opener: Arc::clone(&self.deps.opener),
            link: Arc::clone(&self.link),
            job: Arc::clone(job),
        }
    }

    async fn backup(&self, work: BackupWork, job: &Arc<Job>) -> Result<BackupReport> {
        job.counters().enter(Phase::Preparing);
        let (destinations, failed) = self.targets(job).open_all(&work.targets);
        if destinations.is_empty() {
            let first = failed.into_iter().next();
            return Err(first.map_or_else(
                || Error::invalid("no_target", "this backup has no target"),
                |(_, error)| error,
            ));
        }
        let cores = work
            .task
            .max_cores
            .map_or(self.cores, |most| usize::from(most).min(self.cores));
        let limit = TimeLimit::begin(work.task.time_limit_secs(), job);
        let hooks = work.task.hooks.clone();
        let around = Around::new(&self.policy, &hooks, &work, job);
        let made = around.run(Box::pin(self.make(
            work,
            cores,
            destinations,
            job,
            limit.flag(),
        )));
        let made = made.await;
        let mut report = limit.judge(made)?;
        report.copies.extend(targets::failed_copies(failed));
        Ok(report)
    }

    /// Makes the archive of a file task or the dumps of a database task.
    async fn make(
        &self,
        work: BackupWork,
        cores: usize,
        destinations: Vec<Destination>,
        job: &Arc<Job>,
        stop: StopFlag,
    ) -> Result<BackupReport> {
        let source = work.task.source.clone();
        let secrets = work.secrets.clone();
        let plan = BackupPlan {
            work,
            hostname: hostname(),
            cores,
        };
        let observer = self.observer(job);
        if source.is_database() {
            let server = self.database(DatabaseWork { source, secrets })?;
            return backupx_engine::dumps::backup(plan, server, destinations, observer, stop).await;
        }
        let tree = self.deps.sources.open(&source)?;
        let _forecast = Forecast::begin(Arc::clone(&self.deps.sources), source, Arc::clone(job));
        backupx_engine::backup(plan, tree, destinations, observer, stop).await
    }

    fn database(&self, work: DatabaseWork) -> Result<Arc<dyn DumpSource>> {
        self.deps.databases.open(&self.access(work)).map(Arc::from)
    }

    fn access(&self, work: DatabaseWork) -> DatabaseAccess {
        DatabaseAccess {
            spec: work.source,
            secrets: work.secrets,
            temp_dir: self.temp_dir.clone(),
        }
    }

    async fn test_source(&self, work: DatabaseWork, job: &Arc<Job>) -> Result<SourceReport> {
        let server = self.database(work)?;
        // Its own flag: whoever asked waits no longer than the limit, and no tool outlives the answer.
        let limit = TimeLimit::begin(Some(TEST_SOURCE.as_secs()), job);
        let stop = limit.flag();
        let tried = tokio::task::spawn_blocking(move || tried(server.as_ref(), &stop));
        limit.judge(tried.await.map_err(broke_down)?)
    }

    async fn restore(&self, work: RestoreWork, job: &Arc<Job>) -> Result<Report> {
        let sources = self.targets(job).open_some(&work.sources)?;
        if work.dumps {
            return self.restore_dumps(work, sources, job).await;
        }
        let plan = RestorePlan {
            location: work.location,
            keys: work.keys,
            spec: work.spec,
        };
        backupx_engine::restore::restore(plan, sources, self.observer(job), job.stop_flag())
            .await
            .map(Report::Restore)
    }

    async fn restore_dumps(
        &self,
        work: RestoreWork,
        sources: Vec<Destination>,
        job: &Arc<Job>,
    ) -> Result<Report> {
        let mut server_name = String::new();
        let server = match work.database {
            Some(database) => {
                server_name = database.source.place();
                Some(self.database(*database)?)
            }
            None => None,
        };
        let plan = DumpRestorePlan {
            location: work.location,
            keys: work.keys,
            spec: work.spec,
            server,
            server_name,
            names: Default::default(),
        };
        backupx_engine::dumps::restore(plan, sources, self.observer(job), job.stop_flag())
            .await
            .map(Report::Restore)
    }

    /// Every copy is looked at, whatever the others say.
    async fn verify(&self, work: VerifyWork, job: &Arc<Job>) -> Result<VerifyReport> {
        let mut copies = Vec::new();
        let (destinations, failed) = self.targets(job).open_all(&work.targets);
        for destination in &destinations {
            let stop = job.stop_flag();
            let verified = backupx_engine::verify(
                &work.location,
                &work.keys,
                work.mode,
                destination,
                self.observer(job),
                stop.clone(),
            )
            .await;
            copies.push(match verified {
                Ok(copy) => copy,
                Err(error) if stop.is_stopped() => return Err(error),
                Err(error) => {
                    job.log(
                        Level::Error,
                        format!("{}: {}", destination.name, error.chain()),
                    );
                    targets::unverified(destination.target_id, &error)
                }
            });
        }
        copies.extend(
            failed
                .iter()
                .map(|(target, error)| targets::unverified(*target, error)),
        );
        Ok(VerifyReport { copies })
    }

    async fn copy(&self, work: CopyWork, job: &Arc<Job>) -> Result<Report> {
        let targets = self.targets(job);
        let sources = targets.open_some(&work.sources)?;
        let (destinations, failed) = targets.open_all(&work.targets);
        let mut copies = if destinations.is_empty() {
            Vec::new()
        } else {
            backupx_engine::copy(
                &work.location,
                sources,
                destinations,
                self.observer(job),
                job.stop_flag(),
            )
            .await?
        };
        copies.extend(targets::failed_copies(failed));
        Ok(Report::Copy { copies })
    }

    async fn browse(&self, path: String) -> Result<Listing> {
        let sources = Arc::clone(&self.deps.sources);
        let listed = tokio::task::spawn_blocking(move || sources.browse(&path));
        within(BROWSE, async { listed.await.map_err(broke_down)? }).await
    }

    async fn check_target(&self, work: CheckWork, job: &Arc<Job>) -> Result<Report> {
        let place = self.there(&work.target, job).await?;
        let until = Instant::now() + LOOK;
        let (observer, stop) = (self.observer(job), job.stop_flag());
        backupx_engine::check(&place, &work.copies, work.more, until, observer, stop)
            .await
            .map(Report::CheckTarget)
    }

    /// A target whose place is there: nothing that is missing below a folder that is not mounted is lost.
    async fn there(&self, target: &TargetAccess, job: &Arc<Job>) -> Result<Destination> {
        let place = self.targets(job).open(target)?;
        if place.store.is_there().await? {
            return Ok(place);
        }
        Err(Error::not_found(
            "not_found",
            format!("the folder of target {} is not there", target.name),
        ))
    }

    async fn inventory(&self, work: InventoryWork, job: &Arc<Job>) -> Result<Report> {
        let place = self.there(&work.target, job).await?;
        backupx_engine::inventory(
            place.store.as_ref(),
            work.after.as_ref(),
            work.limit as usize,
            Instant::now() + LOOK,
        )
        .await
        .map(Report::Inventory)
    }

    async fn list_files(&self, work: ListFilesWork, job: &Arc<Job>) -> Result<Report> {
        let sources: Vec<Destination> = self.targets(job).open_some(&work.sources)?;
        backupx_engine::list_files(
            &work.location,
            sources,
            &work.keys,
            &work.path,
            work.limit,
            work.after.as_deref(),
        )
        .await
        .map(Report::ListFiles)
    }

    fn observer(&self, job: &Arc<Job>) -> Arc<dyn Observer> {
        Arc::<Job>::clone(job)
    }
}

/// What a server says of itself, and the databases that it has when it lets us in.
fn tried(server: &dyn DumpSource, stop: &StopFlag) -> Result<SourceReport> {
    let steps = server.check(stop);
    if stop.is_stopped() {
        return Err(Error::conflict("cancelled", "the test was stopped"));
    }
    let ok = steps.iter().all(|step| step.ok);
    let mut databases = Vec::new();
    if steps.iter().any(|step| step.ok && step.name == "connect") || ok {
        match server.discover(stop) {
            Ok(found) => databases = found,
            // The steps say what is wrong.
            Err(error) => tracing::debug!(error = error.chain(), "no databases were found"),
        }
    }
    databases.truncate(MOST_DATABASES);
    Ok(SourceReport {
        ok,
        steps,
        databases,
    })
}

/// The result of `call`, or an error when it takes longer than `limit`.
async fn within<T>(limit: Duration, call: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::time::timeout(limit, call).await.unwrap_or_else(|_| {
        Err(Error::unavailable(
            "timed_out",
            format!(
                "no answer from this host's file system or the storage within {} s",
                limit.as_secs()
            ),
        ))
    })
}

fn broke_down(cause: tokio::task::JoinError) -> Error {
    Error::internal("a thread of the agent broke down; its log says more").with_source(cause)
}

async fn test(destination: Destination) -> Result<TestReport> {
    Ok(backupx_engine::test_target(destination.store.as_ref()).await)
}

/// The report about a target that could not even be opened, or that never answered.
fn failed_test(error: &Error) -> TestReport {
    TestReport {
        ok: false,
        steps: vec![TestStep {
            name: "open".to_owned(),
            ok: false,
            message: error.chain(),
            duration_ms: 0,
        }],
        conditional_create: false,
    }
}
