//! Replies: the few shapes of a good answer.

use crate::precondition::etag;
use axum::Json;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// 200 with the thing and the ETag of its version.
pub(super) fn tagged<T: Serialize>(version: i64, body: T) -> Response {
    (etag(version), Json(body)).into_response()
}

/// 201: a thing was made and is found at `location`.
pub(super) fn created<T: Serialize>(location: String, body: T) -> Response {
    let location = [(header::LOCATION, location)];
    (StatusCode::CREATED, location, Json(body)).into_response()
}

/// 202: work was started and is followed at `location`.
pub(super) fn accepted<T: Serialize>(location: String, body: T) -> Response {
    let location = [(header::LOCATION, location)];
    (StatusCode::ACCEPTED, location, Json(body)).into_response()
}
