//! Commands as Redis holds them: a hash of text fields.

use crate::error::unreadable;
use backupx_core::Result;
use backupx_core::domain::command::{Command, CommandState, Lane, Lease};
use backupx_core::domain::id::{CommandId, NodeId};
use backupx_core::domain::time::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::HashMap;
use std::str::FromStr;

/// The fields of one command; none when there is no such command.
pub(crate) type Fields = HashMap<String, String>;

/// An instant as it is stored.
pub(crate) fn micros(at: Timestamp) -> i64 {
    at.timestamp_micros()
}

/// What [`micros`] wrote.
pub(crate) fn instant(field: &str, micros: i64) -> Result<Timestamp> {
    Timestamp::from_timestamp_micros(micros)
        .ok_or_else(|| unreadable(field, format!("{micros} is no instant")))
}

/// A value as JSON text.
pub(crate) fn json(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(|why| {
        backupx_core::Error::internal("a value can't be written as JSON").with_source(why)
    })
}

/// The command, when there is one.
pub(crate) fn command(fields: &Fields) -> Result<Option<Command>> {
    if fields.is_empty() {
        return Ok(None);
    }
    Ok(Some(Command {
        id: CommandId(parsed(fields, "id")?),
        subject: text(fields, "subject")?.parse()?,
        node_id: NodeId(parsed(fields, "node_id")?),
        lane: Lane::parse(text(fields, "lane")?)?,
        spec: of_json("spec", text(fields, "spec")?)?,
        state: CommandState::parse(text(fields, "state")?)?,
        lease: Lease(parsed(fields, "lease")?),
        created_at: instant("created_at", parsed(fields, "created_at")?)?,
        not_before: instant("not_before", parsed(fields, "not_before")?)?,
        expires_at: optional_instant(fields, "expires_at")?,
        claimed_at: optional_instant(fields, "claimed_at")?,
        seen_at: optional_instant(fields, "seen_at")?,
        acknowledged: text(fields, "acknowledged")? == "1",
        cancel_requested_at: optional_instant(fields, "cancel_requested_at")?,
        outcome: match fields.get("outcome") {
            Some(outcome) => Some(of_json("outcome", outcome)?),
            None => None,
        },
        finished_at: optional_instant(fields, "finished_at")?,
    }))
}

/// All of them.
pub(crate) fn commands(all: &[Fields]) -> Result<Vec<Command>> {
    all.iter()
        .filter_map(|fields| command(fields).transpose())
        .collect()
}

fn text<'f>(fields: &'f Fields, name: &str) -> Result<&'f str> {
    fields
        .get(name)
        .map(String::as_str)
        .ok_or_else(|| unreadable(name, "nothing"))
}

fn parsed<T: FromStr<Err: std::fmt::Display>>(fields: &Fields, name: &str) -> Result<T> {
    text(fields, name)?
        .parse()
        .map_err(|why| unreadable(name, why))
}

fn optional_instant(fields: &Fields, name: &str) -> Result<Option<Timestamp>> {
    match fields.contains_key(name) {
        true => instant(name, parsed(fields, name)?).map(Some),
        false => Ok(None),
    }
}

fn of_json<T: DeserializeOwned>(name: &str, text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|why| unreadable(name, why))
}
