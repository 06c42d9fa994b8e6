//! The router: every route in its group, the groups behind their guards, and the console behind everything else.

use crate::problem::{Answer, Failure};
use crate::state::Http;
use crate::{HttpOptions, auth, console, idempotency, openapi, request, routes};
use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::StatusCode;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use backupx_app::App;
use backupx_core::Error;
use std::any::Any;
use std::sync::Arc;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{DefaultPredicate, NotForContentType, Predicate};
use utoipa_axum::router::OpenApiRouter;

/// Largest JSON body.
const JSON_LIMIT: usize = 1024 * 1024;
/// Largest JSON body of an agent: a result names every volume of a backup.
const AGENT_LIMIT: usize = 32 * 1024 * 1024;

/// Everything that is served over HTTP.
pub fn router(app: Arc<App>, options: HttpOptions) -> Router {
    let http = Http::new(app, options);
    let (routes, document) = groups(&http).split_for_parts();
    let document = openapi::finish(document);
    routes
        .route(openapi::PATH, axum::routing::get(openapi::serve(document)))
        .fallback(anything_else)
        .layer(DefaultBodyLimit::max(JSON_LIMIT))
        .layer(CatchPanicLayer::custom(after_panic))
        .layer(from_fn_with_state(http.clone(), request::wrap))
        .layer(CompressionLayer::new().compress_when(
            DefaultPredicate::new().and(NotForContentType::const_new("application/octet-stream")),
        ))
        .with_state(http)
}

/// The routes in their groups, each behind what proves its callers.
fn groups(http: &Http) -> OpenApiRouter<Http> {
    let limit = || from_fn(request::limit);
    let person = || from_fn_with_state(http.clone(), auth::caller::person);
    let agent = || from_fn_with_state(http.clone(), auth::caller::agent);
    let once = from_fn_with_state(http.clone(), idempotency::once);
    let relay = if http.options.relay {
        routes::relay()
    } else {
        routes::relay().route_layer(from_fn(routes::refuse_relay))
    };
    OpenApiRouter::with_openapi(openapi::head())
        .merge(routes::public().route_layer(limit()))
        .merge(
            routes::people()
                .route_layer(once)
                .route_layer(person())
                .route_layer(limit()),
        )
        .merge(
            routes::agents()
                .route_layer(DefaultBodyLimit::max(AGENT_LIMIT))
                .route_layer(agent())
                .route_layer(limit()),
        )
        .merge(relay.route_layer(agent()))
}

/// The same routes without a master, for their description alone.
pub(crate) fn described() -> utoipa::openapi::OpenApi {
    let routes = OpenApiRouter::with_openapi(openapi::head())
        .merge(routes::public())
        .merge(routes::people())
        .merge(routes::agents())
        .merge(routes::relay());
    openapi::finish(routes.into_openapi())
}

async fn anything_else(request: Request) -> Answer<Response> {
    let path = request.uri().path();
    if path == "/api" || path.starts_with("/api/") {
        return Err(Failure::new(
            StatusCode::NOT_FOUND,
            "not_found",
            "there is nothing at this address; /api/v1/openapi.json lists what there is",
        ));
    }
    console::serve(&request)
}

fn after_panic(panic: Box<dyn Any + Send + 'static>) -> Response {
    let said = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("without a message");
    Failure::from(Error::internal(format!("a handler panicked: {said}"))).into_response()
}
