//! Whether a target still holds copies: found by listings alone, and a closer look at what does not look right in them.
//!
//! A listing costs next to nothing beside reading, so all that lies on a target can be looked for every day. It tells what is missing, cut
//! off or has grown; bytes that were changed and kept their number are for a full verification.

use crate::Destination;
use crate::stop::unless_stopped;
use crate::verify;
use backupx_core::domain::check::{CheckReport, KeptCopy, LookedAt};
use backupx_core::domain::key::ObjectKey;
use backupx_core::domain::operation::VerifyMode;
use backupx_core::ports::objects::ObjectStore;
use backupx_core::ports::observer::Observer;
use backupx_core::ports::source::StopFlag;
use backupx_core::{Error, Result};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::time::Instant;

/// Looks for `copies`, which are in the order of their folders, `more` of them behind these. Those that do not look right are verified
/// quickly, which alone says whether something is lost. Ends early when `until` is over or storage does not answer any more, and says up
/// to where it came; an error when it did not come anywhere.
pub async fn check(
    destination: &Destination,
    copies: &[KeptCopy],
    more: bool,
    until: Instant,
    observer: Arc<dyn Observer>,
    stop: StopFlag,
) -> Result<CheckReport> {
    let mut report = CheckReport::default();
    let store = destination.store.as_ref();
    for together in copies.chunk_by(|one, next| one.location.parent() == next.location.parent()) {
        if is_over(&report, until) {
            return Ok(report);
        }
        let held = match unless_stopped(&stop, held(store, together)).await {
            Ok(held) => held,
            Err(_) if report.checked > 0 && !stop.is_stopped() => return Ok(report),
            Err(error) => return Err(error),
        };
        for copy in together {
            if is_over(&report, until) {
                return Ok(report);
            }
            if held.get(&copy.location) != Some(&copy.stored_bytes) {
                let looked = verify(
                    &copy.location,
                    &[],
                    VerifyMode::Quick,
                    destination,
                    Arc::clone(&observer),
                    stop.clone(),
                );
                report.looked_at.push(LookedAt {
                    record_id: copy.record_id,
                    copy: looked.await?,
                });
            }
            report.checked += 1;
            report.next = Some(copy.location.clone());
        }
    }
    if !more {
        report.next = None;
    }
    Ok(report)
}

fn is_over(report: &CheckReport, until: Instant) -> bool {
    report.checked > 0 && Instant::now() >= until
}

/// The bytes that lie in the folders of copies that have one folder above them.
async fn held(store: &dyn ObjectStore, together: &[KeptCopy]) -> Result<BTreeMap<ObjectKey, u64>> {
    let (folder, depth) = match together {
        [only] => (only.location.clone(), 0),
        several => {
            let parent = several.first().and_then(|copy| copy.location.parent());
            let parent = parent
                .ok_or_else(|| Error::internal("the folder of a record lies below no other one"))?;
            (parent, 1)
        }
    };
    let mut held = BTreeMap::new();
    for object in store.list(&folder).await? {
        let Some(below) = object.key.as_str().strip_prefix(folder.as_str()) else {
            continue;
        };
        let record = match (
            depth,
            below
                .strip_prefix('/')
                .and_then(|rest| rest.split_once('/')),
        ) {
            (0, _) => folder.clone(),
            (_, Some((name, _))) => folder.join(name)?,
            (_, None) => continue,
        };
        *held.entry(record).or_insert(0) += object.size;
    }
    Ok(held)
}

#[cfg(test)]
mod tests;
