//! Sessions: signing in, who is signed in, signing out.

use crate::auth::caller::Viewer;
use crate::auth::{cookie, origin};
use crate::extract::Json;
use crate::present;
use crate::problem::Answer;
use crate::remote::Remote;
use crate::state::Http;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use backupx_api::sessions::{CurrentSession, SignIn, SignedIn};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn public_routes() -> OpenApiRouter<Http> {
    OpenApiRouter::default().routes(routes!(sign_in))
}

pub(super) fn routes() -> OpenApiRouter<Http> {
    OpenApiRouter::default().routes(routes!(current_session, sign_out))
}

/// Signs in. The answer also sets the session as a cookie for browsers.
#[utoipa::path(post, path = "/api/v1/sessions", tag = "sessions", security(()), responses((status = 201, body = SignedIn)))]
async fn sign_in(
    State(http): State<Http>,
    Remote(remote): Remote,
    headers: HeaderMap,
    Json(input): Json<SignIn>,
) -> Answer<Response> {
    origin::check_sign_in(&headers)?;
    let held = http
        .app
        .sign_in(&input.username, &input.password.0, &remote)
        .await?;
    let token = http.tokens.sign(&held.session)?;
    let lifetime = held.session.expires_at - held.session.created_at;
    let cookie = cookie::store(&http.options, &token, lifetime.num_seconds())?;
    let body = SignedIn {
        token,
        expires_at: held.session.expires_at,
        user: present::user(held.user),
    };
    Ok((StatusCode::CREATED, cookie, Json(body)).into_response())
}

/// Who asks, and what they may do.
#[utoipa::path(get, path = "/api/v1/sessions/current", tag = "sessions", security(("bearer" = ["viewer"])), responses((status = 200, body = CurrentSession)))]
async fn current_session(Viewer(principal): Viewer) -> Json<CurrentSession> {
    Json(CurrentSession::from(&principal))
}

/// Ends the session that it is asked with, and forgets the cookie.
#[utoipa::path(delete, path = "/api/v1/sessions/current", tag = "sessions", security(("bearer" = ["viewer"])), responses((status = 204)))]
async fn sign_out(State(http): State<Http>, Viewer(principal): Viewer) -> Answer<Response> {
    http.app.sign_out(&principal).await?;
    let cookie = cookie::forget(&http.options)?;
    Ok((StatusCode::NO_CONTENT, cookie).into_response())
}
