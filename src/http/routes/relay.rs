//! The relay: agents stream objects of a running command through the master, for targets that only it reaches.

use crate::auth::caller::AgentNode;
use crate::extract::{Path, Query};
use crate::problem::{Answer, Failure};
use crate::state::Http;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use backupx_api::agent::RelayQuery;
use backupx_app::App;
use backupx_core::domain::command::Lease;
use backupx_core::domain::id::{CommandId, NodeId, TargetId};
use backupx_core::{Error, Result};
use futures::{StreamExt, stream};
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Largest object that is created at once.
const BODY_LIMIT: usize = 64 * 1024 * 1024;
/// A body that does not move for so long is given up.
const STALL: Duration = Duration::from_secs(60);
/// How much is read from storage at once.
const PIECE: u64 = 8 * 1024 * 1024;

pub(super) fn routes() -> OpenApiRouter<Http> {
    OpenApiRouter::default().routes(routes!(create_object, read_object, stat_object))
}

/// Stands before the routes of a master that has no relay.
pub(crate) async fn refuse(_: Request, _: Next) -> Failure {
    Error::forbidden(
        "no_relay",
        "this master relays no objects: its requests are short and small; use a target that the node itself reaches, or a master that runs as a server",
    )
    .into()
}

/// Where an object is.
#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct ObjectPath {
    id: i64,
    target_id: i64,
    name: String,
}

/// An object that the agent of a node asks for.
#[derive(Clone)]
struct Object {
    app: Arc<App>,
    node: NodeId,
    command: CommandId,
    lease: Lease,
    target: TargetId,
    name: String,
}

impl Object {
    fn new(app: Arc<App>, node: NodeId, path: ObjectPath, query: RelayQuery) -> Self {
        Self {
            app,
            node,
            command: CommandId(path.id),
            lease: Lease(query.lease),
            target: TargetId(path.target_id),
            name: path.name,
        }
    }

    async fn create(&self, body: Vec<Bytes>) -> Result<()> {
        self.app
            .relay_create(
                self.node,
                self.command,
                self.lease,
                self.target,
                &self.name,
                body,
            )
            .await
    }

    async fn size(&self) -> Result<u64> {
        self.app
            .relay_stat(self.node, self.command, self.lease, self.target, &self.name)
            .await?
            .ok_or_else(|| {
                Error::not_found(
                    "object_not_found",
                    format!("there is no object {:?}", self.name),
                )
            })
    }

    async fn read(&self, range: Range<u64>) -> Result<Bytes> {
        self.app
            .relay_read(
                self.node,
                self.command,
                self.lease,
                self.target,
                &self.name,
                range,
            )
            .await
    }
}

/// Creates an object of the command's record. One that exists is a conflict.
#[utoipa::path(put, path = "/api/agent/v1/commands/{id}/objects/{targetId}/{name}", tag = "agent",
    params(("id" = i64, Path), ("targetId" = i64, Path), ("name" = String, Path, description = "A plain file name."), RelayQuery),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"), security(("node" = [])), responses((status = 201)))]
async fn create_object(
    State(app): State<Arc<App>>,
    AgentNode(node): AgentNode,
    Path(path): Path<ObjectPath>,
    Query(query): Query<RelayQuery>,
    body: Body,
) -> Answer<StatusCode> {
    let object = Object::new(app, node, path, query);
    object.create(collect(body).await?).await?;
    Ok(StatusCode::CREATED)
}

/// An object, or the part of it that `Range: bytes=first-last` names.
#[utoipa::path(get, path = "/api/agent/v1/commands/{id}/objects/{targetId}/{name}", tag = "agent",
    params(("id" = i64, Path), ("targetId" = i64, Path), ("name" = String, Path, description = "A plain file name."), RelayQuery),
    security(("node" = [])), responses((status = 200, content_type = "application/octet-stream", body = Vec<u8>), (status = 206, content_type = "application/octet-stream", body = Vec<u8>)))]
async fn read_object(
    State(app): State<Arc<App>>,
    AgentNode(node): AgentNode,
    Path(path): Path<ObjectPath>,
    Query(query): Query<RelayQuery>,
    headers: HeaderMap,
) -> Answer<Response> {
    let object = Object::new(app, node, path, query);
    let size = object.size().await?;
    let (status, range) = match headers.get(header::RANGE) {
        Some(value) => {
            let range = value.to_str().ok().and_then(|text| parse_range(text, size));
            (
                StatusCode::PARTIAL_CONTENT,
                range.ok_or_else(|| unsatisfiable(size))?,
            )
        }
        None => (StatusCode::OK, 0..size),
    };
    let mut reply = (status, pieces(object, range.clone())).into_response();
    let replied = reply.headers_mut();
    replied.insert(
        header::CONTENT_TYPE,
        header::HeaderValue::from_static("application/octet-stream"),
    );
    replied.insert(header::CONTENT_LENGTH, (range.end - range.start).into());
    replied.insert(
        header::ACCEPT_RANGES,
        header::HeaderValue::from_static("bytes"),
    );
    if status == StatusCode::PARTIAL_CONTENT {
        let text = format!("bytes {}-{}/{size}", range.start, range.end - 1);
        if let Ok(value) = text.try_into() {
            replied.insert(header::CONTENT_RANGE, value);
        }
    }
    Ok(reply)
}

/// The size of an object, as Content-Length.
#[utoipa::path(head, path = "/api/agent/v1/commands/{id}/objects/{targetId}/{name}", tag = "agent",
    params(("id" = i64, Path), ("targetId" = i64, Path), ("name" = String, Path, description = "A plain file name."), RelayQuery),
    security(("node" = [])), responses((status = 200)))]
async fn stat_object(
    State(app): State<Arc<App>>,
    AgentNode(node): AgentNode,
    Path(path): Path<ObjectPath>,
    Query(query): Query<RelayQuery>,
) -> Answer<Response> {
    let size = Object::new(app, node, path, query).size().await?;
    Ok([(header::CONTENT_LENGTH, size.to_string())].into_response())
}

/// Takes a body in, as the blocks that it came in.
async fn collect(body: Body) -> Answer<Vec<Bytes>> {
    let mut blocks = Vec::new();
    let mut size = 0;
    let mut stream = body.into_data_stream();
    loop {
        let next = tokio::time::timeout(STALL, stream.next())
            .await
            .map_err(|_| {
                Failure::new(
                    StatusCode::REQUEST_TIMEOUT,
                    "body_stalled",
                    "the object's bytes stopped coming",
                )
            })?;
        let Some(block) = next else {
            return Ok(blocks);
        };
        let block = block.map_err(|_| {
            Failure::new(
                StatusCode::BAD_REQUEST,
                "body_incomplete",
                "the object's bytes broke off",
            )
        })?;
        size += block.len();
        if size > BODY_LIMIT {
            return Err(Failure::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "body_too_large",
                "an object that is relayed has at most 64 MiB",
            ));
        }
        blocks.push(block);
    }
}

/// Streams a range in pieces, so that memory stays bounded whatever its size.
fn pieces(object: Object, range: Range<u64>) -> Body {
    Body::from_stream(stream::try_unfold(
        (object, range),
        |(object, range)| async move {
            if range.is_empty() {
                return Ok::<_, Error>(None);
            }
            let end = range.end.min(range.start + PIECE);
            let piece = object.read(range.start..end).await?;
            Ok(Some((piece, (object, end..range.end))))
        },
    ))
}

/// `bytes=first-last` or `bytes=first-`, cut to the object's size; nothing when it names no byte of it.
fn parse_range(text: &str, size: u64) -> Option<Range<u64>> {
    let (first, last) = text.strip_prefix("bytes=")?.split_once('-')?;
    let first: u64 = first.parse().ok()?;
    let last: u64 = match last {
        "" => u64::MAX - 1,
        last => last.parse().ok()?,
    };
    let end = last.checked_add(1)?.min(size);
    (first < end).then_some(first..end)
}

fn unsatisfiable(size: u64) -> Failure {
    Failure::new(
        StatusCode::RANGE_NOT_SATISFIABLE,
        "bad_range",
        format!("the range names no byte of an object of {size} bytes"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_cut_to_the_object() {
        assert_eq!(parse_range("bytes=0-9", 100), Some(0..10));
        assert_eq!(parse_range("bytes=90-200", 100), Some(90..100));
        assert_eq!(parse_range("bytes=90-", 100), Some(90..100));
        for bad in [
            "bytes=100-200",
            "bytes=5-4",
            "bytes=-5",
            "bytes=a-b",
            "0-5",
            "bytes=0-18446744073709551615",
        ] {
            assert_eq!(parse_range(bad, 100), None, "{bad}");
        }
    }
}
