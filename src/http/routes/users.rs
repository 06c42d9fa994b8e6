//! Users: people who sign in.

use super::replies::{created, tagged};
use crate::auth::caller::{Admin, Viewer};
use crate::extract::{Json, Path, Query};
use crate::page::page_request;
use crate::precondition::IfMatch;
use crate::present;
use crate::problem::Answer;
use crate::remote::Remote;
use crate::state::Http;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use backupx_api::page::{Page, PageQuery};
use backupx_api::users::{PasswordChange, User, UserCreate, UserUpdate};
use backupx_app::{App, ChangedUser, NewUser};
use backupx_core::domain::id::UserId;
use std::sync::Arc;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<Http> {
    OpenApiRouter::default()
        .routes(routes!(list_users, add_user))
        .routes(routes!(show_user, update_user, remove_user))
        .routes(routes!(change_password))
}

/// Users by id.
#[utoipa::path(get, path = "/api/v1/users", tag = "users", params(PageQuery), security(("bearer" = ["admin"])), responses((status = 200, body = Page<User>)))]
async fn list_users(
    State(app): State<Arc<App>>,
    Admin(principal): Admin,
    Query(query): Query<PageQuery>,
) -> Answer<Json<Page<User>>> {
    let page = page_request(query.limit, query.cursor.as_deref())?;
    let users = app.users(&principal, page).await?;
    Ok(Json(Page::of(users, present::user)))
}

/// Adds a user.
#[utoipa::path(post, path = "/api/v1/users", tag = "users", security(("bearer" = ["admin"])), responses((status = 201, body = User)))]
async fn add_user(
    State(app): State<Arc<App>>,
    Admin(principal): Admin,
    Json(input): Json<UserCreate>,
) -> Answer<Response> {
    let new = NewUser {
        username: input.username,
        password: input.password.0,
        role: input.role.into(),
    };
    let user = app.add_user(&principal, new).await?;
    Ok(created(
        format!("/api/v1/users/{}", user.id),
        present::user(user),
    ))
}

/// One user.
#[utoipa::path(get, path = "/api/v1/users/{id}", tag = "users", security(("bearer" = ["admin"])), responses((status = 200, body = User)))]
async fn show_user(
    State(app): State<Arc<App>>,
    Admin(principal): Admin,
    Path(id): Path<i64>,
) -> Answer<Response> {
    let user = app.user(&principal, UserId(id)).await?;
    Ok(tagged(user.version, present::user(user)))
}

/// Changes a user and ends all its sessions.
#[utoipa::path(patch, path = "/api/v1/users/{id}", tag = "users", security(("bearer" = ["admin"])), responses((status = 200, body = User), (status = 412, description = "Somebody else changed it first.")))]
async fn update_user(
    State(app): State<Arc<App>>,
    Admin(principal): Admin,
    Path(id): Path<i64>,
    IfMatch(version): IfMatch,
    Json(input): Json<UserUpdate>,
) -> Answer<Response> {
    let change = ChangedUser {
        password: input.password.map(|password| password.0),
        role: input.role.map(Into::into),
        disabled: input.disabled,
    };
    let user = app
        .change_user(&principal, UserId(id), Some(version), change)
        .await?;
    Ok(tagged(user.version, present::user(user)))
}

/// Removes a user with its sessions and API keys.
#[utoipa::path(delete, path = "/api/v1/users/{id}", tag = "users", security(("bearer" = ["admin"])), responses((status = 204)))]
async fn remove_user(
    State(app): State<Arc<App>>,
    Admin(principal): Admin,
    Path(id): Path<i64>,
) -> Answer<StatusCode> {
    app.remove_user(&principal, UserId(id)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Sets one's own password and ends all of one's sessions, this one included.
#[utoipa::path(put, path = "/api/v1/users/me/password", tag = "users", security(("bearer" = ["viewer"])), responses((status = 204)))]
async fn change_password(
    State(app): State<Arc<App>>,
    Viewer(principal): Viewer,
    Remote(remote): Remote,
    Json(input): Json<PasswordChange>,
) -> Answer<StatusCode> {
    app.change_own_password(&principal, &input.current.0, &input.new.0, &remote)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
