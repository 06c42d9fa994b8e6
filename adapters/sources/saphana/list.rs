//! What there is: databases of a system, and what the sign-in may do with them.

use super::session::{SYSTEM, Session};
use backupx_core::domain::database::Selection;
use backupx_core::domain::report::FoundDatabase;
use backupx_core::domain::saphana::{SaphanaLevel, SaphanaSource};
use backupx_core::ports::source::StopFlag;
use backupx_core::{Error, Result};
use std::collections::{BTreeMap, BTreeSet};

/// The databases that a task takes.
#[derive(Debug)]
pub(super) struct Chosen {
    pub(super) names: Vec<String>,
    pub(super) warnings: Vec<String>,
}

/// A database, and whether it is started.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) name: String,
    pub(super) is_active: bool,
}

/// Every database that can be reached from the one that is signed in to: from the system database all, else that one alone.
pub(super) fn known(session: &Session, stop: &StopFlag) -> Result<Vec<Known>> {
    if !session.is_system() {
        return Ok(vec![Known {
            name: session.server.database.clone(),
            is_active: true,
        }]);
    }
    let question =
        "SELECT DATABASE_NAME, ACTIVE_STATUS FROM SYS.M_DATABASES ORDER BY DATABASE_NAME";
    let rows = session.ask(question, stop)?;
    let known = rows.into_iter().filter_map(|row| {
        let [name, status] = <[_; 2]>::try_from(row).ok()?;
        Some(Known {
            name: name?,
            is_active: status.as_deref() == Some("YES"),
        })
    });
    Ok(known.collect())
}

/// The databases with their sizes, as far as they may be seen.
pub(super) fn found(session: &Session, stop: &StopFlag) -> Result<Vec<FoundDatabase>> {
    let (view, group) = match session.is_system() {
        true => ("SYS_DATABASES.M_DISK_USAGE", " GROUP BY DATABASE_NAME"),
        false => ("SYS.M_DISK_USAGE", ""),
    };
    let name = match session.is_system() {
        true => "DATABASE_NAME".to_owned(),
        false => super::sql::text(&session.server.database),
    };
    let question =
        format!("SELECT {name}, SUM(USED_SIZE) FROM {view} WHERE USAGE_TYPE = 'DATA'{group}");
    // Sizes are a help; who may not see them still sees the names.
    let sizes = match session.ask(&question, stop) {
        Err(error) if error.code() == "cancelled" => return Err(error),
        outcome => outcome.unwrap_or_default(),
    };
    let sizes: BTreeMap<_, _> = sizes
        .into_iter()
        .filter_map(|row| {
            let [name, size] = <[_; 2]>::try_from(row).ok()?;
            Some((name?, size?.parse().ok()?))
        })
        .collect();
    let found = known(session, stop)?
        .into_iter()
        .map(|known| FoundDatabase {
            size_bytes: sizes.get(&known.name).copied(),
            name: known.name,
        });
    Ok(found.collect())
}

/// The databases that `selection` means now. One that is stopped can't be backed up.
pub(super) fn chosen(session: &Session, selection: &Selection, stop: &StopFlag) -> Result<Chosen> {
    let known = known(session, stop)?;
    let names: Vec<_> = known.iter().map(|known| known.name.as_str()).collect();
    let missing = selection.missing(&names);
    if !missing.is_empty() {
        let place = match session.is_system() {
            true => format!("not in the system {}", session.server.sid),
            false => format!(
                "not {}, which is signed in to (only the system database knows others: connect to {SYSTEM})",
                session.server.database
            ),
        };
        let message = format!("{place}: {}", missing.join(", "));
        return Err(Error::invalid("source_missing", message));
    }
    let taken: Vec<_> = known
        .iter()
        .filter(|known| selection.takes(&known.name))
        .collect();
    let stopped: Vec<_> = taken
        .iter()
        .filter(|known| !known.is_active)
        .map(|known| known.name.as_str())
        .collect();
    if !stopped.is_empty() && !selection.only.is_empty() {
        return Err(Error::invalid(
            "source_missing",
            format!(
                "stopped, and only a started database can be backed up: {} (ALTER SYSTEM START DATABASE)",
                stopped.join(", ")
            ),
        ));
    }
    let names: Vec<_> = taken
        .iter()
        .filter(|known| known.is_active)
        .map(|known| known.name.clone())
        .collect();
    if names.is_empty() {
        return Err(Error::invalid(
            "nothing_selected",
            "the system has no started database that the task takes",
        ));
    }
    let warnings = stopped.iter().map(|name| {
        format!("{name} is stopped and is not backed up: only a started database can be")
    });
    Ok(Chosen {
        warnings: warnings.collect(),
        names,
    })
}

/// Rights of which one is enough, the least first, and for what.
struct Need {
    any_of: &'static [&'static str],
    for_what: &'static str,
}

/// `rights_missing` with the statement that grants what a run lacks.
pub(super) fn rights_suffice(
    session: &Session,
    source: &SaphanaSource,
    names: &[String],
    stop: &StopFlag,
) -> Result<()> {
    let question = "SELECT DISTINCT PRIVILEGE FROM SYS.EFFECTIVE_PRIVILEGES \
                    WHERE USER_NAME = CURRENT_USER AND OBJECT_TYPE = 'SYSTEMPRIVILEGE' AND IS_VALID = 'TRUE'";
    let rows = session.ask(question, stop)?;
    let there: BTreeSet<String> = rows.into_iter().flatten().flatten().collect();
    let missing: Vec<_> = needs(session, source, names)
        .into_iter()
        .filter(|need| !need.any_of.iter().any(|right| there.contains(*right)))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let rows = session.ask("SELECT CURRENT_USER FROM SYS.DUMMY", stop)?;
    let user = rows
        .into_iter()
        .flatten()
        .flatten()
        .next()
        .unwrap_or_default();
    let what: Vec<_> = missing.iter().map(|need| need.for_what).collect();
    let grants: Vec<_> = missing.iter().map(|need| need.any_of[0]).collect();
    Err(Error::forbidden(
        "rights_missing",
        format!(
            "{user} may not {}; in {}: GRANT {} TO {}",
            what.join(", nor "),
            session.server.database,
            grants.join(", "),
            super::sql::name(&user)
        ),
    ))
}

fn needs(session: &Session, source: &SaphanaSource, names: &[String]) -> Vec<Need> {
    let mut needs = vec![Need {
        any_of: &["CATALOG READ", "DATA ADMIN"],
        for_what: "read the catalogue of backups",
    }];
    if source.level == SaphanaLevel::Log {
        return needs;
    }
    if names.contains(&session.server.database) {
        needs.push(Need {
            any_of: &["BACKUP OPERATOR", "BACKUP ADMIN"],
            for_what: "make backups",
        });
    }
    if names.iter().any(|name| *name != session.server.database) {
        needs.push(Need {
            any_of: &[
                "DATABASE BACKUP OPERATOR",
                "DATABASE BACKUP ADMIN",
                "DATABASE ADMIN",
            ],
            for_what: "make backups of tenants",
        });
    }
    if source.channels.is_some() {
        needs.push(Need {
            any_of: &["INIFILE ADMIN"],
            for_what: "set how many channels go to Backint",
        });
    }
    needs
}
