//! A backup: one source, read once, on several destinations at the same time.

use crate::Destination;
use crate::archive::{self, Packed};
use crate::copies::Copies;
use crate::keys::{encode_header, parse_recipients};
use crate::stop::{cancelled, unless_stopped};
use crate::stream::{
    self, Compressors, DATA, INDEX, RawWriter, StreamPlan, StreamSummary, object_name,
};
use backupx_core::domain::dump::Dump;
use backupx_core::domain::manifest::{Manifest, ManifestNode, ManifestTask, StoredStream};
use backupx_core::domain::progress::Phase;
use backupx_core::domain::report::BackupReport;
use backupx_core::domain::task::Compression;
use backupx_core::domain::time::Timestamp;
use backupx_core::domain::work::BackupWork;
use backupx_core::ports::observer::Observer;
use backupx_core::ports::source::{EntrySource, StopFlag};
use backupx_core::{Error, Result};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::oneshot;

/// What a backup is to do.
#[derive(Debug, Clone)]
pub struct BackupPlan {
    /// The claimed work; its `targets` are not looked at, the destinations are given opened.
    pub work: BackupWork,
    /// The host's own name, for the manifest.
    pub hostname: String,
    /// How many processor cores compress.
    pub cores: usize,
}

/// Reads `source` once and lays it down on all `destinations`, then confirms every object and writes each manifest last.
///
/// The report says per target whether it has a confirmed copy; it has at least one. An error means that no target has one:
/// the source failed, too much of it was unreadable (`too_many_unreadable`), the run was stopped (`cancelled`), or every
/// destination failed. Whatever was written to a destination without a confirmed copy is removed as far as that is possible.
pub async fn backup(
    plan: BackupPlan,
    source: Box<dyn EntrySource>,
    destinations: Vec<Destination>,
    observer: Arc<dyn Observer>,
    stop: StopFlag,
) -> Result<BackupReport> {
    let streams = stream_plans(&plan.work)?;
    let mut copies = Copies::new(&plan.work.location, destinations, Arc::clone(&observer))?;
    let running = run(&plan, &streams, source, &mut copies, &observer, &stop);
    let outcome = unless_stopped(&stop, running).await;
    copies.discard_unfinished(&stop).await;
    observer.counters().enter(Phase::Done);
    outcome
}

async fn run(
    plan: &BackupPlan,
    streams: &[StreamPlan],
    source: Box<dyn EntrySource>,
    copies: &mut Copies,
    observer: &Arc<dyn Observer>,
    stop: &StopFlag,
) -> Result<BackupReport> {
    observer.counters().enter(Phase::Preparing);
    copies.prepare().await?;
    observer.counters().enter(Phase::Transferring);
    let compressors = Compressors::start(plan.cores)?;
    let names: Vec<_> = streams.iter().map(object_name).collect();
    let queues = copies.start(&names);
    let (mut writers, mut summaries) = (Vec::new(), Vec::new());
    for (stream, queues) in streams.iter().zip(queues) {
        let (writer, summary) = stream::start(stream, &compressors, queues, Arc::clone(observer))?;
        writers.push(writer);
        summaries.push(summary);
    }
    drop(compressors);
    let packing = pack(source, &plan.work, writers, observer, stop);
    let (packed, ()) = tokio::join!(packing, copies.stored());
    if stop.is_stopped() {
        return Err(cancelled());
    }
    if copies.all_failed_alone() {
        copies.any_left()?;
    }
    let packed = packed?;
    let mut heads = Vec::new();
    for (stream, summary) in streams.iter().zip(summaries) {
        heads.push(head(stream, None, ended(summary).await?));
    }
    observer.counters().enter(Phase::Confirming);
    copies
        .finish(&manifest(plan, &packed, BTreeMap::new(), heads))
        .await?;
    Ok(BackupReport {
        counts: packed.counts,
        streams: copies.streams(),
        copies: copies.reports(),
    })
}

/// How the archive and its index are written.
fn stream_plans(work: &BackupWork) -> Result<[StreamPlan; 2]> {
    let recipients = recipients(work)?;
    let data = StreamPlan {
        stream: DATA.to_owned(),
        compression: work.task.compression,
        recipients: recipients.clone(),
    };
    Ok([data, index_plan(recipients)])
}

/// How an index is written: always compressed in frames, so that it can be looked into.
pub(crate) fn index_plan(recipients: Vec<age::x25519::Recipient>) -> StreamPlan {
    StreamPlan {
        stream: INDEX.to_owned(),
        compression: Compression::Zstd,
        recipients,
    }
}

/// Whom the streams of a run are sealed to; nobody when its task is not encrypted.
pub(crate) fn recipients(work: &BackupWork) -> Result<Vec<age::x25519::Recipient>> {
    if work.task.encrypt && work.recipients.is_empty() {
        return Err(Error::invalid(
            "no_recipients",
            "the task is to be encrypted and no recipient was given: nothing is written unsealed",
        ));
    }
    parse_recipients(&work.recipients)
}

/// Reads the source on a thread of its own, and ends the streams only when what came of it may count.
async fn pack(
    source: Box<dyn EntrySource>,
    work: &BackupWork,
    writers: Vec<RawWriter>,
    observer: &Arc<dyn Observer>,
    stop: &StopFlag,
) -> Result<Packed> {
    let (observer, stop) = (Arc::clone(observer), stop.clone());
    let (previous_run, max_unreadable) = (work.previous_run, work.task.max_unreadable);
    let (outcome_in, outcome) = oneshot::channel();
    stream::spawn("pack".to_owned(), move || {
        let packing = archive_now(source, previous_run, writers, observer.as_ref(), &stop);
        let packed = packing.and_then(|(packed, writers)| {
            refuse_too_many(&packed, max_unreadable)?;
            // What came of it counts: now the streams may end.
            writers.into_iter().try_for_each(RawWriter::finish)?;
            Ok(packed)
        });
        // A stopped run does not wait for it.
        let _ = outcome_in.send(packed);
    })?;
    outcome
        .await
        .map_err(|_| Error::internal("reading the source ended unexpectedly"))?
}

fn archive_now(
    source: Box<dyn EntrySource>,
    previous_run: Option<Timestamp>,
    writers: Vec<RawWriter>,
    observer: &dyn Observer,
    stop: &StopFlag,
) -> Result<(Packed, [RawWriter; 2])> {
    let [mut data, mut index]: [RawWriter; 2] = writers
        .try_into()
        .map_err(|_| Error::internal("a backup has two streams"))?;
    let packed = archive::pack(source, previous_run, &mut data, &mut index, observer, stop)?;
    Ok((packed, [data, index]))
}

fn refuse_too_many(packed: &Packed, max_unreadable: u64) -> Result<()> {
    let lost = packed.counts.unreadable + packed.counts.vanished;
    if lost <= max_unreadable {
        return Ok(());
    }
    let first: Vec<_> = packed.warnings.iter().take(3).map(String::as_str).collect();
    Err(Error::invalid(
        "too_many_unreadable",
        format!(
            "{lost} files could not be read or vanished, the task accepts {max_unreadable}: {}",
            first.join("; ")
        ),
    ))
}

pub(crate) async fn ended(
    summary: oneshot::Receiver<Result<StreamSummary>>,
) -> Result<StreamSummary> {
    summary
        .await
        .map_err(|_| Error::internal("a stream ended without saying how"))?
}

/// What a manifest says of a stream, without its objects.
pub(crate) fn head(plan: &StreamPlan, dump: Option<Dump>, summary: StreamSummary) -> StoredStream {
    StoredStream {
        stream: plan.stream.clone(),
        dump,
        compression: plan.compression,
        raw_bytes: summary.raw_bytes,
        stored_bytes: summary.stored_bytes,
        sha256: summary.sha256,
        age_header: summary.age_header.as_deref().map(encode_header),
        objects: Vec::new(),
    }
}

/// The manifest of a run; `tools` are those that made its streams beside the compressor.
pub(crate) fn manifest(
    plan: &BackupPlan,
    packed: &Packed,
    mut tools: BTreeMap<String, String>,
    streams: Vec<StoredStream>,
) -> Manifest {
    let work = &plan.work;
    // The index is compressed in any case.
    let zstd = zstd::zstd_safe::version_string().to_owned();
    tools.insert("zstd".to_owned(), zstd);
    Manifest {
        format_version: Manifest::FORMAT_VERSION,
        product_version: env!("CARGO_PKG_VERSION").to_owned(),
        record_id: work.record_id,
        location: work.location.clone(),
        created_at: work.created_at,
        task: ManifestTask {
            id: work.task_id,
            name: work.task.name.to_string(),
            source: work.task.source.clone(),
        },
        node: ManifestNode {
            id: work.node_id,
            name: work.node_name.clone(),
            hostname: plan.hostname.clone(),
        },
        counts: packed.counts,
        warnings: packed.warnings.clone(),
        recipients: work.recipients.clone(),
        tools,
        row_counts: Vec::new(),
        streams,
    }
}

#[cfg(test)]
mod tests;
