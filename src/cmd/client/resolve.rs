//! Resources by id or by name: what a person types becomes the thing itself.

use super::{Client, problem};
use crate::cmd::failure::Hint;
use anyhow::Result;
use backupx_api::nodes::Node;
use backupx_api::page::Page;
use backupx_api::targets::Target;
use backupx_api::tasks::Task;
use serde::de::DeserializeOwned;

/// Something that has an id and a unique name.
pub(crate) trait Named: DeserializeOwned {
    /// What it is called in messages and as a sub-command.
    const WHAT: &'static str;
    /// Its list below `/api/v1`.
    const LIST: &'static str;
    /// Its id.
    fn id(&self) -> i64;
    /// Its name.
    fn name(&self) -> &str;
}

macro_rules! named {
    ($type:ty, $what:literal, $list:literal) => {
        impl Named for $type {
            const WHAT: &'static str = $what;
            const LIST: &'static str = $list;
            fn id(&self) -> i64 {
                self.id
            }
            fn name(&self) -> &str {
                &self.name
            }
        }
    };
}

named!(Node, "node", "/nodes");
named!(Target, "target", "/targets");
named!(Task, "task", "/tasks");

/// The thing with this id or this name; a number is an id first. `local` is the node inside the master.
pub(crate) async fn find<T: Named>(client: &Client, text: &str) -> Result<T> {
    let id = match text {
        "local" if T::WHAT == "node" => Some(0),
        _ => text.parse::<i64>().ok().filter(|id| *id >= 0),
    };
    if let Some(id) = id {
        match client.get(&format!("{}/{id}", T::LIST)).await {
            Err(error) if problem::is_not_found(&error) => {}
            found => return found,
        }
    }
    let named: Page<T> = client
        .list(T::LIST, &[("name", text.to_owned())], usize::MAX)
        .await?;
    named
        .items
        .into_iter()
        .find(|thing| thing.name() == text)
        .ok_or_else(|| {
            Hint::error(
                format!("{} {text:?} was not found", T::WHAT),
                format!("`backupx {} ls` lists what there is", T::WHAT),
            )
        })
}

/// The path of the thing with this id or this name.
pub(crate) async fn path<T: Named>(client: &Client, text: &str) -> Result<String> {
    let thing: T = find(client, text).await?;
    Ok(format!("{}/{}", T::LIST, thing.id()))
}

/// The ids of the things with these ids or names.
pub(crate) async fn ids<T: Named>(client: &Client, texts: &[String]) -> Result<Vec<i64>> {
    let mut ids = Vec::with_capacity(texts.len());
    for text in texts {
        ids.push(find::<T>(client, text).await?.id());
    }
    Ok(ids)
}
