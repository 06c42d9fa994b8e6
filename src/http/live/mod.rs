//! Live streams: server-sent events that resume where they broke off and end when there is nothing more to come.
//!
//! Whoever follows registers interest first, looks at the store, and then waits; so nothing is missed, whichever replica wrote it.

pub(crate) mod events;
pub(crate) mod logs;

use crate::Door;
use crate::auth::credential::Credential;
use crate::problem::{Answer, Failure};
use crate::state::Http;
use async_trait::async_trait;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use backupx_core::Result;
use backupx_core::ports::signals::Subscription;
use futures::stream;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::time::Duration;

/// How often a silent stream says that it is alive, and how long it waits before it looks again by itself.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// When a browser comes back for a stream that could not stay open.
const COME_BACK: Duration = Duration::from_secs(3);
/// Asks nginx, and what follows its example, to pass events on as they come.
const UNHELD: [(HeaderName, HeaderValue); 1] = [(
    HeaderName::from_static("x-accel-buffering"),
    HeaderValue::from_static("no"),
)];

/// True when the caller asked for a live stream rather than a page.
pub(crate) fn is_wanted(headers: &HeaderMap) -> bool {
    headers
        .get_all(header::ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .any(|value| value.contains("text/event-stream"))
}

/// The id behind which a stream resumes: the last one that the caller saw.
pub(crate) fn last_event_id(headers: &HeaderMap) -> Answer<Option<i64>> {
    let Some(value) = headers.get("last-event-id") else {
        return Ok(None);
    };
    let id = value
        .to_str()
        .ok()
        .and_then(|text| text.trim().parse().ok());
    match id {
        Some(id) if id >= 0 => Ok(Some(id)),
        _ => Err(Failure::field(
            "Last-Event-ID",
            "must be the id of an event of this stream",
        )),
    }
}

/// What there is to tell at one look.
#[derive(Debug, Default)]
pub(crate) struct Look {
    /// What is new since the look before, in order.
    pub(crate) events: Vec<Event>,
    /// True when nothing more will come.
    pub(crate) last: bool,
}

/// Something that can be followed.
#[async_trait]
pub(crate) trait Followed: Send + 'static {
    /// What is new since the look before.
    async fn look(&mut self) -> Result<Look>;
}

/// Streams what `followed` has to tell. It ends with its last event, with the session or key that asked for it, or with the process.
/// It resumes behind `from`, which a caller that was told nothing comes back with. Behind a door that nothing stays open in, it ends as soon as there is nothing to tell; browsers come back by themselves.
pub(crate) fn follow(
    http: Http,
    credential: Credential,
    subscription: Box<dyn Subscription>,
    from: i64,
    followed: impl Followed,
) -> Response {
    let ready = match http.options.door {
        Door::Listener => VecDeque::new(),
        Door::Function => VecDeque::from([Event::default().retry(COME_BACK).id(from.to_string())]),
    };
    let follower = Follower {
        http,
        credential,
        subscription,
        followed,
        ready,
        is_over: false,
    };
    let events = stream::unfold(follower, |mut follower| async {
        let event = follower.next().await?;
        Some((Ok::<_, Infallible>(event), follower))
    });
    let live = Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE));
    (UNHELD, live).into_response()
}

struct Follower<F> {
    http: Http,
    credential: Credential,
    subscription: Box<dyn Subscription>,
    followed: F,
    ready: VecDeque<Event>,
    is_over: bool,
}

impl<F: Followed> Follower<F> {
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Some(event);
            }
            if self.is_over || self.http.options.shutdown.is_cancelled() {
                return None;
            }
            match self.followed.look().await {
                Ok(look) => {
                    self.is_over = look.last;
                    self.ready.extend(look.events);
                }
                Err(error) => {
                    // The caller connects again and resumes by the last id that it saw.
                    tracing::warn!(error = error.chain(), "a live stream broke off");
                    return None;
                }
            }
            if self.ready.is_empty() && !self.is_over {
                if self.http.options.door == Door::Function {
                    return None;
                }
                self.wait().await?;
            }
        }
    }

    /// Waits for a reason to look again; nothing when whoever asked may not see it any more.
    async fn wait(&mut self) -> Option<()> {
        let Self {
            http, subscription, ..
        } = self;
        // Both are cancel-safe: a wake-up that comes after the shutdown has nobody left to tell.
        tokio::select! {
            () = subscription.wait(KEEP_ALIVE) => {}
            () = http.options.shutdown.cancelled() => return None,
        }
        self.credential.prove(&self.http).await.ok().map(drop)
    }
}
