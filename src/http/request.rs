//! One request: its id, its span, its time limit, the headers of its answer, and the one line that is counted of it.

use crate::problem::{Answer, render};
use crate::state::Http;
use axum::extract::{ConnectInfo, FromRequestParts, MatchedPath, Request, State};
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap, HeaderName, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::Response;
use backupx_core::Error;
use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
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

/// Where a request comes from. A proxy on this host is believed about the address that it adds last; nobody else is.
pub(crate) fn remote_address(headers: &HeaderMap, extensions: &Extensions) -> Option<IpAddr> {
    let peer = extensions
        .get::<ConnectInfo<SocketAddr>>()
        .map(|ConnectInfo(peer)| peer.ip().to_canonical())?;
    let forwarded = headers.get_all("x-forwarded-for").iter().next_back();
    match forwarded {
        Some(forwarded) if peer.is_loopback() => forwarded
            .to_str()
            .ok()
            .and_then(|list| list.rsplit(',').next())
            .and_then(|last| last.trim().parse().ok()),
        _ => Some(peer),
    }
}

/// The address that a request comes from, as the key under which failures are counted.
pub(crate) struct Remote(pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for Remote {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let address = remote_address(&parts.headers, &parts.extensions);
        Ok(Self(
            address.map_or_else(|| "unknown".to_owned(), |a| a.to_string()),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(peer: &str, forwarded: Option<&'static str>) -> Option<String> {
        let mut headers = HeaderMap::new();
        if let Some(forwarded) = forwarded {
            headers.insert("x-forwarded-for", HeaderValue::from_static(forwarded));
        }
        let mut extensions = Extensions::new();
        let peer: SocketAddr = peer.parse().expect("an address");
        extensions.insert(ConnectInfo(peer));
        remote_address(&headers, &extensions).map(|address| address.to_string())
    }

    #[test]
    fn only_a_proxy_on_this_host_is_believed() {
        assert_eq!(
            address("10.0.0.9:1", Some("1.2.3.4")).as_deref(),
            Some("10.0.0.9")
        );
        assert_eq!(
            address("127.0.0.1:1", Some("6.6.6.6, 1.2.3.4")).as_deref(),
            Some("1.2.3.4")
        );
        assert_eq!(address("127.0.0.1:1", None).as_deref(), Some("127.0.0.1"));
        assert_eq!(
            address("[::ffff:10.0.0.9]:1", None).as_deref(),
            Some("10.0.0.9")
        );
        assert_eq!(address("127.0.0.1:1", Some("nonsense")), None);
    }

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
