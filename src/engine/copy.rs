//! A further copy: the stored bytes of a good copy, carried to targets that lack one. No key is needed.

use crate::Destination;
use crate::checksums::Checksums;
use crate::copies::Copies;
use crate::manifest;
use crate::stop::{cancelled, unless_stopped};
use crate::stream::{Piece, Pieces, StoredBytes};
use backupx_core::domain::key::ObjectKey;
use backupx_core::domain::log::Level;
use backupx_core::domain::manifest::{Manifest, StoredStream};
use backupx_core::domain::progress::Phase;
use backupx_core::domain::report::CopyReport;
use backupx_core::ports::observer::Observer;
use backupx_core::ports::source::StopFlag;
use backupx_core::{Error, Result};
use futures::StreamExt;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Copies the backup at `location` from the first of `sources` that holds it whole to every destination.
///
/// The report says per destination whether it has a confirmed copy now; at least one has. An error means that none has: no source
/// could be read to its end, every destination failed, or the run was stopped (`cancelled`). The manifest of a copy is that of its
/// source but for the list of objects, which follows the destination's layout. Leftovers of a failed run at a destination are removed first.
pub async fn copy(
    location: &ObjectKey,
    sources: Vec<Destination>,
    destinations: Vec<Destination>,
    observer: Arc<dyn Observer>,
    stop: StopFlag,
) -> Result<Vec<CopyReport>> {
    let mut failures = Vec::new();
    for source in &sources {
        let mut copies = Copies::new(location, destinations.clone(), Arc::clone(&observer))?;
        let running = copy_from(source, location, &mut copies, &observer);
        let outcome = unless_stopped(&stop, running).await;
        let no_place = copies.all_failed_alone();
        copies.discard_unfinished(&stop).await;
        match outcome {
            Ok(reports) => {
                observer.counters().enter(Phase::Done);
                return Ok(reports);
            }
            Err(error) if no_place => return Err(error),
            Err(_) if stop.is_stopped() => return Err(cancelled()),
            Err(error) => {
                let line = format!(
                    "target {:?} is no good source: {}",
                    source.name,
                    error.chain()
                );
                observer.log(Level::Warn, line.clone());
                failures.push(line);
            }
        }
    }
    Err(Error::unavailable(
        "no_source",
        format!("no copy could be read to its end: {}", failures.join("; ")),
    ))
}

async fn copy_from(
    source: &Destination,
    location: &ObjectKey,
    copies: &mut Copies,
    observer: &Arc<dyn Observer>,
) -> Result<Vec<CopyReport>> {
    observer.counters().enter(Phase::Preparing);
    let manifest = manifest::read_manifest(source.store.as_ref(), location).await?;
    copies.prepare().await?;
    copies.clear().await?;
    observer.counters().enter(Phase::Transferring);
    let mut names = Vec::new();
    for stream in &manifest.streams {
        names.push(base_name(stream)?);
    }
    let queues = copies.start(&names);
    let carried = async {
        for (stream, queues) in manifest.streams.iter().zip(queues) {
            carry(source, location, stream, queues, observer).await?;
        }
        Ok(())
    };
    let (carried, ()) = tokio::join!(carried, copies.stored());
    if copies.all_failed_alone() {
        copies.any_left()?;
    }
    carried?;
    observer.counters().enter(Phase::Confirming);
    copies.finish(&without_objects(&manifest)).await?;
    Ok(copies.reports())
}

/// The name that a stream's objects begin with: without the number of a volume.
fn base_name(stream: &StoredStream) -> Result<String> {
    let nothing = || {
        Error::invalid(
            "manifest_unreadable",
            format!(
                "the manifest names no object of the {} stream",
                stream.stream
            ),
        )
    };
    let first = stream.objects.first().ok_or_else(nothing)?;
    Ok(match first.name.strip_suffix(".000001") {
        Some(base) => base.to_owned(),
        None => first.name.clone(),
    })
}

fn without_objects(manifest: &Manifest) -> Manifest {
    let mut manifest = manifest.clone();
    for stream in &mut manifest.streams {
        stream.objects.clear();
    }
    manifest
}

/// Carries one stream from its source to all queues, its checksums held against the manifest on the way.
async fn carry(
    source: &Destination,
    location: &ObjectKey,
    stream: &StoredStream,
    mut queues: Vec<Pieces>,
    observer: &Arc<dyn Observer>,
) -> Result<()> {
    let stored = StoredBytes::new(source, location, stream)?;
    let mut checks = Checksums::new(stream.clone());
    let mut blocks = std::pin::pin!(stored.read_all());
    while let Some(block) = blocks.next().await {
        let block = block?;
        let size = block.len() as u64;
        let (checked, outcome) = tokio::task::spawn_blocking({
            let block = block.clone();
            move || {
                let outcome = checks.update(&block);
                (checks, outcome)
            }
        })
        .await
        .map_err(|error| {
            Error::internal("checking a block ended unexpectedly").with_source(error)
        })?;
        checks = checked;
        outcome?;
        send(&mut queues, &Piece::Block(block)).await?;
        observer
            .counters()
            .stored_bytes
            .fetch_add(size, Ordering::Relaxed);
    }
    checks.finish()?;
    let end = Piece::End {
        stored_bytes: stream.stored_bytes,
        sha256: stream.sha256.clone(),
    };
    send(&mut queues, &end).await
}

async fn send(queues: &mut Vec<Pieces>, piece: &Piece) -> Result<()> {
    let mut left = Vec::with_capacity(queues.len());
    for queue in queues.drain(..) {
        // A destination that failed takes no more; the others go on.
        if queue.send(piece.clone()).await.is_ok() {
            left.push(queue);
        }
    }
    *queues = left;
    if queues.is_empty() {
        return Err(Error::unavailable(
            "no_destination_left",
            "every destination failed",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
