//! The report at the end of the quickstart.

use super::steps::Found;
use crate::cmd::output::{bytes, key_values, span};
use serde::Serialize;
use std::fmt::Write;
use std::time::Duration;

/// What was done, for people and for scripts.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Report {
    paths: Vec<String>,
    record_id: i64,
    status: &'static str,
    stored_in: String,
    files: u64,
    raw_bytes: u64,
    stored_bytes: u64,
    warnings: u64,
    backup_ms: u64,
    verify_ms: u64,
    restore_ms: u64,
    restored_to: String,
    compared_entries: u64,
    compared_bytes: u64,
    changed_since: u64,
    differences: Vec<String>,
    identical: bool,
    console: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    username: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<String>,
}

impl Report {
    /// A report of what was found, with the console's address.
    pub(super) fn new(found: Found, console: String) -> Self {
        let millis = |duration: Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        let (username, password) = found
            .sign_in()
            .map(|(name, password)| (name.to_owned(), password.to_owned()))
            .unzip();
        Self {
            paths: found
                .paths
                .iter()
                .map(|path| path.display().to_string())
                .collect(),
            record_id: found.record.id.0,
            status: found.record.state.as_str(),
            stored_in: found.stored_in.display().to_string(),
            files: found.record.counts.entries,
            raw_bytes: found.record.counts.bytes,
            stored_bytes: found
                .record
                .copies
                .iter()
                .map(|copy| copy.stored_bytes)
                .sum(),
            warnings: found.record.counts.warnings,
            backup_ms: millis(found.backup_time),
            verify_ms: millis(found.verify_time),
            restore_ms: millis(found.restore_time),
            restored_to: found.restored_to.display().to_string(),
            compared_entries: found.comparison.entries,
            compared_bytes: found.comparison.bytes,
            changed_since: found.comparison.changed_since,
            identical: found.comparison.differences.is_empty() && found.comparison.entries > 0,
            differences: found.comparison.differences,
            console,
            username,
            password,
        }
    }

    /// True when every step held.
    pub(super) fn holds(&self) -> bool {
        self.identical
    }

    /// The report for people.
    pub(super) fn text(&self) -> String {
        let took = |ms: u64| span(Duration::from_millis(ms));
        let backed_up = format!(
            "{} in {} files and folders",
            bytes(self.raw_bytes),
            self.files
        );
        let stored = format!("{} in {}", bytes(self.stored_bytes), self.stored_in);
        let rows = [
            (
                "Backed up",
                format!(
                    "{backed_up} from {} in {}",
                    self.paths.join(", "),
                    took(self.backup_ms)
                ),
            ),
            ("Stored", format!("{stored} (compressed and encrypted)")),
            (
                "Verified",
                format!(
                    "every byte read back, opened and checked in {}",
                    took(self.verify_ms)
                ),
            ),
            (
                "Restored",
                format!("to {} in {}", self.restored_to, took(self.restore_ms)),
            ),
            ("Compared", self.comparison()),
        ];
        let mut text = String::from("\n");
        text.push_str(&key_values(&rows.map(|(name, value)| (name, value))));
        for difference in self.differences.iter().take(20) {
            // Writing to a string does not fail.
            let _ = write!(text, "\n  differs: {difference}");
        }
        let _ = write!(text, "\n\nConsole     {}\n", self.console);
        match (&self.username, &self.password) {
            (Some(name), Some(password)) => {
                let _ = write!(
                    text,
                    "Sign in as  {name} with the password {password} (shown this once)"
                );
            }
            _ => text
                .push_str("Sign in as before; `backupx admin reset-password` sets a new password"),
        }
        text.push_str("\nNext        `backupx key export` prints the recovery kit: keep it away from this host\n");
        text
    }

    fn comparison(&self) -> String {
        let compared = format!(
            "{} entries, {}",
            self.compared_entries,
            bytes(self.compared_bytes)
        );
        let verdict = match self.differences.len() {
            0 if self.identical => "identical".to_owned(),
            0 => "nothing to compare".to_owned(),
            count => format!("{count} differences"),
        };
        match self.changed_since {
            0 => format!("{compared}: {verdict}"),
            changed => format!("{compared}: {verdict} ({changed} changed since and left out)"),
        }
    }
}
