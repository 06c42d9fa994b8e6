//! What the use-cases answer, as it stands on the wire.

use backupx_api::api_keys::{ApiKey, NewApiKey};
use backupx_api::nodes::{Node, NodeToken};
use backupx_api::page::Page;
use backupx_api::records::Record;
use backupx_api::targets::Target;
use backupx_api::tasks::Task;
use backupx_api::users::User;
use backupx_app::{AddedApiKey, AddedNode, ApiKeyView, App, NodeView, TargetView, UserView};
use backupx_core::domain::account::Principal;
use backupx_core::domain::id::NodeId;
use backupx_core::domain::page;
use backupx_core::domain::record;
use backupx_core::domain::task;
use backupx_core::{ErrorKind, Result};
use secrecy::ExposeSecret;
use std::collections::BTreeMap;

pub(crate) fn node(view: NodeView) -> Node {
    Node::of(view.node, view.status, view.last_seen_at)
}

pub(crate) fn added_node(added: &AddedNode) -> NodeToken {
    NodeToken {
        id: added.node.node.id.0,
        name: added.node.node.name.to_string(),
        token: added.token.expose_secret().to_owned(),
    }
}

pub(crate) fn task(app: &App, task: task::Task) -> Result<Task> {
    let secrets_set = app.secrets_set(&task)?;
    Ok(Task::of(task, secrets_set))
}

pub(crate) fn tasks(app: &App, page: page::Page<task::Task>) -> Result<Page<Task>> {
    let items: Result<Vec<_>> = page.items.into_iter().map(|one| task(app, one)).collect();
    let page = page::Page {
        items: items?,
        next: page.next,
    };
    Ok(Page::of(page, |task| task))
}

pub(crate) fn target(view: TargetView) -> Target {
    Target {
        id: view.id.0,
        name: view.name.into(),
        kind: view.kind.to_string(),
        config: view.config,
        secrets_set: view.secrets_set,
        reach: view.reach.into(),
        last_test: view.last_test.map(Into::into),
        last_check: view.check.map(Into::into),
        created_at: view.created_at,
        version: view.version,
    }
}

pub(crate) fn user(view: UserView) -> User {
    User {
        id: view.id.0,
        username: view.username.into(),
        role: view.role.into(),
        disabled: view.disabled,
        created_at: view.created_at,
        version: view.version,
    }
}

pub(crate) fn api_key(view: ApiKeyView) -> ApiKey {
    ApiKey {
        id: view.id.0,
        name: view.name.into(),
        role: view.role.into(),
        user_id: view.user_id.0,
        created_at: view.created_at,
        expires_at: view.expires_at,
        last_used_at: view.last_used_at,
    }
}

pub(crate) fn added_api_key(added: AddedApiKey) -> NewApiKey {
    NewApiKey {
        id: added.key.id.0,
        name: added.key.name.into(),
        role: added.key.role.into(),
        expires_at: added.key.expires_at,
        key: added.plain.expose_secret().to_owned(),
    }
}

/// A record with the name of its node.
pub(crate) async fn record(
    app: &App,
    principal: &Principal,
    record: record::Record,
) -> Result<Record> {
    let mut names = NodeNames::default();
    let name = names.of(app, principal, record.node_id).await?;
    Ok(Record::of(record, name))
}

/// Records with the names of their nodes; each node is asked for once.
pub(crate) async fn records(
    app: &App,
    principal: &Principal,
    records: page::Page<record::Record>,
) -> Result<page::Page<Record>> {
    let mut names = NodeNames::default();
    let mut items = Vec::with_capacity(records.items.len());
    for record in records.items {
        let name = names.of(app, principal, record.node_id).await?;
        let mut record = Record::of(record, name);
        // All answers of all drills would be a long list.
        if let Some(drill) = &mut record.drill {
            drill.report = None;
        }
        items.push(record);
    }
    Ok(page::Page {
        items,
        next: records.next,
    })
}

#[derive(Default)]
struct NodeNames(BTreeMap<NodeId, Option<String>>);

impl NodeNames {
    /// The name of a node, nothing when it is gone.
    async fn of(&mut self, app: &App, principal: &Principal, id: NodeId) -> Result<Option<String>> {
        if let Some(name) = self.0.get(&id) {
            return Ok(name.clone());
        }
        let name = match app.node(principal, id).await {
            Ok(view) => Some(view.node.name.to_string()),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        self.0.insert(id, name.clone());
        Ok(name)
    }
}
