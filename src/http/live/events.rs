//! Events, live.

use super::logs::json;
use super::{Followed, Look, follow};
use crate::auth::caller::Person;
use crate::problem::Answer;
use crate::state::Http;
use async_trait::async_trait;
use axum::response::Response;
use axum::response::sse;
use backupx_api::events::Event;
use backupx_core::Result;
use backupx_core::domain::account::Principal;
use backupx_core::domain::id::EventId;
use backupx_core::ports::signals::Topic;

/// Most events of one look.
const EVENTS: u32 = 500;

/// Events behind `after` and all that happens; without it only what happens from now on.
pub(crate) async fn stream(http: Http, person: Person, after: Option<i64>) -> Answer<Response> {
    let principal = person.principal;
    let subscription = http.app.watch(&principal, Topic::Events).await?;
    let after = match after {
        Some(id) => EventId(id),
        None => http.app.last_event(&principal).await?,
    };
    let events = FollowedEvents {
        http: http.clone(),
        principal,
        after,
    };
    Ok(follow(
        http,
        person.credential,
        subscription,
        after.0,
        events,
    ))
}

struct FollowedEvents {
    http: Http,
    principal: Principal,
    after: EventId,
}

#[async_trait]
impl Followed for FollowedEvents {
    async fn look(&mut self) -> Result<Look> {
        let found = self
            .http
            .app
            .events(&self.principal, self.after, EVENTS)
            .await?;
        let mut look = Look::default();
        for event in found {
            self.after = event.id;
            let id = event.id.to_string();
            let event = json(sse::Event::default().id(id), &Event::from(event))?;
            look.events.push(event);
        }
        Ok(look)
    }
}
