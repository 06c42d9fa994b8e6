//! The tools of MySQL and MariaDB: which are on the host, whose they are, and which fit a server.

use crate::tool::{find, version_of};
use backupx_core::ports::source::StopFlag;
use backupx_core::{Error, Result};
use std::path::PathBuf;

/// Where hosts keep them when they are not on the path.
pub(super) const ELSEWHERE: [&str; 6] = [
    "/usr/bin",
    "/usr/local/bin",
    "/usr/local/mysql/bin",
    "/usr/local/mariadb/bin",
    "/opt/mysql/bin",
    "/opt/homebrew/bin",
];
const DUMPS: [&str; 2] = ["mariadb-dump", "mysqldump"];
const CLIENTS: [&str; 2] = ["mariadb", "mysql"];

/// Whose a tool or a server is. The two have grown apart in options and in what they dump.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Maker {
    /// MariaDB.
    Mariadb,
    /// MySQL, and what is made from it.
    Mysql,
}

/// A version, of a tool or of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Version {
    pub(super) maker: Maker,
    /// Major and minor.
    pub(super) number: (u32, u32),
    /// As it was said.
    pub(super) text: String,
}

/// A tool of the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) path: PathBuf,
    pub(super) name: &'static str,
    pub(super) version: Version,
}

/// The tools of the host, the preferred ones of each kind first.
#[derive(Debug, Default)]
pub(super) struct Tools {
    dumps: Vec<Found>,
    clients: Vec<Found>,
    place: String,
}

impl Tools {
    /// Those in `folder` alone when one is named, else those of the host. A client has to be among them.
    pub(super) fn find(folder: Option<&str>, stop: &StopFlag) -> Result<Self> {
        let all = |names: [&'static str; 2]| -> Result<Vec<Found>> {
            let mut found = Vec::new();
            for name in names {
                let Some(path) = find(name, folder, &ELSEWHERE) else {
                    continue;
                };
                let version = Version::parse(&version_of(&path, stop)?);
                found.push(Found {
                    path,
                    name,
                    version,
                });
            }
            Ok(found)
        };
        let tools = Self {
            dumps: all(DUMPS)?,
            clients: all(CLIENTS)?,
            place: folder.map_or_else(
                || "on the path of this host".to_owned(),
                |folder| format!("in {folder}"),
            ),
        };
        if tools.clients.is_empty() {
            return Err(tools.missing("mariadb nor mysql"));
        }
        Ok(tools)
    }

    fn missing(&self, what: &str) -> Error {
        Error::invalid(
            "tool_missing",
            format!(
                "neither {what} is {}; install the client package of the server's maker \
                 (mariadb-client, or mysql-client)",
                self.place
            ),
        )
    }

    /// The clients, in the order in which they are tried on a server that nobody knows yet.
    pub(super) fn clients(&self) -> &[Found] {
        &self.clients
    }

    /// The client for `server`.
    pub(super) fn client_for(&self, server: &Version) -> Option<&Found> {
        best(&self.clients, server)
    }

    /// The tool that dumps `server`.
    pub(super) fn dump_for(&self, server: &Version) -> Result<&Found> {
        let found =
            best(&self.dumps, server).ok_or_else(|| self.missing("mariadb-dump nor mysqldump"))?;
        let tool = &found.version;
        let is_too_old = server.maker == Maker::Mysql
            && tool.maker == Maker::Mysql
            && tool.number.0 < 8
            && server.number.0 >= 8;
        if is_too_old {
            return Err(Error::invalid(
                "server_version_mismatch",
                format!(
                    "the server is MySQL {} and {} is {}, which can't dump it: install the client package of MySQL 8 or later",
                    server.text, found.name, tool.text
                ),
            ));
        }
        Ok(found)
    }

    /// What was found, for a person.
    pub(super) fn describe(&self) -> String {
        let all: Vec<_> = self
            .dumps
            .iter()
            .chain(&self.clients)
            .map(|found| format!("{} {}", found.path.display(), found.version.text))
            .collect();
        all.join(", ")
    }

    /// That there is something to dump with at all.
    pub(super) fn can_dump(&self) -> Result<()> {
        match self.dumps.is_empty() {
            true => Err(self.missing("mariadb-dump nor mysqldump")),
            false => Ok(()),
        }
    }
}

/// What dumps on this host, with its version, when there is a client beside it.
pub(crate) fn found_tools() -> Option<(String, String)> {
    let tools = Tools::find(None, &StopFlag::default()).ok()?;
    let dump = tools.dumps.first()?;
    Some((dump.name.to_owned(), dump.version.text.clone()))
}

/// The newest of the server's own maker, else the newest of the other.
fn best<'a>(tools: &'a [Found], server: &Version) -> Option<&'a Found> {
    tools
        .iter()
        .rev()
        .max_by_key(|tool| (tool.version.maker == server.maker, tool.version.number))
}

impl Version {
    /// Reads what a tool says for `--version` or a server for `SELECT VERSION()`.
    pub(super) fn parse(text: &str) -> Self {
        let maker = if text.to_ascii_lowercase().contains("mariadb") {
            Maker::Mariadb
        } else {
            Maker::Mysql
        };
        // Old ones say their own number first and the one that counts behind "Distrib", new ones behind "from".
        let counts = ["Distrib ", " from ", "Ver "]
            .iter()
            .find_map(|mark| text.split_once(mark).map(|(_, rest)| rest))
            .unwrap_or(text);
        // Behind some proxies and in replicas MariaDB says 5.5.5- first.
        let counts = counts.strip_prefix("5.5.5-").unwrap_or(counts);
        let word: String = counts
            .chars()
            .take_while(|c| !c.is_whitespace() && *c != ',')
            .collect();
        let mut numbers = word.split(['.', '-']).map(|part| part.parse().unwrap_or(0));
        let number = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
        Self {
            maker,
            number,
            text: word,
        }
    }
}

impl Maker {
    /// Its name for people.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Mariadb => "MariaDB",
            Self::Mysql => "MySQL",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_says_whose_it_is() {
        for (text, maker, number) in [
            (
                "mariadb-dump  Ver 10.19 Distrib 10.11.19-MariaDB, for debian-linux-gnu (x86_64)",
                Maker::Mariadb,
                (10, 11),
            ),
            (
                "mysqldump from 11.4.2-MariaDB, client 10.19 for Linux (x86_64)",
                Maker::Mariadb,
                (11, 4),
            ),
            (
                "mysqldump  Ver 8.0.36 for Linux on x86_64 (MySQL Community Server - GPL)",
                Maker::Mysql,
                (8, 0),
            ),
            (
                "mysqldump  Ver 10.13 Distrib 5.7.44, for Linux (x86_64)",
                Maker::Mysql,
                (5, 7),
            ),
            ("9.7.4-1", Maker::Mysql, (9, 7)),
            ("5.5.5-10.6.1-MariaDB-log", Maker::Mariadb, (10, 6)),
        ] {
            let version = Version::parse(text);
            assert_eq!((version.maker, version.number), (maker, number), "{text}");
        }
    }

    #[test]
    fn a_server_is_dumped_by_its_own_makers_tool_where_there_is_one() {
        let tool = |name, text| Found {
            path: PathBuf::from(name),
            name,
            version: Version::parse(text),
        };
        let tools = Tools {
            dumps: vec![
                tool("mariadb-dump", "Ver 10.19 Distrib 10.11.19-MariaDB"),
                tool("mysqldump", "Ver 8.0.36 for Linux"),
            ],
            clients: Vec::new(),
            place: String::new(),
        };
        let dump = |server: &str| {
            tools
                .dump_for(&Version::parse(server))
                .map(|tool| tool.name)
        };
        assert_eq!(dump("10.11.19-MariaDB").expect("fits"), "mariadb-dump");
        assert_eq!(dump("9.7.4").expect("fits"), "mysqldump");
    }
}
