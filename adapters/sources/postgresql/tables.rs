//! Single tables out of an archive: each with its data and all that hangs on it, and what it needs to be made.

use super::archive::{Entry, Toc};
use backupx_core::{Error, Result};
use std::collections::BTreeSet;

/// Kinds that can be named.
const NAMED: [&str; 5] = [
    "TABLE",
    "VIEW",
    "MATERIALIZED VIEW",
    "FOREIGN TABLE",
    "SEQUENCE",
];
/// Kinds that come along with what they need.
const HANGING: [&str; 20] = [
    "TABLE DATA",
    "MATERIALIZED VIEW DATA",
    "SEQUENCE SET",
    "SEQUENCE OWNED BY",
    "DEFAULT",
    "CONSTRAINT",
    "CHECK CONSTRAINT",
    "FK CONSTRAINT",
    "INDEX",
    "INDEX ATTACH",
    "TABLE ATTACH",
    "STATISTICS",
    "STATISTICS DATA",
    "TRIGGER",
    "RULE",
    "POLICY",
    "ROW SECURITY",
    "COMMENT",
    "ACL",
    "SECURITY LABEL",
];

/// What is restored of an archive.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Chosen {
    /// Numbers of entries, in the order of the archive.
    pub(super) entries: Vec<i64>,
    /// What hangs on the tables and can't come along, as constraints to tables that are not among them.
    pub(super) left_out: Vec<String>,
}

/// The entries of `tables`, each a `table` or `schema.table`.
pub(super) fn choose(toc: &Toc, tables: &[String]) -> Result<Chosen> {
    let mut chosen = BTreeSet::new();
    for table in tables {
        let before = chosen.len();
        let named = toc.entries.iter().filter(|entry| is_named(entry, table));
        chosen.extend(named.map(|entry| entry.id));
        if chosen.len() == before && !toc.entries.iter().any(|entry| is_named(entry, table)) {
            return Err(Error::not_found(
                "source_missing",
                format!("the dump has no table {table:?}"),
            ));
        }
    }
    let by_id = toc.by_id();
    let tables: BTreeSet<i64> = chosen.clone();
    let mut left_out = BTreeSet::new();
    // Things hang on things that hang on tables, and sequences are made before what owns them: until nothing is added.
    loop {
        let before = chosen.len();
        for entry in &toc.entries {
            if chosen.contains(&entry.id) || !HANGING.contains(&entry.kind.as_str()) {
                continue;
            }
            if !entry.needs.iter().any(|need| chosen.contains(need)) {
                continue;
            }
            // What joins two tables comes when both do.
            let other = entry
                .needs
                .iter()
                .filter_map(|need| by_id.get(need))
                .find(|need| {
                    matches!(need.kind.as_str(), "TABLE" | "FOREIGN TABLE")
                        && !chosen.contains(&need.id)
                });
            if let Some(other) = other {
                left_out.insert(format!(
                    "{} {} (needs table {})",
                    entry.kind, entry.tag, other.tag
                ));
                continue;
            }
            chosen.insert(entry.id);
            if matches!(entry.kind.as_str(), "DEFAULT" | "SEQUENCE OWNED BY") {
                chosen.extend(
                    entry
                        .needs
                        .iter()
                        .filter(|need| by_id.get(need).is_some_and(|need| need.kind == "SEQUENCE")),
                );
            }
        }
        // An identity's sequence needs its table and is part of it.
        for entry in &toc.entries {
            if entry.kind == "SEQUENCE" && entry.needs.iter().any(|need| tables.contains(need)) {
                chosen.insert(entry.id);
            }
        }
        if chosen.len() == before {
            break;
        }
    }
    // What has to be there first: schemas, types, functions, the parent of a partition.
    let mut waiting: Vec<i64> = chosen.iter().copied().collect();
    while let Some(id) = waiting.pop() {
        let Some(entry) = by_id.get(&id) else {
            continue;
        };
        let needs = entry.needs.iter().filter(|need| by_id.contains_key(need));
        let new: Vec<i64> = needs
            .filter(|need| chosen.insert(**need))
            .copied()
            .collect();
        waiting.extend(new);
        // Not every entry names its schema among its needs.
        let schema = toc
            .entries
            .iter()
            .find(|other| other.kind == "SCHEMA" && other.tag == entry.schema);
        if let Some(schema) = schema
            && chosen.insert(schema.id)
        {
            waiting.push(schema.id);
        }
    }
    let entries = toc
        .entries
        .iter()
        .map(|entry| entry.id)
        .filter(|id| chosen.contains(id));
    Ok(Chosen {
        entries: entries.collect(),
        left_out: left_out.into_iter().collect(),
    })
}

fn is_named(entry: &Entry, table: &str) -> bool {
    // A dot may be part of a name too.
    NAMED.contains(&entry.kind.as_str())
        && (entry.tag == table || format!("{}.{}", entry.schema, entry.tag) == table)
}
