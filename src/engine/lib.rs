//! Moves bytes: source, archive, frames, seal, volumes, fan-out, and the way back.
//!
//! A backup is two streams, `data` and `index`, read once and laid down on up to eight [`Destination`]s at the same time:
//!
//! ```text
//! source ─► tar ─► frames of raw bytes ─► zstd on all cores ─► age ─► blocks ─► one queue and one task per destination
//! ```
//!
//! [`backup`] makes one, [`verify`] proves it, [`copy`] makes a further copy from a good one, [`restore`] and [`list_files`]
//! look into it. What lies in storage is described in [`stream`] (compression, seal, volumes) and [`archive`] (tar, index).

pub mod archive;
pub mod backint;
mod backup;
mod checksums;
mod confirm;
mod copies;
mod copy;
mod create;
mod destination;
pub mod dumps;
mod files;
mod inventory;
mod keys;
mod manifest;
mod pass;
mod remove;
pub mod restore;
mod stop;
pub mod stream;
mod target_test;
#[cfg(test)]
mod testing;
mod verify;
pub mod wal;

pub use backup::{BackupPlan, backup};
pub use copy::copy;
pub use destination::Destination;
pub use files::list_files;
pub use inventory::inventory;
pub use keys::AgeKeys;
pub use manifest::read_manifest;
pub use remove::remove;
pub use stop::stopped;
pub use target_test::test_target;
pub use verify::verify;
