//! The databases of a server: which there are, and which of them a task takes.

use super::server::Reached;
use super::tools::Set;
use backupx_core::domain::database::Selection;
use backupx_core::domain::report::FoundDatabase;
use backupx_core::ports::source::StopFlag;
use backupx_core::{Error, Result};

/// Databases that providers keep for themselves and let nobody into.
const PROVIDERS_OWN: [&str; 5] = [
    "alloydbadmin",
    "azure_maintenance",
    "azure_sys",
    "cloudsqladmin",
    "rdsadmin",
];

/// Every database that can be signed in to and is no template.
pub(super) fn found(reached: &Reached, set: &Set, stop: &StopFlag) -> Result<Vec<FoundDatabase>> {
    // Asked for the size of a database that it may not sign in to, a server fails the whole question.
    let sql = "select datname, case when has_database_privilege(oid, 'CONNECT') then pg_database_size(oid) end \
               from pg_database where datallowconn and not datistemplate order by datname";
    let rows = reached.ask(set, sql, 2, stop)?;
    let found = rows.into_iter().filter_map(|row| {
        let [name, size] = <[String; 2]>::try_from(row).ok()?;
        Some(FoundDatabase {
            name,
            size_bytes: size.parse().ok(),
        })
    });
    Ok(found
        .filter(|database| !PROVIDERS_OWN.contains(&database.name.as_str()))
        .collect())
}

/// The names of those that a task takes.
pub(super) fn selected(
    databases: &Selection,
    reached: &Reached,
    set: &Set,
    stop: &StopFlag,
) -> Result<Vec<String>> {
    let found = found(reached, set, stop)?;
    let names: Vec<_> = found
        .iter()
        .map(|database| database.name.as_str())
        .collect();
    let missing = databases.missing(&names);
    if !missing.is_empty() {
        return Err(Error::not_found(
            "source_missing",
            format!(
                "the server has no database {}; it has {}",
                missing.join(", "),
                names.join(", ")
            ),
        ));
    }
    let taken: Vec<_> = names
        .into_iter()
        .filter(|name| databases.takes(name))
        .map(str::to_owned)
        .collect();
    if taken.is_empty() {
        return Err(Error::invalid(
            "nothing_selected",
            "no database of the server is selected; all that it has are left out",
        ));
    }
    Ok(taken)
}
