//! The heartbeat: a task of its own, so that nothing that the agent does can make it look dead (never 10).

use super::Shared;
use super::backoff::Backoff;
use super::job::Stop;
use backupx_core::domain::protocol::{Heartbeat, Pulse};
use backupx_core::{Error, ErrorKind, Result};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Limit of one heartbeat, for links that have none of their own.
const LIMIT: Duration = Duration::from_secs(15);
/// After so many failures in a row the agent says hello again.
const FAILURES: u32 = 3;
/// A failed heartbeat is repeated this soon.
const SOON: Duration = Duration::from_secs(5);

/// Says that the agent is alive, until `stop`.
pub(super) async fn run(shared: Arc<Shared>, stop: CancellationToken) {
    // Cancel-safe: a heartbeat that is dropped is only a missing one.
    tokio::select! {
        () = stop.cancelled() => {}
        () = beat(&shared) => {}
    }
}

async fn beat(shared: &Shared) {
    let mut failures = 0;
    let mut backoff = Backoff::default();
    loop {
        let session = shared.connection.session().await;
        let pause = if failures == 0 {
            session.heartbeat.mul_f64(0.9 + 0.1 * rand::random::<f64>())
        } else {
            session.heartbeat.min(SOON)
        };
        tokio::time::sleep(pause).await;
        match send(shared).await {
            Ok(pulse) => {
                failures = 0;
                backoff.reset();
                obey(shared, &pulse);
            }
            Err(error) => {
                failures += 1;
                if backoff.is_news(&error) {
                    tracing::warn!(code = error.code(), error = %error.chain(), "a heartbeat did not reach the master");
                }
                if failures >= FAILURES || error.kind() == ErrorKind::Unauthenticated {
                    failures = 0;
                    shared.connection.report_broken();
                    shared.connection.closed().await;
                }
            }
        }
    }
}

async fn send(shared: &Shared) -> Result<Pulse> {
    let heartbeat = Heartbeat {
        leases: shared.roster.held(),
    };
    tokio::time::timeout(LIMIT, shared.link.heartbeat(heartbeat))
        .await
        .unwrap_or_else(|_| {
            Err(Error::unavailable(
                "master_timeout",
                "the master did not answer in time",
            ))
        })
}

fn obey(shared: &Shared, pulse: &Pulse) {
    shared.connection.compare_clocks(pulse.server_time);
    for lease in &pulse.lost {
        shared.roster.stop(*lease, Stop::Lost);
    }
    for lease in &pulse.cancel {
        shared.roster.stop(*lease, Stop::Cancelled);
    }
}
