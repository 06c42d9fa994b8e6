//! The listener: accepts until it is told to stop, then lets what is under way come to its end.

use axum::Router;
use axum::serve::ListenerExt;
use std::future::IntoFuture;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// How long requests that are under way may take to end.
const PATIENCE: Duration = Duration::from_secs(20);

/// Serves `router` until `shutdown`, the same token that its options hold: then `/ready` says no, polls answer and live streams end; after
/// `notice`, in which a load balancer can look, new connections are refused, and requests that are under way come to their end.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    shutdown: CancellationToken,
    notice: Duration,
) -> std::io::Result<()> {
    let listener = listener.tap_io(|connection| {
        if let Err(error) = connection.set_nodelay(true) {
            tracing::debug!(%error, "a connection can't be set to send small packets at once");
        }
    });
    let closing = CancellationToken::new();
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let server = axum::serve(listener, service)
        .with_graceful_shutdown(closing.clone().cancelled_owned())
        .into_future();
    let mut server = pin!(server);
    let noticed = async {
        shutdown.cancelled().await;
        tokio::time::sleep(notice).await;
    };
    // Dropping `noticed` loses nothing, and `server` goes on below.
    tokio::select! {
        ended = &mut server => return ended,
        () = noticed => closing.cancel(),
    }
    match tokio::time::timeout(PATIENCE, server).await {
        Ok(ended) => ended,
        Err(_) => {
            tracing::warn!("requests were cut off that did not end within {PATIENCE:?}");
            Ok(())
        }
    }
}
