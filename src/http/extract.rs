//! Extractors that answer with problem details: JSON bodies, ids in paths, queries.

use crate::problem::Failure;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::{HeaderMap, StatusCode, header, request::Parts};
use backupx_core::{Error, FieldError};
use serde::de::DeserializeOwned;

/// A JSON body, in or out. Coming in it refuses other media types, bad JSON, and values that do not fit, naming the field.
pub(crate) struct Json<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failure> {
        if !is_json(request.headers()) {
            return Err(Failure::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupported_media_type",
                "the request's body must be JSON, with Content-Type: application/json",
            ));
        }
        let bytes = read(request, state).await?;
        parse(&bytes).map(Self)
    }
}

impl<T: serde::Serialize> axum::response::IntoResponse for Json<T> {
    fn into_response(self) -> axum::response::Response {
        axum::Json(self.0).into_response()
    }
}

/// A JSON body that may be left out; then the defaults are taken.
pub(crate) struct OptionalJson<T>(pub(crate) T);

impl<T: DeserializeOwned + Default, S: Send + Sync> FromRequest<S> for OptionalJson<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failure> {
        let json = is_json(request.headers());
        let bytes = read(request, state).await?;
        match (bytes.is_empty(), json) {
            (true, _) => Ok(Self(T::default())),
            (false, true) => parse(&bytes).map(Self),
            (false, false) => Err(Failure::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupported_media_type",
                "the request's body must be JSON, with Content-Type: application/json",
            )),
        }
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let media_type = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .map(|value| value.trim().to_ascii_lowercase());
    media_type.is_some_and(|media_type| media_type == "application/json")
}

async fn read<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, Failure> {
    Bytes::from_request(request, state)
        .await
        .map_err(|rejection: BytesRejection| match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => Failure::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "body_too_large",
                "the request's body is larger than this address takes",
            ),
            _ => Failure::new(
                StatusCode::BAD_REQUEST,
                "body_incomplete",
                "the request's body could not be read to its end",
            ),
        })
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Failure> {
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let path = error.path().to_string();
        let inner = error.into_inner();
        match inner.classify() {
            serde_json::error::Category::Data => misfit(&path, &inner.to_string()),
            _ => bad_json(&inner),
        }
    })?;
    json.end().map_err(|error| bad_json(&error))?;
    Ok(value)
}

fn bad_json(error: &serde_json::Error) -> Failure {
    Failure::new(
        StatusCode::BAD_REQUEST,
        "bad_json",
        format!("the request's body is no valid JSON: {error}"),
    )
}

/// A value that does not fit, about the field at `path`; a missing or unknown field is named itself.
fn misfit(path: &str, message: &str) -> Failure {
    let parent = Some(path).filter(|path| !path.is_empty() && *path != ".");
    let named = ["unknown field `", "missing field `"]
        .iter()
        .find_map(|start| message.strip_prefix(start)?.split('`').next());
    let field = match (parent, named) {
        (Some(parent), Some(named)) if !parent.ends_with(named) => format!("{parent}.{named}"),
        (Some(parent), _) => parent.to_owned(),
        (None, Some(named)) => named.to_owned(),
        (None, None) => "body".to_owned(),
    };
    let message = message.split(" at line ").next().unwrap_or(message);
    Error::fields(vec![FieldError {
        field: shortened(&field),
        message: shortened(message),
    }])
    .into()
}

/// What the caller sent comes back in messages; no more of it than a person reads.
fn shortened(text: &str) -> String {
    match text.char_indices().nth(300) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// Parameters of the path.
pub(crate) struct Path<T>(pub(crate) T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let axum::extract::Path(value) = axum::extract::Path::from_request_parts(parts, state)
            .await
            .map_err(|_| {
                Failure::new(
                    StatusCode::NOT_FOUND,
                    "not_found",
                    "there is nothing at this address: ids in it are whole numbers",
                )
            })?;
        Ok(Self(value))
    }
}

/// Parameters of the query.
pub(crate) struct Query<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let axum::extract::Query(value) = axum::extract::Query::from_request_parts(parts, state)
            .await
            .map_err(|rejection| {
                let text = rejection.body_text();
                let text = text
                    .strip_prefix("Failed to deserialize query string: ")
                    .unwrap_or(&text);
                match text.split_once(": ") {
                    Some((field, message)) if !field.contains(' ') => misfit(field, message),
                    _ => misfit("", text),
                }
            })?;
        Ok(Self(value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use backupx_api::tasks::TaskInput;

    fn refused(json: &str) -> String {
        let failure = parse::<TaskInput>(json.as_bytes()).expect_err("must be refused");
        format!("{failure:?}")
    }

    #[test]
    fn a_misfit_names_its_field() {
        for (json, field) in [
            (r#"{"name": 7}"#, "name"),
            (r#"{"colour": 7}"#, "colour"),
            (r#"{"name": "a", "targetIds": ["x"]}"#, "targetIds[0]"),
            (
                r#"{"name": "a", "retention": {"keepLast": -1}}"#,
                "retention.keepLast",
            ),
            (
                r#"{"name": "a", "retention": {"keep": 1}}"#,
                "retention.keep",
            ),
            (r#"{"name": "a"}"#, "source"),
            ("[]", "body"),
        ] {
            let said = refused(json);
            assert!(said.contains(&format!("{field}: ")), "{json}: {said}");
        }
    }

    #[test]
    fn broken_json_is_no_misfit() {
        for json in ["", "{", "{\"name\": \"a\",}", "nul"] {
            assert!(refused(json).contains("bad_json"), "{json}");
        }
    }

    #[test]
    fn long_input_is_not_sent_back() {
        let said = refused(&format!(r#"{{"{}": 1}}"#, "x".repeat(10_000)));
        assert!(said.len() < 2000, "{}", said.len());
    }
}
