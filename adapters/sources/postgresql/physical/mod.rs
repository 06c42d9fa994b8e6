//! A whole cluster as its files: pg_basebackup's archive, with the log that makes it consistent, and the way back into a data folder.
//!
//! It is complete when the archive ends as one and has every file of the server's own backup manifest, with that size and that checksum:
//! what pg_verifybackup would look at ([`proof`]).

mod archive;
mod check;
mod folder;
mod label;
mod proof;
mod put_back;
mod read;
mod recovery;

pub(super) use check::{archived, copyable};
pub(super) use put_back::{GoOn, put_back};
pub(super) use read::read;

/// What the one dump of a cluster is called.
pub(super) const CLUSTER: &str = "cluster";
/// The oldest server that says what its backup consists of.
const FIRST_WITH_MANIFEST: u32 = 13;
