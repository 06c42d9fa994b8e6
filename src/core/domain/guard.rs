//! The guard: whether a run is far off the history of its task, as it is when a mount was empty or files were encrypted by somebody else.

use super::id::RecordId;
use super::manifest::Manifest;
use super::record::Record;
use super::size::for_people as bytes;
use super::task::Compression;
use super::time::Timestamp;
use crate::FieldError;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How far from its history a run of a task may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct GuardSpec {
    /// Whether runs are looked at.
    pub enabled: bool,
    /// By how many percent a run may be smaller than its history's median.
    pub shrink_percent: u32,
    /// By how many percent a run may be larger than its history's median.
    pub growth_percent: u32,
}

impl Default for GuardSpec {
    fn default() -> Self {
        Self {
            enabled: true,
            shrink_percent: 50,
            growth_percent: 100,
        }
    }
}

impl GuardSpec {
    /// Largest growth that can be set; more is no guard.
    pub const MAX_GROWTH_PERCENT: u32 = 100_000;

    /// Whether it is what a task has that says nothing of it.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// What can be seen to be wrong.
    pub fn wrong(&self) -> Vec<FieldError> {
        let mut errors = Vec::new();
        let mut wrong = |field: &str, most: u32| {
            errors.push(FieldError {
                field: format!("guard.{field}"),
                message: format!("must be 1 to {most}"),
            });
        };
        if !(1..=99).contains(&self.shrink_percent) {
            wrong("shrinkPercent", 99);
        }
        if !(1..=Self::MAX_GROWTH_PERCENT).contains(&self.growth_percent) {
            wrong("growthPercent", Self::MAX_GROWTH_PERCENT);
        }
        errors
    }
}

/// What is odd about a run, and whether a person said that it is right. Until then retention removes nothing of its task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Alarm {
    /// What is odd. Never empty.
    pub findings: Vec<Finding>,
    /// Who said that it is right.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted: Option<Acceptance>,
}

impl Alarm {
    /// Whether nobody said yet that it is right.
    pub fn is_open(&self) -> bool {
        self.accepted.is_none()
    }
}

/// One odd thing about a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// Stable code: `empty`, `shrunk`, `grown`, `fewer_entries`, `more_entries`, `dump_shrunk`, `dump_gone`, `rewritten`, `incompressible`.
    pub code: String,
    /// What is odd, in figures, for a person.
    pub message: String,
}

/// A person's word that an odd run is right.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Acceptance {
    /// When.
    pub at: Timestamp,
    /// Who, by name.
    pub by: String,
    /// Why, in a person's words; may be empty.
    #[serde(default)]
    pub reason: String,
}

/// Earlier runs that make a history.
pub const ENOUGH: usize = 5;
/// Earlier runs that are looked at.
pub const MOST: usize = 20;
/// Differences below it say nothing: 64 KiB.
const NOISE_BYTES: u64 = 64 << 10;
/// Differences of so many entries say nothing when there are more of them than before.
const NOISE_ENTRIES: u64 = 20;
/// A share of files says something when there are so many of them.
const FILES_FOR_A_SHARE: u64 = 20;
/// What compresses is looked at from here on: 1 MiB.
const BYTES_FOR_A_RATIO: u64 = 1 << 20;

/// One run in figures.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Figures {
    bytes: u64,
    entries: u64,
    stored_bytes: u64,
    files: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    new_files: Option<u64>,
    compressed: bool,
    /// Bytes in storage of each dump.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    dumps: BTreeMap<String, u64>,
}

/// A run of a task's history, kept with the task: its record may be gone by then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Past {
    /// The record that it had.
    pub record_id: RecordId,
    /// What stands for the source that it read: another source is another history.
    source: String,
    figures: Figures,
    /// Whether it was odd.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    odd: bool,
    /// Whether a person said that it is right.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    accepted: bool,
}

impl Past {
    /// A run with what is odd about it; `source` stands for what it read.
    pub fn of(run: &Record, source: impl Into<String>, findings: &[Finding]) -> Self {
        Self {
            record_id: run.id,
            source: source.into(),
            figures: Figures::of(run),
            odd: !findings.is_empty(),
            accepted: false,
        }
    }

    /// Notes that a person said that it is right.
    pub fn accept(&mut self) {
        self.accepted = self.odd;
    }
}

impl Figures {
    fn of(record: &Record) -> Self {
        let copies = record.copies.iter().map(|copy| copy.stored_bytes);
        let dumps = record.streams.iter().filter_map(|stream| {
            let file = stream.stream.strip_prefix(Manifest::DUMP_PREFIX)?;
            Some((file.to_owned(), stream.stored_bytes))
        });
        Self {
            bytes: record.counts.bytes,
            entries: record.counts.entries,
            stored_bytes: copies.max().unwrap_or_default(),
            files: record.counts.files,
            new_files: record.counts.new_files,
            compressed: record.task.compression != Compression::None,
            dumps: dumps.collect(),
        }
    }

    /// Percent of the files that are new.
    fn new_share(&self) -> Option<u64> {
        let new = self.new_files?.min(self.files);
        (self.files >= FILES_FOR_A_SHARE).then(|| new * 100 / self.files)
    }

    /// Percent of its bytes that are left when it is compressed.
    fn ratio(&self) -> Option<u64> {
        let is_told = self.compressed && self.bytes >= BYTES_FOR_A_RATIO;
        is_told.then(|| self.stored_bytes.saturating_mul(100) / self.bytes)
    }
}

/// What is odd about `run`, which read what `source` stands for, seen from the runs of its task before it, newest first. Nothing while
/// there are fewer than [`ENOUGH`] of the same source, except that a run is empty and the one before was not.
///
/// A run that a person accepted begins the history anew: what came before it is no measure any more. One that nobody accepted is none.
pub fn judge(guard: &GuardSpec, history: &[Past], source: &str, run: &Record) -> Vec<Finding> {
    if !guard.enabled {
        return Vec::new();
    }
    let mut earlier = Vec::new();
    let mut enough = ENOUGH;
    for past in history.iter().take(MOST) {
        if past.source != source {
            break;
        }
        if past.odd && !past.accepted {
            continue;
        }
        earlier.push(past.figures.clone());
        if past.accepted {
            enough = 1;
            break;
        }
    }
    let now = Figures::of(run);
    let mut findings = Findings::default();
    if let Some(last) = earlier.first()
        && last.bytes > 0
        && now.bytes == 0
    {
        let was = bytes(last.bytes);
        findings.add(
            "empty",
            format!("it holds no bytes at all, the run before held {was}: is something not mounted or not there?"),
        );
    }
    if earlier.len() >= enough {
        findings.sizes(guard, &earlier, &now);
        findings.dumps(guard, &earlier, &now);
        findings.changes(&earlier, &now);
    }
    findings.0
}

#[derive(Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn add(&mut self, code: &str, message: String) {
        self.0.push(Finding {
            code: code.to_owned(),
            message,
        });
    }

    fn sizes(&mut self, guard: &GuardSpec, earlier: &[Figures], now: &Figures) {
        let span = Span::of(earlier.iter().map(|run| run.bytes));
        let (was, is) = (bytes(span.median), bytes(now.bytes));
        if span.is_below(now.bytes, guard.shrink_percent) && now.bytes > 0 {
            let less = percent(span.median - now.bytes, span.median);
            self.add(
                "shrunk",
                format!("it holds {is}, {less} % less than the {was} that runs of this task have"),
            );
        }
        if span.is_above(now.bytes, guard.growth_percent, NOISE_BYTES) {
            self.add(
                "grown",
                format!("it holds {is}, runs of this task have {was}"),
            );
        }
        let span = Span::of(earlier.iter().map(|run| run.entries));
        let (was, is) = (span.median, now.entries);
        if span.is_below(is, guard.shrink_percent) {
            let less = percent(was - is, was);
            self.add(
                "fewer_entries",
                format!("it holds {is} entries, {less} % less than the {was} that runs of this task have"),
            );
        }
        if span.is_above(is, guard.growth_percent, NOISE_ENTRIES) {
            self.add(
                "more_entries",
                format!("it holds {is} entries, runs of this task have {was}"),
            );
        }
    }

    /// One database that is gone or empty does not show in a sum.
    fn dumps(&mut self, guard: &GuardSpec, earlier: &[Figures], now: &Figures) {
        let Some(last) = earlier.first() else {
            return;
        };
        for (name, before) in &last.dumps {
            let sizes: Vec<_> = earlier
                .iter()
                .filter_map(|run| run.dumps.get(name).copied())
                .collect();
            if sizes.len() < earlier.len() {
                continue;
            }
            let span = Span::of(sizes.into_iter());
            match now.dumps.get(name) {
                None => self.add(
                    "dump_gone",
                    format!(
                        "{name} is not in it; it was in every run before, the last time with {}",
                        bytes(*before)
                    ),
                ),
                Some(size)
                    if span.is_below(*size, guard.shrink_percent)
                        && span.median - size >= NOISE_BYTES =>
                {
                    self.add(
                        "dump_shrunk",
                        format!(
                            "{name} has {} in storage, before it had {}",
                            bytes(*size),
                            bytes(span.median)
                        ),
                    );
                }
                Some(_) => {}
            }
        }
    }

    /// What somebody else encrypted is new all over, and nothing of it compresses.
    fn changes(&mut self, earlier: &[Figures], now: &Figures) {
        let shares: Vec<_> = earlier.iter().filter_map(Figures::new_share).collect();
        if let Some(share) = now.new_share()
            && !shares.is_empty()
        {
            let span = Span::of(shares.into_iter());
            if share >= 80 && span.median <= 40 && span.largest < share {
                self.add(
                    "rewritten",
                    format!("{share} % of its files changed since the run before; {} % is what changes between runs of this task", span.median),
                );
            }
        }
        let ratios: Vec<_> = earlier.iter().filter_map(Figures::ratio).collect();
        if let Some(ratio) = now.ratio()
            && !ratios.is_empty()
        {
            let span = Span::of(ratios.into_iter());
            if ratio >= 95 && span.median <= 80 && span.largest < ratio {
                self.add(
                    "incompressible",
                    format!("nothing of it could be compressed, as if it were encrypted ({ratio} % of its size is left); runs of this task come to {} %", span.median),
                );
            }
        }
    }
}

/// What a figure was in earlier runs.
struct Span {
    smallest: u64,
    median: u64,
    largest: u64,
}

impl Span {
    fn of(figures: impl Iterator<Item = u64>) -> Self {
        let mut figures: Vec<_> = figures.collect();
        figures.sort_unstable();
        Self {
            smallest: figures.first().copied().unwrap_or_default(),
            median: figures.get(figures.len() / 2).copied().unwrap_or_default(),
            largest: figures.last().copied().unwrap_or_default(),
        }
    }

    /// Below everything that was, and by more than `percent` below what is usual.
    fn is_below(&self, figure: u64, percent: u32) -> bool {
        let least = u128::from(self.median) * u128::from(100 - percent.min(100)) / 100;
        figure < self.smallest && u128::from(figure) < least
    }

    /// Above everything that was, and by more than `percent` and `noise` above what is usual.
    fn is_above(&self, figure: u64, percent: u32, noise: u64) -> bool {
        let most = u128::from(self.median) * (100 + u128::from(percent)) / 100;
        figure > self.largest
            && u128::from(figure) > most
            && figure - self.median.min(figure) >= noise
    }
}

fn percent(part: u64, whole: u64) -> u64 {
    u64::try_from(u128::from(part) * 100 / u128::from(whole.max(1))).unwrap_or(100)
}

#[cfg(test)]
mod tests;
