//! The steps of a check: what was tried, how long it took, and what came of it.

use backupx_core::Result;
use backupx_core::domain::report::TestStep;
use std::time::Instant;

/// The steps so far, up to the one that failed.
#[derive(Default)]
pub(crate) struct Steps(Vec<TestStep>);

impl Steps {
    /// Tries a step, which answers what the next ones need and what was found. Nothing when it failed.
    pub(crate) fn take<T>(
        &mut self,
        name: &str,
        step: impl FnOnce() -> Result<(T, String)>,
    ) -> Option<T> {
        let began = Instant::now();
        let (value, ok, message) = match step() {
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

    /// All of them, in order.
    pub(crate) fn done(self) -> Vec<TestStep> {
        self.0
    }
}
