//! Putting a dump back: all of it or nothing, the first error of the server ends it.

use super::archive::{Archive, Toc};
use super::create::{Made, Place, Target};
use super::plain::{self, End, Tail};
use super::read::Watch;
use super::server::{connection_to, literal};
use super::statements::{name_behind, statements};
use super::tools::fit_to_restore;
use super::{Postgresql, accounts, tables};
use crate::refusals::{cancelled, unsupported};
use crate::returning::Returning;
use crate::temp::Temp;
use crate::tool::{Tool, lift};
use backupx_core::domain::dump::{Dump, DumpFormat, DumpKind};
use backupx_core::domain::log::Level;
use backupx_core::ports::dumps::{Notes, PutBack};
use backupx_core::ports::source::StopFlag;
use backupx_core::{Error, Result};
use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::path::PathBuf;

/// How much of a text is looked at for its encoding.
const PEEK: u64 = 64 << 10;
const BLOCK: usize = 256 << 10;

/// Puts `dump` back from `input` as `how` says.
pub(super) fn put_back(
    source: &Postgresql,
    dump: &Dump,
    input: &mut dyn Read,
    how: &PutBack,
    notes: &dyn Notes,
    stop: &StopFlag,
) -> Result<()> {
    if dump.format != DumpFormat::PostgresqlCustom && !how.tables.is_empty() {
        return Err(unsupported(
            "single tables can be restored out of the custom format only; this dump is SQL text"
                .to_owned(),
        ));
    }
    let sets = source.sets(stop)?;
    let reached = source.reach(&sets, stop)?;
    let target = |set| Target {
        reached: &reached,
        set,
        notes,
        stop,
    };
    match (dump.kind, dump.format) {
        (DumpKind::Accounts, DumpFormat::PostgresqlSql) => {
            let set = fit_to_restore(&sets, reached.major, None)?;
            accounts::put_back(&reached, set, input, notes, stop)
        }
        (DumpKind::Database, DumpFormat::PostgresqlSql) => {
            let set = fit_to_restore(&sets, reached.major, None)?;
            let mut stream = peeked(input)?;
            text(target(set), &mut stream, how)
        }
        (DumpKind::Database, DumpFormat::PostgresqlCustom) => {
            let (mut stream, toc) = listed(input)?;
            let set = fit_to_restore(&sets, reached.major, Some(toc.version))?;
            archive(source, target(set), &mut stream, &toc, how)
        }
        (kind, format) => Err(unsupported(format!(
            "PostgreSQL takes no dump of {kind:?} as {format:?}"
        ))),
    }
}

/// SQL text, by psql.
fn text(target: Target<'_>, stream: &mut Stream<'_>, how: &PutBack) -> Result<()> {
    let made = Made {
        encoding: plain::encoding(stream.ahead()),
        ..Made::default()
    };
    let place = target.prepare(&how.name, how.existing, &made)?;
    let mut tool = target
        .reached
        .sign_in
        .tool(&target.set.path("psql"), place.name(&how.name))
        .args(["-Xqw", "-v", "ON_ERROR_STOP=1", "-f", "-"]);
    if place == Place::There {
        tool = tool.arg("--single-transaction");
    }
    let outcome = finish(&target, tool, Some(stream));
    settle(target, &place, how, outcome)
}

/// A custom archive, by pg_restore.
fn archive(
    source: &Postgresql,
    target: Target<'_>,
    stream: &mut Stream<'_>,
    toc: &Toc,
    how: &PutBack,
) -> Result<()> {
    let chosen = if how.tables.is_empty() {
        None
    } else {
        Some(tables::choose(toc, &how.tables)?)
    };
    for what in chosen.iter().flat_map(|chosen| &chosen.left_out) {
        target.notes.warn(format!("{what} is not restored"));
    }
    let roles = Roles::ask(&target)?;
    let without = roles.missing(toc);
    let encoding = toc.of_kind("ENCODING");
    let owner = toc.of_kind("DATABASE").map(|entry| entry.owner.clone());
    let made = Made {
        encoding: encoding.and_then(|entry| plain::encoding(entry.definition.as_bytes())),
        toc: Some(toc),
        owner: owner.filter(|owner| roles.usable.contains(owner) && chosen.is_none()),
    };
    // pg_restore jumps about in an archive for several connections, and leaves off reading it after the last of some tables.
    let needs_file = how.jobs > 1 || chosen.is_some();
    let temp = if needs_file {
        Some(source.temp()?)
    } else {
        None
    };
    let spooled = match &temp {
        Some(temp) => Some(spool(temp, stream, target.stop)?),
        None => None,
    };
    let place = target.prepare(&how.name, how.existing, &made)?;
    let mut tool = target
        .reached
        .sign_in
        .tool(&target.set.path("pg_restore"), place.name(&how.name))
        .args(["--exit-on-error", "--no-password", "--dbname"])
        .arg(connection_to(place.name(&how.name)))
        .args(without.tell(target.notes));
    if place == Place::There {
        // All or nothing there too, which one connection alone can promise.
        tool = tool.arg("--single-transaction");
    } else if how.jobs > 1 {
        tool = tool.arg(format!("--jobs={}", how.jobs));
    }
    let outcome = (|| {
        if let (Some(temp), Some(chosen)) = (&temp, &chosen) {
            tool = tool.arg("--use-list").arg(list(temp, &chosen.entries)?);
        }
        match &spooled {
            Some(path) => finish(&target, tool.arg(path), None),
            None => finish(&target, tool, Some(stream)),
        }
    })();
    if outcome.is_ok() && chosen.is_none() {
        target.set_up(place.name(&how.name), toc, !without.privileges());
    }
    settle(target, &place, how, outcome)
}

/// Runs the tool that restores to its end.
fn finish(target: &Target<'_>, tool: Tool, stream: Option<&mut Stream<'_>>) -> Result<()> {
    let name = tool.name();
    let said = |line: &str| {
        if line.contains("warning:") || line.contains("WARNING:") {
            target.notes.warn(line.to_owned());
        } else {
            target.notes.log(Level::Info, line.to_owned());
        }
    };
    let ended = match stream {
        Some(stream) => tool.write(stream, &said, target.stop)?,
        None => tool.read(&mut std::io::sink(), &said, target.stop)?,
    };
    if ended.status.success() {
        Ok(())
    } else {
        Err(failed(&ended.failure(&name)))
    }
}

fn settle(target: Target<'_>, place: &Place, how: &PutBack, outcome: Result<()>) -> Result<()> {
    let outcome = outcome.and_then(|()| target.take_place(place, &how.name));
    if outcome.is_err() {
        target.give_up(place);
    }
    outcome
}

impl Place {
    /// What the database is called while it is restored.
    fn name<'a>(&'a self, asked: &'a str) -> &'a str {
        match self {
            Self::New(now) => now,
            Self::There => asked,
        }
    }
}

/// A restore that the server or the tool refused, with what helps.
pub(super) fn failed(failure: &str) -> Error {
    let hint = if failure.contains("role \"") && failure.contains("does not exist") {
        "; make that role first, or restore the accounts too"
    } else if failure.contains("\\restrict") {
        "; this psql is too old for the dump: update the PostgreSQL client"
    } else {
        ""
    };
    Error::invalid("restore_failed", format!("{failure}{hint}"))
}

type Stream<'a> = Returning<'a, Watch>;

/// SQL text, of which the beginning was read: it says the encoding.
fn peeked<'a>(input: &'a mut dyn Read) -> Result<Stream<'a>> {
    let mut head = Vec::new();
    input
        .take(PEEK)
        .read_to_end(&mut head)
        .map_err(|error| lift(error, "the dump could not be read"))?;
    let mut tail = Tail::default();
    tail.feed(&head);
    Ok(Returning::new(
        head,
        input,
        Watch::Text(tail, End::Database),
    ))
}

/// An archive, of which the table of contents was read.
fn listed<'a>(input: &'a mut dyn Read) -> Result<(Stream<'a>, Toc)> {
    let watch = Watch::Archive(Archive::new());
    Returning::from(input, watch, |watch| match watch {
        Watch::Archive(archive) => archive.toc().cloned(),
        Watch::Text(..) => None,
    })
}

fn spool(temp: &Temp, stream: &mut Stream<'_>, stop: &StopFlag) -> Result<PathBuf> {
    let mut file = temp.create("dump")?;
    let mut block = vec![0; BLOCK];
    loop {
        if stop.is_stopped() {
            return Err(cancelled());
        }
        let count = stream
            .read(&mut block)
            .map_err(|error| lift(error, "the dump could not be read"))?;
        if count == 0 {
            return Ok(temp.path("dump"));
        }
        file.write_all(&block[..count])
            .map_err(|error| lift(error, "the dump could not be laid down for the restore"))?;
    }
}

/// A list of entries as pg_restore reads it.
fn list(temp: &Temp, entries: &[i64]) -> Result<PathBuf> {
    let text: String = entries.iter().map(|id| format!("{id};\n")).collect();
    temp.create("list")?
        .write_all(text.as_bytes())
        .map_err(|error| lift(error, "the list of tables could not be laid down"))?;
    Ok(temp.path("list"))
}

/// The roles of a server, as far as a dump speaks of them.
struct Roles {
    all: BTreeSet<String>,
    /// Those that the sign-in may hand things to.
    usable: BTreeSet<String>,
}

/// The roles of a dump that are not there or may not be used.
#[derive(Debug, Default)]
struct Missing {
    owners: BTreeSet<String>,
    grantees: BTreeSet<String>,
}

impl Roles {
    fn ask(target: &Target<'_>) -> Result<Self> {
        let sql = format!(
            "select rolname, pg_has_role(current_user, oid, {}) from pg_roles order by 1",
            literal("MEMBER")
        );
        let rows = target.reached.ask(target.set, &sql, 2, target.stop)?;
        let usable = rows.iter().filter(|row| row[1] == "t");
        Ok(Self {
            usable: usable.map(|row| row[0].clone()).collect(),
            all: rows.iter().map(|row| row[0].clone()).collect(),
        })
    }

    fn missing(&self, toc: &Toc) -> Missing {
        let mut missing = Missing::default();
        for entry in &toc.entries {
            if !entry.owner.is_empty() && !self.usable.contains(&entry.owner) {
                missing.owners.insert(entry.owner.clone());
            }
            if !matches!(entry.kind.as_str(), "ACL" | "DEFAULT ACL") {
                continue;
            }
            for statement in statements(&entry.definition) {
                let words = [" FOR ROLE ", " TO ", " FROM "];
                let names = words
                    .iter()
                    .filter_map(|words| name_behind(statement, words));
                let names = names.map(|(name, _)| name).filter(|name| name != "PUBLIC");
                missing
                    .grantees
                    .extend(names.filter(|name| !self.all.contains(name)));
            }
        }
        missing
    }
}

impl Missing {
    fn privileges(&self) -> bool {
        !self.grantees.is_empty()
    }

    /// The options that leave out what can't be, said in words too.
    fn tell(&self, notes: &dyn Notes) -> Vec<&'static str> {
        let mut options = Vec::new();
        let list = |names: &BTreeSet<String>| {
            let names: Vec<_> = names.iter().map(String::as_str).collect();
            names.join(", ")
        };
        if !self.owners.is_empty() {
            options.push("--no-owner");
            notes.warn(format!(
                "everything belongs to the user that restores, since the server has no role {} or the user may not hand things to it; \
                 restore the accounts first to keep the owners",
                list(&self.owners)
            ));
        }
        if self.privileges() {
            options.push("--no-privileges");
            notes.warn(format!(
                "rights are not restored, since the server has no role {}; restore the accounts first to keep them",
                list(&self.grantees)
            ));
        }
        options
    }
}
