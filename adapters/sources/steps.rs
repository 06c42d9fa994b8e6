//! The steps of a check: one after the other, up to the one that fails.

use backupx_core::Result;
use backupx_core::domain::report::TestStep;
use std::time::Instant;

/// Steps that were tried.
#[derive(Debug, Default)]
pub(crate) struct Steps(Vec<TestStep>);

impl Steps {
    /// Tries one more. Nothing when it failed, which ends the check.
    pub(crate) fn step<T>(
        &mut self,
        name: &str,
        attempt: impl FnOnce() -> Result<(T, String)>,
    ) -> Option<T> {
        let began = Instant::now();
        let (value, ok, message) = match attempt() {
            Ok((value, message)) => (Some(value), true, message),
            Err(error) => (None, false, error.message().to_owned()),
        };
        self.0.push(TestStep {
            name: name.to_owned(),
            ok,
            message,
            duration_ms: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
        });
        value
    }

    /// All that were tried.
    pub(crate) fn done(self) -> Vec<TestStep> {
        self.0
    }
}
