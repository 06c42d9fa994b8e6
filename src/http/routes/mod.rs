//! The routes, a file per resource. Who may come in is decided by the group that a file belongs to; the role by the handler's extractor.

mod agent;
mod api_keys;
mod events;
mod health;
mod imports;
mod nodes;
mod operations;
mod records;
mod relay;
mod replies;
mod restores;
mod sessions;
mod set_up;
mod target_types;
mod targets;
mod tasks;
mod users;

pub(crate) use relay::refuse as refuse_relay;

use crate::state::Http;
use utoipa_axum::router::OpenApiRouter;

/// Routes that anybody may call.
pub(crate) fn public() -> OpenApiRouter<Http> {
    OpenApiRouter::default()
        .merge(health::routes())
        .merge(set_up::routes())
        .merge(sessions::public_routes())
}

/// Routes of people and scripts.
pub(crate) fn people() -> OpenApiRouter<Http> {
    OpenApiRouter::default()
        .merge(sessions::routes())
        .merge(users::routes())
        .merge(api_keys::routes())
        .merge(nodes::routes())
        .merge(target_types::routes())
        .merge(targets::routes())
        .merge(imports::routes())
        .merge(tasks::routes())
        .merge(records::routes())
        .merge(restores::routes())
        .merge(operations::routes())
        .merge(events::routes())
}

/// Routes of agents.
pub(crate) fn agents() -> OpenApiRouter<Http> {
    agent::routes()
}

/// Routes by which agents stream objects through the master.
pub(crate) fn relay() -> OpenApiRouter<Http> {
    relay::routes()
}
