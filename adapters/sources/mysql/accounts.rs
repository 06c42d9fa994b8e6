//! Accounts: users, roles and their rights as SQL that may be run again and again, one statement a line.
//!
//! Who is there already stays as it is, password included, and gets the rights of the dump besides.

use super::session::{Session, refused};
use super::sql;
use super::tools::Maker;
use crate::tool::lift;
use backupx_core::domain::log::Level;
use backupx_core::ports::dumps::Notes;
use backupx_core::ports::source::StopFlag;
use backupx_core::{Error, Result};
use std::io::{Cursor, Read, Write};

const BEGIN: &str = "-- Accounts of ";
const END: &str = "-- Accounts completed";
const MARK: &str = "-- Account ";
/// Accounts that a server makes for itself.
const OWN: [&str; 5] = [
    "mariadb.sys",
    "mysql.sys",
    "mysql.session",
    "mysql.infoschema",
    "PUBLIC",
];
/// What servers say of an account that is not there any more.
const GONE: [&str; 3] = ["ERROR 1133 ", "ERROR 1141 ", "ERROR 1396 "];
/// How often all of them are asked for while accounts go.
const MOST_ATTEMPTS: u32 = 6;
/// Accounts that are asked for at once: an argument has a limit.
const AT_ONCE: usize = 100;
/// More than any server's accounts take.
const MOST_BYTES: u64 = 256 << 20;

/// Somebody who can sign in, or a role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Account {
    /// As statements name it.
    name: String,
    /// A role of MariaDB; those of MySQL are users.
    is_role: bool,
    /// Whether the server acts as if it were not there.
    is_ignored: bool,
}

/// The accounts of the server but its own, roles first. `rights_missing` when the sign-in may not read them.
pub(super) fn list(session: &Session, stop: &StopFlag) -> Result<Vec<Account>> {
    let role = match session.server.maker {
        Maker::Mariadb => "is_role",
        Maker::Mysql => "'N'",
    };
    let rows = session.ask(
        &format!(
            "SELECT User, Host, {role}, @@skip_name_resolve FROM mysql.user ORDER BY {role} = 'Y' DESC, User, Host"
        ),
        stop,
    )?;
    Ok(rows
        .iter()
        .filter_map(|row| match &row[..] {
            [user, host, is_role, no_names] if !OWN.contains(&user.as_str()) => {
                let is_role = is_role == "Y";
                Some(Account {
                    name: if is_role {
                        sql::name(user)
                    } else {
                        sql::account(user, host)
                    },
                    is_role,
                    is_ignored: !is_role && no_names != "0" && has_to_be_resolved(host),
                })
            }
            _ => None,
        })
        .collect())
}

/// Whether a host is a name; a server that resolves none ignores accounts of such.
fn has_to_be_resolved(host: &str) -> bool {
    let is_address = host
        .chars()
        .all(|c| c.is_ascii_digit() || matches!(c, '.' | '/'));
    host != "localhost" && !is_address && !host.contains(['%', '_', ':', '/'])
}

/// Writes all of them into `out`.
pub(super) fn read(
    session: &Session,
    out: &mut dyn Write,
    notes: &dyn Notes,
    stop: &StopFlag,
) -> Result<()> {
    let mut attempts = 0;
    let (text, ignored) = loop {
        attempts += 1;
        match said(session, stop) {
            Err(error) if is_gone(&error) && attempts < MOST_ATTEMPTS => {}
            outcome => break outcome?,
        }
    };
    if !ignored.is_empty() {
        notes.warn(format!(
            "not kept, since the server runs with skip_name_resolve and ignores them: {}",
            ignored.join(", ")
        ));
    }
    out.write_all(text.as_bytes())
        .map_err(|error| lift(error, "the accounts could not be kept"))
}

/// Whether an account was dropped between its name and its rights.
fn is_gone(error: &Error) -> bool {
    GONE.iter().any(|mark| error.message().contains(mark))
}

/// All of them as text, and the names of those that the server ignores.
fn said(session: &Session, stop: &StopFlag) -> Result<(String, Vec<String>)> {
    let (ignored, accounts): (Vec<_>, Vec<_>) = list(session, stop)?
        .into_iter()
        .partition(|account| account.is_ignored);
    let mut text = format!(
        "{BEGIN}{} {}\n",
        session.server.maker.as_str(),
        session.server.text
    );
    let (mut makes, mut grants, mut defaults) = (Vec::new(), Vec::new(), Vec::new());
    for some in accounts.chunks(AT_ONCE) {
        makes.extend(made(session, some, stop)?);
        for grant in granted(session, some, stop)? {
            // A default role has to be granted first.
            if grant.starts_with("SET DEFAULT ROLE") || grant.starts_with("ALTER USER") {
                defaults.push(grant);
            } else {
                grants.push(grant);
            }
        }
    }
    for (account, statements) in accounts.iter().zip(&makes) {
        text.push_str(&format!("{MARK}{}\n", one_line(&account.name)));
        let (make, default) = statements;
        text.push_str(&format!("{};\n", one_line(make)));
        defaults.extend(default.clone());
    }
    for statement in grants.iter().chain(&defaults) {
        text.push_str(&format!("{};\n", one_line(statement)));
    }
    text.push_str(&format!("{END}\n"));
    Ok((text, ignored.into_iter().map(|one| one.name).collect()))
}

/// The statement that makes each account, and the one that sets its default roles.
fn made(
    session: &Session,
    accounts: &[Account],
    stop: &StopFlag,
) -> Result<Vec<(String, Option<String>)>> {
    let mut script = match session.server.maker {
        Maker::Mariadb => String::new(),
        // Its hashes are not always text.
        Maker::Mysql => "SET SESSION print_identified_with_as_hex = 1; ".to_owned(),
    };
    let users: Vec<_> = accounts.iter().filter(|one| !one.is_role).collect();
    for user in &users {
        script.push_str(&format!("SHOW CREATE USER {}; ", user.name));
    }
    let mut rows = session.ask(&script, stop)?.into_iter();
    accounts
        .iter()
        .map(|account| {
            if account.is_role {
                return Ok((format!("CREATE ROLE IF NOT EXISTS {}", account.name), None));
            }
            // With an account that signs in elsewhere too, MariaDB answers ALTER USER on further lines.
            let statement = rows
                .by_ref()
                .filter_map(|mut row| row.drain(..).next())
                .find(|line| line.starts_with("CREATE USER "))
                .ok_or_else(|| {
                    Error::invalid(
                        "dump_incomplete",
                        format!("the server did not say how {} was made", account.name),
                    )
                })?;
            Ok(idempotent(&statement, &account.name))
        })
        .collect()
}

/// `CREATE USER` that leaves alone who is there, and its default roles as a statement of their own.
fn idempotent(statement: &str, account: &str) -> (String, Option<String>) {
    let rest = statement.strip_prefix("CREATE USER ").unwrap_or(statement);
    let made = |rest: &str| format!("CREATE USER IF NOT EXISTS {rest}");
    let Some(at) = sql::find_bare(rest, " DEFAULT ROLE ") else {
        return (made(rest), None);
    };
    let roles = &rest[at + 1..];
    let end = sql::find_bare(roles, " REQUIRE ").unwrap_or(roles.len());
    (
        made(&format!("{}{}", &rest[..at], &roles[end..])),
        Some(format!("ALTER USER {account} {}", &roles[..end])),
    )
}

/// What all of `accounts` may do, as statements.
fn granted(session: &Session, accounts: &[Account], stop: &StopFlag) -> Result<Vec<String>> {
    let script: String = accounts
        .iter()
        .map(|account| format!("SHOW GRANTS FOR {}; ", account.name))
        .collect();
    let mut grants: Vec<_> = session
        .ask(&script, stop)?
        .into_iter()
        .filter_map(|mut row| row.drain(..).next())
        .map(|line| without_password(&line))
        .collect();
    // Those of a role come again with each who has it.
    let mut seen = std::collections::HashSet::new();
    grants.retain(|grant| seen.insert(grant.clone()));
    Ok(grants)
}

/// A grant of MariaDB says the account's password again, and would set it.
fn without_password(grant: &str) -> String {
    let Some(to) = sql::find_bare(grant, " TO ") else {
        return grant.to_owned();
    };
    let rest = &grant[to..];
    let Some(at) = [" IDENTIFIED ", " REQUIRE "]
        .iter()
        .filter_map(|mark| sql::find_bare(rest, mark))
        .min()
    else {
        return grant.to_owned();
    };
    let may_grant = sql::find_bare(&rest[at..], " GRANT OPTION").is_some();
    format!(
        "{}{}{}",
        &grant[..to],
        &rest[..at],
        if may_grant { " WITH GRANT OPTION" } else { "" }
    )
}

/// The statement on one line: its strings say line ends as `\n`.
fn one_line(statement: &str) -> String {
    statement.replace('\n', "\\n").replace('\r', "\\r")
}

/// Makes who is missing and grants what is missing.
pub(super) fn put_back(
    session: &Session,
    input: &mut dyn Read,
    notes: &dyn Notes,
    stop: &StopFlag,
) -> Result<()> {
    let mut text = String::new();
    let count = input
        .take(MOST_BYTES)
        .read_to_string(&mut text)
        .map_err(|error| lift(error, "the accounts could not be read"))?;
    let is_whole = text.starts_with(BEGIN) && text.trim_end().ends_with(END);
    if !is_whole || count as u64 == MOST_BYTES {
        return Err(Error::invalid(
            "restore_failed",
            "the dump is not whole: it has no end marker; nothing was restored from it",
        ));
    }
    let there = list(session, stop)?;
    let (mut strict, mut lenient, mut kept) = (String::new(), Vec::new(), Vec::new());
    for line in text.lines() {
        if let Some(name) = line.strip_prefix(MARK) {
            if there.iter().any(|account| one_line(&account.name) == name) {
                kept.push(name);
            }
        } else if let Some(proxy) = line.strip_prefix("GRANT PROXY ") {
            // Few may grant it, and who is there has it.
            if !kept
                .iter()
                .any(|name| proxy.contains(&format!(" TO {name}")))
            {
                lenient.push(line);
            }
        } else if is_about_one_thing(line) {
            lenient.push(line);
        } else {
            strict.push_str(line);
            strict.push('\n');
        }
    }
    let said = |line: &str| notes.log(Level::Warn, format!("accounts: {line}"));
    let ended =
        session
            .client()
            .arg("--binary-mode")
            .write(&mut Cursor::new(strict), &said, stop)?;
    if !ended.status.success() {
        return Err(refused(&ended.failure("the client"), "restore_failed"));
    }
    for statement in lenient {
        if let Err(error) = session.ask(statement, stop) {
            if error.code() == "cancelled" {
                return Err(error);
            }
            notes.warn(format!(
                "not granted, since what it is about may not be there yet: {statement} ({})",
                error.message()
            ));
        }
    }
    if !kept.is_empty() {
        notes.log(
            Level::Info,
            format!(
                "{} accounts were there already and kept their passwords: {}",
                kept.len(),
                kept.join(", ")
            ),
        );
    }
    Ok(())
}

/// Whether it grants rights on one table or routine, which may not be there.
fn is_about_one_thing(line: &str) -> bool {
    let Some(rest) = line.strip_prefix("GRANT ") else {
        return false;
    };
    let (Some(on), Some(to)) = (sql::find_bare(rest, " ON "), sql::find_bare(rest, " TO ")) else {
        return false;
    };
    on < to && !rest[on + 4..to].ends_with(".*")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grant_sets_no_password() {
        for (line, grant) in [
            (
                "GRANT SELECT ON *.* TO `u`@`%` IDENTIFIED BY PASSWORD '*B7' WITH GRANT OPTION",
                "GRANT SELECT ON *.* TO `u`@`%` WITH GRANT OPTION",
            ),
            (
                "GRANT USAGE ON *.* TO `e`@`%` IDENTIFIED VIA x USING 'y' REQUIRE SSL WITH MAX_QUERIES_PER_HOUR 4",
                "GRANT USAGE ON *.* TO `e`@`%`",
            ),
            ("GRANT `r1` TO `u`@`%`", "GRANT `r1` TO `u`@`%`"),
        ] {
            assert_eq!(without_password(line), grant);
        }
    }

    #[test]
    fn names_of_hosts_are_told_from_addresses_and_patterns() {
        for host in [
            "localhost",
            "%",
            "",
            "10.0.0.1",
            "10.0.0.0/255.0.0.0",
            "10.%",
            "::1",
            "db_",
        ] {
            assert!(!has_to_be_resolved(host), "{host}");
        }
        assert!(has_to_be_resolved("db1") && has_to_be_resolved("db1.example.org"));
    }

    #[test]
    fn default_roles_are_set_when_they_are_granted() {
        let (make, default) = idempotent(
            "CREATE USER `u`@`%` IDENTIFIED WITH 'x' AS 0x24 DEFAULT ROLE `r`@`%` REQUIRE NONE PASSWORD EXPIRE DEFAULT",
            "`u`@`%`",
        );
        assert_eq!(
            make,
            "CREATE USER IF NOT EXISTS `u`@`%` IDENTIFIED WITH 'x' AS 0x24 REQUIRE NONE PASSWORD EXPIRE DEFAULT"
        );
        assert_eq!(
            default.as_deref(),
            Some("ALTER USER `u`@`%` DEFAULT ROLE `r`@`%`")
        );
    }

    #[test]
    fn rights_on_one_table_are_told_from_rights_on_a_database() {
        for (line, is) in [
            ("GRANT SELECT ON `a`.`b` TO `u`@`%`;", true),
            ("GRANT EXECUTE ON PROCEDURE `a`.`b` TO `u`@`%`;", true),
            ("GRANT SELECT ON `a`.* TO `u`@`%`;", false),
            ("GRANT `r` TO `u`@`%`;", false),
        ] {
            assert_eq!(is_about_one_thing(line), is, "{line}");
        }
    }
}
