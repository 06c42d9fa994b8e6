//! HTTP for OpenDAL over our own client: with limits, and without redirects, which would carry a signed request elsewhere.

use backupx_core::Error as CoreError;
use futures::stream::BoxStream;
use futures::{Stream, StreamExt, TryStreamExt, stream};
use http::{Request, Response};
use opendal::{Buffer, Error, ErrorKind, HttpBody, HttpTransport, Result};
use reqwest::redirect::Policy;
use reqwest::{Body, Client};
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

/// A host that does not take the connection by then is not there.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);
/// The kernel gives a connection up when the other side acknowledges nothing for so long: an upload that stalls ends.
const UNACKNOWLEDGED_LIMIT: Duration = Duration::from_secs(60);
const IDLE_LIMIT: Duration = Duration::from_secs(30);

/// What requests of one kind get added to their query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Addition {
    /// A part of the query that such a request has.
    pub(super) to: &'static str,
    /// What is added.
    pub(super) query: &'static str,
}

/// A client of its own for one store.
#[derive(Debug, Clone)]
pub(super) struct Transport {
    client: Client,
    addition: Option<Addition>,
}

impl Transport {
    pub(super) fn new(addition: Option<Addition>) -> backupx_core::Result<Self> {
        let client = Client::builder()
            .connect_timeout(CONNECT_LIMIT)
            .tcp_user_timeout(UNACKNOWLEDGED_LIMIT)
            .tcp_keepalive(UNACKNOWLEDGED_LIMIT)
            .pool_idle_timeout(IDLE_LIMIT)
            .redirect(Policy::none())
            .http1_only()
            .build()
            .map_err(|error| {
                CoreError::internal("the HTTP client can't be made").with_source(error)
            })?;
        Ok(Self { client, addition })
    }
}

impl HttpTransport for Transport {
    async fn fetch(&self, request: Request<Buffer>) -> Result<Response<HttpBody>> {
        let (parts, buffer) = request.into_parts();
        let mut url = parts.uri.to_string();
        let query = parts.uri.query().unwrap_or_default();
        if let Some(addition) = self.addition
            && query.split('&').any(|part| part == addition.to)
        {
            url = format!("{url}&{}", addition.query);
        }
        let mut outgoing = self
            .client
            .request(parts.method, &url)
            .headers(parts.headers);
        if !buffer.is_empty() {
            // The request states its length in a header, so it goes out unchunked.
            outgoing = outgoing.body(Body::wrap_stream(stream::iter(Iterator::map(
                buffer,
                Ok::<_, Error>,
            ))));
        }
        let answer = outgoing.send().await.map_err(sending)?;
        let length = answer.content_length();
        let mut response = Response::new(());
        *response.status_mut() = answer.status();
        *response.version_mut() = answer.version();
        response.headers_mut().clone_from(answer.headers());
        let body = answer
            .bytes_stream()
            .map_ok(Buffer::from)
            .map_err(receiving);
        Ok(response.map(|()| HttpBody::new(Locked(Mutex::new(body.boxed())), length)))
    }
}

/// OpenDAL wants a body that may be shared; this one is only ever polled by its owner.
struct Locked(Mutex<BoxStream<'static, Result<Buffer>>>);

impl Stream for Locked {
    type Item = Result<Buffer>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let body = self.0.get_mut().unwrap_or_else(PoisonError::into_inner);
        body.poll_next_unpin(context)
    }
}

fn sending(error: reqwest::Error) -> Error {
    // A builder's failure is ours; everything else may pass.
    let lasting = error.is_builder();
    Error::new(ErrorKind::Unexpected, "the request could not be sent")
        .set_source(error.without_url())
        .with_temporary(!lasting)
}

fn receiving(error: reqwest::Error) -> Error {
    Error::new(ErrorKind::Unexpected, "the answer broke off")
        .set_source(error.without_url())
        .with_temporary(true)
}
