//! Agent protocol v1: what agents say to their master.

use crate::auth::caller::AgentNode;
use crate::extract::{Json, Path};
use crate::problem::Answer;
use crate::state::Http;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use axum::response::{IntoResponse, Response};
use backupx_api::agent::{
    AgentAssignments, AgentBackintAsk, AgentBackintTarget, AgentHeartbeat, AgentHello, AgentPoll,
    AgentProgress, AgentProgressAnswer, AgentPulse, AgentResult, AgentWelcome,
};
use backupx_app::App;
use backupx_core::domain::id::CommandId;
use std::sync::Arc;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<Http> {
    OpenApiRouter::default()
        .routes(routes!(hello))
        .routes(routes!(heartbeat))
        .routes(routes!(poll))
        .routes(routes!(progress))
        .routes(routes!(result))
        .routes(routes!(backint))
}

/// An agent's first words after its start or a reconnect.
#[utoipa::path(post, path = "/api/agent/v1/hello", tag = "agent", security(("node" = [])), responses((status = 200, body = AgentWelcome)))]
async fn hello(
    State(app): State<Arc<App>>,
    AgentNode(node): AgentNode,
    Json(AgentHello(hello)): Json<AgentHello>,
) -> Answer<Json<AgentWelcome>> {
    let welcome = app.hello(node, hello).await?;
    Ok(Json(AgentWelcome(welcome)))
}

/// A sign of life.
#[utoipa::path(post, path = "/api/agent/v1/heartbeat", tag = "agent", security(("node" = [])), responses((status = 200, body = AgentPulse)))]
async fn heartbeat(
    State(app): State<Arc<App>>,
    AgentNode(node): AgentNode,
    Json(AgentHeartbeat(heartbeat)): Json<AgentHeartbeat>,
) -> Answer<Json<AgentPulse>> {
    let pulse = app.heartbeat(node, heartbeat).await?;
    Ok(Json(AgentPulse(pulse)))
}

/// Waits for commands.
#[utoipa::path(post, path = "/api/agent/v1/poll", tag = "agent", security(("node" = [])), responses((status = 200, body = AgentAssignments), (status = 204, description = "There was nothing. `Retry-After` says when to ask again, where the master holds no polls.")))]
async fn poll(
    State(http): State<Http>,
    AgentNode(node): AgentNode,
    Json(AgentPoll(poll)): Json<AgentPoll>,
) -> Answer<Response> {
    // A command that is claimed just when the process stops is lost on its way; the agent's next hello gives it free again.
    let assignments = tokio::select! {
        biased;
        assignments = http.app.poll(node, poll) => assignments?,
        () = http.options.shutdown.cancelled() => return Ok(StatusCode::NO_CONTENT.into_response()),
    };
    if assignments.commands.is_empty() {
        let mut nothing = StatusCode::NO_CONTENT.into_response();
        if let Some(secs) = assignments.retry_after_secs {
            nothing.headers_mut().insert(RETRY_AFTER, secs.into());
        }
        return Ok(nothing);
    }
    Ok(Json(AgentAssignments(assignments)).into_response())
}

/// How far a command is. Renews its lease.
#[utoipa::path(post, path = "/api/agent/v1/commands/{id}/progress", tag = "agent", security(("node" = [])), responses((status = 200, body = AgentProgressAnswer)))]
async fn progress(
    State(app): State<Arc<App>>,
    AgentNode(node): AgentNode,
    Path(id): Path<i64>,
    Json(AgentProgress(report)): Json<AgentProgress>,
) -> Answer<Json<AgentProgressAnswer>> {
    let answer = app.progress(node, CommandId(id), report).await?;
    Ok(Json(AgentProgressAnswer(answer)))
}

/// How a command ended. Accepted once, from the current lease only.
#[utoipa::path(post, path = "/api/agent/v1/commands/{id}/result", tag = "agent", security(("node" = [])), responses((status = 204)))]
async fn result(
    State(app): State<Arc<App>>,
    AgentNode(node): AgentNode,
    Path(id): Path<i64>,
    Json(AgentResult(report)): Json<AgentResult>,
) -> Answer<StatusCode> {
    app.result(node, CommandId(id), report).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Where the objects of the node's Backint program go: a target that one of its tasks of type `saphana` names.
#[utoipa::path(post, path = "/api/agent/v1/backint", tag = "agent", security(("node" = [])), responses((status = 200, body = AgentBackintTarget)))]
async fn backint(
    State(app): State<Arc<App>>,
    AgentNode(node): AgentNode,
    Json(AgentBackintAsk(ask)): Json<AgentBackintAsk>,
) -> Answer<Json<AgentBackintTarget>> {
    let target = app.backint_target(node, &ask).await?;
    Ok(Json(AgentBackintTarget(target)))
}
