//! Idempotency keys: a write that is sent again under the same key is not carried out again, its answer is repeated.

use crate::auth::caller::Person;
use crate::problem::{Answer, Failure};
use crate::state::Http;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use backupx_core::domain::account::Principal;
use backupx_core::ports::settings::KeptAnswer;
use backupx_core::{Error, Result};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tracing::Instrument;

const KEY: HeaderName = HeaderName::from_static("idempotency-key");
const REPEATED: HeaderName = HeaderName::from_static("idempotency-replayed");
const LIMIT: usize = 1024 * 1024;

/// Marks an answer that holds a secret which is shown once and kept nowhere, an answer store included (never 23).
#[derive(Debug, Clone, Copy)]
pub(crate) struct ShownOnce;

/// What is kept of an answer beside its status.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Kept {
    shown_once: bool,
    headers: Vec<(String, String)>,
    body: String,
}

/// Carries a write with an `Idempotency-Key` out once.
pub(crate) async fn once(
    State(http): State<Http>,
    person: Person,
    request: Request,
    next: Next,
) -> Answer<Response> {
    let Some(key) = request.headers().get(&KEY).cloned() else {
        return Ok(next.run(request).await);
    };
    if request.method().is_safe() {
        return Ok(next.run(request).await);
    }
    let key = key
        .to_str()
        .map_err(|_| Failure::field("Idempotency-Key", "must be printable ASCII"))?
        .to_owned();
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, LIMIT).await.map_err(|_| {
        Failure::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "body_too_large",
            "the request's body is larger than 1 MiB",
        )
    })?;
    let hash = request_hash(&parts.method, &parts.uri.to_string(), &body);
    let principal = person.principal;
    if let Some(kept) = http.app.begin_answer(&principal, &key, &hash).await? {
        return repeat(&hash, kept);
    }
    let request = Request::from_parts(parts, Body::from(body));
    // On a task of its own: a caller that hangs up must not leave the key claimed without an answer.
    let carried_out =
        tokio::spawn(carry_out(http, principal, key, request, next).in_current_span());
    let answer = carried_out
        .await
        .map_err(|error| Error::internal("a request ended in a panic").with_source(error))?;
    Ok(answer?)
}

async fn carry_out(
    http: Http,
    principal: Principal,
    key: String,
    request: Request,
    next: Next,
) -> Result<Response> {
    let response = next.run(request).await;
    if !response.status().is_success() {
        http.app.forget_answer(&principal, &key).await?;
        return Ok(response);
    }
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, LIMIT)
        .await
        .map_err(|error| Error::internal("an answer could not be collected").with_source(error))?;
    let kept = match parts.extensions.get::<ShownOnce>() {
        Some(ShownOnce) => Kept {
            shown_once: true,
            ..Kept::default()
        },
        None => Kept {
            shown_once: false,
            headers: kept_headers(&parts.headers),
            body: String::from_utf8_lossy(&body).into_owned(),
        },
    };
    let kept = serde_json::to_string(&kept)
        .map_err(|error| Error::internal("an answer could not be kept").with_source(error))?;
    http.app
        .keep_answer(&principal, &key, parts.status.as_u16(), &kept)
        .await?;
    Ok(Response::from_parts(parts, Body::from(body)))
}

fn request_hash(method: &Method, uri: &str, body: &Bytes) -> String {
    let mut hash = Sha256::new();
    hash.update(format!("{method} {uri}\n"));
    hash.update(body);
    hex::encode(hash.finalize())
}

fn kept_headers(headers: &HeaderMap) -> Vec<(String, String)> {
    [header::CONTENT_TYPE, header::LOCATION, header::ETAG]
        .iter()
        .filter_map(|name| {
            let value = headers.get(name)?.to_str().ok()?;
            Some((name.to_string(), value.to_owned()))
        })
        .collect()
}

fn repeat(hash: &str, kept: KeptAnswer) -> Answer<Response> {
    if kept.request_hash != hash {
        return Err(Failure::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "idempotency_key_reused",
            "this Idempotency-Key was sent with another request before; take a new one",
        ));
    }
    if kept.status == 0 {
        return Err(Error::conflict(
            "idempotency_key_in_progress",
            "the first request with this Idempotency-Key is still under way; when the master was restarted meanwhile, look whether it was carried out and take a new key",
        )
        .retry_after_secs(1)
        .into());
    }
    let answer: Kept = serde_json::from_str(&kept.body)
        .map_err(|error| Error::internal("a kept answer can't be read").with_source(error))?;
    if answer.shown_once {
        return Err(Failure::new(
            StatusCode::CONFLICT,
            "answer_shown_once",
            "this request was carried out; its answer held a secret that is shown once and is not kept",
        ));
    }
    let status = StatusCode::from_u16(kept.status)
        .map_err(|error| Error::internal("a kept answer has a bad status").with_source(error))?;
    let mut response = (status, answer.body).into_response();
    for (name, value) in answer.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            response.headers_mut().insert(name, value);
        }
    }
    response
        .headers_mut()
        .insert(REPEATED, HeaderValue::from_static("true"));
    Ok(response)
}
