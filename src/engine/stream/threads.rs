//! Threads of the data path: named, so that a look at the process says who is busy.

use backupx_core::{Error, Result};
use std::thread;

/// Starts a named thread that ends by itself when its channels do.
pub(crate) fn spawn(name: String, work: impl FnOnce() + Send + 'static) -> Result<()> {
    thread::Builder::new()
        .name(name)
        .spawn(work)
        .map(drop)
        .map_err(|error| {
            Error::unavailable("no_thread", "the host has no thread left for this run")
                .with_source(error)
        })
}
