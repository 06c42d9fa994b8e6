//! Roles and tablespaces put back: what is there already stays as it is, and nothing is ever dropped.

use super::plain::{End, Tail};
use super::put_back::failed;
use super::server::Reached;
use super::statements::{name_behind, statements};
use super::tools::Set;
use backupx_core::domain::log::Level;
use backupx_core::ports::dumps::Notes;
use backupx_core::ports::source::StopFlag;
use backupx_core::{Error, Result};
use std::collections::BTreeSet;
use std::io::Read;

/// Most bytes of such a dump.
const MOST: u64 = 256 << 20;

/// Runs what `input` holds, but for what concerns roles and tablespaces that exist.
pub(super) fn put_back(
    reached: &Reached,
    set: &Set,
    input: &mut dyn Read,
    notes: &dyn Notes,
    stop: &StopFlag,
) -> Result<()> {
    let mut text = Vec::new();
    input
        .take(MOST)
        .read_to_end(&mut text)
        .map_err(|error| crate::tool::lift(error, "the dump could not be read"))?;
    let mut tail = Tail::default();
    tail.feed(&text);
    tail.finish(End::Cluster)
        .map_err(|why| Error::invalid("restore_failed", format!("the dump is not whole: {why}")))?;
    let text = String::from_utf8_lossy(&text);
    let names = |sql: &str| -> Result<BTreeSet<String>> {
        let rows = reached.ask(set, sql, 1, stop)?;
        Ok(rows.into_iter().flatten().collect())
    };
    let roles = names("select rolname from pg_roles order by 1")?;
    let tablespaces = names("select spcname from pg_tablespace order by 1")?;
    let (mut sql, skipped) = without(&text, &roles, &tablespaces);
    let superusers = names("select rolname from pg_roles where rolsuper and oid <> 10")?;
    sql = granted_by_whoever_restores(&sql, superusers);
    // Nobody but a throw-away server of ours has this set.
    let in_place = "select current_setting('allow_in_place_tablespaces', true)";
    let in_place = reached.ask(set, in_place, 1, stop)?;
    if in_place.first().is_some_and(|row| row[0] == "on") {
        sql = for_a_throwaway(&sql);
    }
    for name in &skipped {
        notes.log(
            Level::Info,
            format!("{name} is there already and stays as it is"),
        );
    }
    let ended = reached
        .sign_in
        .tool(&set.path("psql"), &reached.common)
        .args(["-Xqw", "-v", "ON_ERROR_STOP=1", "-f", "-"])
        .write(
            &mut sql.as_bytes(),
            &|line| notes.log(Level::Info, line.to_owned()),
            stop,
        )?;
    if ended.status.success() {
        Ok(())
    } else {
        Err(failed(&ended.failure("psql")))
    }
}

/// The statements of `text` that make or change something that is not there yet, and what is there.
fn without(
    text: &str,
    roles: &BTreeSet<String>,
    tablespaces: &BTreeSet<String>,
) -> (String, Vec<String>) {
    let (mut kept, mut skipped) = (String::new(), Vec::new());
    for statement in statements(text) {
        let role = [
            "CREATE ROLE ",
            "ALTER ROLE ",
            "COMMENT ON ROLE ",
            "SECURITY LABEL ON ROLE ",
        ]
        .iter()
        .filter(|words| statement.starts_with(*words))
        .find_map(|words| name_behind(statement, words));
        let tablespace = ["CREATE", "ALTER", "COMMENT", "GRANT", "REVOKE", "SECURITY"]
            .iter()
            .filter(|word| statement.starts_with(*word) && role.is_none())
            .find_map(|_| name_behind(statement, " TABLESPACE "));
        let there = role
            .filter(|(name, _)| roles.contains(name))
            .map(|(name, _)| format!("role {name:?}"))
            .or_else(|| {
                tablespace
                    .filter(|(name, _)| tablespaces.contains(name))
                    .map(|(name, _)| format!("tablespace {name:?}"))
            });
        match there {
            Some(name) if !skipped.contains(&name) => skipped.push(name),
            Some(_) => {}
            None => {
                kept.push_str(statement);
                kept.push('\n');
            }
        }
    }
    (kept, skipped)
}

/// The statements with the grants of superusers made by whoever restores. From PostgreSQL 16 on a grant names who made it, and only the one
/// superuser that made a cluster may grant without having been granted: of the server that was dumped that is another one.
fn granted_by_whoever_restores(sql: &str, mut superusers: BTreeSet<String>) -> String {
    let all = statements(sql);
    for statement in &all {
        let altered = name_behind(statement, "ALTER ROLE ");
        if let Some((name, place)) = altered.filter(|(_, place)| place.start == "ALTER ROLE ".len())
            && statement[place.end..].starts_with(" WITH SUPERUSER")
        {
            superusers.insert(name);
        }
    }
    let changed = all.into_iter().map(|statement| {
        let by = " GRANTED BY ";
        let at = statement
            .rfind(by)
            .filter(|_| statement.starts_with("GRANT "));
        let grantor = at.and_then(|at| name_behind(&statement[at..], by));
        match (at, grantor) {
            (Some(at), Some((name, _))) if superusers.contains(&name) => {
                format!("{};\n", &statement[..at])
            }
            _ => format!("{statement}\n"),
        }
    });
    changed.collect()
}

/// The statements as a throw-away server takes them: each tablespace inside the data folder, since its place may be in use by the server that was
/// backed up, and every grant by whoever restores, since the superuser that made the cluster was another one.
fn for_a_throwaway(sql: &str) -> String {
    let changed = statements(sql).into_iter().map(|statement| {
        let cut = |word: &str, rest: &str| {
            let at = statement.rfind(word)?;
            Some(format!("{}{rest}", &statement[..at]))
        };
        let changed = match statement {
            make if make.starts_with("CREATE TABLESPACE ") => cut(" LOCATION '", " LOCATION '';"),
            grant if grant.starts_with("GRANT ") => cut(" GRANTED BY ", ";"),
            _ => None,
        };
        changed.unwrap_or_else(|| statement.to_owned()) + "\n"
    });
    changed.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_throwaway_server_needs_neither_places_nor_the_superuser_of_before() {
        let sql = "CREATE ROLE a;\nCREATE TABLESPACE fast OWNER a LOCATION '/srv/it''s';\nALTER TABLESPACE fast SET (x = 1);\n\
                   GRANT pg_read_all_data TO a WITH INHERIT TRUE GRANTED BY backupx;\nGRANT a TO b;\n";
        assert_eq!(
            for_a_throwaway(sql),
            "CREATE ROLE a;\nCREATE TABLESPACE fast OWNER a LOCATION '';\nALTER TABLESPACE fast SET (x = 1);\n\
             GRANT pg_read_all_data TO a WITH INHERIT TRUE;\nGRANT a TO b;\n"
        );
    }

    #[test]
    fn a_grant_of_the_superuser_of_before_is_made_by_whoever_restores() {
        let sql = "CREATE ROLE old;\nALTER ROLE old WITH SUPERUSER LOGIN;\nCREATE ROLE lead;\nALTER ROLE lead WITH NOSUPERUSER;\n\
                   GRANT a TO b WITH INHERIT TRUE GRANTED BY old;\nGRANT a TO c GRANTED BY lead;\nGRANT a TO d GRANTED BY \"Other One\";\n";
        assert_eq!(
            granted_by_whoever_restores(sql, BTreeSet::from(["Other One".to_owned()])),
            "CREATE ROLE old;\nALTER ROLE old WITH SUPERUSER LOGIN;\nCREATE ROLE lead;\nALTER ROLE lead WITH NOSUPERUSER;\n\
             GRANT a TO b WITH INHERIT TRUE;\nGRANT a TO c GRANTED BY lead;\nGRANT a TO d;\n"
        );
    }

    #[test]
    fn what_is_there_is_neither_made_nor_changed() {
        let text = "SET x = on;\nCREATE ROLE a;\nALTER ROLE a WITH LOGIN PASSWORD 'x';\nCREATE ROLE \"b c\";\nALTER ROLE \"b c\" WITH LOGIN;\n\
                    CREATE TABLESPACE fast OWNER a LOCATION '/fast';\nGRANT CREATE ON TABLESPACE fast TO a;\nGRANT a TO \"b c\";\n";
        let names = |name: &str| BTreeSet::from([name.to_owned()]);
        let (kept, skipped) = without(text, &names("a"), &names("fast"));
        assert_eq!(
            kept,
            "SET x = on;\nCREATE ROLE \"b c\";\nALTER ROLE \"b c\" WITH LOGIN;\nGRANT a TO \"b c\";\n"
        );
        assert_eq!(skipped, ["role \"a\"", "tablespace \"fast\""]);
    }
}
