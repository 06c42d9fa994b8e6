//! One request: its id, its span, its time limit, the headers of its answer, and the one line that is counted of it.

use crate::problem::{Answer, render};
use crate::state::Http;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::Response;
use backupx_core::Error;
use std::time::{Duration, Instant};
use tracing::Instrument;

/// Longest time for a handler to answer. Long polls stay below it; bodies that stream have limits of their own.
const LIMIT: Duration = Duration::from_secs(60);

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Wraps everything that is served.
pub(crate) async fn wrap(State(http): State<Http>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let id = request_id(request.headers());
    let method = method_label(request.method());
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or("other", MatchedPath::as_str)
        .to_owned();
    let is_api = request.uri().path().starts_with("/api/");
    // The path's pattern, never the path or the query: those may hold what nobody should read in a log.
    let span = tracing::info_span!(
        "request",
        request.id = %id,
        http.method = method,
        http.route = %route,
        user = tracing::field::Empty,
        node.id = tracing::field::Empty,
    );
    let response = next.run(request).instrument(span.clone()).await;
    let mut response = span.in_scope(|| render(response, &id));
    guard(response.headers_mut(), is_api, http.options.is_secure());
    if let Ok(id) = HeaderValue::try_from(&id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    let status = response.status().as_u16();
    let took = started.elapsed();
    http.metrics.count(method, &route, status, took);
    tracing::debug!(parent: &span, status, duration_ms = took.as_millis(), "answered");
    response
}

/// Ends a handler that takes too long.
pub(crate) async fn limit(request: Request, next: Next) -> Answer<Response> {
    tokio::time::timeout(LIMIT, next.run(request))
        .await
        .map_err(|_| {
            Error::unavailable("request_timeout", "the master could not answer in time").into()
        })
}

/// The id that the caller gave, when it is a plain short one, or a new one.
fn request_id(headers: &HeaderMap) -> String {
    let plain = |id: &&str| {
        (1..=64).contains(&id.len())
            && id
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
    };
    let given = headers.get(&REQUEST_ID).and_then(|id| id.to_str().ok());
    match given.filter(plain) {
        Some(id) => id.to_owned(),
        None => hex::encode(rand::random::<[u8; 8]>()),
    }
}

/// A method as a label: the known ones by name, so that nobody can make up new ones.
fn method_label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        _ => "OTHER",
    }
}

/// What keeps browsers from doing what nobody asked for.
fn guard(headers: &mut HeaderMap, is_api: bool, secure: bool) {
    let mut set = |name: HeaderName, value: &'static str| {
        headers
            .entry(name)
            .or_insert(HeaderValue::from_static(value));
    };
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(header::X_FRAME_OPTIONS, "DENY");
    set(header::REFERRER_POLICY, "no-referrer");
    set(
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    );
    set(
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; frame-ancestors 'none'",
    );
    if is_api {
        set(header::CACHE_CONTROL, "no-store");
    }
    if secure {
        set(header::STRICT_TRANSPORT_SECURITY, "max-age=31536000");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_request_ids_are_replaced() {
        let id = |text: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(REQUEST_ID, HeaderValue::from_static(text));
            request_id(&headers)
        };
        assert_eq!(id("abc-1"), "abc-1");
        assert_ne!(id("abc 1"), "abc 1");
        assert_eq!(id("").len(), 16);
    }
}
