//! Tool sets of PostgreSQL on a host: where they are, and which one fits a server.

use crate::tool::{find, version_of};
use backupx_core::ports::source::StopFlag;
use backupx_core::{Error, Result};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Major versions that are read and written.
pub(super) const MAJORS: std::ops::RangeInclusive<u32> = 12..=18;
/// What a set has to have.
const NEEDED: [&str; 4] = ["pg_dump", "pg_dumpall", "pg_restore", "psql"];
/// Folders that hold one folder of tools for each version, with what stands behind the version.
const VERSIONED: [(&str, &str, &str); 5] = [
    ("/usr/lib/postgresql", "", "bin"),
    ("/usr", "pgsql-", "bin"),
    ("/opt/homebrew/opt", "postgresql@", "bin"),
    ("/usr/local/opt", "postgresql@", "bin"),
    ("/Library/PostgreSQL", "", "bin"),
];
/// Folders that may hold one set.
const SINGLE: [&str; 4] = [
    "/usr/local/pgsql/bin",
    "/usr/local/bin",
    "/opt/homebrew/bin",
    "/opt/bitnami/postgresql/bin",
];

/// Tools of one version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Set {
    folder: PathBuf,
    /// The version's first number.
    pub(super) major: u32,
    /// The whole version, as `15.18`.
    pub(super) version: String,
}

impl Set {
    /// Where they are.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// One of its tools.
    pub(super) fn path(&self, tool: &str) -> PathBuf {
        self.folder.join(tool)
    }

    fn in_folder(folder: &Path, stop: &StopFlag) -> Result<Self> {
        for tool in NEEDED {
            if find(tool, folder.to_str(), &[]).is_none() {
                return Err(Error::invalid(
                    "tool_missing",
                    format!(
                        "there is no {tool} in {}; install the PostgreSQL client",
                        folder.display()
                    ),
                ));
            }
        }
        let said = version_of(&folder.join("pg_dump"), stop)?;
        let (major, version) = parse(&said).ok_or_else(|| {
            Error::invalid(
                "tool_missing",
                format!(
                    "{} says {said:?} when it is asked for its version",
                    folder.join("pg_dump").display()
                ),
            )
        })?;
        Ok(Self {
            folder: folder.to_owned(),
            major,
            version,
        })
    }
}

/// All sets of this host, newest first; those in `folder` alone when one is named.
pub(super) fn sets(folder: Option<&str>, stop: &StopFlag) -> Result<Vec<Set>> {
    if let Some(folder) = folder {
        return Set::in_folder(Path::new(folder), stop).map(|set| vec![set]);
    }
    let mut seen = BTreeSet::new();
    let mut sets: Vec<_> = folders()
        .into_iter()
        .filter(|folder| {
            let real = folder.join("pg_dump").canonicalize();
            // Debian's wrapper chooses a version by clusters of its own host; what it chooses from is found too.
            real.is_ok_and(|real| !real.ends_with("pg_wrapper") && seen.insert(real))
        })
        .filter_map(|folder| Set::in_folder(&folder, stop).ok())
        .filter(|set| MAJORS.contains(&set.major))
        .collect();
    if sets.is_empty() {
        return Err(Error::invalid(
            "tool_missing",
            "pg_dump, pg_dumpall, pg_restore and psql are not on this host; install the PostgreSQL client of the server's version \
             (Debian: postgresql-client-NN, Red Hat: postgresqlNN), or name the folder that holds them",
        ));
    }
    // Stable, so that of two of a version the first on the path comes first.
    sets.sort_by_key(|set| std::cmp::Reverse(set.major));
    Ok(sets)
}

/// The set that dumps a server of version `major`: of the same one, else of the next newer one.
pub(super) fn fit_to_dump<'a>(sets: &'a [Set], major: u32, server: &str) -> Result<&'a Set> {
    if !MAJORS.contains(&major) {
        return Err(Error::invalid(
            "server_version_mismatch",
            format!(
                "the server is PostgreSQL {server}; supported are {} to {}",
                MAJORS.start(),
                MAJORS.end()
            ),
        ));
    }
    sets.iter()
        .filter(|set| set.major >= major)
        .min_by_key(|set| set.major)
        .ok_or_else(|| {
            Error::invalid(
                "server_version_mismatch",
                format!(
                    "the server is PostgreSQL {server}, and pg_dump here is {}: it can't dump a newer server; \
                     install the PostgreSQL client {major} or newer (Debian: postgresql-client-{major}), or name its folder",
                    versions(sets)
                ),
            )
        })
}

/// The set that restores an archive of version 1.`archive` into a server of version `major`.
pub(super) fn fit_to_restore(sets: &[Set], major: u32, archive: Option<u8>) -> Result<&Set> {
    let least = match archive {
        Some(16) => 17,
        Some(15) => 16,
        _ => 0,
    };
    let readers = || sets.iter().filter(|set| set.major >= least);
    readers()
        .filter(|set| set.major >= major)
        .min_by_key(|set| set.major)
        .or_else(|| readers().max_by_key(|set| set.major))
        .ok_or_else(|| {
            Error::invalid(
                "server_version_mismatch",
                format!(
                    "the dump is an archive of PostgreSQL {least} or newer, and pg_restore here is {}: it can't read it; \
                     install the PostgreSQL client {least} or newer (Debian: postgresql-client-{least}), or name its folder",
                    versions(sets)
                ),
            )
        })
}

fn versions(sets: &[Set]) -> String {
    let versions: Vec<_> = sets.iter().map(|set| set.version.as_str()).collect();
    versions.join(" and ")
}

fn folders() -> Vec<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<_> = std::env::split_paths(&path)
        .filter(|folder| folder.is_absolute())
        .collect();
    for (parent, begin, below) in VERSIONED {
        let Ok(entries) = std::fs::read_dir(parent) else {
            continue;
        };
        let mut found: Vec<_> = entries
            .flatten()
            .filter(|entry| {
                let name = entry.file_name();
                let version = name.to_str().and_then(|name| name.strip_prefix(begin));
                version.is_some_and(|version| version.starts_with(|c: char| c.is_ascii_digit()))
            })
            .map(|entry| entry.path().join(below))
            .collect();
        found.sort();
        folders.extend(found);
    }
    folders.extend(SINGLE.iter().map(PathBuf::from));
    folders
}

/// The version in what a tool prints, as `pg_dump (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)`.
fn parse(said: &str) -> Option<(u32, String)> {
    let version = said.split(") ").nth(1)?.split_whitespace().next()?;
    let digits: String = version.chars().take_while(char::is_ascii_digit).collect();
    Some((digits.parse().ok()?, version.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(major: u32) -> Set {
        Set {
            folder: PathBuf::from("/tools"),
            major,
            version: format!("{major}.1"),
        }
    }

    #[test]
    fn a_version_is_read_from_what_distributions_print() {
        for (said, major, version) in [
            ("pg_dump (PostgreSQL) 17.10", 17, "17.10"),
            (
                "pg_dump (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)",
                15,
                "15.18",
            ),
            ("pg_dump (PostgreSQL) 18beta1", 18, "18beta1"),
        ] {
            assert_eq!(parse(said), Some((major, version.to_owned())));
        }
        assert_eq!(parse("pg_dump: command not found"), None);
    }

    #[test]
    fn the_set_of_the_servers_version_dumps_it_else_the_next_newer() {
        let sets = [set(18), set(17), set(15)];
        let of = |major| fit_to_dump(&sets, major, "x").map(|set| set.major);
        assert_eq!(of(17).ok(), Some(17));
        assert_eq!(of(16).ok(), Some(17));
        assert_eq!(of(12).ok(), Some(15));
        let error = fit_to_dump(&sets[2..], 17, "17.10").expect_err("too old");
        assert_eq!(error.code(), "server_version_mismatch");
        assert!(error.message().contains("17.10") && error.message().contains("15.1"));
        assert!(fit_to_dump(&sets, 11, "11.3").is_err());
    }

    #[test]
    fn an_archive_is_restored_by_a_set_that_reads_it() {
        let sets = [set(18), set(17), set(15)];
        let of = |major, archive| fit_to_restore(&sets, major, archive).map(|set| set.major);
        assert_eq!(of(15, Some(14)).ok(), Some(15));
        assert_eq!(of(15, Some(16)).ok(), Some(17));
        assert_eq!(of(18, Some(14)).ok(), Some(18));
        assert!(fit_to_restore(&sets[2..], 15, Some(16)).is_err());
        assert_eq!(
            fit_to_restore(&sets[2..], 18, None)
                .map(|set| set.major)
                .ok(),
            Some(15)
        );
    }
}
