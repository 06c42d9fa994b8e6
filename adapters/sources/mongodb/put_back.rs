//! Putting a dump back, by mongorestore: the first error of the server ends it.

use super::archive::{Archive, Head, Namespace};
use super::server::{SignIn, failure};
use super::tools::Tools;
use super::{Mongodb, WHOLE, list, read};
use crate::refusals::unsupported;
use crate::returning::{Returning, not_whole};
use crate::tool::Tool;
use backupx_core::domain::dump::Dump;
use backupx_core::ports::dumps::{Existing, Notes, PutBack};
use backupx_core::ports::source::StopFlag;
use backupx_core::{Error, Result};
use std::collections::BTreeSet;
use std::io::Read;
use std::sync::{Mutex, PoisonError};

/// How many names a message lists.
const SHOWN: usize = 10;

/// Puts `dump` back from `input` as `how` says.
pub(super) fn put_back(
    source: &Mongodb,
    dump: &Dump,
    input: &mut dyn Read,
    how: &PutBack,
    notes: &dyn Notes,
    stop: &StopFlag,
) -> Result<()> {
    read::supported(dump)?;
    if dump.name == WHOLE && how.name != WHOLE {
        return Err(unsupported(
            "a dump of a whole server can't be restored under another name; restore single collections or databases out of it"
                .to_owned(),
        ));
    }
    let (mut stream, head) =
        Returning::from(input, Archive::new(), |archive| archive.head().cloned())?;
    let from = one_database(dump, &head)?;
    let chosen = chosen(dump, &head, &how.tables)?;
    let tools = source.tools(stop)?;
    let sign_in = SignIn::new(source)?;
    let target = Target {
        sign_in: &sign_in,
        tools: &tools,
        notes,
        stop,
    };
    let into = |(db, collection): &Namespace| match from {
        Some(_) => (how.name.clone(), collection.clone()),
        None => (db.clone(), collection.clone()),
    };
    let written = Head {
        collections: chosen.iter().map(into).collect(),
        ..head.clone()
    };
    target.make_room(how, &written)?;

    let mut tool = sign_in
        .tool(&tools.restore)
        .args(["--archive", "--stopOnError"])
        .arg(format!(
            "--numInsertionWorkersPerCollection={}",
            how.jobs.max(1)
        ));
    if how.existing == Existing::Replace {
        tool = tool.arg("--drop");
    }
    if how.tables.is_empty() {
        // mongorestore replays an oplog only when it restores everything.
        if head.has_oplog {
            tool = tool.arg("--oplogReplay");
        }
        if let Some(from) = &from {
            tool = tool.arg(format!("--nsInclude={}.*", escaped(from)));
        }
    } else {
        if head.has_oplog {
            notes.warn(
                "the collections are restored as they were read, without what was written to them while the dump was made"
                    .to_owned(),
            );
        }
        tool = tool.args(chosen.iter().map(|(db, collection)| {
            format!("--nsInclude={}.{}", escaped(db), escaped(collection))
        }));
    }
    if let Some(from) = from.filter(|from| *from != how.name) {
        tool = tool
            .arg(format!("--nsFrom={}.*", escaped(&from)))
            .arg(format!("--nsTo={}.*", escaped(&how.name)));
    }
    run(tool, &sign_in, &mut stream, notes, stop)
}

/// Runs mongorestore to its end. What it says of documents counts as much as how it ends.
fn run(
    tool: Tool,
    sign_in: &SignIn,
    stream: &mut Returning<'_, Archive>,
    notes: &dyn Notes,
    stop: &StopFlag,
) -> Result<()> {
    let result = Mutex::new(None);
    let said = |line: &str| {
        if let Some(counts) = counts(line) {
            *result.lock().unwrap_or_else(PoisonError::into_inner) = Some(counts);
        }
        read::hear(line, notes);
    };
    let mut ended = tool.write(stream, &said, stop)?;
    let result = result.into_inner().unwrap_or_else(PoisonError::into_inner);
    let why = match (ended.status.success(), result) {
        (true, Some((_, 0))) => return Ok(()),
        (true, Some((_, failed))) => {
            format!("mongorestore ended with exit code 0, but {failed} documents were not restored")
        }
        (true, None) => {
            "mongorestore ended with exit code 0 and did not say what it restored".to_owned()
        }
        (false, _) => failure(&mut ended, "mongorestore"),
    };
    let error = sign_in.refused(&why, "restore_failed");
    match error.code() {
        "restore_failed" => Err(Error::invalid(
            "restore_failed",
            format!("{why}; what was restored until then is on the server"),
        )),
        _ => Err(error),
    }
}

/// How many documents were restored and how many were not, in the last line of mongorestore.
fn counts(line: &str) -> Option<(u64, u64)> {
    let (good, bad) = line.split_once(" document(s) restored successfully. ")?;
    let good = good.rsplit([' ', '\t']).next()?.parse().ok()?;
    let bad = bad.split_once(" document(s) failed to restore")?.0;
    Some((good, bad.parse().ok()?))
}

/// The database that a dump is of; nothing when it is of a whole server.
fn one_database(dump: &Dump, head: &Head) -> Result<Option<String>> {
    let databases = head.databases();
    match (dump.name == WHOLE, databases.len()) {
        (true, _) => Ok(None),
        (false, 1) => Ok(databases.first().map(|name| (*name).to_owned())),
        (false, count) => Err(not_whole(&format!("it has {count} databases"))),
    }
}

/// The collections that `tables` name: `collection`, or out of a whole server `database.collection` and `database.*`.
fn chosen(dump: &Dump, head: &Head, tables: &[String]) -> Result<BTreeSet<Namespace>> {
    let mut chosen = BTreeSet::new();
    for table in tables {
        let means = |(db, collection): &&Namespace| {
            if dump.name == WHOLE {
                *table == format!("{db}.{collection}") || *table == format!("{db}.*")
            } else {
                table == collection
            }
        };
        let before = chosen.len();
        let found: Vec<_> = head.collections.iter().filter(means).cloned().collect();
        chosen.extend(found);
        if chosen.len() == before {
            return Err(Error::not_found(
                "source_missing",
                format!("the dump has no collection {table:?}"),
            ));
        }
    }
    if tables.is_empty() {
        chosen.clone_from(&head.collections);
    }
    Ok(chosen)
}

/// A server that a dump is about to go into.
struct Target<'a> {
    sign_in: &'a SignIn,
    tools: &'a Tools,
    notes: &'a dyn Notes,
    stop: &'a StopFlag,
}

impl Target<'_> {
    /// Refuses what is there, or says what of it will stay when `written` is restored.
    fn make_room(&self, how: &PutBack, written: &Head) -> Result<()> {
        let there = if how.name == WHOLE {
            list::head(self.sign_in, self.tools, &[], self.stop)?
        } else {
            list::database(self.sign_in, self.tools, &how.name, self.stop)?
        };
        let others = list::others(written);
        let there = there.collections.iter();
        let there: Vec<_> = there
            .filter(|(db, _)| *db == how.name || others.contains(db))
            .collect();
        if how.existing == Existing::Refuse {
            return match there.first() {
                None => Ok(()),
                Some((db, _)) => Err(Error::conflict(
                    "database_exists",
                    format!(
                        "the server has a database {db:?} that is not empty; restore under another name, or let it be replaced"
                    ),
                )),
            };
        }
        let stays = there
            .into_iter()
            .filter(|namespace| !written.collections.contains(namespace))
            .map(|(db, collection)| format!("{db}.{collection}"));
        let stays: Vec<_> = stays.collect();
        if how.tables.is_empty() && !stays.is_empty() {
            self.notes.warn(format!(
                "{} collections that the dump does not have stay as they are: {}",
                stays.len(),
                stays[..stays.len().min(SHOWN)].join(", ")
            ));
        }
        Ok(())
    }
}

/// `name` as a pattern that means it alone.
fn escaped(name: &str) -> String {
    name.replace('\\', "\\\\")
        .replace('*', "\\*")
        .replace('$', "\\$")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_mongorestore_says_last_is_counted() {
        for (line, expected) in [
            (
                "2026-11-28T06:43:16.274+0000\t7 document(s) restored successfully. 3 document(s) failed to restore.",
                Some((7, 3)),
            ),
            (
                "20000 document(s) restored successfully. 0 document(s) failed to restore.",
                Some((20_000, 0)),
            ),
            ("finished restoring a.b (1 document, 0 failures)", None),
        ] {
            assert_eq!(counts(line), expected);
        }
    }

    #[test]
    fn a_name_is_no_pattern() {
        assert_eq!(escaped(r"a*b$c\d"), r"a\*b\$c\\d");
    }
}
