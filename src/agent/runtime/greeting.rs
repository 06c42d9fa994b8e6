//! The greeting: hello until the master answers, and again after every break.

use super::Shared;
use super::backoff::Backoff;
use super::job::Stop;
use crate::facts::facts;
use backupx_core::domain::protocol::{HeldLease, Hello, Welcome};
use backupx_core::{Error, Result};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Limit of one hello, for links that have none of their own.
const LIMIT: Duration = Duration::from_secs(30);

/// Keeps a session open until `stop`.
pub(super) async fn run(shared: Arc<Shared>, stop: CancellationToken) {
    // Cancel-safe: a hello that is dropped is said again by the next life of this agent.
    tokio::select! {
        () = stop.cancelled() => {}
        () = keep(&shared) => {}
    }
}

async fn keep(shared: &Shared) {
    let mut backoff = Backoff::default();
    loop {
        let held = {
            let _quiet = shared.connection.nobody_asks().await;
            shared.roster.held()
        };
        match hello(shared, held.clone()).await {
            Ok(welcome) => {
                backoff.reset();
                welcomed(shared, &held, &welcome);
                shared.connection.broken().await;
                shared.connection.close();
            }
            Err(error) => {
                let wait = backoff.after(&error);
                if backoff.is_news(&error) {
                    tracing::warn!(
                        code = error.code(),
                        error = %error.chain(),
                        retry_secs = wait.as_secs_f64().ceil(),
                        "the master did not welcome this agent, which goes on trying"
                    );
                }
                tokio::time::sleep(wait).await;
            }
        }
    }
}

async fn hello(shared: &Shared, leases: Vec<HeldLease>) -> Result<Welcome> {
    let hands = Arc::clone(&shared.hands);
    // Tools come and go: they are looked for at each greeting.
    let abilities = tokio::task::spawn_blocking(move || hands.abilities()).await;
    let hello = Hello {
        facts: facts(abilities.unwrap_or_default(), &shared.config.policy),
        leases,
    };
    tokio::time::timeout(LIMIT, shared.link.hello(hello))
        .await
        .unwrap_or_else(|_| {
            Err(Error::unavailable(
                "master_timeout",
                "the master did not answer in time",
            ))
        })
}

/// What the master does not want kept is stopped at once and never reported (never 9).
fn welcomed(shared: &Shared, held: &[HeldLease], welcome: &Welcome) {
    tracing::info!(
        node.id = welcome.node_id.0,
        node.name = %welcome.node_name,
        kept = welcome.keep.len(),
        "connected to the master"
    );
    shared.connection.compare_clocks(welcome.server_time);
    for lease in held {
        if !welcome.keep.contains(lease) {
            shared.roster.stop(*lease, Stop::Lost);
        }
    }
    for lease in &welcome.stop {
        shared.roster.stop(*lease, Stop::Lost);
    }
    shared
        .connection
        .open(welcome, shared.config.heartbeat_interval);
}
