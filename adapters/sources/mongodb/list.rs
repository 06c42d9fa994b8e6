//! What a server holds: mongodump names every collection in the head of its archive, and is ended when that is read.
//!
//! So no shell and no driver is needed, and what is listed is what would be dumped.

use super::Mongodb;
use super::archive::{Archive, Head};
use super::server::{SignIn, failure};
use super::tools::Tools;
use backupx_core::domain::database::Selection;
use backupx_core::ports::source::StopFlag;
use backupx_core::{Error, Result};
use std::collections::BTreeSet;
use std::io::Write;
use std::time::Duration;

/// How long a server may take to list its collections.
const LIMIT: Duration = Duration::from_secs(120);
/// Databases that a server keeps for itself.
const SERVERS_OWN: [&str; 3] = ["admin", "config", "local"];

/// What of a server a task takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Taken {
    /// The version of the server.
    pub(super) server: String,
    /// Its databases that are taken.
    pub(super) databases: Vec<String>,
    /// Whether they are one dump, with what is written meanwhile.
    pub(super) is_whole: bool,
    /// What a person should know.
    pub(super) warnings: Vec<String>,
}

/// The head of the archive that mongodump would write with `arguments`.
pub(super) fn head(
    sign_in: &SignIn,
    tools: &Tools,
    arguments: &[String],
    stop: &StopFlag,
) -> Result<Head> {
    let mut seen = Seen {
        archive: Archive::new(),
        head: None,
    };
    let outcome = sign_in
        .tool(&tools.dump)
        .arg("--archive")
        .args(arguments)
        .read_within(&mut seen, &|_| {}, stop, LIMIT);
    match (seen.head, outcome) {
        (_, Err(error)) if error.code() == "cancelled" => Err(error),
        (Some(head), _) => Ok(head),
        (None, Ok(mut ended)) if !ended.status.success() => {
            Err(sign_in.refused(&failure(&mut ended, "mongodump"), "query_failed"))
        }
        (None, Ok(_)) => Err(Error::invalid(
            "dump_incomplete",
            "mongodump ended with exit code 0 and named no collections",
        )),
        (None, Err(error)) if error.code() == "tool_timeout" => {
            Err(sign_in.refused(error.message(), "tool_timeout"))
        }
        (None, Err(error)) => Err(error),
    }
}

/// What there is of one database.
pub(super) fn database(
    sign_in: &SignIn,
    tools: &Tools,
    name: &str,
    stop: &StopFlag,
) -> Result<Head> {
    head(sign_in, tools, &[format!("--db={name}")], stop)
}

/// The databases of a server but its own.
pub(super) fn found(sign_in: &SignIn, tools: &Tools, stop: &StopFlag) -> Result<Vec<String>> {
    Ok(others(&head(sign_in, tools, &[], stop)?))
}

/// What a task takes.
pub(super) fn taken(
    source: &Mongodb,
    sign_in: &SignIn,
    tools: &Tools,
    stop: &StopFlag,
) -> Result<Taken> {
    let selection = &source.source.databases;
    if !selection.only.is_empty() {
        return named(selection, sign_in, tools, stop);
    }
    let mut warnings = Vec::new();
    let mut head_of_all = None;
    if selection.except.is_empty() {
        match head(sign_in, tools, &["--oplog".to_owned()], stop) {
            Ok(head) => head_of_all = Some(head),
            // A server that is alone has none, and mongos reads none.
            Err(error) if error.message().contains("oplog") => {
                if error.code() == "rights_missing" {
                    warnings.push(format!(
                        "each database is dumped by itself, at its own moment: the oplog may not be read, as the role backup allows ({})",
                        error.message()
                    ));
                }
            }
            Err(error) => return Err(error),
        }
    }
    let head = match head_of_all {
        Some(head) => head,
        None => head(sign_in, tools, &[], stop)?,
    };
    let databases = others(&head);
    let databases: Vec<_> = databases
        .into_iter()
        .filter(|name| selection.takes(name))
        .collect();
    not_none(Taken {
        is_whole: head.has_oplog,
        server: head.server,
        databases,
        warnings,
    })
}

/// Those that a task names, each looked at by itself: the sign-in may be let into them alone.
fn named(selection: &Selection, sign_in: &SignIn, tools: &Tools, stop: &StopFlag) -> Result<Taken> {
    let (mut server, mut there, mut missing) = (String::new(), Vec::new(), Vec::new());
    for name in &selection.only {
        let head = database(sign_in, tools, name, stop)?;
        if head.collections.is_empty() {
            missing.push(name.as_str());
        } else {
            there.push(name.clone());
        }
        server = head.server;
    }
    if !missing.is_empty() {
        return Err(Error::not_found(
            "source_missing",
            format!("the server has no database {}", missing.join(", ")),
        ));
    }
    not_none(Taken {
        server,
        databases: there
            .into_iter()
            .filter(|name| selection.takes(name))
            .collect(),
        is_whole: false,
        warnings: Vec::new(),
    })
}

fn not_none(taken: Taken) -> Result<Taken> {
    if taken.databases.is_empty() {
        return Err(Error::invalid(
            "nothing_selected",
            "no database of the server is selected; all that it has are left out or its own",
        ));
    }
    Ok(taken)
}

/// The databases in `head` but those of the server.
pub(super) fn others(head: &Head) -> Vec<String> {
    let names: BTreeSet<_> = head.databases();
    names
        .into_iter()
        .filter(|name| !SERVERS_OWN.contains(name))
        .map(str::to_owned)
        .collect()
}

/// An archive up to the end of its head.
struct Seen {
    archive: Archive,
    head: Option<Head>,
}

impl Write for Seen {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        // What is behind the head may be anything.
        let fed = self.archive.feed(bytes);
        self.head = self.archive.head().cloned();
        if self.head.is_some() {
            return Err(std::io::Error::other(Error::conflict(
                "seen",
                "the head of the archive was read",
            )));
        }
        fed.map_err(|why| {
            std::io::Error::other(Error::invalid(
                "dump_incomplete",
                format!("what mongodump writes is no archive: {why}"),
            ))
        })?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
