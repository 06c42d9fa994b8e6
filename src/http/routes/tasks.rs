//! Tasks: what is backed up, from where to where, when, and how long it is kept.

use super::replies::{accepted, created, tagged};
use crate::auth::caller::{Admin, Operator, Viewer};
use crate::extract::{Json, OptionalJson, Path, Query};
use crate::page::{named_page, page_request};
use crate::precondition::IfMatch;
use crate::present;
use crate::problem::Answer;
use crate::state::Http;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use backupx_api::page::{NamedQuery, Page};
use backupx_api::records::Record;
use backupx_api::schedules::{NextRunsQuery, SchedulePreview, SchedulePreviewRequest};
use backupx_api::sources::{SourceReport, SourceTestRequest};
use backupx_api::tasks::{DisableTask, RetentionPlan, Task, TaskInput};
use backupx_app::{App, WithSecrets};
use backupx_core::domain::id::{NodeId, TaskId};
use backupx_core::domain::task::TaskSpec;
use std::sync::Arc;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Instants of a preview when nobody says.
const PREVIEW: u32 = 5;

pub(super) fn routes() -> OpenApiRouter<Http> {
    OpenApiRouter::default()
        .routes(routes!(list_tasks, add_task))
        .routes(routes!(show_task, update_task, remove_task))
        .routes(routes!(run_task))
        .routes(routes!(test_source))
        .routes(routes!(enable_task))
        .routes(routes!(disable_task))
        .routes(routes!(retention_plan))
        .routes(routes!(next_runs))
        .routes(routes!(preview_schedule))
}

/// Tasks by id.
#[utoipa::path(get, path = "/api/v1/tasks", tag = "tasks", params(NamedQuery), security(("bearer" = ["viewer"])), responses((status = 200, body = Page<Task>)))]
async fn list_tasks(
    State(app): State<Arc<App>>,
    Viewer(principal): Viewer,
    Query(query): Query<NamedQuery>,
) -> Answer<Json<Page<Task>>> {
    let page = page_request(query.limit, query.cursor.as_deref())?;
    let tasks = match &query.name {
        Some(name) => named_page(app.task_named(&principal, name).await)?,
        None => app.tasks(&principal, page).await?,
    };
    Ok(Json(present::tasks(&app, tasks)?))
}

/// Adds a task, enabled.
#[utoipa::path(post, path = "/api/v1/tasks", tag = "tasks", security(("bearer" = ["admin"])), responses((status = 201, body = Task)))]
async fn add_task(
    State(app): State<Arc<App>>,
    Admin(principal): Admin,
    Json(input): Json<TaskInput>,
) -> Answer<Response> {
    let task = app.add_task(&principal, with_secrets(input)?).await?;
    Ok(created(
        format!("/api/v1/tasks/{}", task.id),
        present::task(&app, task)?,
    ))
}

/// One task.
#[utoipa::path(get, path = "/api/v1/tasks/{id}", tag = "tasks", security(("bearer" = ["viewer"])), responses((status = 200, body = Task)))]
async fn show_task(
    State(app): State<Arc<App>>,
    Viewer(principal): Viewer,
    Path(id): Path<i64>,
) -> Answer<Response> {
    let task = app.task(&principal, TaskId(id)).await?;
    Ok(tagged(task.version, present::task(&app, task)?))
}

/// Replaces what a task does.
#[utoipa::path(put, path = "/api/v1/tasks/{id}", tag = "tasks", security(("bearer" = ["admin"])), responses((status = 200, body = Task), (status = 412, description = "Somebody else changed it first.")))]
async fn update_task(
    State(app): State<Arc<App>>,
    Admin(principal): Admin,
    Path(id): Path<i64>,
    IfMatch(version): IfMatch,
    Json(input): Json<TaskInput>,
) -> Answer<Response> {
    let task = app
        .update_task(&principal, TaskId(id), version, with_secrets(input)?)
        .await?;
    Ok(tagged(task.version, present::task(&app, task)?))
}

/// Removes a task; its records stay.
#[utoipa::path(delete, path = "/api/v1/tasks/{id}", tag = "tasks", security(("bearer" = ["admin"])), responses((status = 204)))]
async fn remove_task(
    State(app): State<Arc<App>>,
    Admin(principal): Admin,
    Path(id): Path<i64>,
) -> Answer<StatusCode> {
    app.remove_task(&principal, TaskId(id)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Runs a task now.
#[utoipa::path(post, path = "/api/v1/tasks/{id}/run", tag = "tasks", security(("bearer" = ["operator"])), responses((status = 202, body = Record)))]
async fn run_task(
    State(app): State<Arc<App>>,
    Operator(principal): Operator,
    Path(id): Path<i64>,
) -> Answer<Response> {
    let record = app.run_task(&principal, TaskId(id)).await?;
    let record = present::record(&app, &principal, record).await?;
    Ok(accepted(format!("/api/v1/records/{}", record.id), record))
}

/// Tries what a task reads from its node: tools, connection, version, rights; and lists the databases that are there.
#[utoipa::path(post, path = "/api/v1/tasks/{id}/test", tag = "tasks", request_body = Option<SourceTestRequest>, security(("bearer" = ["operator"])), responses((status = 200, body = SourceReport)))]
async fn test_source(
    State(app): State<Arc<App>>,
    Operator(principal): Operator,
    Path(id): Path<i64>,
    OptionalJson(input): OptionalJson<SourceTestRequest>,
) -> Answer<Json<SourceReport>> {
    let node = input.node_id.map(NodeId);
    let report = app.test_source(&principal, TaskId(id), node).await?;
    Ok(Json(report.into()))
}

/// Turns the schedule on.
#[utoipa::path(post, path = "/api/v1/tasks/{id}/enable", tag = "tasks", security(("bearer" = ["operator"])), responses((status = 200, body = Task)))]
async fn enable_task(
    State(app): State<Arc<App>>,
    Operator(principal): Operator,
    Path(id): Path<i64>,
) -> Answer<Response> {
    let task = app.enable_task(&principal, TaskId(id)).await?;
    Ok(tagged(task.version, present::task(&app, task)?))
}

/// Turns the schedule off, for good or until an instant.
#[utoipa::path(post, path = "/api/v1/tasks/{id}/disable", tag = "tasks", request_body = Option<DisableTask>, security(("bearer" = ["operator"])), responses((status = 200, body = Task)))]
async fn disable_task(
    State(app): State<Arc<App>>,
    Operator(principal): Operator,
    Path(id): Path<i64>,
    OptionalJson(input): OptionalJson<DisableTask>,
) -> Answer<Response> {
    let task = match input.pause()? {
        Some(pause) => app.pause_task(&principal, TaskId(id), pause).await?,
        None => app.disable_task(&principal, TaskId(id)).await?,
    };
    Ok(tagged(task.version, present::task(&app, task)?))
}

/// When a task runs next by its schedule, jitter, maintenance windows and pauses included.
#[utoipa::path(get, path = "/api/v1/tasks/{id}/next-runs", tag = "tasks", params(NextRunsQuery), security(("bearer" = ["viewer"])), responses((status = 200, body = SchedulePreview)))]
async fn next_runs(
    State(app): State<Arc<App>>,
    Viewer(principal): Viewer,
    Path(id): Path<i64>,
    Query(query): Query<NextRunsQuery>,
) -> Answer<Json<SchedulePreview>> {
    let count = instants(query.count);
    let next_runs = app.next_runs(&principal, TaskId(id), count).await?;
    Ok(Json(SchedulePreview { next_runs }))
}

/// What retention would keep and remove of a task's copies now. Changes nothing.
#[utoipa::path(get, path = "/api/v1/tasks/{id}/retention", tag = "tasks", security(("bearer" = ["viewer"])), responses((status = 200, body = RetentionPlan)))]
async fn retention_plan(
    State(app): State<Arc<App>>,
    Viewer(principal): Viewer,
    Path(id): Path<i64>,
) -> Answer<Json<RetentionPlan>> {
    let decisions = app.retention_plan(&principal, TaskId(id)).await?;
    let decisions = decisions.into_iter().map(Into::into).collect();
    Ok(Json(RetentionPlan { decisions }))
}

/// When a schedule that is not saved would fire next, without its jitter; refused with the reason when it would be when saved.
#[utoipa::path(post, path = "/api/v1/schedules/preview", tag = "tasks", security(("bearer" = ["viewer"])), responses((status = 200, body = SchedulePreview)))]
async fn preview_schedule(
    State(app): State<Arc<App>>,
    Viewer(principal): Viewer,
    Json(input): Json<SchedulePreviewRequest>,
) -> Answer<Json<SchedulePreview>> {
    let count = instants(input.count);
    let schedule = input.schedule.into();
    let next_runs = app.preview_schedule(&principal, &schedule, count).await?;
    Ok(Json(SchedulePreview { next_runs }))
}

fn instants(count: Option<u32>) -> usize {
    count.unwrap_or(PREVIEW).clamp(1, 50) as usize
}

fn with_secrets(mut input: TaskInput) -> backupx_core::Result<WithSecrets<TaskSpec>> {
    Ok(WithSecrets {
        secrets: std::mem::take(&mut input.secrets).0,
        spec: input.try_into()?,
    })
}
