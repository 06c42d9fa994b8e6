//! When a task runs by itself: its timetable, what becomes of firings that were missed, and when it must not begin.

use super::time::Timestamp;
use crate::{Error, FieldError, Result};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A cron expression in a time zone, as a person wrote it. Whether it parses and ever fires is checked when it is saved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Schedule {
    /// Five or six fields, or `@daily` and the like.
    pub cron: String,
    /// IANA name of the zone, as `Europe/Berlin`.
    #[serde(default = "utc")]
    pub timezone: String,
    /// What becomes of firings that were missed.
    #[serde(default)]
    pub catch_up: CatchUp,
    /// Each run begins up to so many seconds later, by a figure that hangs on task and instant alone.
    #[serde(default)]
    pub jitter_secs: u32,
    /// Times of the week, in the schedule's zone, in which it begins no run.
    #[serde(default)]
    pub maintenance: Vec<MaintenanceWindow>,
}

impl Schedule {
    /// Most seconds of jitter.
    pub const MAX_JITTER_SECS: u32 = 12 * 3600;
    /// Most maintenance windows.
    pub const MAX_WINDOWS: usize = 50;

    /// A schedule with the defaults.
    pub fn new(cron: impl Into<String>, timezone: impl Into<String>) -> Self {
        Self {
            cron: cron.into(),
            timezone: timezone.into(),
            catch_up: CatchUp::default(),
            jitter_secs: 0,
            maintenance: Vec::new(),
        }
    }

    /// Refuses what can be seen to be wrong without knowing zones and expressions.
    pub fn check(&self) -> Result<()> {
        let errors = self.wrong();
        if errors.is_empty() {
            Ok(())
        } else {
            Err(Error::fields(errors))
        }
    }

    /// What can be seen to be wrong without knowing zones and expressions.
    pub(crate) fn wrong(&self) -> Vec<FieldError> {
        let mut errors = Vec::new();
        let mut wrong = |field: &str, message: String| {
            errors.push(FieldError {
                field: field.to_owned(),
                message,
            })
        };
        if self.jitter_secs > Self::MAX_JITTER_SECS {
            wrong(
                "schedule.jitterSecs",
                format!(
                    "{} is more than {} (12 hours)",
                    self.jitter_secs,
                    Self::MAX_JITTER_SECS
                ),
            );
        }
        if self.maintenance.len() > Self::MAX_WINDOWS {
            wrong("schedule.maintenance", "are more than 50".to_owned());
        }
        for window in &self.maintenance {
            if window.from == window.to || window.from == TimeOfDay::MIDNIGHT_AFTER {
                wrong(
                    "schedule.maintenance",
                    format!(
                        "{}-{} is no span of a day; a whole day is 00:00-24:00",
                        window.from, window.to
                    ),
                );
            }
        }
        errors
    }
}

pub(super) fn utc() -> String {
    "UTC".to_owned()
}

/// What becomes of firings that were missed: no master was there, the run before still waited, or a maintenance window was open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum CatchUp {
    /// They are left out; the next regular one counts.
    Skip,
    /// One run makes up for all of them.
    #[default]
    Once,
    /// Each gets its run, one after another.
    All,
}

/// When a task runs next by its schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NextRun {
    /// The instant of the timetable that it stands for.
    pub instant: Timestamp,
    /// When it is made: that instant with its jitter, behind any maintenance window.
    pub at: Timestamp,
}

impl From<Timestamp> for NextRun {
    /// A run at its very instant.
    fn from(instant: Timestamp) -> Self {
        Self {
            instant,
            at: instant,
        }
    }
}

/// A time of the week in which a schedule begins no run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MaintenanceWindow {
    /// The days on which it begins; empty means every day.
    #[serde(default)]
    pub days: Vec<Weekday>,
    /// When it begins.
    pub from: TimeOfDay,
    /// When it ends: on the day after, when that is not later than `from`.
    pub to: TimeOfDay,
}

impl MaintenanceWindow {
    /// True when it begins on this day.
    pub fn begins_on(&self, day: Weekday) -> bool {
        self.days.is_empty() || self.days.contains(&day)
    }

    /// True when it ends on the day after the one on which it began.
    pub fn passes_midnight(&self) -> bool {
        self.to <= self.from
    }
}

/// A day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the days of the week need no words")]
pub enum Weekday {
    Mon,
    Tue,
    Wed,
    Thu,
    Fri,
    Sat,
    Sun,
}

impl Weekday {
    /// All days, from Monday.
    pub const ALL: [Self; 7] = [
        Self::Mon,
        Self::Tue,
        Self::Wed,
        Self::Thu,
        Self::Fri,
        Self::Sat,
        Self::Sun,
    ];

    /// The day so many days after Monday.
    pub fn from_monday(days: u32) -> Self {
        Self::ALL[(days % 7) as usize]
    }
}

/// A time of day to the minute, `00:00` to `24:00`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TimeOfDay(u16);

impl TimeOfDay {
    /// The end of a day, `24:00`.
    pub const MIDNIGHT_AFTER: Self = Self(24 * 60);

    /// Parses `HH:MM`; nothing when it is none.
    pub fn parse(text: &str) -> Option<Self> {
        let (hours, minutes) = text.split_once(':')?;
        let number = |digits: &str| match digits.len() {
            2 if digits.bytes().all(|b| b.is_ascii_digit()) => digits.parse::<u16>().ok(),
            _ => None,
        };
        let (hours, minutes) = (number(hours)?, number(minutes)?);
        let time = Self(hours * 60 + minutes);
        (minutes < 60 && time <= Self::MIDNIGHT_AFTER).then_some(time)
    }

    /// Minutes since the day began.
    pub fn minutes(self) -> u32 {
        self.0.into()
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

impl From<TimeOfDay> for String {
    fn from(time: TimeOfDay) -> Self {
        time.to_string()
    }
}

impl TryFrom<String> for TimeOfDay {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        Self::parse(&text).ok_or_else(|| {
            Error::field(
                "schedule.maintenance",
                format!("{text:?} is no time of day, as 22:00"),
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_day_survive_text_and_nonsense_is_refused() {
        for good in ["00:00", "07:05", "23:59", "24:00"] {
            let time = TimeOfDay::parse(good).expect("parses");
            assert_eq!(time.to_string(), good);
        }
        for bad in [
            "", "7:05", "24:01", "23:60", "aa:00", "+1:00", "12:0", "12:000", "12",
        ] {
            assert_eq!(TimeOfDay::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_window_has_a_length() {
        let mut schedule = Schedule::new("@daily", "UTC");
        let window = |from: &str, to: &str| MaintenanceWindow {
            days: Vec::new(),
            from: TimeOfDay::parse(from).expect("parses"),
            to: TimeOfDay::parse(to).expect("parses"),
        };
        schedule.maintenance = vec![window("22:00", "04:00"), window("00:00", "24:00")];
        assert!(schedule.wrong().is_empty());
        schedule.maintenance = vec![window("22:00", "22:00"), window("24:00", "04:00")];
        assert_eq!(schedule.wrong().len(), 2);
    }
}
