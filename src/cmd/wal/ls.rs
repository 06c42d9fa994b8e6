//! `backupx wal ls`: what an archive can restore.

use super::settings;
use crate::cmd::output::{OutputFormat, instant, key_values, or_dash, table};
use anyhow::Result;
use backupx_core::domain::wal::Holdings;
use chrono::{DateTime, Utc};
use serde::Serialize;
use std::path::Path;
use std::process::ExitCode;

/// An archive.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    system_id: String,
    segment_bytes: u64,
    segments: usize,
    first_segment: Option<String>,
    last_segment: Option<String>,
    bases: Vec<Base>,
}

/// A base backup, and the time that the chain of log behind it covers.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Base {
    start: String,
    from: DateTime<Utc>,
    until: Option<DateTime<Utc>>,
    last_segment: Option<String>,
    /// The first segment that is missing although later ones are there.
    missing: Option<String>,
}

impl From<&Holdings> for Shown {
    fn from(holdings: &Holdings) -> Self {
        let bases = holdings.bases.iter().map(|(start, from)| {
            let coverage = holdings.coverage(*start);
            Base {
                start: start.to_string(),
                from: *from,
                until: coverage.until,
                last_segment: coverage.last.map(|segment| segment.to_string()),
                missing: coverage.missing.map(|segment| segment.to_string()),
            }
        });
        let mut names = holdings.segments.keys();
        Self {
            system_id: holdings.system.clone(),
            segment_bytes: holdings.segment_bytes,
            segments: holdings.segments.len(),
            bases: bases.collect(),
            first_segment: names.next().map(ToString::to_string),
            last_segment: holdings
                .segments
                .keys()
                .next_back()
                .map(ToString::to_string),
        }
    }
}

/// Lists the archive.
pub(super) async fn run(config: &Path, output: OutputFormat) -> Result<ExitCode> {
    let holdings = settings::open(config)?.holdings().await?;
    let shown = Shown::from(&holdings);
    output.print(&shown, |shown| {
        let about = key_values(&[
            ("Cluster", shown.system_id.clone()),
            ("Segments", shown.segments.to_string()),
            (
                "First",
                or_dash(shown.first_segment.clone().unwrap_or_default()),
            ),
            (
                "Last",
                or_dash(shown.last_segment.clone().unwrap_or_default()),
            ),
        ]);
        let rows = shown.bases.iter().map(|base| {
            [
                base.start.clone(),
                instant(base.from),
                base.until.map_or_else(|| "-".to_owned(), instant),
                or_dash(base.missing.clone().unwrap_or_default()),
            ]
        });
        let bases = table(
            ["base backup", "restorable from", "until", "missing"],
            &[],
            rows,
        );
        format!("{about}\n{bases}")
    })?;
    Ok(ExitCode::SUCCESS)
}
