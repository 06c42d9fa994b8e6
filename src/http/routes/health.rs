//! Health, readiness and metrics.

use crate::auth::credential::{Credential, nothing_shown};
use crate::problem::Answer;
use crate::remote::remote_address;
use crate::state::Http;
use axum::extract::{Request, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use backupx_core::Error;
use backupx_core::domain::account::Role;
use std::time::Duration;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// How long the state stores may take to say that they are there.
const LIMIT: Duration = Duration::from_secs(2);

pub(super) fn routes() -> OpenApiRouter<Http> {
    OpenApiRouter::default()
        .routes(routes!(health))
        .routes(routes!(ready))
        .routes(routes!(metrics))
}

/// The process runs.
#[utoipa::path(get, path = "/health", tag = "health", security(()), responses((status = 200, body = String)))]
async fn health() -> &'static str {
    "ok\n"
}

/// The process can serve: its state stores answer, and it is not about to stop.
#[utoipa::path(get, path = "/ready", tag = "health", security(()), responses((status = 200, body = String)))]
async fn ready(State(http): State<Http>) -> Answer<&'static str> {
    if http.options.shutdown.is_cancelled() {
        return Err(Error::unavailable("stopping", "this master is about to stop").into());
    }
    tokio::time::timeout(LIMIT, http.app.ready())
        .await
        .map_err(|_| Error::unavailable("store_silent", "the state stores do not answer"))?
        .map_err(|error| {
            Error::unavailable("store_unreachable", "the state stores can't be reached")
                .with_source(error)
        })?;
    Ok("ready\n")
}

/// Metrics in the text format of Prometheus. Open to callers on the master's own host, for others to viewers.
#[utoipa::path(get, path = "/metrics", tag = "health", security((), ("bearer" = ["viewer"])), responses((status = 200, body = String)))]
async fn metrics(State(http): State<Http>, request: Request) -> Answer<Response> {
    let proxies = &http.options.trusted_proxies;
    let address = remote_address(request.headers(), request.extensions(), proxies);
    if !address.is_some_and(|address| address.is_loopback()) {
        let credential = Credential::of(request.headers()).ok_or_else(nothing_shown)?;
        credential.prove(&http).await?.require(Role::Viewer)?;
    }
    let figures = tokio::time::timeout(LIMIT, http.app.figures()).await;
    // Without figures the metrics say that the stores are away; the failure itself is in the log of `/ready`.
    let text = http.metrics.render(figures.ok().and_then(Result::ok));
    let media_type = [(
        header::CONTENT_TYPE,
        "text/plain; version=0.0.4; charset=utf-8",
    )];
    Ok((media_type, text).into_response())
}
