//! Targets: places where backups are kept.

use super::replies::{created, tagged};
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
use backupx_api::reports::TestReport;
use backupx_api::targets::{Target, TargetCreate, TargetTestRequest, TargetUpdate, Usage};
use backupx_app::{App, ChangedTarget, NewTarget};
use backupx_core::domain::id::{NodeId, TargetId};
use backupx_core::domain::target::TargetKind;
use std::sync::Arc;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<Http> {
    OpenApiRouter::default()
        .routes(routes!(list_targets, add_target))
        .routes(routes!(show_target, update_target, remove_target))
        .routes(routes!(test_target))
        .routes(routes!(check_target))
        .routes(routes!(target_usage))
}

/// Targets by id, without their secrets.
#[utoipa::path(get, path = "/api/v1/targets", tag = "targets", params(NamedQuery), security(("bearer" = ["viewer"])), responses((status = 200, body = Page<Target>)))]
async fn list_targets(
    State(app): State<Arc<App>>,
    Viewer(principal): Viewer,
    Query(query): Query<NamedQuery>,
) -> Answer<Json<Page<Target>>> {
    let page = page_request(query.limit, query.cursor.as_deref())?;
    let targets = match &query.name {
        Some(name) => named_page(app.target_named(&principal, name).await)?,
        None => app.targets(&principal, page).await?,
    };
    Ok(Json(Page::of(targets, present::target)))
}

/// Adds a target. Its secret settings go in and never come out.
#[utoipa::path(post, path = "/api/v1/targets", tag = "targets", security(("bearer" = ["admin"])), responses((status = 201, body = Target)))]
async fn add_target(
    State(app): State<Arc<App>>,
    Admin(principal): Admin,
    Json(input): Json<TargetCreate>,
) -> Answer<Response> {
    let new = NewTarget {
        name: input.name,
        kind: TargetKind::parse(&input.kind)?,
        settings: input.config,
    };
    let target = app.add_target(&principal, new).await?;
    Ok(created(
        format!("/api/v1/targets/{}", target.id),
        present::target(target),
    ))
}

/// One target.
#[utoipa::path(get, path = "/api/v1/targets/{id}", tag = "targets", security(("bearer" = ["viewer"])), responses((status = 200, body = Target)))]
async fn show_target(
    State(app): State<Arc<App>>,
    Viewer(principal): Viewer,
    Path(id): Path<i64>,
) -> Answer<Response> {
    let target = app.target(&principal, TargetId(id)).await?;
    Ok(tagged(target.version, present::target(target)))
}

/// Changes name and settings; what is left out stays.
#[utoipa::path(patch, path = "/api/v1/targets/{id}", tag = "targets", security(("bearer" = ["admin"])), responses((status = 200, body = Target), (status = 412, description = "Somebody else changed it first.")))]
async fn update_target(
    State(app): State<Arc<App>>,
    Admin(principal): Admin,
    Path(id): Path<i64>,
    IfMatch(version): IfMatch,
    Json(input): Json<TargetUpdate>,
) -> Answer<Response> {
    let change = ChangedTarget {
        name: input.name,
        settings: input.config,
    };
    let target = app
        .update_target(&principal, TargetId(id), version, change)
        .await?;
    Ok(tagged(target.version, present::target(target)))
}

/// Removes a target that nothing hangs on.
#[utoipa::path(delete, path = "/api/v1/targets/{id}", tag = "targets", security(("bearer" = ["admin"])), responses((status = 204)))]
async fn remove_target(
    State(app): State<Arc<App>>,
    Admin(principal): Admin,
    Path(id): Path<i64>,
) -> Answer<StatusCode> {
    app.remove_target(&principal, TargetId(id)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Writes, reads, lists and deletes on a target, and says how each step went.
#[utoipa::path(post, path = "/api/v1/targets/{id}/test", tag = "targets", request_body = Option<TargetTestRequest>, security(("bearer" = ["operator"])), responses((status = 200, body = TestReport)))]
async fn test_target(
    State(app): State<Arc<App>>,
    Operator(principal): Operator,
    Path(id): Path<i64>,
    OptionalJson(input): OptionalJson<TargetTestRequest>,
) -> Answer<Json<TestReport>> {
    let node = input.node_id.map(NodeId);
    let report = app.test_target(&principal, TargetId(id), node).await?;
    Ok(Json(report.into()))
}

/// Begins a check: whether the target still holds what the records say, found by listings alone. Its `lastCheck` says how far it is; what is
/// lost is made again from another copy. Each target is checked once a day by itself.
#[utoipa::path(post, path = "/api/v1/targets/{id}/check", tag = "targets", security(("bearer" = ["operator"])), responses((status = 202, body = Target)))]
async fn check_target(
    State(app): State<Arc<App>>,
    Operator(principal): Operator,
    Path(id): Path<i64>,
) -> Answer<(StatusCode, Json<Target>)> {
    let id = TargetId(id);
    app.check_target(&principal, id).await?;
    let target = app.target(&principal, id).await?;
    Ok((StatusCode::ACCEPTED, Json(present::target(target))))
}

/// How much a target holds.
#[utoipa::path(get, path = "/api/v1/targets/{id}/usage", tag = "targets", security(("bearer" = ["viewer"])), responses((status = 200, body = Usage)))]
async fn target_usage(
    State(app): State<Arc<App>>,
    Viewer(principal): Viewer,
    Path(id): Path<i64>,
) -> Answer<Json<Usage>> {
    let usage = app.target_usage(&principal, TargetId(id)).await?;
    Ok(Json(usage.into()))
}
