//! Restoring dumps: into a database server, or as files into a folder.

use super::lay_out::LaidOut;
use super::{Marks, Said};
use crate::restore::stopped;
use crate::stop::joined;
use crate::stream::RawStream;
use crate::{Destination, manifest, stream};
use backupx_core::domain::access::StreamKey;
use backupx_core::domain::dump::{DatabaseRestore, Dump, DumpKind};
use backupx_core::domain::key::ObjectKey;
use backupx_core::domain::log::Level;
use backupx_core::domain::manifest::Manifest;
use backupx_core::domain::operation::{Overwrite, RestoreSpec};
use backupx_core::domain::progress::Phase;
use backupx_core::domain::report::RestoreReport;
use backupx_core::ports::dumps::{DumpSource, Existing, PutBack};
use backupx_core::ports::observer::Observer;
use backupx_core::ports::source::StopFlag;
use backupx_core::{Error, Result};
use std::collections::BTreeMap;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// What is to be put back.
pub struct DumpRestorePlan {
    /// The record's folder.
    pub location: ObjectKey,
    /// Keys of its sealed streams.
    pub keys: Vec<StreamKey>,
    /// What and how.
    pub spec: RestoreSpec,
    /// The server that it goes into; not needed for a restore into a folder.
    pub server: Option<Arc<dyn DumpSource>>,
    /// What to call the server in the report.
    pub server_name: String,
    /// Names that databases get by those that they had; what is not in it keeps its own, or gets the one that `spec` says.
    pub names: BTreeMap<String, String>,
}

/// The dumps of a backup that a restore as `spec` says would put back, with their bytes.
pub fn chosen(manifest: &Manifest, spec: &RestoreSpec) -> Result<Vec<(Dump, u64)>> {
    let chosen = choose(manifest, spec)?.into_iter();
    Ok(chosen.map(|dump| (dump.dump, dump.bytes)).collect())
}

/// Restores from the first of `sources` that can be read; a dump that breaks off while it is read is begun again from the next.
///
/// Every chosen dump is there as a whole, or it is an error: `nothing_selected`, `database_exists`, `restore_failed`, `disk_full`,
/// `stream_damaged`, `cancelled`. What was restored before the error stays, and the run's log says what that is.
pub async fn restore(
    plan: DumpRestorePlan,
    sources: Vec<Destination>,
    observer: Arc<dyn Observer>,
    stop: StopFlag,
) -> Result<RestoreReport> {
    observer.counters().enter(Phase::Preparing);
    let mut opened = open_all(&plan, &sources, &observer).await?;
    let first = &opened[0].manifest;
    let chosen = choose(first, &plan.spec)?;
    let restoration = Restoration {
        report: RestoreReport {
            selected_entries: chosen.len() as u64,
            selected_bytes: chosen.iter().map(|dump| dump.bytes).sum(),
            to: plan
                .spec
                .to
                .clone()
                .unwrap_or_else(|| plan.server_name.clone()),
            ..RestoreReport::default()
        },
        plan,
        observer: Arc::clone(&observer),
        stop,
    };
    let counters = observer.counters();
    counters
        .total_files
        .store(chosen.len() as u64, Ordering::Relaxed);
    counters
        .total_bytes
        .store(restoration.report.selected_bytes, Ordering::Relaxed);
    counters.enter(Phase::Transferring);
    let restored = joined(tokio::task::spawn_blocking(move || {
        restoration.all(&chosen, &mut opened)
    }))
    .await?;
    counters.enter(Phase::Done);
    Ok(restored)
}

/// A dump that is restored.
struct ChosenDump {
    dump: Dump,
    stream: String,
    file: String,
    bytes: u64,
}

/// A copy with its opened streams, by name.
struct OpenedCopy {
    name: String,
    manifest: Manifest,
    streams: Vec<(String, Arc<dyn RawStream>)>,
}

async fn open_all(
    plan: &DumpRestorePlan,
    sources: &[Destination],
    observer: &Arc<dyn Observer>,
) -> Result<Vec<OpenedCopy>> {
    let mut opened = Vec::new();
    let mut last = Error::not_found("no_sources", "no target is named that holds a good copy");
    for source in sources {
        match open(plan, source).await {
            Ok(copy) => opened.push(copy),
            Err(error) if error.code() == "nothing_selected" => return Err(error),
            Err(error) => {
                observer.log(
                    Level::Warn,
                    format!("{} can't be read: {}", source.name, error.chain()),
                );
                last = error;
            }
        }
    }
    if opened.is_empty() {
        Err(last)
    } else {
        Ok(opened)
    }
}

async fn open(plan: &DumpRestorePlan, source: &Destination) -> Result<OpenedCopy> {
    let manifest = manifest::read_manifest(source.store.as_ref(), &plan.location).await?;
    let mut streams = Vec::new();
    for chosen in choose(&manifest, &plan.spec)? {
        let stream = stream::open(
            source,
            &plan.location,
            &manifest,
            &chosen.stream,
            &plan.keys,
        )
        .await?;
        streams.push((chosen.stream, stream));
    }
    Ok(OpenedCopy {
        name: source.name.clone(),
        manifest,
        streams,
    })
}

/// The dumps that a restore means. Accounts are meant when they are asked for: by their name, or with everything else.
fn choose(manifest: &Manifest, spec: &RestoreSpec) -> Result<Vec<ChosenDump>> {
    let how = spec.database.clone().unwrap_or_default();
    let into_folder = spec.to.is_some();
    let is_meant = |dump: &Dump, file: &str| match (spec.include.is_empty(), dump.kind) {
        (true, DumpKind::Database | DumpKind::Cluster) => true,
        (true, DumpKind::Accounts) => into_folder || how.accounts,
        (false, _) => spec
            .include
            .iter()
            .any(|pattern| dump.is_meant(pattern, file)),
    };
    let chosen: Vec<_> = manifest
        .dumps()
        .filter(|(dump, _, file)| is_meant(dump, file))
        .map(|(dump, stream, file)| ChosenDump {
            dump: dump.clone(),
            stream: stream.stream.clone(),
            file: file.to_owned(),
            bytes: stream.raw_bytes,
        })
        .collect();
    if chosen.is_empty() {
        let names: Vec<_> = manifest
            .dumps()
            .map(|(dump, _, _)| dump.name.as_str())
            .take(20)
            .collect();
        return Err(Error::not_found(
            "nothing_selected",
            format!(
                "no database in the backup matches {}; it has {}",
                spec.include.join(", "),
                names.join(", ")
            ),
        ));
    }
    let databases = chosen
        .iter()
        .filter(|dump| dump.dump.kind != DumpKind::Accounts)
        .count();
    if how.rename.is_some() && databases != 1 {
        return Err(Error::field(
            "database.rename",
            format!(
                "a new name is for one database, and {databases} are chosen; name it with --include"
            ),
        ));
    }
    Ok(chosen)
}

struct Restoration {
    plan: DumpRestorePlan,
    observer: Arc<dyn Observer>,
    stop: StopFlag,
    report: RestoreReport,
}

impl Restoration {
    fn all(mut self, chosen: &[ChosenDump], copies: &mut [OpenedCopy]) -> Result<RestoreReport> {
        for dump in chosen {
            self.one(dump, copies)?;
        }
        let read = copies.iter().flat_map(|copy| &copy.streams);
        self.report.stored_bytes_read = read.map(|(_, stream)| stream.stored_bytes_read()).sum();
        Ok(self.report)
    }

    /// One dump, from the first copy that can be read to its end.
    fn one(&mut self, chosen: &ChosenDump, copies: &mut [OpenedCopy]) -> Result<()> {
        if self.stop.is_stopped() {
            return Err(stopped());
        }
        if self.plan.spec.dry_run {
            return self.rehearse(chosen, copies);
        }
        let mut last = Error::internal("no copy is open");
        for copy in copies {
            let Some((_, stream)) = copy.streams.iter().find(|(name, _)| *name == chosen.stream)
            else {
                continue;
            };
            let before = self.observer.counters().bytes.load(Ordering::Relaxed);
            let mut input = Input {
                raw: stream.open_at(0)?,
                left: chosen.bytes,
                marks: Marks::new(),
                failed: false,
                observer: Arc::clone(&self.observer),
            };
            match self.from(chosen, copy.manifest.created_at, &mut input) {
                Ok(()) => return Ok(()),
                Err(error) if input.failed && !self.stop.is_stopped() => {
                    let text = format!(
                        "{} can't be read from {}: {}",
                        chosen.dump.name,
                        copy.name,
                        error.chain()
                    );
                    self.observer.log(Level::Warn, text);
                    self.observer
                        .counters()
                        .bytes
                        .store(before, Ordering::Relaxed);
                    last = error;
                }
                Err(error) => return Err(self.told(chosen, &error)),
            }
        }
        Err(last)
    }

    fn from(
        &mut self,
        chosen: &ChosenDump,
        made_at: backupx_core::domain::time::Timestamp,
        input: &mut Input,
    ) -> Result<()> {
        let name = &chosen.dump.name;
        match &self.plan.spec.to {
            Some(folder) => {
                let file = self.laid_out(chosen, Path::new(folder), made_at);
                if !file.would_write()? {
                    self.observer.log(
                        Level::Info,
                        format!("{} is there already and stays", chosen.file),
                    );
                    self.report.kept_entries += 1;
                    return Ok(());
                }
                file.write(input, &self.stop)?;
            }
            None => {
                let server = self.plan.server.as_ref().ok_or_else(no_server)?;
                let how = self.put_back(&chosen.dump)?;
                let called = if how.name == *name {
                    String::new()
                } else {
                    format!(" as {}", how.name)
                };
                self.observer
                    .log(Level::Info, format!("restoring {name}{called}"));
                let observer = Arc::clone(&self.observer);
                let said = Said::new(observer.as_ref());
                server.put_back(&chosen.dump, input, &how, &said, &self.stop)?;
                let (_, warnings) = said.warnings();
                self.report.warnings.extend(warnings);
                self.report.warnings.truncate(super::KEPT_WARNINGS);
            }
        }
        // Nothing is restored of which a part was left unread (never 4).
        input.ended(&chosen.dump)?;
        self.report.restored_entries += 1;
        self.report.restored_bytes += chosen.bytes;
        self.observer
            .counters()
            .files
            .fetch_add(1, Ordering::Relaxed);
        self.observer.log(
            Level::Info,
            format!("{name} is restored: {} bytes", chosen.bytes),
        );
        Ok(())
    }

    fn rehearse(&mut self, chosen: &ChosenDump, copies: &[OpenedCopy]) -> Result<()> {
        let made_at = copies
            .first()
            .map(|copy| copy.manifest.created_at)
            .unwrap_or_default();
        let (writes, what) = match &self.plan.spec.to {
            Some(folder) => {
                let file = self.laid_out(chosen, Path::new(folder), made_at);
                (
                    file.would_write()?,
                    format!("{}/{}", folder.trim_end_matches('/'), chosen.file),
                )
            }
            None => (true, self.put_back(&chosen.dump)?.name),
        };
        if writes {
            self.report.would_write.push(what);
            self.report.restored_entries += 1;
            self.report.restored_bytes += chosen.bytes;
        } else {
            self.report.kept_entries += 1;
        }
        Ok(())
    }

    fn laid_out<'a>(
        &self,
        chosen: &'a ChosenDump,
        folder: &'a Path,
        made_at: backupx_core::domain::time::Timestamp,
    ) -> LaidOut<'a> {
        LaidOut {
            folder,
            file: &chosen.file,
            size: chosen.bytes,
            made_at,
            overwrite: self.plan.spec.overwrite,
        }
    }

    fn put_back(&self, dump: &Dump) -> Result<PutBack> {
        let how: DatabaseRestore = *self.plan.spec.database.clone().unwrap_or_default();
        let name = match dump.kind {
            DumpKind::Database | DumpKind::Cluster => {
                let renamed = self.plan.names.get(&dump.name).cloned();
                renamed
                    .or(how.rename.clone())
                    .unwrap_or_else(|| dump.name.clone())
            }
            DumpKind::Accounts => dump.name.clone(),
        };
        Ok(PutBack {
            until: how.recovery_target()?,
            wal_archive: how.wal_archive,
            name,
            existing: match self.plan.spec.overwrite {
                Overwrite::Always => Existing::Replace,
                Overwrite::Never | Overwrite::IfChanged => Existing::Refuse,
            },
            tables: how.tables,
            jobs: how.jobs.max(1),
        })
    }

    /// The error with what was done before it.
    fn told(&self, chosen: &ChosenDump, error: &Error) -> Error {
        let done = self.report.restored_entries;
        let before = if done == 0 {
            String::new()
        } else {
            format!(
                " ({done} of {} were restored before it)",
                self.report.selected_entries
            )
        };
        Error::new(
            error.kind(),
            error.code(),
            format!("{}{before}: {}", chosen.dump.name, error.chain()),
        )
    }
}

fn no_server() -> Error {
    Error::invalid(
        "no_server",
        "the restore names no server to restore into; name one, or a folder with --to",
    )
}

/// A dump on its way back.
struct Input {
    raw: Box<dyn Read + Send>,
    left: u64,
    marks: Marks,
    failed: bool,
    observer: Arc<dyn Observer>,
}

impl Input {
    /// Reads what is left, which a tool may not want any more, and looks whether it was whole.
    fn ended(&mut self, dump: &Dump) -> Result<()> {
        io::copy(self, &mut io::sink()).map_err(|error| {
            crate::archive::lift(error, "stream_damaged", "the dump can't be read")
        })?;
        self.marks.whole(dump)
    }
}

impl Read for Input {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self
            .raw
            .read(buffer)
            .and_then(|count| match (count, self.left) {
                (0, 1..) if !buffer.is_empty() => Err(io::Error::other(Error::invalid(
                    "stream_damaged",
                    format!("{} bytes are missing at the end of the dump", self.left),
                ))),
                (count, _) => Ok(count),
            });
        match &read {
            Ok(count) => {
                self.left = self.left.saturating_sub(*count as u64);
                self.marks.see(&buffer[..*count]);
                let counters = self.observer.counters();
                counters.bytes.fetch_add(*count as u64, Ordering::Relaxed);
            }
            Err(error) => self.failed |= error.kind() != io::ErrorKind::Interrupted,
        }
        read
    }
}
