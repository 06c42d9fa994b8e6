//! Records: runs of tasks, looked at, proven, locked, stopped, completed, downloaded and removed.

use super::replies::accepted;
use crate::auth::caller::{Admin, Operator, Person, Viewer};
use crate::extract::{Json, OptionalJson, Path, Query};
use crate::live::{self, logs};
use crate::page::{page_limit, page_request};
use crate::present;
use crate::problem::Answer;
use crate::state::Http;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use backupx_api::guard::AcceptRequest;
use backupx_api::logs::LogLine;
use backupx_api::operations::Operation;
use backupx_api::page::{Page, PageQuery};
use backupx_api::records::{LockRequest, Record, RecordQuery, VerifyRequest};
use backupx_api::reports::{FilesQuery, ListedEntry};
use backupx_app::{App, WithSecrets};
use backupx_core::Error;
use backupx_core::domain::command::Subject;
use backupx_core::domain::id::{NodeId, RecordId, TargetId, TaskId};
use backupx_core::domain::operation;
use backupx_core::ports::records::RecordFilter;
use std::sync::Arc;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<Http> {
    OpenApiRouter::default()
        .routes(routes!(list_records))
        .routes(routes!(show_record, remove_record))
        .routes(routes!(record_logs))
        .routes(routes!(record_files))
        .routes(routes!(verify_record))
        .routes(routes!(retry_record))
        .routes(routes!(cancel_record))
        .routes(routes!(lock_record))
        .routes(routes!(unlock_record))
        .routes(routes!(accept_record))
        .routes(routes!(download_record))
}

/// Records, newest first.
#[utoipa::path(get, path = "/api/v1/records", tag = "records", params(RecordQuery), security(("bearer" = ["viewer"])), responses((status = 200, body = Page<Record>)))]
async fn list_records(
    State(app): State<Arc<App>>,
    Viewer(principal): Viewer,
    Query(query): Query<RecordQuery>,
) -> Answer<Json<Page<Record>>> {
    let page = page_request(query.limit, query.cursor.as_deref())?;
    let filter = RecordFilter {
        task_id: query.task_id.map(TaskId),
        node_id: query.node_id.map(NodeId),
        state: query.status.map(Into::into),
    };
    let records = app.records(&principal, filter, page).await?;
    let records = present::records(&app, &principal, records).await?;
    Ok(Json(Page::of(records, |record| record)))
}

/// One record.
#[utoipa::path(get, path = "/api/v1/records/{id}", tag = "records", security(("bearer" = ["viewer"])), responses((status = 200, body = Record)))]
async fn show_record(
    State(app): State<Arc<App>>,
    Viewer(principal): Viewer,
    Path(id): Path<i64>,
) -> Answer<Json<Record>> {
    let record = app.record(&principal, RecordId(id)).await?;
    Ok(Json(present::record(&app, &principal, record).await?))
}

/// Plans the removal of all copies of a record; it is gone when the last one is.
#[utoipa::path(delete, path = "/api/v1/records/{id}", tag = "records", security(("bearer" = ["admin"])), responses((status = 202, description = "The copies are being removed.")))]
async fn remove_record(
    State(app): State<Arc<App>>,
    Admin(principal): Admin,
    Path(id): Path<i64>,
) -> Answer<StatusCode> {
    app.remove_record(&principal, RecordId(id)).await?;
    Ok(StatusCode::ACCEPTED)
}

/// The log of a record: pages of lines, or with `Accept: text/event-stream` live (`line`, `progress`, and `end` when it came to its end),
/// resuming behind `Last-Event-ID`. To read on behind a last page, give the id of its last line as `cursor`.
#[utoipa::path(get, path = "/api/v1/records/{id}/logs", tag = "records", params(PageQuery), security(("bearer" = ["viewer"])), responses((status = 200, content((Page<LogLine> = "application/json"), (String = "text/event-stream")))))]
async fn record_logs(
    State(http): State<Http>,
    person: Person,
    Viewer(principal): Viewer,
    Path(id): Path<i64>,
    Query(query): Query<PageQuery>,
    headers: HeaderMap,
) -> Answer<Response> {
    let subject = Subject::Record(RecordId(id));
    let after = logs::after(&headers, query.cursor.as_deref())?;
    if live::is_wanted(&headers) {
        return logs::stream(http, person, subject, after).await;
    }
    let limit = page_limit(query.limit)?;
    let lines = http
        .app
        .record_log(&principal, RecordId(id), after, limit)
        .await?;
    Ok(logs::page(lines, limit).into_response())
}

/// The direct children of a folder in a record's archive.
#[utoipa::path(get, path = "/api/v1/records/{id}/files", tag = "records", params(FilesQuery), security(("bearer" = ["operator"])), responses((status = 200, body = Page<ListedEntry>)))]
async fn record_files(
    State(app): State<Arc<App>>,
    Operator(principal): Operator,
    Path(id): Path<i64>,
    Query(query): Query<FilesQuery>,
) -> Answer<Json<Page<ListedEntry>>> {
    let path = query.path.as_deref().unwrap_or_default();
    let limit = page_limit(query.limit)?;
    let after = query.cursor.as_deref();
    let page = app
        .record_files(&principal, RecordId(id), path, limit, after)
        .await?;
    Ok(Json(Page {
        items: page.entries.into_iter().map(Into::into).collect(),
        next_cursor: page.next,
    }))
}

/// Has copies proven, or a drill made of one.
#[utoipa::path(post, path = "/api/v1/records/{id}/verify", tag = "records", request_body = Option<VerifyRequest>, security(("bearer" = ["operator"])), responses((status = 202, body = Operation)))]
async fn verify_record(
    State(app): State<Arc<App>>,
    Operator(principal): Operator,
    Path(id): Path<i64>,
    OptionalJson(input): OptionalJson<VerifyRequest>,
) -> Answer<Response> {
    let targets: Vec<_> = input.target_ids.into_iter().map(TargetId).collect();
    let (id, mode) = (RecordId(id), input.mode.into());
    let operation = match (input.drill, input.secrets.0) {
        (Some(drill), secrets) if mode == operation::VerifyMode::Drill => {
            let spec = drill.into();
            let wanted = WithSecrets { spec, secrets };
            app.drill_record(&principal, id, Some(wanted), &targets)
                .await?
        }
        (None, secrets) if secrets.is_empty() => {
            app.verify_record(&principal, id, mode, &targets).await?
        }
        (Some(_), _) => return Err(Error::field("drill", "is for mode drill alone").into()),
        (None, _) => {
            return Err(Error::field("secrets", "are for the server of a drill: name one").into());
        }
    };
    Ok(started(operation))
}

/// Has the missing copies made from a good one.
#[utoipa::path(post, path = "/api/v1/records/{id}/retry", tag = "records", security(("bearer" = ["operator"])), responses((status = 202, body = Operation)))]
async fn retry_record(
    State(app): State<Arc<App>>,
    Operator(principal): Operator,
    Path(id): Path<i64>,
) -> Answer<Response> {
    let operation = app.retry_record(&principal, RecordId(id)).await?;
    Ok(started(operation))
}

fn started(operation: operation::Operation) -> Response {
    let location = format!("/api/v1/operations/{}", operation.id);
    accepted(location, Operation::from(operation))
}

/// Asks a run to stop; one that no node took yet ends at once.
#[utoipa::path(post, path = "/api/v1/records/{id}/cancel", tag = "records", security(("bearer" = ["operator"])), responses((status = 202, body = Record)))]
async fn cancel_record(
    State(app): State<Arc<App>>,
    Operator(principal): Operator,
    Path(id): Path<i64>,
) -> Answer<Response> {
    let record = app.cancel_record(&principal, RecordId(id)).await?;
    let record = present::record(&app, &principal, record).await?;
    Ok(accepted(format!("/api/v1/records/{id}"), record))
}

/// Keeps a record whatever the policy says.
#[utoipa::path(post, path = "/api/v1/records/{id}/lock", tag = "records", security(("bearer" = ["operator"])), responses((status = 200, body = Record)))]
async fn lock_record(
    State(app): State<Arc<App>>,
    Operator(principal): Operator,
    Path(id): Path<i64>,
    Json(input): Json<LockRequest>,
) -> Answer<Json<Record>> {
    let record = app
        .lock_record(&principal, RecordId(id), &input.reason)
        .await?;
    Ok(Json(present::record(&app, &principal, record).await?))
}

/// Takes the lock off.
#[utoipa::path(post, path = "/api/v1/records/{id}/unlock", tag = "records", security(("bearer" = ["admin"])), responses((status = 200, body = Record)))]
async fn unlock_record(
    State(app): State<Arc<App>>,
    Admin(principal): Admin,
    Path(id): Path<i64>,
) -> Answer<Json<Record>> {
    let record = app.unlock_record(&principal, RecordId(id)).await?;
    Ok(Json(present::record(&app, &principal, record).await?))
}

/// Says that an odd run is right, and those of its task before it: retention goes on, later runs are measured by this one.
#[utoipa::path(post, path = "/api/v1/records/{id}/accept", tag = "records", request_body = Option<AcceptRequest>, security(("bearer" = ["admin"])), responses((status = 200, body = Record)))]
async fn accept_record(
    State(app): State<Arc<App>>,
    Admin(principal): Admin,
    Path(id): Path<i64>,
    OptionalJson(input): OptionalJson<AcceptRequest>,
) -> Answer<Json<Record>> {
    let record = app
        .accept_record(&principal, RecordId(id), &input.reason)
        .await?;
    Ok(Json(present::record(&app, &principal, record).await?))
}

/// The data of a record as it is stored: one file, sealed and compressed as its name says.
#[utoipa::path(get, path = "/api/v1/records/{id}/download", tag = "records", security(("bearer" = ["operator"])), responses((status = 200, content_type = "application/octet-stream", body = Vec<u8>)))]
async fn download_record(
    State(app): State<Arc<App>>,
    Operator(principal): Operator,
    Path(id): Path<i64>,
) -> Answer<Response> {
    let download = app.download_record(&principal, RecordId(id)).await?;
    // The name is made of a slug and a number: nothing in it needs quoting.
    let disposition = format!("attachment; filename=\"{}\"", download.file_name);
    let headers = [
        (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
        (header::CONTENT_LENGTH, download.size_bytes.to_string()),
        (header::CONTENT_DISPOSITION, disposition),
    ];
    Ok((headers, Body::from_stream(download.body)).into_response())
}
