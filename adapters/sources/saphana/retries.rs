//! Retries with back-off: what may pass by itself is tried again, each time after twice the wait.

use super::Saphana;
use crate::refusals::cancelled;
use backupx_core::domain::log::Level;
use backupx_core::domain::saphana::{MOST_RETRY_WAIT_SECS, SaphanaSource};
use backupx_core::ports::dumps::Notes;
use backupx_core::ports::source::StopFlag;
use backupx_core::{Error, Result};
use std::time::{Duration, Instant};

/// How often somebody looks whether the run was stopped.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// What may be otherwise a moment later. A refused sign-in is not: HANA locks users after some.
const PASSING: [&str; 4] = [
    "dump_failed",
    "dump_incomplete",
    "database_unreachable",
    "tool_timeout",
];

/// Does `attempt`, which gets its number from 1, until it succeeds, fails for good or was tried as often as the task says.
pub(super) fn with_retries<T>(
    source: &Saphana,
    notes: &dyn Notes,
    stop: &StopFlag,
    mut attempt: impl FnMut(u32) -> Result<T>,
) -> Result<T> {
    let retries = u32::from(source.source.retries);
    let mut number = 1;
    loop {
        match attempt(number) {
            Err(error) if number <= retries && PASSING.contains(&error.code()) => {
                let wait = wait(&source.source, number);
                notes.log(Level::Warn, said(&error, number, retries, wait));
                pause(wait, stop)?;
                number += 1;
            }
            outcome => return outcome,
        }
    }
}

fn said(error: &Error, number: u32, retries: u32, wait: Duration) -> String {
    format!(
        "attempt {number} of {} failed and is made again in {} s: {}",
        retries + 1,
        wait.as_secs(),
        error.message()
    )
}

/// How long to wait behind failed attempt `number`.
fn wait(source: &SaphanaSource, number: u32) -> Duration {
    let doubled = 1_u32.checked_shl(number - 1).unwrap_or(u32::MAX);
    let seconds = source.retry_wait_secs.saturating_mul(doubled);
    Duration::from_secs(seconds.min(MOST_RETRY_WAIT_SECS).into())
}

/// Waits, unless the run is stopped.
pub(super) fn pause(wait: Duration, stop: &StopFlag) -> Result<()> {
    let over = Instant::now() + wait;
    while Instant::now() < over {
        if stop.is_stopped() {
            return Err(cancelled());
        }
        std::thread::sleep(LOOK_EVERY.min(over.saturating_duration_since(Instant::now())));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_wait_is_twice_the_one_before_up_to_an_hour() {
        let source = SaphanaSource {
            retry_wait_secs: 30,
            ..SaphanaSource::default()
        };
        let waits = (1..=9).map(|number| wait(&source, number).as_secs());
        assert_eq!(
            waits.collect::<Vec<_>>(),
            [30, 60, 120, 240, 480, 960, 1920, 3600, 3600]
        );
    }
}
