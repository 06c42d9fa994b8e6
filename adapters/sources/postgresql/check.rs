//! What a run needs, tried before the first one: tools, sign-in, version, rights.

use super::Postgresql;
use super::names;
use super::server::Reached;
use super::tools::{Set, fit_to_dump};
use crate::steps::Steps;
use backupx_core::domain::report::TestStep;
use backupx_core::ports::source::StopFlag;
use backupx_core::{Error, Result};

/// Names that a message lists.
const SHOWN: usize = 10;

/// Tables, views and sequences that pg_dump reads or locks and this sign-in may not, and large objects that it may not read.
const UNREADABLE: &str = "\
with mine as (
  select c.oid, c.relkind, n.oid as schema, format('%I.%I', n.nspname, c.relname) as name
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where c.relkind in ('r', 'p', 'm', 'S') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
    and not exists (select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
)
select name, 'may not be read' from mine
where not has_schema_privilege(schema, 'USAGE')
  or not case when relkind = 'S' then has_sequence_privilege(oid, 'SELECT') else has_table_privilege(oid, 'SELECT') end
union all
select name, 'shows some rows only (row security)' from mine where relkind in ('r', 'p') and row_security_active(oid)
union all
select 'large object ' || m.oid, 'may not be read' from pg_largeobject_metadata m
where not pg_has_role(m.lomowner, 'USAGE') and m.lomacl is null
  and not (select rolsuper from pg_roles where rolname = current_user)
order by 1";

/// The steps, up to the one that fails.
pub(super) fn check(source: &Postgresql, stop: &StopFlag) -> Vec<TestStep> {
    let mut steps = Steps::default();
    // The first that fails is the last.
    let _ = walk(source, stop, &mut steps);
    steps.done()
}

fn walk(source: &Postgresql, stop: &StopFlag, steps: &mut Steps) -> Option<()> {
    let sets = steps.take("tools", || {
        let sets = source.sets(stop)?;
        let found: Vec<_> = sets.iter().map(|set| set.version.as_str()).collect();
        let message = format!("pg_dump {}", found.join(", "));
        Ok((sets, message))
    })?;
    let reached = steps.take("connect", || {
        let reached = source.reach(&sets, stop)?;
        Ok((reached, "signed in".to_owned()))
    })?;
    let set = steps.take("version", || {
        let set = fit_to_dump(&sets, reached.major, &reached.version)?;
        let message = format!(
            "the server is PostgreSQL {}, pg_dump {} reads it",
            reached.version, set.version
        );
        Ok((set, message))
    })?;
    let names = steps.take("rights", || {
        let names = names::selected(&source.source.databases, &reached, set, stop)?;
        for name in &names {
            readable(&reached, set, name, stop)?;
        }
        let mut message = "everything in them may be read".to_owned();
        if source.source.accounts && !may_read_passwords(&reached, set, stop)? {
            message.push_str(
                "; roles are kept without their passwords, which a superuser or a member of pg_read_all_data may read",
            );
        }
        Ok((names, message))
    })?;
    steps.take("databases", || {
        let message = format!("{} selected: {}", names.len(), some_of(&names));
        Ok(((), message))
    })
}

/// `rights_missing` when `database` has something that the sign-in may not read.
pub(super) fn readable(
    reached: &Reached,
    set: &Set,
    database: &str,
    stop: &StopFlag,
) -> Result<()> {
    let rows = reached
        .sign_in
        .ask(set, database, UNREADABLE, 2, stop)
        .map_err(|error| match error.code() {
            "query_failed" => Error::invalid("dump_failed", error.message().to_owned()),
            _ => error,
        })?;
    if rows.is_empty() {
        return Ok(());
    }
    let names: Vec<_> = rows
        .iter()
        .map(|row| format!("{} {}", row[0], row[1]))
        .collect();
    Err(Error::forbidden(
        "rights_missing",
        format!(
            "in database {database:?} {}; make the sign-in a member of pg_read_all_data (from PostgreSQL 14) or grant USAGE on the schemas \
             and SELECT on tables and sequences, and BYPASSRLS where tables have row security",
            some_of(&names)
        ),
    ))
}

/// Whether roles can be kept with their passwords.
pub(super) fn may_read_passwords(reached: &Reached, set: &Set, stop: &StopFlag) -> Result<bool> {
    let sql = "select has_table_privilege('pg_catalog.pg_authid', 'SELECT')";
    let rows = reached.ask(set, sql, 1, stop)?;
    Ok(rows.first().is_some_and(|row| row[0] == "t"))
}

fn some_of(names: &[String]) -> String {
    let mut text = names[..names.len().min(SHOWN)].join(", ");
    if names.len() > SHOWN {
        text.push_str(&format!(" and {} more", names.len() - SHOWN));
    }
    text
}
