//! Storage that a command opens by itself, by settings that no master knows.

use crate::wire;
use anyhow::Result;
use backupx_core::domain::access::TargetAccess;
use backupx_core::domain::id::TargetId;
use backupx_core::domain::secret::WireSecret;
use backupx_core::domain::target::{Settings, TargetKind};
use backupx_engine::Destination;
use std::collections::BTreeMap;

/// The store of `kind` with `settings`, as they stand behind `--set` of `target add`; `name` is what messages call it.
pub(crate) fn open(
    name: &str,
    kind: TargetKind,
    settings: BTreeMap<String, String>,
) -> Result<Destination> {
    let Settings { config, secrets } = kind.settle(settings)?;
    let access = TargetAccess {
        id: TargetId(0),
        name: name.to_owned(),
        kind,
        config,
        secrets: secrets
            .into_iter()
            .map(|(name, value)| (name, WireSecret::new(value)))
            .collect(),
        relay: false,
    };
    Ok(Destination {
        target_id: access.id,
        name: access.name.clone(),
        store: wire::opener().open(&access)?,
    })
}
