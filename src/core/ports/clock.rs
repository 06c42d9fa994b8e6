//! The clock: a port, so that tests move it and nothing sleeps to wait for a state.

use crate::domain::time::Timestamp;

/// Says what time it is.
pub trait Clock: Send + Sync {
    /// Now, in UTC, cut to whole microseconds so that it survives every store.
    fn now(&self) -> Timestamp;
}

/// The host's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        use chrono::SubsecRound;
        #[expect(
            clippy::disallowed_methods,
            reason = "this is the one place that asks the host for the time"
        )]
        chrono::Utc::now().trunc_subsecs(6)
    }
}
