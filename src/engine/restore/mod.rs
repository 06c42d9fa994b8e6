//! The way back: from streams in storage to files on disk.
//!
//! A restore of everything reads the archive from its beginning to its end. A selection is looked up in the index first, and then
//! only the parts of the archive that hold it are read. Everything is created beneath the target folder by descriptors of
//! folders that were opened one name at a time and never through a link, so no archive can write elsewhere (never 32).
//! Small files are written by several threads; a folder gets its own attributes when the last thing in it is written.
//!
//! Owners are restored by their ids, by root alone. A copy that fails midway is followed by the next one, from the same place on.

mod attributes;
mod dry_run;
mod folder;
mod place;
mod put;
mod run;
mod select;
mod tally;
#[cfg(test)]
mod tests;
mod tree;
mod writers;

use crate::manifest::read_manifest;
use crate::{Destination, stream};
use backupx_core::domain::access::StreamKey;
use backupx_core::domain::key::ObjectKey;
use backupx_core::domain::log::Level;
use backupx_core::domain::manifest::Manifest;
use backupx_core::domain::operation::RestoreSpec;
use backupx_core::domain::progress::Phase;
use backupx_core::domain::report::RestoreReport;
use backupx_core::ports::observer::Observer;
use backupx_core::ports::source::StopFlag;
use backupx_core::{Error, ErrorKind, Result};
use run::{Failed, Restoration};
use std::sync::Arc;

/// What is to be put back.
#[derive(Debug, Clone)]
pub struct RestorePlan {
    /// The record's folder.
    pub location: ObjectKey,
    /// Keys of its sealed streams.
    pub keys: Vec<StreamKey>,
    /// What and how.
    pub spec: RestoreSpec,
}

/// Restores from the first of `sources` that can be read; when one fails midway, goes on from the next.
///
/// Single entries that can't be written are counted and warned of. Errors: `nothing_selected`, `nothing_restored` (the selection
/// holds something and nothing could be written), `disk_full`, `counts_differ` (the archive does not hold what the index says),
/// `cancelled`, or why the last source could not be read.
pub async fn restore(
    plan: RestorePlan,
    sources: Vec<Destination>,
    observer: Arc<dyn Observer>,
    stop: StopFlag,
) -> Result<RestoreReport> {
    observer.counters().enter(Phase::Preparing);
    let plan = Arc::new(plan);
    let mut restoration = Restoration::new(Arc::clone(&plan), Arc::clone(&observer), stop)?;
    let mut last = Error::not_found("no_sources", "no target is named that holds a good copy");
    for source in &sources {
        let failed;
        (restoration, failed) = attempt(restoration, &plan, source).await?;
        match failed {
            None => return restoration.finish(),
            Some(Failed::Writing(error)) => return Err(error),
            Some(Failed::Reading(error)) => {
                let text = format!("{} can't be read: {}", source.name, error.chain());
                observer.log(Level::Warn, text);
                last = error;
            }
        }
    }
    Err(last)
}

/// Goes on with a restoration from one source; gives it back with why that did not work.
async fn attempt(
    mut restoration: Restoration,
    plan: &RestorePlan,
    source: &Destination,
) -> Result<(Restoration, Option<Failed>)> {
    let opened = match open(plan, source).await {
        Ok(opened) => opened,
        Err(error) => return Ok((restoration, Some(Failed::Reading(error)))),
    };
    tokio::task::spawn_blocking(move || {
        let (manifest, index, data) = opened;
        let failed = restoration.go(&manifest, &*index, &*data).err();
        restoration.add_stored_bytes(index.stored_bytes_read() + data.stored_bytes_read());
        (restoration, failed)
    })
    .await
    .map_err(|error| Error::internal("a restore broke off").with_source(error))
}

type Opened = (
    Manifest,
    Arc<dyn stream::RawStream>,
    Arc<dyn stream::RawStream>,
);

async fn open(plan: &RestorePlan, source: &Destination) -> Result<Opened> {
    let manifest = read_manifest(&*source.store, &plan.location).await?;
    let (location, keys) = (&plan.location, &plan.keys);
    let index = stream::open(source, location, &manifest, stream::INDEX, keys).await?;
    let data = stream::open(source, location, &manifest, stream::DATA, keys).await?;
    Ok((manifest, index, data))
}

pub(crate) fn stopped() -> Error {
    Error::new(ErrorKind::Conflict, "cancelled", "the restore was stopped")
}
