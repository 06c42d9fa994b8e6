//! What an answer means: JSON of the protocol, problem details, or something that no master would say.

use backupx_core::{Error, ErrorKind, Result};
use bytes::{Bytes, BytesMut};
use reqwest::header::{CONTENT_TYPE, HeaderMap, LOCATION, RETRY_AFTER};
use reqwest::{Response, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// The longest answer that is read, but for objects.
const MOST_BYTES: usize = 32 << 20;
/// The longest problem that is read.
const MOST_PROBLEM_BYTES: usize = 64 << 10;

/// Codes that the inside matches on or shows; others become one code of their kind.
const CODES: &[&str] = &[
    "lease_lost",
    "command_not_found",
    "object_exists",
    "object_not_found",
    "relay_folder_missing",
    "target_not_found",
    "record_not_found",
    "node_not_found",
    "unauthenticated",
    "forbidden",
    "invalid_input",
    "policy_denied",
    "too_many_requests",
    "disk_full",
    "no_relay",
    "backint_target_unclear",
    "target_not_of_node",
    "target_behind_master",
    "unavailable",
    "internal",
];

/// RFC 9457 problem details, as far as they matter here.
#[derive(Deserialize)]
struct Problem {
    #[serde(default)]
    code: Option<String>,
    #[serde(default)]
    detail: Option<String>,
}

/// The JSON of a successful answer; nothing for 204.
pub(super) async fn json<T: DeserializeOwned>(
    response: Response,
    master: &str,
) -> Result<Option<T>> {
    let response = successful(response, master).await?;
    if response.status() == StatusCode::NO_CONTENT {
        return Ok(None);
    }
    if !is_json(response.headers()) {
        return Err(no_master(master, "answered no JSON"));
    }
    let body = body(response, MOST_BYTES, master).await?;
    serde_json::from_slice(&body).map(Some).map_err(|cause| {
        Error::unavailable(
            "bad_answer",
            format!("the master at {master} answered what this version of the agent does not understand: are both of one version?"),
        )
        .with_source(cause)
    })
}

/// The answer when it is a success, else the error that it tells of.
pub(super) async fn successful(response: Response, master: &str) -> Result<Response> {
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    if status.is_redirection() {
        let to = response
            .headers()
            .get(LOCATION)
            .and_then(|to| to.to_str().ok())
            .unwrap_or("nowhere");
        return Err(Error::unavailable(
            "redirect_refused",
            format!(
                "{master} redirects to {}; the token is never sent along: set the final URL as the master's",
                shortened(to)
            ),
        ));
    }
    let retry_after = retry_after(response.headers());
    let problem = problem(response, master).await;
    let error = match problem {
        Some(problem) => from_problem(status, problem),
        None => from_status(status, master),
    };
    Err(match retry_after {
        Some(secs) => error.retry_after_secs(secs),
        None => error,
    })
}

/// Reads a body of at most `most` bytes.
pub(super) async fn body(mut response: Response, most: usize, master: &str) -> Result<Bytes> {
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await.map_err(|cause| cut(master, cause))? {
        if body.len() + chunk.len() > most {
            return Err(Error::unavailable(
                "bad_answer",
                format!("{master} answered more than the {most} bytes that were expected"),
            ));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

/// A call that got no answer.
pub(super) fn cut(master: &str, cause: reqwest::Error) -> Error {
    let cause = cause.without_url();
    let chain = chain(&cause);
    if chain.contains("certificate") {
        return Error::unavailable(
            "master_not_trusted",
            format!("the certificate of {master} is not trusted: pass the authority's certificate with --ca-cert"),
        )
        .with_source(cause);
    }
    let (code, what) = if cause.is_timeout() {
        ("master_timeout", "did not answer in time")
    } else if cause.is_connect() {
        ("master_unreachable", "can't be reached")
    } else {
        ("master_cut", "broke the connection off")
    };
    Error::unavailable(code, format!("the master at {master} {what}")).with_source(cause)
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    text
}

async fn problem(response: Response, master: &str) -> Option<Problem> {
    if !is_json(response.headers()) {
        return None;
    }
    // A problem that can't be read says no more than its status does.
    let body = body(response, MOST_PROBLEM_BYTES, master).await.ok()?;
    serde_json::from_slice::<Problem>(&body)
        .ok()
        .filter(|problem| problem.code.is_some())
}

fn from_problem(status: StatusCode, problem: Problem) -> Error {
    let kind = match status.as_u16() {
        401 => ErrorKind::Unauthenticated,
        403 => ErrorKind::Forbidden,
        404 => ErrorKind::NotFound,
        409 | 410 | 412 => ErrorKind::Conflict,
        429 => ErrorKind::TooManyRequests,
        408 | 500..=599 => ErrorKind::Unavailable,
        _ => ErrorKind::Invalid,
    };
    let code = problem
        .code
        .and_then(|code| CODES.iter().find(|known| **known == code))
        .copied()
        .unwrap_or("master_refused");
    let detail = problem
        .detail
        .unwrap_or_else(|| format!("the master answered {status}"));
    Error::new(kind, code, shortened(&detail))
}

/// An answer without problem details does not come from a master: from a proxy before it, or from something else.
fn from_status(status: StatusCode, master: &str) -> Error {
    match status.as_u16() {
        401 => Error::unauthenticated(format!("{master} answered 401")),
        429 => Error::new(
            ErrorKind::TooManyRequests,
            "too_many_requests",
            format!("{master} answered 429"),
        ),
        408 | 500..=599 => {
            Error::unavailable("master_unavailable", format!("{master} answered {status}"))
        }
        _ => no_master(master, &format!("answered {status}")),
    }
}

fn no_master(master: &str, what: &str) -> Error {
    Error::unavailable(
        "not_a_master",
        format!("{master} {what}, so it is no BackupX master: check the URL"),
    )
}

fn is_json(headers: &HeaderMap) -> bool {
    headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .map(|value| {
            value
                .split(';')
                .next()
                .unwrap_or_default()
                .trim()
                .to_ascii_lowercase()
        })
        .is_some_and(|kind| kind == "application/json" || kind == "application/problem+json")
}

/// How long the master wants to be left alone, in seconds.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<u64> {
    headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()
}

/// What a stranger said, without control characters and not endless.
fn shortened(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(500).collect()
}
