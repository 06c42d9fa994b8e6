//! The catalogue made anew from storage, and what no call finished removed.

use super::log::Log;
use super::parameters::Parameters;
use super::run::Host;
use super::shelf::Shelf;
use backupx_core::Result;
use backupx_engine::backint::remove;
use std::sync::Arc;

/// What was begun before this long ago and is not finished never will be.
const ABANDONED_SECS: i64 = 7 * 24 * 60 * 60;

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rebuilt {
    /// Objects in storage, all of them in the catalogue now.
    pub objects: u64,
    /// Their bytes as the databases handed them over.
    pub bytes: u64,
    /// Unfinished ones that were removed.
    pub removed: u64,
}

/// Brings the catalogue to what storage holds below the key prefix, whose ever it is.
pub async fn rebuild(parameters: &Parameters, host: Host, log: Arc<Log>) -> Result<Rebuilt> {
    let shelf = Shelf::open(parameters, "", &host, &log)?;
    let (found, unfinished) = shelf.refresh(&parameters.key_prefix).await?;
    let mut rebuilt = Rebuilt {
        objects: found.len() as u64,
        bytes: found.iter().map(|entry| entry.size).sum(),
        removed: 0,
    };
    let now = host.clock.now().timestamp();
    for place in unfinished
        .into_iter()
        .filter(|place| now - place.ebid.begun_at().timestamp() > ABANDONED_SECS)
    {
        remove(shelf.store(), &place.location).await?;
        shelf.forget(&place.location).await;
        log.info(format!(
            "removed what nobody finished at {}: {} bytes",
            place.location, place.bytes
        ));
        rebuilt.removed += 1;
    }
    Ok(rebuilt)
}
