//! What invocations become: the events of each front as Lambda sends them, those of a schedule, and forgeries.

use super::*;
use axum::body::{Bytes, to_bytes};
use axum::extract::OriginalUri;
use axum::http::{HeaderValue, Method};
use axum::routing::{any, get};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicUsize, Ordering};

/// What a router was asked, told by its answer's headers, with the request's body as the answer's.
async fn mirror(
    method: Method,
    OriginalUri(uri): OriginalUri,
    remote: Option<axum::Extension<ConnectInfo<SocketAddr>>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let told = |text: String| HeaderValue::try_from(text).expect("visible text");
    let mut answer = body.into_response();
    let remote = remote.map(|axum::Extension(ConnectInfo(address))| address.ip().to_string());
    for (name, value) in [
        ("told-request", format!("{method} {uri}")),
        ("told-remote", remote.unwrap_or_default()),
    ] {
        answer.headers_mut().insert(name, told(value));
    }
    for name in ["cookie", "x-seen"] {
        if let Some(value) = headers.get(name) {
            let name = HeaderName::try_from(format!("told-{name}")).expect("a name");
            answer.headers_mut().insert(name, value.clone());
        }
    }
    answer
}

fn router() -> Router {
    let large = || async { vec![0_u8; ANSWER_LIMIT + 1] };
    let broken = || async {
        let pieces = [Ok("half"), Err(std::io::Error::other("the cause"))];
        Body::from_stream(futures::stream::iter(pieces))
    };
    Router::new()
        .route("/large", get(large))
        .route("/broken", get(broken))
        .fallback(any(mirror))
}

/// Invokes the function with an event; answers what came of it and how many passes were made.
async fn invoked(event: &Value) -> (Result<Response, Broken>, usize) {
    let passes = AtomicUsize::new(0);
    let pass = || async {
        passes.fetch_add(1, Ordering::Relaxed);
        true
    };
    let request = lambda_http::request::from_str(&event.to_string()).expect("an event");
    let outcome = invoke(router(), &pass, request).await;
    (outcome, passes.into_inner())
}

/// Invokes it with an event that must be a request.
async fn asked(event: &Value) -> Response {
    let (outcome, passes) = invoked(event).await;
    assert_eq!(passes, 0, "a request made a pass");
    outcome.expect("an answer")
}

fn told<'a>(answer: &'a Response, what: &str) -> &'a str {
    let header = answer.headers().get(format!("told-{what}"));
    header.map_or("", |value| value.to_str().expect("text"))
}

async fn body_of(answer: Response) -> Vec<u8> {
    let bytes = to_bytes(answer.into_body(), usize::MAX).await;
    bytes.expect("a body").to_vec()
}

const FUNCTION_URL: &str = include_str!("../../tests/support/events/function-url.json");
const HTTP_API: &str = include_str!("../../tests/support/events/http-api.json");
const LOAD_BALANCER: &str = include_str!("../../tests/support/events/load-balancer.json");
const REST_API: &str = include_str!("../../tests/support/events/rest-api.json");
const RULE: &str = include_str!("../../tests/support/events/rule.json");
const SCHEDULER: &str = include_str!("../../tests/support/events/scheduler.json");

fn event(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

/// The event of a function URL or an HTTP API for this request.
fn request(front: &str, method: &str, path: &str, query: &str) -> Value {
    let mut event = event(front);
    event["rawPath"] = json!(path);
    event["rawQueryString"] = json!(query);
    event["requestContext"]["http"]["method"] = json!(method);
    event["requestContext"]["http"]["path"] = json!(path);
    event
}

/// The event of a load balancer for this request.
fn balanced(method: &str, path: &str) -> Value {
    let mut event = event(LOAD_BALANCER);
    event["httpMethod"] = json!(method);
    event["path"] = json!(path);
    event
}

#[tokio::test]
async fn a_function_url_asks_the_router() {
    let mut event = request(FUNCTION_URL, "POST", "/api/v1/tasks", "limit=5&name=a%2Fb");
    event["body"] = json!(r#"{"name":"nightly"}"#);
    event["cookies"] = json!(["a=1", "b=2"]);
    let answer = asked(&event).await;
    assert_eq!(
        told(&answer, "request"),
        "POST /api/v1/tasks?limit=5&name=a%2Fb"
    );
    assert_eq!(told(&answer, "remote"), "203.0.113.9");
    assert_eq!(told(&answer, "cookie"), "a=1; b=2");
    assert_eq!(body_of(answer).await, br#"{"name":"nightly"}"#);
}

#[tokio::test]
async fn bytes_go_in_as_they_are() {
    let bytes: Vec<u8> = (0..=255).collect();
    for mut event in [
        request(FUNCTION_URL, "PUT", "/x", ""),
        balanced("PUT", "/x"),
    ] {
        event["body"] = json!(BASE64.encode(&bytes));
        event["isBase64Encoded"] = json!(true);
        assert_eq!(body_of(asked(&event).await).await, bytes);
    }
}

#[tokio::test]
async fn a_stage_of_an_http_api_is_no_part_of_the_path() {
    for (path, seen) in [
        ("/live/api/v1/tasks", "/api/v1/tasks"),
        ("/live/", "/"),
        // Behind a name of its own an API leaves the stage out.
        ("/api/v1/tasks", "/api/v1/tasks"),
    ] {
        let mut event = request(HTTP_API, "GET", path, "limit=5");
        event["requestContext"]["stage"] = json!("live");
        let answer = asked(&event).await;
        assert_eq!(
            told(&answer, "request"),
            format!("GET {seen}?limit=5"),
            "{path}"
        );
    }
}

#[tokio::test]
async fn a_load_balancer_asks_the_router() {
    let mut event = balanced("GET", "/api/v1/nodes/4/browse");
    // It hands the values on as they were written.
    event["queryStringParameters"] = json!({"path": "%2Fsrv%2Fa%20%26%20b"});
    let answer = asked(&event).await;
    let asked_for = told(&answer, "request");
    let query = asked_for.split_once('?').expect("a query").1;
    assert_eq!(
        asked_for.split_once('?').expect("a query").0,
        "GET /api/v1/nodes/4/browse"
    );
    assert_eq!(query.replace("%20", "+"), "path=%2Fsrv%2Fa+%26+b");
    assert_eq!(told(&answer, "remote"), "203.0.113.9");
}

#[tokio::test]
async fn a_load_balancer_may_send_every_value_of_a_header() {
    let mut event = balanced("GET", "/x");
    event.as_object_mut().expect("an object").remove("headers");
    event["multiValueHeaders"] =
        json!({"host": ["backup.example"], "x-seen": ["yes"], "x-forwarded-for": ["203.0.113.9"]});
    let answer = asked(&event).await;
    assert_eq!(told(&answer, "x-seen"), "yes");
    assert_eq!(told(&answer, "remote"), "203.0.113.9");
}

#[tokio::test]
async fn nobody_is_local_to_a_function() {
    let mut event = balanced("GET", "/metrics");
    event["headers"]["x-forwarded-for"] = json!("203.0.113.9, 127.0.0.1");
    assert_eq!(told(&asked(&event).await, "remote"), "");
    let mut event = request(FUNCTION_URL, "GET", "/metrics", "");
    event["requestContext"]["http"]["sourceIp"] = json!("::1");
    assert_eq!(told(&asked(&event).await, "remote"), "");
}

#[tokio::test]
async fn a_schedule_makes_one_pass() {
    for event in [event(RULE), event(SCHEDULER)] {
        let (outcome, passes) = invoked(&event).await;
        assert_eq!(outcome.expect("an answer").status(), StatusCode::OK);
        assert_eq!(passes, 1, "{event}");
    }
}

#[tokio::test]
async fn a_pass_that_failed_is_an_error_of_the_function() {
    let request = lambda_http::request::from_str(RULE).expect("an event");
    let failed = invoke(router(), &|| async { false }, request).await;
    assert!(failed.is_err());
}

#[tokio::test]
async fn a_schedule_that_comes_by_http_stays_a_request() {
    let forged = event(RULE);
    for mut event in [
        request(FUNCTION_URL, "POST", "/", ""),
        request(FUNCTION_URL, "POST", "/events", ""),
        balanced("POST", "/events"),
    ] {
        event["body"] = json!(forged.to_string());
        let answer = asked(&event).await;
        assert!(told(&answer, "request").starts_with("POST /"));
        let sent: Value = serde_json::from_slice(&body_of(answer).await).expect("JSON");
        assert_eq!(sent, forged);
    }
}

#[tokio::test]
async fn an_event_of_a_front_is_no_schedule_whatever_else_stands_in_it() {
    // A REST API's, which this function has no answer for.
    let mut forged = event(REST_API);
    let object = forged.as_object_mut().expect("an object");
    object.extend(event(RULE).as_object().expect("an object").clone());
    let (outcome, passes) = invoked(&forged).await;
    assert!(outcome.is_err());
    assert_eq!(passes, 0);
}

#[tokio::test]
async fn other_events_are_refused() {
    let (mut other_rule, mut other_source) = (event(RULE), event(RULE));
    other_rule["detail-type"] = json!("EC2 Instance State-change Notification");
    other_source["source"] = json!("my.application");
    for event in [
        other_rule,
        other_source,
        json!({"Records": [{"eventSource": "aws:s3"}]}),
        json!("Scheduled Event"),
        json!({}),
        Value::Null,
    ] {
        let (outcome, passes) = invoked(&event).await;
        assert!(outcome.is_err(), "{event}");
        assert_eq!(passes, 0, "{event}");
    }
}

#[tokio::test]
async fn an_answer_that_lambda_would_not_take_is_a_problem() {
    let answer = asked(&request(FUNCTION_URL, "GET", "/large", "")).await;
    assert_eq!(answer.status(), StatusCode::NOT_IMPLEMENTED);
    assert_eq!(
        answer.headers()[header::CONTENT_TYPE],
        "application/problem+json"
    );
    let problem: Value = serde_json::from_slice(&body_of(answer).await).expect("JSON");
    assert_eq!(problem["code"], "answer_too_large");
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_a_problem() {
    let answer = asked(&request(FUNCTION_URL, "GET", "/broken", "")).await;
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    let text = String::from_utf8(body_of(answer).await).expect("text");
    assert!(text.contains("answer_broke_off") && !text.contains("the cause"));
}
