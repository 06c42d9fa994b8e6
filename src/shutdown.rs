//! The end of a process: SIGTERM or Ctrl-C asks for it, a second one does not wait.

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// A token that is cancelled at the first SIGTERM or SIGINT. At the second one the process ends at once.
pub(crate) fn on_signal() -> anyhow::Result<CancellationToken> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let token = CancellationToken::new();
    let asked = token.clone();
    tokio::spawn(async move {
        // Both branches are cancel-safe: a signal that arrived is kept until it is received.
        let mut next =
            async || tokio::select! { _ = terminate.recv() => (), _ = interrupt.recv() => () };
        next().await;
        asked.cancel();
        tracing::info!("asked to stop; finishing what runs");
        next().await;
        tracing::warn!("asked to stop again; ending at once");
        std::process::exit(130);
    });
    Ok(token)
}
