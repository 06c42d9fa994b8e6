//! Rights: what a sign-in may do, and what it lacks for a whole dump.
//!
//! Some of it the tools would not miss: without TRIGGER a dump silently has no triggers, and routines that a sign-in can't see are not in it.

use super::session::Session;
use super::sql;
use super::tools::Maker;
use backupx_core::ports::source::StopFlag;
use backupx_core::{Error, Result};
use std::collections::BTreeSet;

/// What a dump of a database takes.
const NEEDED: [&str; 4] = ["SELECT", "SHOW VIEW", "TRIGGER", "EVENT"];
/// What shows the routines of a database, each by itself.
const SHOWS_ROUTINES: [&str; 4] = [
    "EXECUTE",
    "ALTER ROUTINE",
    "CREATE ROUTINE",
    "SHOW CREATE ROUTINE",
];

/// The rights of the sign-in, as far as the server says them.
#[derive(Debug)]
pub(super) struct Rights {
    grants: Vec<Grant>,
    who: String,
    maker: Maker,
}

/// One line of them.
#[derive(Debug, PartialEq, Eq)]
struct Grant {
    /// `None` is every database; otherwise a pattern with `_`, `%` and `\`.
    databases: Option<String>,
    /// Whether it is about one thing in the database only.
    object: Option<String>,
    rights: BTreeSet<String>,
}

impl Rights {
    /// Asks the server.
    pub(super) fn ask(session: &Session, stop: &StopFlag) -> Result<Self> {
        let maker = session.server.maker;
        let grants = match maker {
            // Rights that come through roles are among them.
            Maker::Mariadb => session.ask("SHOW GRANTS", stop)?,
            Maker::Mysql => {
                let roles = session
                    .ask_one("SELECT CURRENT_ROLE()", stop)?
                    .filter(|roles| !roles.is_empty() && roles != "NONE");
                match roles {
                    Some(roles) => session.ask(
                        &format!("SHOW GRANTS FOR CURRENT_USER() USING {roles}"),
                        stop,
                    )?,
                    None => session.ask("SHOW GRANTS", stop)?,
                }
            }
        };
        let who = session
            .ask_one("SELECT CURRENT_USER()", stop)?
            .unwrap_or_default();
        let (user, host) = who.rsplit_once('@').unwrap_or((&who, "%"));
        Ok(Self {
            grants: grants
                .iter()
                .filter_map(|row| row.first())
                .filter_map(|line| parse(line))
                .collect(),
            who: sql::account(user, host),
            maker,
        })
    }

    /// What is missing for `database`, as the statements that grant it.
    pub(super) fn missing(&self, database: &str) -> Vec<String> {
        let mut statements = Vec::new();
        let lacks: Vec<_> = NEEDED
            .into_iter()
            .filter(|right| !self.has(right, database))
            .collect();
        if !lacks.is_empty() {
            statements.push(format!(
                "GRANT {} ON {}.* TO {}",
                lacks.join(", "),
                sql::name(database),
                self.who
            ));
        }
        if !self.sees_routines(database) {
            statements.push(match self.maker {
                Maker::Mariadb => format!("GRANT SELECT ON `mysql`.`proc` TO {}", self.who),
                Maker::Mysql => format!("GRANT SHOW_ROUTINE ON *.* TO {}", self.who),
            });
        }
        statements
    }

    /// An error that names what is missing for any of `databases`.
    pub(super) fn suffice(&self, databases: &[String]) -> Result<()> {
        let mut statements: Vec<_> = databases
            .iter()
            .flat_map(|database| self.missing(database))
            .collect();
        statements.sort_unstable();
        statements.dedup();
        if statements.is_empty() {
            return Ok(());
        }
        let more = statements.len().saturating_sub(5);
        statements.truncate(5);
        let mut text = statements.join("; ");
        if more > 0 {
            text.push_str(&format!("; and {more} more like these"));
        }
        Err(Error::forbidden(
            "rights_missing",
            format!(
                "{} may not read everything that a dump holds; let an administrator run: {text}",
                self.who
            ),
        ))
    }

    /// Whether the sign-in sees every database of the server.
    pub(super) fn sees_all(&self) -> bool {
        self.grants.iter().any(|grant| {
            grant.databases.is_none()
                && grant.rights.iter().any(|right| {
                    matches!(&right[..], "ALL PRIVILEGES" | "SHOW DATABASES" | "SELECT")
                })
        })
    }

    /// The statement that lets the sign-in read the accounts.
    pub(super) fn for_accounts(&self) -> String {
        format!("GRANT SELECT ON `mysql`.* TO {}", self.who)
    }

    fn has(&self, right: &str, database: &str) -> bool {
        self.grants.iter().any(|grant| {
            grant.object.is_none()
                && (grant.rights.contains("ALL PRIVILEGES") || grant.rights.contains(right))
                && grant
                    .databases
                    .as_deref()
                    .is_none_or(|pattern| is_like(pattern, database))
        })
    }

    fn sees_routines(&self, database: &str) -> bool {
        let shown = SHOWS_ROUTINES.iter().any(|right| self.has(right, database));
        shown
            || match self.maker {
                Maker::Mariadb => {
                    self.has("SELECT", "mysql")
                        || self.grants.iter().any(|grant| {
                            grant.databases.as_deref() == Some("mysql")
                                && grant.object.as_deref() == Some("proc")
                                && grant.rights.contains("SELECT")
                        })
                }
                Maker::Mysql => self.grants.iter().any(|grant| {
                    grant.databases.is_none()
                        && (grant.rights.contains("SHOW_ROUTINE")
                            || grant.rights.contains("SELECT"))
                }),
            }
    }
}

/// Reads `GRANT a, b ON x.y TO z`; nothing for grants of roles and proxies.
fn parse(line: &str) -> Option<Grant> {
    let list = line.strip_prefix("GRANT ")?;
    let on = sql::find_bare(list, " ON ")?;
    let rest = &list[on + 4..];
    let to = sql::find_bare(rest, " TO ")?;
    let rights = sql::split_bare(&list[..on])
        .into_iter()
        .map(str::to_ascii_uppercase)
        .collect();
    let place = rest[..to].trim();
    let place = place.strip_prefix("TABLE ").unwrap_or(place);
    let dot = sql::find_bare(place, ".")?;
    let (database, object) = (bare(&place[..dot]), bare(&place[dot + 1..]));
    Some(Grant {
        databases: (database != "*").then_some(database),
        object: (object != "*").then_some(object),
        rights,
    })
}

/// A name without its quotes.
fn bare(name: &str) -> String {
    name.strip_prefix('`')
        .and_then(|name| name.strip_suffix('`'))
        .map_or_else(|| name.to_owned(), |name| name.replace("``", "`"))
}

/// `LIKE`, as grants of databases mean it.
fn is_like(pattern: &str, name: &str) -> bool {
    if pattern == name {
        return true;
    }
    let pattern: Vec<char> = pattern.chars().collect();
    let name: Vec<char> = name.chars().collect();
    // What of the name each beginning of the pattern can stand for.
    let mut reach: BTreeSet<usize> = BTreeSet::from([0]);
    let mut at = 0;
    while at < pattern.len() {
        let mut literal = pattern[at];
        match literal {
            '%' => {
                let Some(first) = reach.first().copied() else {
                    return false;
                };
                reach = (first..=name.len()).collect();
                at += 1;
                continue;
            }
            '_' => {
                reach = reach
                    .into_iter()
                    .filter(|place| *place < name.len())
                    .map(|place| place + 1)
                    .collect();
                at += 1;
                continue;
            }
            '\\' if at + 1 < pattern.len() => {
                at += 1;
                literal = pattern[at];
            }
            _ => {}
        }
        reach = reach
            .into_iter()
            .filter(|place| name.get(*place) == Some(&literal))
            .map(|place| place + 1)
            .collect();
        at += 1;
    }
    reach.contains(&name.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rights(maker: Maker, lines: &[&str]) -> Rights {
        Rights {
            grants: lines.iter().filter_map(|line| parse(line)).collect(),
            who: "`b`@`%`".to_owned(),
            maker,
        }
    }

    #[test]
    fn a_grant_counts_for_the_databases_that_it_means() {
        for (pattern, name, is) in [
            ("shop", "shop", true),
            ("shop\\_1", "shop_1", true),
            ("shop\\_1", "shopx1", false),
            ("shop_1", "shopx1", true),
            ("shop%", "shop", true),
            ("%b%", "abc", true),
            ("%", "x", true),
            ("a", "ab", false),
        ] {
            assert_eq!(is_like(pattern, name), is, "{pattern} {name}");
        }
    }

    #[test]
    fn what_is_missing_is_said_as_the_statement_that_grants_it() {
        let some = rights(
            Maker::Mariadb,
            &[
                "GRANT USAGE ON *.* TO `b`@`%` IDENTIFIED BY PASSWORD '*6BB'",
                "GRANT SELECT, SHOW VIEW, EVENT ON `shop ON x`.* TO `b`@`%`",
                "GRANT SELECT (`ON a`), INSERT ON `shop ON x`.`t` TO `b`@`%`",
            ],
        );
        assert_eq!(
            some.missing("shop ON x"),
            [
                "GRANT TRIGGER ON `shop ON x`.* TO `b`@`%`",
                "GRANT SELECT ON `mysql`.`proc` TO `b`@`%`"
            ]
        );
        assert!(!some.sees_all());
        let whole = rights(
            Maker::Mysql,
            &["GRANT SELECT, SHOW VIEW, TRIGGER, EVENT ON *.* TO `b`@`%`"],
        );
        assert!(whole.missing("any").is_empty() && whole.sees_all());
        let own = rights(
            Maker::Mysql,
            &["GRANT ALL PRIVILEGES ON `own`.* TO `b`@`%`"],
        );
        assert!(own.missing("own").is_empty() && !own.missing("other").is_empty());
    }
}
