//! Events: what happened, as pages or live.

use crate::auth::caller::{Person, Viewer};
use crate::extract::{Json, Query};
use crate::live::{self, events};
use crate::page::{id_cursor, page_limit};
use crate::problem::Answer;
use crate::state::Http;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use backupx_api::events::Event;
use backupx_api::page::{Page, PageQuery};
use backupx_core::domain::id::EventId;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<Http> {
    OpenApiRouter::default().routes(routes!(list_events))
}

/// What happened, in order: pages behind `cursor`, or with `Accept: text/event-stream` live. A live stream begins with what is new, or
/// behind `cursor` or `Last-Event-ID`.
#[utoipa::path(get, path = "/api/v1/events", tag = "events", params(PageQuery), security(("bearer" = ["viewer"])), responses((status = 200, content((Page<Event> = "application/json"), (String = "text/event-stream")))))]
async fn list_events(
    State(http): State<Http>,
    person: Person,
    Viewer(principal): Viewer,
    Query(query): Query<PageQuery>,
    headers: HeaderMap,
) -> Answer<Response> {
    let cursor = query.cursor.as_deref().map(id_cursor).transpose()?;
    if live::is_wanted(&headers) {
        let after = live::last_event_id(&headers)?.or(cursor);
        return events::stream(http, person, after).await;
    }
    let limit = page_limit(query.limit)?;
    let after = EventId(cursor.unwrap_or(0));
    let found = http.app.events(&principal, after, limit).await?;
    let full = found.len() == limit as usize;
    let next_cursor = found
        .last()
        .filter(|_| full)
        .map(|event| event.id.to_string());
    let items = found.into_iter().map(Event::from).collect();
    Ok(Json(Page { items, next_cursor }).into_response())
}
