//! From problem details and broken connections to a sentence with what to do.

use crate::cmd::failure::Hint;
use anyhow::Result;
use backupx_api::problem::Problem;
use reqwest::header::{CONTENT_TYPE, LOCATION, RETRY_AFTER};
use reqwest::{Response, StatusCode};
use std::error::Error as StdError;
use std::fmt;

/// Most bytes of an answer that is no success.
const MOST_BYTES: usize = 64 * 1024;

/// A refusal by the master.
#[derive(Debug)]
pub(crate) struct Refused {
    /// The HTTP status.
    pub(crate) status: StatusCode,
    sentence: String,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence)
    }
}

impl StdError for Refused {}

/// The master could not be asked, or broke off its answer.
#[derive(Debug)]
pub(crate) struct Unreachable {
    sentence: String,
}

impl fmt::Display for Unreachable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence)
    }
}

impl StdError for Unreachable {}

/// True when the thing that was asked for is not there.
pub(crate) fn is_not_found(error: &anyhow::Error) -> bool {
    refused(error).is_some_and(|refused| refused.status == StatusCode::NOT_FOUND)
}

/// True when the same call may work a little later.
pub(crate) fn is_passing(error: &anyhow::Error) -> bool {
    let busy = |refused: &Refused| {
        refused.status.is_server_error() || refused.status == StatusCode::TOO_MANY_REQUESTS
    };
    refused(error).map_or_else(
        || error.chain().any(<dyn StdError>::is::<Unreachable>),
        busy,
    )
}

/// The refusal in an error, if it is one.
pub(crate) fn refused(error: &anyhow::Error) -> Option<&Refused> {
    error.chain().find_map(|cause| cause.downcast_ref())
}

/// A call that got no answer.
pub(crate) fn unreachable(master: &str, error: reqwest::Error) -> anyhow::Error {
    let error = error.without_url();
    let what = if error.is_timeout() {
        "did not answer in time"
    } else if error.is_connect() {
        "can't be reached"
    } else {
        "did not answer as expected"
    };
    let mut sentence = format!("the master at {master} {what}");
    let mut cause = error.source();
    while let Some(next) = cause {
        // Wrappers that only repeat their cause are left out.
        if next.source().is_none() {
            sentence.push_str(": ");
            sentence.push_str(&next.to_string());
        }
        cause = next.source();
    }
    with_hints(
        Unreachable { sentence },
        vec!["is the address right, and does `backupx server` run there? `backupx doctor` looks closer".to_owned()],
    )
}

/// Lets a success through and makes everything else an error.
pub(crate) async fn refuse(master: &str, mut response: Response) -> Result<Response> {
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    if status.is_redirection() {
        return Err(redirected(master, &response));
    }
    let retry_after = header(&response, RETRY_AFTER.as_str());
    let is_json =
        header(&response, CONTENT_TYPE.as_str()).is_some_and(|kind| kind.contains("json"));
    let mut body = Vec::new();
    while body.len() < MOST_BYTES {
        match response.chunk().await {
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            // A broken body still leaves the status to tell.
            Ok(None) | Err(_) => break,
        }
    }
    let problem = is_json
        .then(|| serde_json::from_slice::<Problem>(&body).ok())
        .flatten();
    Err(match problem {
        Some(problem) => explained(master, status, problem, retry_after.as_deref()),
        None => with_hints(
            Refused {
                status,
                sentence: format!("{master} answered {status}, and not as a BackupX master does"),
            },
            vec!["is the address right, and is there a proxy in between?".to_owned()],
        ),
    })
}

fn redirected(master: &str, response: &Response) -> anyhow::Error {
    let to = header(response, LOCATION.as_str()).unwrap_or_default();
    with_hints(
        Refused {
            status: response.status(),
            sentence: format!(
                "{master} answered with a redirect to {to:?}; redirects are never followed, since they would carry the key away"
            ),
        },
        vec!["use the address that the master really has".to_owned()],
    )
}

fn explained(
    master: &str,
    status: StatusCode,
    problem: Problem,
    retry_after: Option<&str>,
) -> anyhow::Error {
    let mut sentence = problem.detail;
    let mut hints = Vec::new();
    for field in &problem.errors {
        // With one wrong field the sentence is about it already.
        if !sentence.contains(&field.message) {
            sentence.push_str(&format!("\n  {}: {}", field.field, field.message));
        }
    }
    if let Some(what) = problem.code.strip_suffix("_not_found")
        && matches!(what, "node" | "target" | "task" | "record" | "operation")
    {
        hints.push(format!("`backupx {what} ls` lists what there is"));
    }
    match status {
        StatusCode::UNAUTHORIZED => hints.push(format!(
            "sign in again with `backupx login --master {master}`, or set another BACKUPX_API_KEY"
        )),
        // Other refusals, a host's policy among them, say in their sentence who refused.
        StatusCode::FORBIDDEN if problem.code == "forbidden" => {
            hints.push("ask an administrator, or use a key with a higher role".to_owned());
        }
        StatusCode::PRECONDITION_FAILED => {
            hints.push("somebody else changed it meanwhile: look again, then repeat".to_owned());
        }
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
            if let Some(seconds) = retry_after {
                hints.push(format!("try again in {seconds} s"));
            }
        }
        _ => {}
    }
    if status.is_server_error()
        && let Some(id) = &problem.request_id
    {
        hints.push(format!("the master's log says more under request {id}"));
    }
    with_hints(Refused { status, sentence }, hints)
}

/// The error with its hints around it; its type stays in the chain.
fn with_hints(error: impl StdError + Send + Sync + 'static, hints: Vec<String>) -> anyhow::Error {
    let message = error.to_string();
    anyhow::Error::new(error).context(Hint { message, hints })
}

fn header(response: &Response, name: &str) -> Option<String> {
    let value = response.headers().get(name)?;
    Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
}
