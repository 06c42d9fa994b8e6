//! A call of which nothing moves any more is given up: a pipe that nobody opens, a database that hangs.

use super::log::Log;
use backupx_core::ports::observer::{Counters, Observer};
use backupx_core::ports::source::StopFlag;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::time::Instant;

const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Raises `stop` when no byte moved for `limit`. Runs until it is dropped.
pub(super) async fn watch(log: &Log, limit: Duration, stop: &StopFlag) {
    let mut seen = moved(log.counters());
    let mut since = Instant::now();
    loop {
        tokio::time::sleep(LOOK_EVERY.min(limit)).await;
        let now = moved(log.counters());
        if now != seen {
            seen = now;
            since = Instant::now();
        } else if since.elapsed() >= limit && !stop.is_stopped() {
            log.error(format!(
                "nothing moved for {} s: neither the database nor storage did anything, so this call is given up (STALL_LIMIT)",
                limit.as_secs()
            ));
            stop.stop();
        }
    }
}

fn moved(counters: &Counters) -> (u64, u64, u64) {
    let read = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Relaxed);
    (
        read(&counters.files),
        read(&counters.bytes),
        read(&counters.stored_bytes),
    )
}
