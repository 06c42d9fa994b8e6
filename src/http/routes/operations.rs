//! Operations: restores, verifications, copies and deletions, looked at and stopped.

use super::replies::accepted;
use crate::auth::caller::{Operator, Person, Viewer};
use crate::extract::{Json, Path, Query};
use crate::live::{self, logs};
use crate::page::{page_limit, page_request};
use crate::problem::Answer;
use crate::state::Http;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use backupx_api::logs::LogLine;
use backupx_api::operations::{Operation, OperationKind, OperationQuery};
use backupx_api::page::{Page, PageQuery};
use backupx_app::App;
use backupx_core::domain::command::Subject;
use backupx_core::domain::id::{OperationId, RecordId};
use backupx_core::ports::operations::OperationFilter;
use std::sync::Arc;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<Http> {
    OpenApiRouter::default()
        .routes(routes!(list_operations))
        .routes(routes!(show_operation))
        .routes(routes!(operation_logs))
        .routes(routes!(cancel_operation))
}

/// Operations, newest first.
#[utoipa::path(get, path = "/api/v1/operations", tag = "operations", params(OperationQuery), security(("bearer" = ["viewer"])), responses((status = 200, body = Page<Operation>)))]
async fn list_operations(
    State(app): State<Arc<App>>,
    Viewer(principal): Viewer,
    Query(query): Query<OperationQuery>,
) -> Answer<Json<Page<Operation>>> {
    let page = page_request(query.limit, query.cursor.as_deref())?;
    let filter = OperationFilter {
        record_id: query.record_id.map(RecordId),
        kind: query.kind.map(OperationKind::as_str),
        state: query.status.map(Into::into),
    };
    let operations = app.operations(&principal, filter, page).await?;
    Ok(Json(Page::of(operations, Into::into)))
}

/// One operation.
#[utoipa::path(get, path = "/api/v1/operations/{id}", tag = "operations", security(("bearer" = ["viewer"])), responses((status = 200, body = Operation)))]
async fn show_operation(
    State(app): State<Arc<App>>,
    Viewer(principal): Viewer,
    Path(id): Path<i64>,
) -> Answer<Json<Operation>> {
    let operation = app.operation(&principal, OperationId(id)).await?;
    Ok(Json(operation.into()))
}

/// The log of an operation: pages of lines, or with `Accept: text/event-stream` live (`line`, `progress`, and `end` when it came to its
/// end), resuming behind `Last-Event-ID`. To read on behind a last page, give the id of its last line as `cursor`.
#[utoipa::path(get, path = "/api/v1/operations/{id}/logs", tag = "operations", params(PageQuery), security(("bearer" = ["viewer"])), responses((status = 200, content((Page<LogLine> = "application/json"), (String = "text/event-stream")))))]
async fn operation_logs(
    State(http): State<Http>,
    person: Person,
    Viewer(principal): Viewer,
    Path(id): Path<i64>,
    Query(query): Query<PageQuery>,
    headers: HeaderMap,
) -> Answer<Response> {
    let subject = Subject::Operation(OperationId(id));
    let after = logs::after(&headers, query.cursor.as_deref())?;
    if live::is_wanted(&headers) {
        return logs::stream(http, person, subject, after).await;
    }
    let limit = page_limit(query.limit)?;
    let lines = http
        .app
        .operation_log(&principal, OperationId(id), after, limit)
        .await?;
    Ok(logs::page(lines, limit).into_response())
}

/// Asks an operation to stop; one that no node took yet ends at once.
#[utoipa::path(post, path = "/api/v1/operations/{id}/cancel", tag = "operations", security(("bearer" = ["operator"])), responses((status = 202, body = Operation)))]
async fn cancel_operation(
    State(app): State<Arc<App>>,
    Operator(principal): Operator,
    Path(id): Path<i64>,
) -> Answer<Response> {
    let operation = app.cancel_operation(&principal, OperationId(id)).await?;
    let location = format!("/api/v1/operations/{id}");
    Ok(accepted(location, Operation::from(operation)))
}
