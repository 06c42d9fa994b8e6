//! The other front door: the same router as an AWS Lambda function, behind function URLs, HTTP APIs of API Gateway and load balancers,
//! and the events of a schedule.
//!
//! What an invocation is, its event tells before a request is made of it. A front puts all that its caller sent into `headers`, `body` and
//! their like, as text, beside a `requestContext` of its own; so nobody who comes by HTTP can send what stands at the top of a schedule's event.

use crate::problem::{Answer, Failure, render};
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::uri::PathAndQuery;
use axum::http::{HeaderMap, HeaderName, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use backupx_core::Error;
use futures::StreamExt;
use lambda_http::request::RequestContext;
use lambda_http::tower::ServiceExt;
use lambda_http::{Request, service_fn};
use serde::Deserialize;
use serde::de::IgnoredAny;
use std::net::{IpAddr, SocketAddr};

/// Most bytes of an answer: Lambda takes 6 MB with everything around, and what is no text goes as base64.
const ANSWER_LIMIT: usize = 4 << 20;
/// Where an event of a schedule comes from: a rule of EventBridge, or its Scheduler.
const SCHEDULES: [&str; 2] = ["aws.events", "aws.scheduler"];
/// Headers that belong to a body.
const OF_BODY: [HeaderName; 4] = [
    header::CONTENT_DISPOSITION,
    header::CONTENT_ENCODING,
    header::CONTENT_LENGTH,
    header::CONTENT_TYPE,
];

/// What ends an invocation without an answer; Lambda counts it as an error of the function.
type Broken = Box<dyn std::error::Error + Send + Sync>;

/// Serves the invocations of this function, one after the other, until the process ends. HTTP requests go to `router`; an event of a
/// schedule makes one `pass`, which says whether all of it held. Panics when the variables are missing that Lambda sets for a runtime.
pub async fn serve_function<P, F>(router: Router, pass: P) -> Result<(), Broken>
where
    P: Fn() -> F + Sync,
    F: Future<Output = bool> + Send,
{
    let pass = &pass;
    let invocations = service_fn(move |request| invoke(router.clone(), pass, request));
    lambda_http::run(invocations).await
}

async fn invoke<P, F>(router: Router, pass: &P, request: Request) -> Result<Response, Broken>
where
    P: Fn() -> F + Sync,
    F: Future<Output = bool> + Send,
{
    let Some(front) = Front::of(&request) else {
        return scheduled(pass, request.body()).await;
    };
    let answer = router.oneshot(front.pass_on(request)).await?;
    Ok(whole(answer).await)
}

/// What a front says of a request's way.
struct Front {
    /// Who called it, as far as it can be told.
    address: Option<IpAddr>,
    /// What its paths begin with.
    stage: Option<String>,
}

impl Front {
    /// The front that a request came through; nothing for an event that no front sent.
    fn of(request: &Request) -> Option<Self> {
        match request.extensions().get()? {
            RequestContext::ApiGatewayV2(context) => {
                let address = context.http.source_ip.as_deref();
                let stage = context.stage.clone();
                Some(Self {
                    address: address.and_then(|text| text.parse().ok()),
                    stage: stage.filter(|stage| stage != "$default"),
                })
            }
            RequestContext::Alb(_) => Some(Self {
                address: forwarded_last(request.headers()),
                stage: None,
            }),
            _ => None,
        }
    }

    /// The request as a listener would have it.
    fn pass_on(self, request: Request) -> axum::extract::Request {
        let (mut parts, body) = request.into_parts();
        if let Some(path) = self.path(&parts.uri) {
            parts.uri = Uri::from(path);
        }
        // Nobody is local to a function: an address that says so was made up.
        if let Some(address) = self.address.filter(|address| !address.is_loopback()) {
            let address = SocketAddr::new(address.to_canonical(), 0);
            parts.extensions.insert(ConnectInfo(address));
        }
        axum::extract::Request::from_parts(parts, Body::new(body))
    }

    /// The path below the stage.
    fn path(&self, uri: &Uri) -> Option<PathAndQuery> {
        let whole = uri.path_and_query()?;
        let below = self.stage.as_deref().and_then(|stage| {
            let below = whole.as_str().strip_prefix('/')?.strip_prefix(stage)?;
            below.starts_with('/').then_some(below)
        });
        match below {
            Some(below) => below.parse().ok(),
            None => Some(whole.clone()),
        }
    }
}

/// The address that a load balancer added.
fn forwarded_last(headers: &HeaderMap) -> Option<IpAddr> {
    let forwarded = headers.get_all("x-forwarded-for").iter().next_back()?;
    let last = forwarded.to_str().ok()?.rsplit(',').next()?;
    last.trim().parse().ok()
}

/// An event as far as it has to be known.
#[derive(Deserialize)]
struct Event {
    source: Option<String>,
    #[serde(rename = "detail-type")]
    detail_type: Option<String>,
    #[serde(rename = "requestContext")]
    request_context: Option<IgnoredAny>,
}

impl Event {
    fn is_scheduled(&self) -> bool {
        let source = self.source.as_deref().unwrap_or_default();
        self.request_context.is_none()
            && SCHEDULES.contains(&source)
            && self.detail_type.as_deref() == Some("Scheduled Event")
    }
}

async fn scheduled<P, F>(pass: &P, event: &[u8]) -> Result<Response, Broken>
where
    P: Fn() -> F,
    F: Future<Output = bool>,
{
    let event = serde_json::from_slice::<Event>(event).ok();
    if !event.is_some_and(|event| event.is_scheduled()) {
        return Err(
            "this event is neither an HTTP request of a front that is known nor a schedule's event"
                .into(),
        );
    }
    if !pass().await {
        return Err("a part of the pass failed; the log says which".into());
    }
    Ok(Json(serde_json::json!({"passed": true})).into_response())
}

/// An answer that is all there, or the reason why it can't be given.
async fn whole(answer: Response) -> Response {
    let (parts, body) = answer.into_parts();
    match read(body).await {
        Ok(bytes) => Response::from_parts(parts, Body::from(bytes)),
        Err(failure) => {
            let mut headers = parts.headers;
            OF_BODY.iter().for_each(|name| {
                headers.remove(name);
            });
            let id = headers.get("x-request-id").and_then(|id| id.to_str().ok());
            let mut refusal = render(failure.into_response(), id.unwrap_or_default());
            headers.extend(std::mem::take(refusal.headers_mut()));
            *refusal.headers_mut() = headers;
            refusal
        }
    }
}

async fn read(body: Body) -> Answer<Vec<u8>> {
    let mut whole = Vec::new();
    let mut pieces = body.into_data_stream();
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(|cause| {
            Error::unavailable("answer_broke_off", "the answer broke off").with_source(cause)
        })?;
        if whole.len() + piece.len() > ANSWER_LIMIT {
            return Err(Failure::new(
                StatusCode::NOT_IMPLEMENTED,
                "answer_too_large",
                "this master runs as a function, whose answers have at most 4 MiB; `backupx extract` opens a backup straight from storage",
            ));
        }
        whole.extend_from_slice(&piece);
    }
    Ok(whole)
}

#[cfg(test)]
#[path = "lambda_tests.rs"]
mod tests;
