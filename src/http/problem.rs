//! Problem details: the one place where a failure becomes an answer, and where it is logged.

use axum::Json;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use backupx_api::problem::{FieldProblem, Problem};
use backupx_core::{Error, ErrorKind};
use std::sync::Arc;

/// What a handler answers.
pub(crate) type Answer<T> = Result<T, Failure>;

/// A failure on its way out. [`render`] turns it into problem details once the request's id is known.
#[derive(Debug, Clone)]
pub(crate) struct Failure {
    status: StatusCode,
    error: Arc<Error>,
}

impl Failure {
    /// A failure of the front door itself, with a status that no kind of the core stands for.
    pub(crate) fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self {
            status,
            error: Arc::new(Error::invalid(code, detail)),
        }
    }

    /// This failure about one field.
    pub(crate) fn field(field: impl Into<String>, message: impl Into<String>) -> Self {
        Error::field(field, message).into()
    }

    /// The failure that a bare status of the framework stands for.
    fn of_status(status: StatusCode) -> Self {
        let (code, detail) = match status {
            StatusCode::NOT_FOUND => ("not_found", "there is nothing at this address"),
            StatusCode::METHOD_NOT_ALLOWED => (
                "method_not_allowed",
                "this address does not take this method; the Allow header says which ones it takes",
            ),
            StatusCode::PAYLOAD_TOO_LARGE => ("body_too_large", "the request's body is too large"),
            StatusCode::UNSUPPORTED_MEDIA_TYPE => (
                "unsupported_media_type",
                "the request's body must be application/json",
            ),
            _ => ("bad_request", "the request could not be understood"),
        };
        Self::new(status, code, detail)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let status = match error.kind() {
            ErrorKind::NotFound => StatusCode::NOT_FOUND,
            // Every stale version was named by an If-Match header.
            ErrorKind::Conflict if error.code() == "stale_version" => {
                StatusCode::PRECONDITION_FAILED
            }
            ErrorKind::Conflict => StatusCode::CONFLICT,
            ErrorKind::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
            ErrorKind::Unauthenticated => StatusCode::UNAUTHORIZED,
            ErrorKind::Forbidden => StatusCode::FORBIDDEN,
            ErrorKind::TooManyRequests => StatusCode::TOO_MANY_REQUESTS,
            ErrorKind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            ErrorKind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Self {
            status,
            error: Arc::new(error),
        }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// Turns a failed response into problem details and logs it, once. Responses that are no failures stay as they are.
pub(crate) fn render(response: Response, request_id: &str) -> Response {
    let status = response.status();
    let failure = match response.extensions().get::<Failure>() {
        Some(failure) => failure.clone(),
        None if status.is_client_error() || status.is_server_error() => Failure::of_status(status),
        None => return response,
    };
    log(&failure, request_id);
    let mut headers = kept_headers(response.headers());
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static(Problem::MEDIA_TYPE),
    );
    if let Some(secs) = retry_after(&failure) {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(secs));
    }
    if failure.status == StatusCode::UNAUTHORIZED {
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    let problem = problem(&failure, request_id);
    let mut answer = (failure.status, Json(problem)).into_response();
    answer.headers_mut().extend(headers);
    answer
}

/// What the framework said and a person needs: which methods an address takes, and cookies.
fn kept_headers(headers: &HeaderMap) -> HeaderMap {
    let mut kept = HeaderMap::new();
    for name in [header::ALLOW, header::SET_COOKIE] {
        if let Some(value) = headers.get(&name) {
            kept.insert(name, value.clone());
        }
    }
    kept
}

fn retry_after(failure: &Failure) -> Option<u64> {
    let waits = matches!(
        failure.status,
        StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS
    );
    failure.error.retry_after().or(waits.then_some(5))
}

fn problem(failure: &Failure, request_id: &str) -> Problem {
    let error = &failure.error;
    let internal = error.kind() == ErrorKind::Internal;
    let detail = if internal {
        format!(
            "something went wrong inside the master; its log tells more under request {request_id}"
        )
    } else {
        error.message().to_owned()
    };
    let field = |field: &backupx_core::FieldError| FieldProblem {
        field: field.field.clone(),
        message: field.message.clone(),
    };
    Problem {
        type_: "about:blank".to_owned(),
        title: failure
            .status
            .canonical_reason()
            .unwrap_or("Failure")
            .to_owned(),
        status: failure.status.as_u16(),
        code: if internal { "internal" } else { error.code() }.to_owned(),
        detail,
        errors: error.field_errors().iter().map(field).collect(),
        request_id: Some(request_id.to_owned()),
    }
}

fn log(failure: &Failure, request_id: &str) {
    let error = &failure.error;
    match error.kind() {
        ErrorKind::Internal => tracing::error!(
            request.id = request_id,
            code = error.code(),
            error = error.chain(),
            "a request failed inside"
        ),
        ErrorKind::Unavailable => tracing::warn!(
            request.id = request_id,
            code = error.code(),
            error = error.chain(),
            "a request found something outside unavailable"
        ),
        ErrorKind::NotFound
        | ErrorKind::Conflict
        | ErrorKind::Invalid
        | ErrorKind::Unauthenticated
        | ErrorKind::Forbidden
        | ErrorKind::TooManyRequests => tracing::debug!(
            request.id = request_id,
            status = failure.status.as_u16(),
            code = error.code(),
            error = error.chain(),
            "a request was refused"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::to_bytes;

    async fn rendered(error: Error) -> (StatusCode, HeaderMap, Problem) {
        let response = render(Failure::from(error).into_response(), "r1");
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, 100_000).await.expect("a short body");
        let problem = serde_json::from_slice(&bytes).expect("problem details");
        (parts.status, parts.headers, problem)
    }

    #[tokio::test]
    async fn causes_and_inner_messages_never_reach_an_answer() {
        let cause = std::io::Error::other("password=hunter2");
        let (status, _, problem) =
            rendered(Error::internal("database said hunter2").with_source(cause)).await;
        assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
        assert!(!format!("{problem:?}").contains("hunter2"));
        assert!(problem.detail.contains("r1"));
    }

    #[tokio::test]
    async fn fields_and_waiting_times_are_told() {
        let (status, headers, problem) = rendered(Error::field("name", "must not be empty")).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(headers[header::CONTENT_TYPE], Problem::MEDIA_TYPE);
        assert_eq!(problem.errors[0].field, "name");
        let error = Error::unavailable("node_offline", "node web is offline").retry_after_secs(30);
        let (status, headers, _) = rendered(error).await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(headers[header::RETRY_AFTER], "30");
    }

    #[tokio::test]
    async fn bare_statuses_of_the_framework_become_problems() {
        let response = render(StatusCode::METHOD_NOT_ALLOWED.into_response(), "r1");
        assert_eq!(
            response.headers()[header::CONTENT_TYPE],
            Problem::MEDIA_TYPE
        );
    }
}
