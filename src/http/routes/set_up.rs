//! Set-up: the first administrator, for whoever knows the code that the master printed on its host.

use super::replies::created;
use crate::extract::Json;
use crate::present;
use crate::problem::Answer;
use crate::remote::Remote;
use crate::state::Http;
use axum::extract::State;
use axum::response::Response;
use backupx_api::set_up::{SetUp, SetUpState};
use backupx_api::users::User;
use backupx_app::App;
use std::sync::Arc;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<Http> {
    OpenApiRouter::default().routes(routes!(set_up_state, set_up))
}

/// Whether there is anybody yet.
#[utoipa::path(get, path = "/api/v1/set-up", tag = "set-up", security(()), responses((status = 200, body = SetUpState)))]
async fn set_up_state(State(app): State<Arc<App>>) -> Answer<Json<SetUpState>> {
    let needed = !app.is_set_up().await?;
    Ok(Json(SetUpState { needed }))
}

/// Makes the first administrator. The code works once.
#[utoipa::path(post, path = "/api/v1/set-up", tag = "set-up", security(()), responses((status = 201, body = User)))]
async fn set_up(
    State(app): State<Arc<App>>,
    Remote(remote): Remote,
    Json(input): Json<SetUp>,
) -> Answer<Response> {
    let user = app
        .set_up(
            input.code.expose(),
            &input.username,
            &input.password.0,
            &remote,
        )
        .await?;
    Ok(created(
        format!("/api/v1/users/{}", user.id),
        present::user(user),
    ))
}
