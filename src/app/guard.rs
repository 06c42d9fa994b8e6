//! The guard of everything that can be guessed: five failures in 15 minutes, on all replicas together, and it is closed for a while.

use crate::App;
use backupx_core::{Error, ErrorKind, Result};

/// Over how long failures are counted.
pub(crate) const WINDOW: chrono::Duration = chrono::Duration::minutes(15);
/// How many failures are taken.
const MAX_FAILURES: u32 = 5;

impl App {
    /// Refuses when any of `keys` has failed too often. Counts nothing.
    pub(crate) async fn check_guard(&self, keys: &[&str]) -> Result<()> {
        let now = self.now();
        for key in keys {
            let (failures, last) = self.ports.sign_in_guard.failures(key, now - WINDOW).await?;
            if failures >= MAX_FAILURES {
                let wait = last.map_or(WINDOW, |last| last + WINDOW - now);
                return Err(too_many(wait));
            }
        }
        Ok(())
    }

    /// Counts a try before it is made, so that tries at the same time are counted too, and refuses when it is one too many.
    /// A try that held is taken back with [`App::clear_guard`].
    pub(crate) async fn count_try(&self, key: &str) -> Result<()> {
        let now = self.now();
        let tries = self
            .ports
            .sign_in_guard
            .failed(key, now, now - WINDOW)
            .await?;
        if tries > MAX_FAILURES {
            return Err(too_many(WINDOW));
        }
        Ok(())
    }

    /// Forgets the failures of `key`.
    pub(crate) async fn clear_guard(&self, key: &str) -> Result<()> {
        self.ports.sign_in_guard.clear(key).await
    }
}

fn too_many(wait: chrono::Duration) -> Error {
    let secs = u64::try_from(wait.num_seconds()).unwrap_or(0).max(1);
    let minutes = secs.div_ceil(60);
    Error::new(
        ErrorKind::TooManyRequests,
        "too_many_sign_ins",
        format!("too many failed attempts; try again in {minutes} minutes"),
    )
    .retry_after_secs(secs)
}
