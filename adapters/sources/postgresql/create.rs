//! The database that a dump is put back into: made as the dump says, never over something unseen.

use super::archive::Toc;
use super::server::{Reached, ident, literal};
use super::statements::{name_behind, statements};
use super::tools::Set;
use backupx_core::domain::log::Level;
use backupx_core::ports::dumps::{Existing, Notes};
use backupx_core::ports::source::StopFlag;
use backupx_core::{Error, Result};

/// Databases of the server's own, which are never restored into.
const TEMPLATES: [&str; 2] = ["template0", "template1"];
/// Most bytes of a name.
const MOST_NAME: usize = 63;
/// What the name of a database ends with while it is restored to replace another.
const ASIDE: &str = "~restoring";

/// Whether a database holds anything of a user.
const USED: &str = "\
select exists (select from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname !~ '^pg_' and n.nspname <> 'information_schema')
  or exists (select from pg_proc p join pg_namespace n on n.oid = p.pronamespace where n.nspname !~ '^pg_' and n.nspname <> 'information_schema')
  or exists (select from pg_type t join pg_namespace n on n.oid = t.typnamespace where n.nspname !~ '^pg_' and n.nspname <> 'information_schema')
  or exists (select from pg_namespace where nspname !~ '^pg_' and nspname not in ('information_schema', 'public'))
  or exists (select from pg_extension where extname <> 'plpgsql')
  or exists (select from pg_largeobject_metadata)";

/// Empties a database that can't be dropped.
const EMPTY: &str = "\
do $$
declare name text;
begin
  for name in select evtname from pg_event_trigger loop execute format('drop event trigger %I', name); end loop;
  for name in select pubname from pg_publication loop execute format('drop publication %I', name); end loop;
  for name in select extname from pg_extension where extname <> 'plpgsql' loop execute format('drop extension if exists %I cascade', name); end loop;
  for name in select fdwname from pg_foreign_data_wrapper loop execute format('drop foreign data wrapper %I cascade', name); end loop;
  for name in select nspname from pg_namespace where nspname !~ '^pg_' and nspname <> 'information_schema' loop
    execute format('drop schema %I cascade', name);
  end loop;
  perform lo_unlink(oid) from pg_largeobject_metadata;
  create schema public;
  if current_setting('server_version_num')::int >= 150000 then
    alter schema public owner to pg_database_owner;
    grant usage on schema public to public;
  else
    grant all on schema public to public;
  end if;
end $$";

/// A place to restore into.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// A database made for this restore, called so until it is whole.
    New(String),
    /// One that was there, and holds nothing.
    There,
}

/// How a database is made.
#[derive(Debug, Default)]
pub(super) struct Made<'a> {
    /// Encoding, when it is known.
    pub(super) encoding: Option<String>,
    /// Table of contents, which knows its locale.
    pub(super) toc: Option<&'a Toc>,
    /// Who is to own it, when that can be.
    pub(super) owner: Option<String>,
}

/// A server and the tools to ask it.
#[derive(Clone, Copy)]
pub(super) struct Target<'a> {
    pub(super) reached: &'a Reached,
    pub(super) set: &'a Set,
    pub(super) notes: &'a dyn Notes,
    pub(super) stop: &'a StopFlag,
}

impl Target<'_> {
    /// Makes the place for `name`. Nothing is lost by it: what is replaced goes in [`Target::take_place`].
    pub(super) fn prepare(&self, name: &str, existing: Existing, made: &Made<'_>) -> Result<Place> {
        if TEMPLATES.contains(&name) {
            return Err(Error::conflict(
                "database_exists",
                format!(
                    "{name} is a template of the server and is never restored into; choose another name"
                ),
            ));
        }
        if name.len() > MOST_NAME {
            return Err(Error::field(
                "rename",
                format!(
                    "{name:?} has {} bytes, {MOST_NAME} at most are accepted",
                    name.len()
                ),
            ));
        }
        if !self.exists(name)? {
            self.create(name, made)?;
            return Ok(Place::New(name.to_owned()));
        }
        let used = self
            .reached
            .sign_in
            .ask(self.set, name, USED, 1, self.stop)?;
        if used.first().is_some_and(|row| row[0] == "f") {
            return Ok(Place::There);
        }
        if existing == Existing::Refuse {
            return Err(Error::conflict(
                "database_exists",
                format!(
                    "the server has a database {name:?} that is not empty; restore under another name, or let it be replaced"
                ),
            ));
        }
        if name == "postgres" || name == self.reached.common {
            self.notes.log(
                Level::Info,
                format!("database {name:?} can't be dropped, so it is emptied"),
            );
            self.reached
                .sign_in
                .ask(self.set, name, EMPTY, 1, self.stop)?;
            return Ok(Place::There);
        }
        let aside = aside(name);
        // Left by a restore that was killed.
        self.drop(&aside)?;
        self.create(&aside, made)?;
        Ok(Place::New(aside))
    }

    /// What was restored gets its name, and what had it before goes.
    pub(super) fn take_place(&self, place: &Place, name: &str) -> Result<()> {
        let Place::New(now) = place else {
            return Ok(());
        };
        if now == name {
            return Ok(());
        }
        self.drop(name)?;
        self.run(&format!(
            "alter database {} rename to {}",
            ident(now),
            ident(name)
        ))
    }

    /// The restore failed: what was made for it goes.
    pub(super) fn give_up(&self, place: &Place) {
        let Place::New(now) = place else {
            return;
        };
        // Also when the run was stopped.
        let target = Target {
            stop: &StopFlag::default(),
            ..*self
        };
        if let Err(error) = target.drop(now) {
            self.notes.log(
                Level::Error,
                format!("database {now:?} holds half a restore and could not be dropped: {error}"),
            );
        }
    }

    /// Gives the database `name` the settings, rights and comment that the dumped one had.
    pub(super) fn set_up(&self, name: &str, toc: &Toc, with_rights: bool) {
        let Some(database) = toc.of_kind("DATABASE") else {
            return;
        };
        let tag = format!("DATABASE {}", database.tag);
        let about_it = toc
            .entries
            .iter()
            .filter(|entry| match entry.kind.as_str() {
                "DATABASE PROPERTIES" => true,
                "COMMENT" | "SECURITY LABEL" => entry.tag == tag,
                "ACL" => entry.tag == tag && with_rights,
                _ => false,
            });
        for statement in about_it.flat_map(|entry| statements(&entry.definition)) {
            let Some((_, range)) =
                name_behind(statement, "DATABASE ").filter(|(named, _)| *named == database.tag)
            else {
                continue;
            };
            let sql = format!(
                "{}{}{}",
                &statement[..range.start],
                ident(name),
                &statement[range.end..]
            );
            if let Err(error) = self.run(&sql) {
                self.notes.warn(format!(
                    "a setting of database {name:?} is not restored: {error}"
                ));
            }
        }
    }

    fn exists(&self, name: &str) -> Result<bool> {
        let sql = format!(
            "select 1 from pg_database where datname = {}",
            literal(name)
        );
        Ok(!self.reached.ask(self.set, &sql, 1, self.stop)?.is_empty())
    }

    fn create(&self, name: &str, made: &Made<'_>) -> Result<()> {
        let owner = made.owner.as_deref();
        let owner = owner.map_or(String::new(), |owner| format!(" owner = {}", ident(owner)));
        let mut first = None;
        for how in made.attempts(self.reached.major) {
            match self.run(&format!("create database {}{how}{owner}", ident(name))) {
                Ok(()) => {
                    if let Some(error) = first {
                        self.notes.warn(format!(
                            "database {name:?} is made with the server's locale instead of its own: {error}"
                        ));
                    }
                    return Ok(());
                }
                Err(error) if error.code() == "query_failed" => {
                    first.get_or_insert(error);
                }
                Err(error) => return Err(error),
            }
        }
        Err(first.map_or_else(
            || Error::internal("a database was to be made in no way"),
            |error| Error::invalid("restore_failed", error.message().to_owned()),
        ))
    }

    fn drop(&self, name: &str) -> Result<()> {
        self.run(&drop_statement(self.reached.major, name))
    }

    fn run(&self, sql: &str) -> Result<()> {
        self.reached.ask(self.set, sql, 1, self.stop).map(drop)
    }
}

/// How a server of this version drops a database, whoever uses it where it can.
pub(super) fn drop_statement(major: u32, name: &str) -> String {
    let force = if major >= 13 { " with (force)" } else { "" };
    format!("drop database if exists {}{force}", ident(name))
}

impl Made<'_> {
    /// Ways to make it on a server of this version, the truest first: locales are called differently on other hosts.
    fn attempts(&self, major: u32) -> Vec<String> {
        let mut ways = Vec::new();
        let own = self.toc.and_then(|toc| toc.of_kind("DATABASE"));
        if let Some(database) = own
            && let Some((_, range)) = name_behind(&database.definition, "CREATE DATABASE ")
        {
            let rest = database.definition[range.end..].trim_end();
            ways.push(in_words_of(major, rest.trim_end_matches(';')));
        }
        let Some(encoding) = &self.encoding else {
            ways.push(" template = template0".to_owned());
            return ways;
        };
        let plain = format!(" template = template0 encoding = {}", literal(encoding));
        ways.push(plain.clone());
        ways.push(format!("{plain} lc_collate = 'C' lc_ctype = 'C'"));
        ways
    }
}

/// What pg_dump says of a database, as a server of this version takes it: the one kind of locale that old servers know has no name there.
fn in_words_of(major: u32, options: &str) -> String {
    let mut options = options.to_owned();
    if major < 15 {
        options = options.replacen(" LOCALE_PROVIDER = libc", "", 1);
    }
    if major < 13
        && let Some((before, behind)) = options.split_once(" LOCALE = '")
        && let Some((locale, rest)) = behind.split_once('\'')
    {
        options = format!("{before} LC_COLLATE = '{locale}' LC_CTYPE = '{locale}'{rest}");
    }
    options
}

fn aside(name: &str) -> String {
    let mut end = name.len().min(MOST_NAME - ASIDE.len());
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}{ASIDE}", &name[..end])
}
