//! Proof of a copy: that storage holds what the manifest says, and that it opens.

mod walk;

use crate::Destination;
use crate::confirm::{Finding, look_at_all, vouches_for_loss};
use crate::manifest::{self, Fetched};
use crate::pass::{self, Rest};
use crate::stop::{cancelled, unless_stopped};
use crate::stream::{self, DATA, INDEX, Opened};
use backupx_core::domain::access::StreamKey;
use backupx_core::domain::key::ObjectKey;
use backupx_core::domain::manifest::{Manifest, StoredStream};
use backupx_core::domain::operation::VerifyMode;
use backupx_core::domain::progress::Phase;
use backupx_core::domain::report::VerifiedCopy;
use backupx_core::ports::observer::Observer;
use backupx_core::ports::source::StopFlag;
use backupx_core::{Error, Result};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Problems that a report names; the rest is counted.
const MOST_PROBLEMS: usize = 100;
/// Codes that are about bytes which were read and are not what was stored. Everything else may be the way there: a proxy's page, a wrong
/// region, a disk that is away.
const PROOF: [&str; 7] = [
    "dump_incomplete",
    "manifest_unreadable",
    "stream_damaged",
    "object_too_short",
    "index_damaged",
    "archive_damaged",
    "archive_truncated",
];

/// Proves the copy at `location` on one destination. What does not hold is in the answer; an error means that the run was
/// stopped (`cancelled`) or is a defect.
///
/// Quick: every object is there with its size, and its checksum where storage states one. Full: also every byte is read, every checksum
/// computed, the streams are opened, decompressed and walked, and each entry is compared with the index.
pub async fn verify(
    location: &ObjectKey,
    keys: &[StreamKey],
    mode: VerifyMode,
    destination: &Destination,
    observer: Arc<dyn Observer>,
    stop: StopFlag,
) -> Result<VerifiedCopy> {
    observer.counters().enter(Phase::Preparing);
    let mut copy = VerifiedCopy {
        target_id: destination.target_id,
        ok: false,
        objects: 0,
        bytes_read: 0,
        entries: 0,
        problems: Vec::new(),
        damaged: false,
    };
    let proving = prove(
        location,
        keys,
        mode,
        destination,
        &observer,
        &stop,
        &mut copy,
    );
    match unless_stopped(&stop, proving).await {
        Ok(()) => {}
        Err(_) if stop.is_stopped() => return Err(cancelled()),
        Err(error) if error.code() == "manifest_not_found" => {
            match vouches_for_loss(destination.store.as_ref(), location).await {
                Ok(()) => copy.damaged = true,
                Err(why) => copy.problems.push(why.chain()),
            }
            copy.problems.push(error.chain());
        }
        Err(error) => {
            copy.damaged |= PROOF.contains(&error.code());
            copy.problems.push(error.chain());
        }
    }
    copy.ok = copy.problems.is_empty();
    observer.counters().enter(Phase::Done);
    Ok(copy)
}

async fn prove(
    location: &ObjectKey,
    keys: &[StreamKey],
    mode: VerifyMode,
    destination: &Destination,
    observer: &Arc<dyn Observer>,
    stop: &StopFlag,
    copy: &mut VerifiedCopy,
) -> Result<()> {
    let Fetched { manifest, size } = manifest::fetch(destination.store.as_ref(), location).await?;
    copy.objects += 1;
    copy.bytes_read += size;
    look(location, &manifest, destination, copy).await;
    if !copy.problems.is_empty() {
        return Ok(());
    }
    match mode {
        VerifyMode::Quick => Ok(()),
        // A drill is more than this: it restores.
        VerifyMode::Full | VerifyMode::Drill => {
            let counters = observer.counters();
            counters.enter(Phase::Transferring);
            counters
                .total_files
                .store(manifest.counts.entries, Ordering::Relaxed);
            counters
                .total_bytes
                .store(manifest.counts.bytes, Ordering::Relaxed);
            read_all(location, keys, &manifest, destination, observer, stop, copy).await
        }
    }
}

/// Asks storage for every object.
async fn look(
    location: &ObjectKey,
    manifest: &Manifest,
    destination: &Destination,
    copy: &mut VerifiedCopy,
) {
    let findings = look_at_all(destination.store.as_ref(), location, &manifest.streams).await;
    copy.objects += findings.len() as u64;
    let mut unsaid = 0;
    for finding in findings {
        let how = match finding {
            Finding::Holds => continue,
            Finding::Damaged(how) => {
                copy.damaged = true;
                how
            }
            Finding::Unknown(how) => how,
        };
        if copy.problems.len() < MOST_PROBLEMS {
            copy.problems.push(how);
        } else {
            unsaid += 1;
        }
    }
    if unsaid > 0 {
        copy.problems.push(format!("and {unsaid} more"));
    }
}

/// Reads the index, then the data and compares it with the index on the way.
async fn read_all(
    location: &ObjectKey,
    keys: &[StreamKey],
    manifest: &Manifest,
    destination: &Destination,
    observer: &Arc<dyn Observer>,
    stop: &StopFlag,
    copy: &mut VerifiedCopy,
) -> Result<()> {
    let content: Vec<_> = match manifest.dumps().map(|(_, stream, _)| stream).collect() {
        none if Vec::is_empty(&none) => vec![named(manifest, DATA)?],
        dumps => dumps,
    };
    let mut entries = 0;
    for stored in std::iter::once(named(manifest, INDEX)?).chain(content) {
        let name = stored.stream.as_str();
        let opened = Opened::open(destination, location, manifest, name, keys).await?;
        let walk = match (&stored.dump, name) {
            (Some(dump), _) => walk::Walk::Dump(Box::new(dump.clone()), stored.raw_bytes),
            (None, INDEX) => walk::Walk::Index,
            (None, _) => {
                let index = stream::open(destination, location, manifest, INDEX, keys).await?;
                walk::Walk::Data(index)
            }
        };
        let (watching, stop) = (Arc::clone(observer), stop.clone());
        let passed = pass::run(
            destination,
            location,
            &opened,
            stored.clone(),
            observer,
            Rest::Checked,
            move |raw| walk.run(raw, watching.as_ref(), &stop),
        )
        .await?;
        copy.bytes_read += passed.stored_bytes;
        if name == INDEX {
            same_count(name, passed.taken, manifest)?;
        } else {
            entries += passed.taken;
            copy.entries = entries;
        }
    }
    same_count("content", entries, manifest)
}

fn named<'a>(manifest: &'a Manifest, name: &str) -> Result<&'a StoredStream> {
    manifest.stream(name).ok_or_else(|| {
        Error::invalid(
            "manifest_unreadable",
            format!("the manifest names no {name} stream"),
        )
    })
}

fn same_count(what: &str, entries: u64, manifest: &Manifest) -> Result<()> {
    if entries == manifest.counts.entries {
        return Ok(());
    }
    Err(Error::invalid(
        "stream_damaged",
        format!(
            "the {what} has {entries} entries, the manifest says {}",
            manifest.counts.entries
        ),
    ))
}

#[cfg(test)]
mod tests;
