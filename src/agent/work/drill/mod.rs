//! Drills: a backup is restored into a throw-away place, asked whether it holds what it should, and dropped again, however that went.

mod asking;
mod place;

use super::limit::TimeLimit;
use super::{Engine, broke_down};
use crate::runtime::Job;
use asking::Asking;
use backupx_core::domain::drill::{DrillPlace, DrillReport};
use backupx_core::domain::dump::{DatabaseRestore, Dump, DumpKind};
use backupx_core::domain::log::Level;
use backupx_core::domain::manifest::Manifest;
use backupx_core::domain::operation::{Overwrite, RestoreSpec};
use backupx_core::domain::progress::Phase;
use backupx_core::domain::report::{Report, RestoreReport};
use backupx_core::domain::work::DrillWork;
use backupx_core::ports::observer::Observer;
use backupx_core::ports::source::StopFlag;
use backupx_core::{Error, Result};
use backupx_engine::Destination;
use backupx_engine::dumps::DumpRestorePlan;
use backupx_engine::restore::RestorePlan;
use place::{Made, Place};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

/// What a drill may leave free on a file system beside the content: a fresh server takes some, and so do the folders of many files.
const MARGIN: u64 = 128 << 20;

impl Engine {
    /// Drills a backup. What does not hold is in the report; an error means that the drill was stopped.
    pub(super) async fn drill(&self, work: DrillWork, job: &Arc<Job>) -> Result<Report> {
        let began = Instant::now();
        let limit = TimeLimit::begin(Some(work.spec.time_limit_secs()), job);
        let place = work.spec.place.clone().unwrap_or(DrillPlace::Folder);
        let mut report = DrillReport {
            place: place.type_name().to_owned(),
            ..DrillReport::default()
        };
        let drill = Drill {
            engine: self,
            observer: self.observer(job),
            stop: limit.flag(),
            work,
            place,
        };
        let went = match self.targets(job).open_some(&drill.work.sources) {
            Ok(sources) => Box::pin(drill.go(&sources, &mut report)).await,
            Err(error) => Err(error),
        };
        if job.stop_flag().is_stopped() {
            return Err(Error::conflict("cancelled", "the drill was stopped"));
        }
        if let Err(error) = limit.judge(went) {
            job.log(Level::Error, error.chain());
            report.problems.insert(0, error.chain());
        }
        report.total_ms = since(began);
        Ok(Report::Drill(Box::new(report)))
    }
}

/// A drill under way.
struct Drill<'a> {
    engine: &'a Engine,
    observer: Arc<dyn Observer>,
    stop: StopFlag,
    work: DrillWork,
    place: DrillPlace,
}

impl Drill<'_> {
    async fn go(&self, sources: &[Destination], report: &mut DrillReport) -> Result<()> {
        let began = Instant::now();
        self.observer.counters().enter(Phase::Preparing);
        let manifest = self.manifest(sources).await?;
        let chosen = self.chosen(&manifest)?;
        let place = self.make(&manifest, &chosen).await?;
        let done = self
            .inside(&place, sources, &manifest, &chosen, report, began)
            .await;
        // In every case, also when it was stopped; a process that does not live to do it has its next start do it.
        let left = place.clear().await?;
        if let Some(left) = left.into_iter().next() {
            report.problems.push(left);
        }
        done
    }

    async fn inside(
        &self,
        place: &Place,
        sources: &[Destination],
        manifest: &Manifest,
        chosen: &[Dump],
        report: &mut DrillReport,
        began: Instant,
    ) -> Result<()> {
        self.room(place, sources, manifest).await?;
        let is_cluster = chosen.iter().any(|dump| dump.kind == DumpKind::Cluster);
        if !is_cluster {
            place.start(&self.stop).await?;
        }
        report.server = place.describe();
        report.prepare_ms = since(began);
        let began = Instant::now();
        let restored = self.restore(place, sources, chosen).await?;
        if is_cluster {
            place.start(&self.stop).await?;
        }
        report.restore_ms = since(began);
        report.restored_entries = restored.restored_entries;
        report.restored_bytes = restored.restored_bytes;
        report.stored_bytes_read = restored.stored_bytes_read;
        let databases = chosen.iter().filter(|dump| dump.kind != DumpKind::Accounts);
        report.databases = databases.map(|dump| dump.name.clone()).collect();
        report.warnings.clone_from(&restored.warnings);
        whole(&restored)?;

        let began = Instant::now();
        self.observer.counters().enter(Phase::Confirming);
        let asking = Asking {
            server: match self.work.database {
                Some(_) => Some(place.answering(&self.stop).await?),
                None => None,
            },
            names: place.names(),
            is_own_server: place.is_own_server(),
            folder: place.folder(),
            counts: &manifest.row_counts,
            stop: &self.stop,
            observer: &self.observer,
        };
        let asked = asking
            .all(&self.work.spec.assertions, &mut report.answers)
            .await;
        report.assertions_ms = since(began);
        asked
    }

    async fn manifest(&self, sources: &[Destination]) -> Result<Manifest> {
        let mut last = Error::not_found("no_sources", "no target is named that holds a good copy");
        for source in sources {
            let read = backupx_engine::read_manifest(source.store.as_ref(), &self.work.location);
            match read.await {
                Ok(manifest) => return Ok(manifest),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    /// The dumps that are drilled; none of a backup of files.
    fn chosen(&self, manifest: &Manifest) -> Result<Vec<Dump>> {
        if self.work.database.is_none() {
            return Ok(Vec::new());
        }
        let spec = self.restore_spec(manifest)?;
        let chosen = backupx_engine::dumps::chosen(manifest, &spec)?;
        Ok(chosen.into_iter().map(|(dump, _)| dump).collect())
    }

    /// What is restored of dumps. Users and roles come along into a server of our own alone, so that owners exist there, and into no other one
    /// whatever a pattern means.
    fn restore_spec(&self, manifest: &Manifest) -> Result<RestoreSpec> {
        let accounts = matches!(self.place, DrillPlace::Throwaway { .. });
        let only = &self.work.spec.only;
        let mut include = Vec::new();
        if !only.is_empty() {
            let mut databases = 0;
            for (dump, _, file) in manifest.dumps() {
                let is_meant = match dump.kind {
                    DumpKind::Accounts => accounts,
                    DumpKind::Database | DumpKind::Cluster => {
                        only.iter().any(|pattern| dump.is_meant(pattern, file))
                    }
                };
                // The name of its file means it alone.
                include.extend(is_meant.then(|| file.to_owned()));
                databases += u32::from(is_meant && dump.kind != DumpKind::Accounts);
            }
            if databases == 0 {
                return Err(Error::not_found(
                    "nothing_selected",
                    format!("no database in the backup matches {}", only.join(", ")),
                ));
            }
        }
        Ok(RestoreSpec {
            to: None,
            include,
            overwrite: Overwrite::Never,
            dry_run: false,
            database: Some(Box::new(DatabaseRestore {
                accounts,
                ..DatabaseRestore::default()
            })),
        })
    }

    async fn make(&self, manifest: &Manifest, chosen: &[Dump]) -> Result<Place> {
        let opener = Arc::clone(&self.engine.deps.databases);
        let temp_dir = self.engine.temp_dir.clone();
        let access = self
            .work
            .database
            .as_deref()
            .cloned()
            .map(|work| self.engine.access(work));
        let databases: Vec<String> = chosen
            .iter()
            .filter(|dump| dump.kind != DumpKind::Accounts)
            .map(|dump| dump.name.clone())
            .collect();
        let cluster = chosen.iter().find(|dump| dump.kind == DumpKind::Cluster);
        let cluster = cluster.map(|dump| dump.name.clone());
        let version = manifest.tools.get("server").cloned().unwrap_or_default();
        let (place, operation) = (self.place.clone(), self.work.operation_id);
        let stop = self.stop.clone();
        let made = tokio::task::spawn_blocking(move || match (place, access) {
            (DrillPlace::Folder, access) => {
                let scratch = opener.scratch(temp_dir.as_deref())?;
                let server = access.map(|access| opener.open(&access)).transpose()?;
                Ok(Made::folder(scratch, server.map(Arc::from), &databases))
            }
            (DrillPlace::Server { .. }, Some(access)) => {
                let scratch = opener.scratch(temp_dir.as_deref())?;
                let server = opener.open(&access)?;
                Made::server(
                    scratch,
                    Arc::from(server),
                    &access,
                    operation,
                    &databases,
                    &stop,
                )
            }
            (DrillPlace::Throwaway { .. }, Some(access)) => {
                let server = opener.throwaway(&access, &version, &stop)?;
                Ok(Made::throwaway(server, opener, cluster.as_deref()))
            }
            (DrillPlace::Server { .. } | DrillPlace::Throwaway { .. }, None) => Err(
                Error::invalid("unsupported", "files are drilled in a folder"),
            ),
        });
        let made = made.await.map_err(broke_down)??;
        Ok(Place::new(made))
    }

    /// Refuses to begin what would fill a file system of this host.
    async fn room(
        &self,
        place: &Place,
        sources: &[Destination],
        manifest: &Manifest,
    ) -> Result<()> {
        let Some((folder, free)) = place.room()? else {
            return Ok(());
        };
        let needed = match (&self.work.database, self.work.spec.only.is_empty()) {
            (_, true) => manifest.counts.bytes,
            (Some(_), false) => {
                let spec = self.restore_spec(manifest)?;
                let chosen = backupx_engine::dumps::chosen(manifest, &spec)?;
                chosen.iter().map(|(_, bytes)| bytes).sum()
            }
            (None, false) => {
                let rehearsed = self.files(sources, &folder, DryRun::Yes).await?;
                rehearsed.restored_bytes
            }
        };
        let needed = needed.saturating_add(MARGIN);
        if free >= needed {
            return Ok(());
        }
        Err(Error::unavailable(
            "disk_full",
            format!(
                "there is no room for it: about {} MiB are needed, and {} has {} MiB free; let the agent use another folder (tempDir), or drill a part of it (only)",
                needed >> 20,
                folder.display(),
                free >> 20
            ),
        ))
    }

    async fn restore(
        &self,
        place: &Place,
        sources: &[Destination],
        chosen: &[Dump],
    ) -> Result<RestoreReport> {
        if chosen.is_empty() {
            let folder = place.folder().ok_or_else(no_place)?;
            return self.files(sources, &folder, DryRun::No).await;
        }
        let manifest = self.manifest(sources).await?;
        let plan = DumpRestorePlan {
            location: self.work.location.clone(),
            keys: self.work.keys.clone(),
            spec: self.restore_spec(&manifest)?,
            server: Some(place.restoring()?),
            server_name: place.describe().unwrap_or_default(),
            names: place.names(),
        };
        let observer = Arc::clone(&self.observer);
        backupx_engine::dumps::restore(plan, sources.to_vec(), observer, self.stop.clone()).await
    }

    async fn files(
        &self,
        sources: &[Destination],
        folder: &Path,
        dry_run: DryRun,
    ) -> Result<RestoreReport> {
        let to = folder.to_str().ok_or_else(|| {
            Error::invalid("temp_failed", "the temporary folder's path is no UTF-8")
        })?;
        let plan = RestorePlan {
            location: self.work.location.clone(),
            keys: self.work.keys.clone(),
            spec: RestoreSpec {
                to: Some(to.to_owned()),
                include: self.work.spec.only.clone(),
                overwrite: Overwrite::Never,
                dry_run: dry_run == DryRun::Yes,
                database: None,
            },
        };
        let observer = Arc::clone(&self.observer);
        backupx_engine::restore::restore(plan, sources.to_vec(), observer, self.stop.clone()).await
    }
}

/// Whether a restore only says what it would do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum DryRun {
    Yes,
    No,
}

/// A restore that left something out proves nothing (never 4).
fn whole(restored: &RestoreReport) -> Result<()> {
    let missing = restored.failed_entries.max(
        restored
            .selected_entries
            .saturating_sub(restored.restored_entries),
    );
    if missing == 0 {
        return Ok(());
    }
    let first = restored.warnings.first().map_or("", String::as_str);
    Err(Error::invalid(
        "restore_incomplete",
        format!(
            "{missing} of {} entries were not restored whole; the first: {first}",
            restored.selected_entries
        ),
    ))
}

fn no_place() -> Error {
    Error::internal("a drill of files has no folder")
}

fn since(began: Instant) -> u64 {
    u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX)
}

/// The names under which databases are found by those that they had.
type Names = BTreeMap<String, String>;
