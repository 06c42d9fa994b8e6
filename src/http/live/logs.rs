//! Logs of records and operations, as pages and live.

use super::{Followed, Look, follow, last_event_id};
use crate::auth::caller::Person;
use crate::extract::Json;
use crate::page::id_cursor;
use crate::problem::Answer;
use crate::state::Http;
use async_trait::async_trait;
use axum::http::HeaderMap;
use axum::response::Response;
use axum::response::sse::Event;
use backupx_api::logs::{LogEnd, LogLine};
use backupx_api::page::Page;
use backupx_api::records::Progress;
use backupx_core::domain::account::Principal;
use backupx_core::domain::command::Subject;
use backupx_core::domain::log::StoredLine;
use backupx_core::domain::progress;
use backupx_core::ports::signals::Topic;
use backupx_core::{Error, Result};
use serde::Serialize;

/// Most lines of one look.
const LINES: u32 = 500;

/// The line behind which a caller wants to read.
pub(crate) fn after(headers: &HeaderMap, cursor: Option<&str>) -> Answer<i64> {
    let cursor = cursor.map(id_cursor).transpose()?;
    Ok(last_event_id(headers)?.or(cursor).unwrap_or(0))
}

/// A page of lines; a full one names where the next begins.
pub(crate) fn page(lines: Vec<StoredLine>, limit: u32) -> Json<Page<LogLine>> {
    let full = lines.len() == limit as usize;
    let next_cursor = lines
        .last()
        .filter(|_| full)
        .map(|line| line.id.to_string());
    Json(Page {
        items: lines.into_iter().map(LogLine::from).collect(),
        next_cursor,
    })
}

/// The log behind `after` and all that is added to it, until its record or operation comes to its end.
pub(crate) async fn stream(
    http: Http,
    person: Person,
    subject: Subject,
    after: i64,
) -> Answer<Response> {
    let topic = Topic::Subject(subject);
    let subscription = http.app.watch(&person.principal, topic).await?;
    let log = FollowedLog {
        http: http.clone(),
        principal: person.principal,
        subject,
        after,
        shown: None,
    };
    // What does not exist is told as a problem, before the stream begins.
    log.state().await?;
    Ok(follow(http, person.credential, subscription, after, log))
}

struct FollowedLog {
    http: Http,
    principal: Principal,
    subject: Subject,
    after: i64,
    shown: Option<progress::Progress>,
}

/// What a subject is doing.
struct State {
    status: &'static str,
    is_final: bool,
    progress: progress::Progress,
}

impl FollowedLog {
    async fn state(&self) -> Result<State> {
        let app = &self.http.app;
        match self.subject {
            Subject::Record(id) => {
                let record = app.record(&self.principal, id).await?;
                Ok(State {
                    status: record.state.as_str(),
                    is_final: record.state.is_final(),
                    progress: record.progress,
                })
            }
            Subject::Operation(id) => {
                let operation = app.operation(&self.principal, id).await?;
                Ok(State {
                    status: operation.state.as_str(),
                    is_final: operation.state.is_final(),
                    progress: operation.progress,
                })
            }
            Subject::Request(_) => Err(Error::internal("requests have no log")),
        }
    }

    async fn lines(&self) -> Result<Vec<StoredLine>> {
        let app = &self.http.app;
        match self.subject {
            Subject::Record(id) => app.record_log(&self.principal, id, self.after, LINES).await,
            Subject::Operation(id) => {
                app.operation_log(&self.principal, id, self.after, LINES)
                    .await
            }
            Subject::Request(_) => Ok(Vec::new()),
        }
    }
}

#[async_trait]
impl Followed for FollowedLog {
    async fn look(&mut self) -> Result<Look> {
        // The state first: what was logged before the end is then among the lines.
        let state = self.state().await?;
        let lines = self.lines().await?;
        let full = lines.len() == LINES as usize;
        let mut look = Look::default();
        for line in lines {
            self.after = line.id;
            let event = Event::default().id(line.id.to_string());
            look.events
                .push(json(event.event("line"), &LogLine::from(line))?);
        }
        if self.shown != Some(state.progress) {
            self.shown = Some(state.progress);
            let event = Event::default().event("progress");
            look.events
                .push(json(event, &Progress::from(state.progress))?);
        }
        // A full look may have left lines behind.
        if state.is_final && !full {
            let end = LogEnd {
                status: state.status.to_owned(),
            };
            look.events.push(json(Event::default().event("end"), &end)?);
            look.last = true;
        }
        Ok(look)
    }
}

pub(super) fn json<T: Serialize>(event: Event, data: &T) -> Result<Event> {
    event
        .json_data(data)
        .map_err(|error| Error::internal("an event can't be written").with_source(error))
}
