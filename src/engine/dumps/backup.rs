//! A backup of databases: dump after dump, each read once and laid down on all destinations at the same time.

use super::{Marks, Said};
use crate::archive::{IndexWriter, Packed, lift};
use crate::backup::{BackupPlan, ended, head, index_plan, manifest, recipients};
use crate::copies::Copies;
use crate::stop::{cancelled, unless_stopped};
use crate::stream::{self, Compressors, RawWriter, StreamPlan, StreamSummary, object_name};
use crate::{Destination, stop::joined};
use backupx_core::domain::drill::RowCount;
use backupx_core::domain::dump::{Dump, DumpKind, file_names};
use backupx_core::domain::entry::{Entry, EntryKind};
use backupx_core::domain::log::Level;
use backupx_core::domain::manifest::{Manifest, StoredStream};
use backupx_core::domain::progress::Phase;
use backupx_core::domain::report::{BackupReport, Counts};
use backupx_core::ports::dumps::{DumpPlan, DumpSource};
use backupx_core::ports::observer::Observer;
use backupx_core::ports::source::StopFlag;
use backupx_core::{Error, Result};
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio::sync::oneshot;

/// Makes every dump that `source` plans, lays each down on all `destinations`, then confirms every object and writes each manifest last.
///
/// The report says per target whether it has a confirmed copy; it has at least one. An error means that no target has one: a dump failed
/// or was not whole, the run was stopped (`cancelled`), or every destination failed. Whatever was written to a destination without a
/// confirmed copy is removed as far as that is possible.
pub async fn backup(
    plan: BackupPlan,
    source: Arc<dyn DumpSource>,
    destinations: Vec<Destination>,
    observer: Arc<dyn Observer>,
    stop: StopFlag,
) -> Result<BackupReport> {
    let mut copies = Copies::new(&plan.work.location, destinations, Arc::clone(&observer))?;
    let run = Run {
        plan: &plan,
        source,
        observer: &observer,
        stop: &stop,
    };
    let outcome = unless_stopped(&stop, run.go(&mut copies)).await;
    copies.discard_unfinished(&stop).await;
    observer.counters().enter(Phase::Done);
    outcome
}

/// What a run is about.
struct Run<'a> {
    plan: &'a BackupPlan,
    source: Arc<dyn DumpSource>,
    observer: &'a Arc<dyn Observer>,
    stop: &'a StopFlag,
}

/// What was dumped so far.
#[derive(Default)]
struct Dumped {
    streams: Vec<StoredStream>,
    packed: Vec<(String, u64)>,
    row_counts: Vec<RowCount>,
    warned: u64,
    warnings: Vec<String>,
}

impl Run<'_> {
    async fn go(&self, copies: &mut Copies) -> Result<BackupReport> {
        let recipients = recipients(&self.plan.work)?;
        self.observer.counters().enter(Phase::Preparing);
        copies.prepare().await?;
        let planned = self.planned().await?;
        self.observer.counters().enter(Phase::Transferring);
        let total = planned.dumps.len() as u64;
        self.observer
            .counters()
            .total_files
            .store(total, Ordering::Relaxed);
        let compressors = Compressors::start(self.plan.cores)?;
        let mut dumped = Dumped {
            warned: planned.warnings.len() as u64,
            warnings: planned.warnings,
            ..Dumped::default()
        };
        for warning in &dumped.warnings {
            self.observer.log(Level::Warn, warning.clone());
        }
        let files = file_names(&planned.dumps);
        for (dump, file) in planned.dumps.into_iter().zip(files) {
            self.count_rows(&dump, &mut dumped).await?;
            let stream = StreamPlan {
                stream: format!("{}{file}", Manifest::DUMP_PREFIX),
                compression: self.plan.work.task.compression,
                recipients: recipients.clone(),
            };
            self.one(dump, file, &stream, &compressors, copies, &mut dumped)
                .await?;
        }
        let index = index_plan(recipients);
        let lines = self.entries(&dumped.packed);
        let summary = self
            .laid_down(&index, &compressors, copies, move |mut writer| {
                let mut lines_out = IndexWriter::new(&mut writer);
                for line in &lines {
                    lines_out.append(line, 0)?;
                }
                lines_out.finish()?;
                writer.finish()
            })
            .await?
            .1;
        dumped.streams.push(head(&index, None, summary));
        self.observer.counters().enter(Phase::Confirming);
        let packed = dumped.counted();
        let mut manifest = manifest(self.plan, &packed, planned.tools, dumped.streams);
        manifest.row_counts = dumped.row_counts;
        copies.finish(&manifest).await?;
        Ok(BackupReport {
            counts: packed.counts,
            streams: copies.streams(),
            copies: copies.reports(),
        })
    }

    async fn planned(&self) -> Result<DumpPlan> {
        let (source, stop) = (Arc::clone(&self.source), self.stop.clone());
        let planned = joined(tokio::task::spawn_blocking(move || source.plan(&stop))).await?;
        if planned.dumps.is_empty() {
            return Err(Error::invalid(
                "nothing_selected",
                "the source has nothing to dump",
            ));
        }
        Ok(planned)
    }

    /// Counts the rows that the task's drill compares, right before their database is dumped. What can't be counted fails that drill, not
    /// this run.
    async fn count_rows(&self, dump: &Dump, dumped: &mut Dumped) -> Result<()> {
        let Some(drill) = &self.plan.work.task.drill else {
            return Ok(());
        };
        let of = match dump.kind {
            DumpKind::Database => Some(dump.name.as_str()),
            DumpKind::Cluster => None,
            DumpKind::Accounts => return Ok(()),
        };
        for (database, table) in drill.counted(of) {
            let (database, table) = (database.to_owned(), table.to_owned());
            let (source, stop) = (Arc::clone(&self.source), self.stop.clone());
            let counted = tokio::task::spawn_blocking(move || {
                let rows = source.count(&database, &table, &stop);
                Ok((database, table, rows))
            });
            let (database, table, rows) = joined(counted).await?;
            match rows {
                Ok(rows) => dumped.row_counts.push(RowCount {
                    database,
                    table,
                    rows,
                }),
                Err(_) if self.stop.is_stopped() => return Err(cancelled()),
                Err(error) => {
                    let text = format!(
                        "the rows of {table} in {database} could not be counted, so a drill has nothing to compare them with: {}",
                        error.chain()
                    );
                    self.observer.log(Level::Warn, text.clone());
                    dumped.warned += 1;
                    dumped.warnings.push(text);
                }
            }
        }
        Ok(())
    }

    /// Makes one dump.
    async fn one(
        &self,
        dump: Dump,
        file: String,
        stream: &StreamPlan,
        compressors: &Compressors,
        copies: &mut Copies,
        dumped: &mut Dumped,
    ) -> Result<()> {
        self.observer
            .log(Level::Info, format!("dumping {}", dump.name));
        let (source, stop, observer) = (
            Arc::clone(&self.source),
            self.stop.clone(),
            Arc::clone(self.observer),
        );
        let its = dump.clone();
        let (read, summary) = self
            .laid_down(stream, compressors, copies, move |writer| {
                read(source.as_ref(), &its, writer, observer.as_ref(), &stop)
            })
            .await?;
        let (bytes, (warned, warnings)) = read;
        self.observer
            .counters()
            .files
            .fetch_add(1, Ordering::Relaxed);
        self.observer.log(
            Level::Info,
            format!("{} is dumped: {bytes} bytes", dump.name),
        );
        dumped.streams.push(head(stream, Some(dump), summary));
        dumped.packed.push((file, bytes));
        dumped.warned += warned;
        dumped.warnings.extend(warnings);
        dumped.warnings.truncate(super::KEPT_WARNINGS);
        Ok(())
    }

    /// Lays down one stream that `write` writes on a thread of its own, and waits until every destination has it or has failed.
    async fn laid_down<T: Send + 'static>(
        &self,
        plan: &StreamPlan,
        compressors: &Compressors,
        copies: &mut Copies,
        write: impl FnOnce(RawWriter) -> Result<T> + Send + 'static,
    ) -> Result<(T, StreamSummary)> {
        let queues = copies
            .start(&[object_name(plan)])
            .into_iter()
            .next()
            .unwrap_or_default();
        let (writer, summary) =
            stream::start(plan, compressors, queues, Arc::clone(self.observer))?;
        let (outcome_in, outcome) = oneshot::channel();
        stream::spawn("dump".to_owned(), move || {
            // A stopped run does not wait for it.
            let _ = outcome_in.send(write(writer));
        })?;
        let (written, ()) = tokio::join!(outcome, copies.stored());
        if self.stop.is_stopped() {
            return Err(cancelled());
        }
        if copies.all_failed_alone() {
            copies.any_left()?;
        }
        let written =
            written.map_err(|_| Error::internal("making a dump ended unexpectedly"))??;
        let summary = ended(summary).await?;
        copies.any_left()?;
        Ok((written, summary))
    }

    /// What the index says of the dumps: plain files, as a restore into a folder makes them.
    fn entries(&self, dumps: &[(String, u64)]) -> Vec<Entry> {
        let made = self.plan.work.created_at.timestamp();
        let entry = |(file, size): &(String, u64)| Entry {
            path: file.clone().into_bytes(),
            kind: EntryKind::File,
            mode: 0o600,
            uid: 0,
            gid: 0,
            user: None,
            group: None,
            mtime: (made, 0),
            size: *size,
            xattrs: Vec::new(),
            link: None,
            device: None,
            segments: None,
        };
        dumps.iter().map(entry).collect()
    }
}

impl Dumped {
    fn counted(&self) -> Packed {
        let dumps = self.packed.len() as u64;
        Packed {
            counts: Counts {
                entries: dumps,
                files: dumps,
                bytes: self.packed.iter().map(|(_, bytes)| bytes).sum(),
                warnings: self.warned,
                ..Counts::default()
            },
            warnings: self.warnings.clone(),
        }
    }
}

type Warnings = (u64, Vec<String>);

/// Reads one dump to its end. The stream ends only when the source and the stream itself say that it is whole.
fn read(
    source: &dyn DumpSource,
    dump: &Dump,
    writer: RawWriter,
    observer: &dyn Observer,
    stop: &StopFlag,
) -> Result<(u64, Warnings)> {
    let said = Said::new(observer);
    let mut out = Counted {
        writer,
        marks: Marks::new(),
        observer,
    };
    source.read(dump, &mut out, &said, stop)?;
    out.marks.whole(dump)?;
    out.writer.finish()?;
    Ok((out.marks.bytes(), said.warnings()))
}

/// A writer that counts what goes by.
struct Counted<'a> {
    writer: RawWriter,
    marks: Marks,
    observer: &'a dyn Observer,
}

impl Write for Counted<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writer.write_all(bytes).map_err(|error| {
            io::Error::other(lift(
                error,
                "stream_given_up",
                "the dump is not taken any more",
            ))
        })?;
        self.marks.see(bytes);
        self.observer
            .counters()
            .bytes
            .fetch_add(bytes.len() as u64, Ordering::Relaxed);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}
