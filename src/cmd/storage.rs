//! Storage that a command opens by itself, by settings that no master knows.

use crate::wire;
use anyhow::Result;
use backupx_core::domain::access::TargetAccess;
use backupx_core::domain::target::TargetKind;
use backupx_engine::Destination;
use std::collections::BTreeMap;

/// The store of `kind` with `settings`, as they stand behind `--set` of `target add`; `name` is what messages call it.
pub(crate) fn open(
    name: &str,
    kind: TargetKind,
    settings: BTreeMap<String, String>,
) -> Result<Destination> {
    let settings = kind.settle(settings)?;
    let access = TargetAccess::without_master(name.to_owned(), kind, settings);
    Ok(Destination {
        target_id: access.id,
        name: access.name.clone(),
        store: wire::opener().open(&access)?,
    })
}
