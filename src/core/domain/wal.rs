//! Write-ahead log of PostgreSQL: names of its files, and what an unbroken chain of them covers.
//!
//! Names and positions are those of PostgreSQL: <https://www.postgresql.org/docs/current/wal-internals.html>.

use super::time::Timestamp;
use crate::{Error, Result};
use chrono::DateTime;
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

/// A position in the log, in bytes since the cluster was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lsn(pub u64);

/// A segment: a file of the log, always of the same size within a cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Segment {
    /// The history that it belongs to; a new one begins with every promotion.
    pub timeline: u32,
    /// The upper half of its position.
    pub log: u32,
    /// Its number within that half.
    pub part: u32,
}

/// A file that a server hands to its archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum WalFile {
    /// A whole segment.
    Segment(Segment),
    /// The last segment of a timeline that somebody else took over from.
    Partial(Segment),
    /// What a base backup leaves in the archive when it ends: the segment where it began, and the offset therein.
    Label(Segment, u32),
    /// Where a timeline left the one before it.
    History(u32),
}

impl Segment {
    /// Its number since the cluster was made, for segments of `bytes`.
    pub fn number(self, bytes: u64) -> u64 {
        u64::from(self.log) * per_log(bytes) + u64::from(self.part)
    }

    /// The segment of `timeline` with that number.
    pub fn numbered(timeline: u32, number: u64, bytes: u64) -> Self {
        let (log, part) = (number / per_log(bytes), number % per_log(bytes));
        Self {
            timeline,
            log: u32::try_from(log).unwrap_or(u32::MAX),
            part: u32::try_from(part).unwrap_or(u32::MAX),
        }
    }

    fn parse(text: &str) -> Option<Self> {
        let is_hex = text.len() == 24
            && text
                .bytes()
                .all(|b| b.is_ascii_digit() || (b'A'..=b'F').contains(&b));
        if !is_hex {
            return None;
        }
        let number = |from: usize| u32::from_str_radix(&text[from..from + 8], 16).ok();
        Some(Self {
            timeline: number(0)?,
            log: number(8)?,
            part: number(16)?,
        })
    }
}

/// Segments within one upper half of a position.
fn per_log(bytes: u64) -> u64 {
    (1 << 32) / bytes.clamp(1, 1 << 32)
}

impl fmt::Display for Segment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08X}{:08X}{:08X}", self.timeline, self.log, self.part)
    }
}

impl FromStr for Segment {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::parse(text).ok_or_else(|| no_wal_file(text))
    }
}

impl WalFile {
    /// The folder of an archive that it lies in: at most 256 segments share one, for the usual size.
    pub fn folder(self) -> String {
        match self {
            Self::Segment(segment) | Self::Partial(segment) | Self::Label(segment, _) => {
                format!("{:08X}{:08X}", segment.timeline, segment.log)
            }
            Self::History(_) => "history".to_owned(),
        }
    }

    /// Whether it holds data of the cluster, and not only says something about it.
    pub fn holds_data(self) -> bool {
        matches!(self, Self::Segment(_) | Self::Partial(_))
    }
}

impl fmt::Display for WalFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Segment(segment) => segment.fmt(f),
            Self::Partial(segment) => write!(f, "{segment}.partial"),
            Self::Label(segment, offset) => write!(f, "{segment}.{offset:08X}.backup"),
            Self::History(timeline) => write!(f, "{timeline:08X}.history"),
        }
    }
}

impl FromStr for WalFile {
    type Err = Error;

    /// Understands the names that PostgreSQL gives to `archive_command` and `restore_command`.
    fn from_str(text: &str) -> Result<Self> {
        let parts: Vec<_> = text.split('.').collect();
        let hex = |text: &str| {
            (text.len() == 8)
                .then(|| u32::from_str_radix(text, 16).ok())
                .flatten()
        };
        let file = match parts[..] {
            [segment] => Segment::parse(segment).map(Self::Segment),
            [segment, "partial"] => Segment::parse(segment).map(Self::Partial),
            [segment, offset, "backup"] => Segment::parse(segment)
                .zip(hex(offset))
                .map(|(segment, offset)| Self::Label(segment, offset)),
            [timeline, "history"] => hex(timeline).map(Self::History),
            _ => None,
        };
        // Only what is written the same way again is one name of one file.
        file.filter(|file| file.to_string() == text)
            .ok_or_else(|| no_wal_file(text))
    }
}

fn no_wal_file(text: &str) -> Error {
    Error::invalid(
        "bad_wal_name",
        format!("{text:?} is no name of a file that PostgreSQL archives"),
    )
}

impl FromStr for Lsn {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let half = |half: &str| {
            (1..=8)
                .contains(&half.len())
                .then(|| u32::from_str_radix(half, 16).ok())
                .flatten()
        };
        text.split_once('/')
            .and_then(|(upper, lower)| Some((half(upper)?, half(lower)?)))
            .map(|(upper, lower)| Self(u64::from(upper) << 32 | u64::from(lower)))
            .ok_or_else(|| {
                Error::invalid(
                    "bad_lsn",
                    format!("{text:?} is no position in a log; one looks like 0/3000158"),
                )
            })
    }
}

impl fmt::Display for Lsn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:X}/{:X}", self.0 >> 32, self.0 & 0xffff_ffff)
    }
}

/// Where a timeline left the one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Switch {
    /// The timeline that was left.
    pub from: u32,
    /// Where.
    pub at: Lsn,
}

/// The switches in a timeline's history file, in their order.
pub fn switches(history: &str) -> Result<Vec<Switch>> {
    history
        .lines()
        .map(|line| line.split('#').next().unwrap_or_default().trim())
        .filter(|line| !line.is_empty())
        .map(|line| {
            let mut words = line.split_whitespace();
            let from = words.next().and_then(|word| word.parse().ok());
            let at = words.next().and_then(|word| word.parse().ok());
            from.zip(at)
                .map(|(from, at)| Switch { from, at })
                .ok_or_else(|| {
                    Error::invalid("bad_wal_history", format!("{line:?} names no timeline"))
                })
        })
        .collect()
}

/// How far a restore goes on from a base backup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecoveryTarget {
    /// As far as there is log.
    Latest,
    /// Every transaction that was committed by then, and no later one.
    Time(Timestamp),
    /// Up to a position.
    Lsn(Lsn),
    /// Up to a point that `pg_create_restore_point` named.
    Name(String),
}

impl FromStr for RecoveryTarget {
    type Err = Error;

    /// `latest`, a time as `2026-11-28T10:00:00Z`, `lsn:0/3000158` or `name:before-upgrade`.
    fn from_str(text: &str) -> Result<Self> {
        if text == "latest" {
            return Ok(Self::Latest);
        }
        if let Some(lsn) = text.strip_prefix("lsn:") {
            return lsn.parse().map(Self::Lsn);
        }
        if let Some(name) = text.strip_prefix("name:") {
            let fits = (1..64).contains(&name.len()) && !name.contains(char::is_control);
            return if fits {
                Ok(Self::Name(name.to_owned()))
            } else {
                Err(bad_target(text))
            };
        }
        DateTime::parse_from_rfc3339(text)
            .map(|time| Self::Time(time.to_utc()))
            .map_err(|_| bad_target(text))
    }
}

fn bad_target(text: &str) -> Error {
    Error::invalid(
        "bad_recovery_target",
        format!(
            "{text:?} is no moment to restore to; use latest, a time with its zone as 2026-11-28T10:00:00Z, lsn:0/3000158, or name:POINT"
        ),
    )
}

/// A segment that an archive has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kept {
    /// When the server had filled it, by the server's clock.
    pub filled_at: Timestamp,
}

/// What an archive holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Holdings {
    /// The number of the cluster that it belongs to, as `pg_controldata` says it.
    pub system: String,
    /// Bytes of each segment.
    pub segment_bytes: u64,
    /// Whole segments.
    pub segments: BTreeMap<Segment, Kept>,
    /// The switches that led to each timeline but the first.
    pub histories: BTreeMap<u32, Vec<Switch>>,
    /// Where base backups began, and when each had ended.
    pub bases: BTreeMap<Segment, Timestamp>,
}

/// What a restore can reach from a base backup: an unbroken chain of segments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coverage {
    /// When the base backup had ended: nothing earlier can be reached. Absent while the archive does not know.
    pub from: Option<Timestamp>,
    /// The last segment of the chain. Absent when the first one is missing.
    pub last: Option<Segment>,
    /// When that one was filled: everything that was committed by then can be reached.
    pub until: Option<Timestamp>,
    /// The segment where the chain breaks, although the archive has later ones.
    pub missing: Option<Segment>,
    /// Bytes of each segment.
    pub segment_bytes: u64,
}

impl Holdings {
    /// What can be reached from a base backup that began in `start`, on the newest timeline that comes from there.
    pub fn coverage(&self, start: Segment) -> Coverage {
        let bytes = self.segment_bytes;
        let first = start.number(bytes);
        let (path, newest) = self.path(start);
        let timeline_of = |number: u64| {
            // The segment of a switch is written again on the new timeline.
            let left = path
                .iter()
                .position(|switch| number < switch.at.0 / bytes.max(1));
            left.map_or(newest, |at| path[at].from)
        };
        let held = |number: u64| {
            let segment = Segment::numbered(timeline_of(number), number, bytes);
            self.segments.get(&segment).map(|kept| (segment, kept))
        };
        let mut last = None;
        let mut number = first;
        while let Some(found) = held(number) {
            last = Some(found);
            number += 1;
        }
        let is_on_the_way = |segment: &Segment| {
            let later = segment.number(bytes);
            later > number && timeline_of(later) == segment.timeline
        };
        let breaks = last.is_none() || self.segments.keys().any(is_on_the_way);
        Coverage {
            from: self.bases.get(&start).copied(),
            last: last.map(|(segment, _)| segment),
            until: last.map(|(_, kept)| kept.filled_at),
            missing: breaks.then(|| Segment::numbered(timeline_of(number), number, bytes)),
            segment_bytes: bytes,
        }
    }

    /// The switches to the newest timeline that leaves `start`'s own no earlier than there, and that timeline.
    fn path(&self, start: Segment) -> (&[Switch], u32) {
        let first = start.number(self.segment_bytes);
        self.histories
            .iter()
            .rev()
            .find(|(_, switches)| {
                switches.iter().any(|switch| {
                    switch.from == start.timeline
                        && switch.at.0 / self.segment_bytes.max(1) >= first
                })
            })
            .map_or((&[], start.timeline), |(timeline, switches)| {
                (switches, *timeline)
            })
    }
}

impl Coverage {
    /// Whether `target` can be reached; an error says what is there (`wal_missing`, `recovery_target_out_of_range`).
    pub fn reaches(&self, target: &RecoveryTarget) -> Result<()> {
        let Some((last, until)) = self.last.zip(self.until) else {
            let missing = self.missing.map_or_else(String::new, |at| at.to_string());
            return Err(Error::not_found(
                "wal_missing",
                format!(
                    "the archive does not have {missing}, the first piece of log that the backup needs"
                ),
            ));
        };
        let gap = self.missing.map_or_else(String::new, |missing| {
            format!("; {missing} is missing, and what comes behind it can't be used")
        });
        let out_of_range = |why: String| {
            Err(Error::invalid(
                "recovery_target_out_of_range",
                format!("{why}{gap}"),
            ))
        };
        match target {
            RecoveryTarget::Latest if self.missing.is_some() => Err(Error::not_found(
                "wal_missing",
                format!(
                    "the log is whole until {} only{gap}: name a moment up to then to restore to",
                    shown(until)
                ),
            )),
            RecoveryTarget::Time(time) if *time > until => out_of_range(format!(
                "the log covers what was committed until {}",
                shown(until)
            )),
            RecoveryTarget::Time(time) => match self.from {
                Some(from) if *time < from => out_of_range(format!(
                    "the backup had ended at {} only; take an earlier backup for an earlier moment",
                    shown(from)
                )),
                Some(_) | None => Ok(()),
            },
            RecoveryTarget::Lsn(lsn)
                if lsn.0 / self.segment_bytes.max(1) > last.number(self.segment_bytes) =>
            {
                out_of_range(format!("the log covers up to {last}"))
            }
            RecoveryTarget::Lsn(_) | RecoveryTarget::Latest | RecoveryTarget::Name(_) => Ok(()),
        }
    }
}

fn shown(time: Timestamp) -> String {
    time.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeDelta;

    const BYTES: u64 = 16 << 20;

    fn at(minute: i64) -> Timestamp {
        DateTime::UNIX_EPOCH + TimeDelta::minutes(minute)
    }

    /// An archive with these segments, each filled at the minute of its number.
    fn holdings(names: &[(u32, u64)]) -> Holdings {
        let segment = |(timeline, number): &(u32, u64)| {
            let kept = Kept {
                filled_at: at(i64::try_from(*number).expect("small")),
            };
            (Segment::numbered(*timeline, *number, BYTES), kept)
        };
        Holdings {
            segment_bytes: BYTES,
            segments: names.iter().map(segment).collect(),
            ..Holdings::default()
        }
    }

    #[test]
    fn names_are_those_of_postgresql() {
        for name in [
            "000000010000000A000000FF",
            "000000010000000A000000FF.partial",
            "000000010000000A000000FF.00000028.backup",
            "0000000B.history",
        ] {
            let file: WalFile = name.parse().expect("a name");
            assert_eq!(file.to_string(), name);
        }
        for name in [
            "",
            "00000001000000000000000",
            "000000010000000a000000ff",
            "000000010000000A000000FF.0.backup",
            "b.history",
            "../etc/passwd",
        ] {
            assert!(name.parse::<WalFile>().is_err(), "{name}");
        }
    }

    #[test]
    fn segments_are_numbered_across_their_halves() {
        let last: Segment = "0000000100000000000000FF".parse().expect("a name");
        let next = Segment::numbered(1, last.number(BYTES) + 1, BYTES);
        assert_eq!(next.to_string(), "000000010000000100000000");
        let large: Segment = "000000010000000100000003".parse().expect("a name");
        assert_eq!(large.number(1 << 30), 7);
    }

    #[test]
    fn a_chain_ends_at_its_first_gap() {
        let start = Segment::numbered(1, 2, BYTES);
        let whole = holdings(&[(1, 1), (1, 2), (1, 3), (1, 4)]).coverage(start);
        assert_eq!((whole.until, whole.missing), (Some(at(4)), None));
        whole.reaches(&RecoveryTarget::Latest).expect("whole");
        whole.reaches(&RecoveryTarget::Time(at(4))).expect("in it");
        let late = whole.reaches(&RecoveryTarget::Time(at(5)));
        assert_eq!(
            late.expect_err("too late").code(),
            "recovery_target_out_of_range"
        );

        let broken = holdings(&[(1, 2), (1, 3), (1, 5)]).coverage(start);
        assert_eq!(broken.until, Some(at(3)));
        assert_eq!(broken.missing, Some(Segment::numbered(1, 4, BYTES)));
        let latest = broken.reaches(&RecoveryTarget::Latest);
        assert_eq!(latest.expect_err("a gap").code(), "wal_missing");
        broken
            .reaches(&RecoveryTarget::Time(at(3)))
            .expect("before the gap");

        let nothing = holdings(&[(1, 3)]).coverage(start);
        let error = nothing.reaches(&RecoveryTarget::Time(at(3)));
        assert_eq!(error.expect_err("no start").code(), "wal_missing");
    }

    #[test]
    fn a_chain_follows_a_promotion() {
        let start = Segment::numbered(1, 2, BYTES);
        let mut archive = holdings(&[(1, 2), (1, 3), (1, 4), (2, 4), (2, 5)]);
        let switch = "1\t0/4000158\tno recovery target specified\n";
        archive
            .histories
            .insert(2, switches(switch).expect("a history"));
        let coverage = archive.coverage(start);
        assert_eq!(coverage.last, Some(Segment::numbered(2, 5, BYTES)));
        assert_eq!(coverage.missing, None);
        // Somebody went back to before the backup: that timeline is none of its future.
        archive
            .histories
            .insert(3, switches("1\t0/1000000\tx").expect("a history"));
        assert_eq!(archive.coverage(start).last, coverage.last);
    }

    #[test]
    fn targets_are_understood_or_refused() {
        for text in [
            "latest",
            "2026-11-28T10:00:00+01:00",
            "lsn:0/3000158",
            "name:before-upgrade",
        ] {
            text.parse::<RecoveryTarget>().expect(text);
        }
        for text in ["", "yesterday", "2026-11-28 10:00", "lsn:3000158", "name:"] {
            assert!(text.parse::<RecoveryTarget>().is_err(), "{text}");
        }
    }
}
