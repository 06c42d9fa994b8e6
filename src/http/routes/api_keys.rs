//! API keys: how scripts sign in.

use super::replies::created;
use crate::auth::caller::{Admin, Viewer};
use crate::extract::{Json, Path, Query};
use crate::idempotency::ShownOnce;
use crate::page::page_request;
use crate::present;
use crate::problem::Answer;
use crate::state::Http;
use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use backupx_api::api_keys::{ApiKey, ApiKeyCreate, NewApiKey};
use backupx_api::page::{Page, PageQuery};
use backupx_app::App;
use backupx_core::domain::id::ApiKeyId;
use std::sync::Arc;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<Http> {
    OpenApiRouter::default()
        .routes(routes!(list_api_keys, add_api_key))
        .routes(routes!(remove_api_key))
}

/// Keys by id, without the keys themselves.
#[utoipa::path(get, path = "/api/v1/api-keys", tag = "api-keys", params(PageQuery), security(("bearer" = ["admin"])), responses((status = 200, body = Page<ApiKey>)))]
async fn list_api_keys(
    State(app): State<Arc<App>>,
    Admin(principal): Admin,
    Query(query): Query<PageQuery>,
) -> Answer<Json<Page<ApiKey>>> {
    let page = page_request(query.limit, query.cursor.as_deref())?;
    let keys = app.api_keys(&principal, page).await?;
    Ok(Json(Page::of(keys, present::api_key)))
}

/// Makes a key for oneself, of at most one's own role. The answer shows it this once.
#[utoipa::path(post, path = "/api/v1/api-keys", tag = "api-keys", security(("bearer" = ["viewer"])), responses((status = 201, body = NewApiKey)))]
async fn add_api_key(
    State(app): State<Arc<App>>,
    Viewer(principal): Viewer,
    Json(input): Json<ApiKeyCreate>,
) -> Answer<Response> {
    let added = app
        .add_api_key(&principal, &input.name, input.role.into(), input.expires_at)
        .await?;
    let location = format!("/api/v1/api-keys/{}", added.key.id);
    let reply = created(location, present::added_api_key(added));
    Ok((Extension(ShownOnce), reply).into_response())
}

/// Removes a key. Whoever uses it is refused from now on.
#[utoipa::path(delete, path = "/api/v1/api-keys/{id}", tag = "api-keys", security(("bearer" = ["admin"])), responses((status = 204)))]
async fn remove_api_key(
    State(app): State<Arc<App>>,
    Admin(principal): Admin,
    Path(id): Path<i64>,
) -> Answer<StatusCode> {
    app.remove_api_key(&principal, ApiKeyId(id)).await?;
    Ok(StatusCode::NO_CONTENT)
}
