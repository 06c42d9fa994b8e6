//! How long to wait after a failure: doubling with jitter, up to a minute, for ever. And which failures are worth a line in the log.

use backupx_core::{Error, ErrorKind};
use std::time::Duration;
use tokio::time::Instant;

const FIRST: Duration = Duration::from_secs(1);
const MOST: Duration = Duration::from_secs(60);
/// The longest that a master's own wish is followed.
pub(super) const MOST_WISHED: Duration = Duration::from_secs(600);
/// How often the same failure is logged again.
const REPEAT: Duration = Duration::from_secs(600);

/// Counts failures in a row.
#[derive(Debug, Default)]
pub(crate) struct Backoff {
    failures: u32,
    logged: Option<(&'static str, Instant)>,
}

impl Backoff {
    /// After a success.
    pub(super) fn reset(&mut self) {
        *self = Self::default();
    }

    /// After a failure: how long to wait. A refused token is retried slowly, since only a person can change that.
    pub(crate) fn after(&mut self, error: &Error) -> Duration {
        self.failures = self.failures.saturating_add(1);
        let doubled = FIRST
            .saturating_mul(1 << (self.failures - 1).min(10))
            .min(MOST);
        let slow = match error.kind() {
            ErrorKind::Unauthenticated | ErrorKind::Forbidden => MOST,
            ErrorKind::NotFound
            | ErrorKind::Conflict
            | ErrorKind::Invalid
            | ErrorKind::TooManyRequests
            | ErrorKind::Unavailable
            | ErrorKind::Internal => doubled,
        };
        // Between half and all of it, so that a fleet does not come back at once.
        let wait = slow.mul_f64(0.5 + 0.5 * rand::random::<f64>());
        let wished = error
            .retry_after()
            .map_or(Duration::ZERO, Duration::from_secs);
        wait.max(wished.min(MOST_WISHED))
    }

    /// True when this failure is news: another one than before, or the same for long.
    pub(crate) fn is_news(&mut self, error: &Error) -> bool {
        let now = Instant::now();
        let news = self
            .logged
            .is_none_or(|(code, at)| code != error.code() || now.duration_since(at) >= REPEAT);
        if news {
            self.logged = Some((error.code(), now));
        }
        news
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn away() -> Error {
        Error::unavailable("master_unreachable", "away")
    }

    #[test]
    fn never_15_waits_double_up_to_a_minute_and_never_end() {
        let mut backoff = Backoff::default();
        for failures in 0..10_000_u32 {
            let wait = backoff.after(&away()).as_secs_f64();
            let most = 2_f64.powi(failures.min(6) as i32).min(60.0);
            assert!((most / 2.0..=most).contains(&wait), "{failures}: {wait}");
        }
        backoff.reset();
        assert!(backoff.after(&away()) <= FIRST);
    }

    #[test]
    fn the_masters_wish_is_followed_within_reason() {
        let mut backoff = Backoff::default();
        let wish = |secs| {
            Error::new(ErrorKind::TooManyRequests, "too_many_requests", "slow down")
                .retry_after_secs(secs)
        };
        assert_eq!(backoff.after(&wish(30)).as_secs(), 30);
        assert_eq!(backoff.after(&wish(86_400)), MOST_WISHED);
    }

    #[test]
    fn a_refused_token_is_retried_slowly() {
        let wait = Backoff::default().after(&Error::unauthenticated("no"));
        assert!(wait >= MOST / 2, "{wait:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn the_same_failure_is_logged_once_in_ten_minutes() {
        let mut backoff = Backoff::default();
        assert!(backoff.is_news(&away()));
        assert!(!backoff.is_news(&away()));
        assert!(backoff.is_news(&Error::unauthenticated("no")));
        tokio::time::advance(REPEAT).await;
        assert!(backoff.is_news(&Error::unauthenticated("no")));
    }
}
