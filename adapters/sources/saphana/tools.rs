//! SAP's client: where hdbsql and hdbuserstore are on a host, and of which version.

use crate::tool::{Tool, find};
use backupx_core::ports::source::StopFlag;
use backupx_core::{Error, Result};
use std::path::PathBuf;
use std::time::Duration;

/// Where SAP's client is installed by itself, by its newer and its older default.
const CLIENT: [&str; 2] = ["/usr/sap/hdbclient", "/usr/sap/hdbclient/bin"];
/// Below it lies a folder for each system of the host, and in that one for each instance.
const SYSTEMS: &str = "/usr/sap";
/// How long it may take to say its version.
const LIMIT: Duration = Duration::from_secs(10);

/// The tools of a host.
#[derive(Debug, Clone)]
pub(super) struct Tools {
    pub(super) hdbsql: PathBuf,
    /// Needed to sign in by a password.
    pub(super) hdbuserstore: Option<PathBuf>,
    /// The version of hdbsql, as it says it.
    pub(super) version: String,
}

impl Tools {
    /// Those in `folder` alone when one is named, else those on the path and where SAP puts them.
    pub(super) fn find(folder: Option<&str>, stop: &StopFlag) -> Result<Self> {
        let places = places();
        let places: Vec<_> = places.iter().map(String::as_str).collect();
        let hdbsql = find("hdbsql", folder, &places).ok_or_else(|| {
            let place = folder.map_or_else(
                || format!("on the path of this host, in {} or in the exe folder of an instance below {SYSTEMS}", CLIENT[0]),
                |folder| format!("in {folder}"),
            );
            Error::invalid(
                "tool_missing",
                format!("hdbsql is not {place}; install the SAP HANA client, or name its folder as tools"),
            )
        })?;
        // Both come with the same client.
        let beside = hdbsql.parent().and_then(|folder| folder.to_str());
        let hdbuserstore =
            find("hdbuserstore", beside, &[]).or_else(|| find("hdbuserstore", folder, &places));
        let answer = Tool::new(&hdbsql).arg("-v").ask(stop, LIMIT)?;
        answer.ended.well("hdbsql", "tool_failed")?;
        Ok(Self {
            hdbsql,
            hdbuserstore,
            version: version(&answer.text),
        })
    }
}

/// Folders in which tools may lie.
fn places() -> Vec<String> {
    let mut places = CLIENT.map(str::to_owned).to_vec();
    let folders = |folder: &str| {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
        let mut names: Vec<_> = names.collect();
        names.sort();
        names
    };
    for system in folders(SYSTEMS) {
        let is_system = system.len() == 3 && system.chars().all(|c| c.is_ascii_alphanumeric());
        if !is_system {
            continue;
        }
        let instances = folders(&format!("{SYSTEMS}/{system}"));
        let instances = instances.iter().filter(|name| {
            name.strip_prefix("HDB").is_some_and(|number| {
                number.len() == 2 && number.chars().all(|c| c.is_ascii_digit())
            })
        });
        places.extend(instances.map(|instance| format!("{SYSTEMS}/{system}/{instance}/exe")));
    }
    places
}

/// The number in `HDBSQL version 2.19.21, the SAP HANA Database interactive terminal.`
fn version(text: &str) -> String {
    let first = text.lines().next().unwrap_or_default();
    let number = first.split_once("version ").map_or(first, |(_, rest)| rest);
    let number = number.split([',', ' ']).next().unwrap_or_default();
    number.to_owned()
}

/// The version of hdbsql on this host, when it is there.
pub(crate) fn found_tools() -> Option<(String, String)> {
    let tools = Tools::find(None, &StopFlag::default()).ok()?;
    Some(("hdbsql".to_owned(), tools.version))
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_version_is_found_in_what_hdbsql_says() {
        let text = "HDBSQL version 2.19.21.1715281221, the SAP HANA Database interactive terminal.\nCopyright\n";
        assert_eq!(super::version(text), "2.19.21.1715281221");
        assert_eq!(super::version("something else"), "something");
    }
}
