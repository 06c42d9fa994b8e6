//! Timetables: cron expressions in a time zone, always strictly later, over every change of the clocks.

use backupx_core::domain::schedule::Schedule;
use backupx_core::domain::time::Timestamp;
use backupx_core::{Error, Result};
use chrono::{MappedLocalTime, NaiveDateTime, Offset, SubsecRound, TimeZone};
use chrono_tz::Tz;
use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};

/// A schedule that does not fire within this long is taken for a mistake.
const HORIZON: chrono::Duration = chrono::Duration::days(5 * 366);

/// No clock change is nearer to the next one than this.
const BETWEEN_CHANGES: chrono::Duration = chrono::Duration::days(1);

/// A schedule that was read.
///
/// The expression is matched against the wall clock alone; what a clock change means is decided here. A schedule that names its hours
/// fires once a day for each of them: where the hour is left out, at the moment when the clocks are set forward; where it comes
/// twice, the first time. A schedule that fires in every hour goes by what the clock shows, through both passes of a repeated hour.
pub(crate) struct Timetable {
    cron: Cron,
    zone: Tz,
    every_hour: bool,
}

impl Timetable {
    /// Reads a schedule; the error names the field and says what is accepted.
    pub(crate) fn parse(schedule: &Schedule) -> Result<Self> {
        Self::read(&schedule.cron, &schedule.timezone, "schedule")
    }

    /// Reads an expression in a zone; the error names the field below `at` and says what is accepted.
    pub(crate) fn read(expression: &str, timezone: &str, at: &str) -> Result<Self> {
        if expression.len() > 200 {
            return Err(Error::field(
                format!("{at}.cron"),
                "has more than 200 bytes",
            ));
        }
        let zone: Tz = timezone.parse().map_err(|_| {
            Error::field(
                format!("{at}.timezone"),
                format!("{timezone:?} is not an IANA time zone, as Europe/Berlin"),
            )
        })?;
        let cron = CronParser::builder()
            .seconds(Seconds::Optional)
            .year(Year::Disallowed)
            .build()
            .parse(expression)
            .map_err(|e| {
                let message = format!("{expression:?} is not a cron expression: {e}");
                Error::field(format!("{at}.cron"), message)
            })?;
        let every_hour = cron.pattern.hours.values().len() == 24;
        Ok(Self {
            cron,
            zone,
            every_hour,
        })
    }

    /// The first instant strictly later than `after`, in whole seconds, if there is one within five years.
    pub(crate) fn next_after(&self, after: Timestamp) -> Option<Timestamp> {
        let limit = after + HORIZON;
        let mut from = after.trunc_subsecs(0);
        let mut offset = self.offset(from);
        let mut wall = self.passed(from);
        loop {
            let shown = self.next_on_the_wall(wall)?;
            let candidate = (shown - offset).and_utc();
            if candidate > limit {
                return None;
            }
            let Some(change) = self.first_change(from, candidate) else {
                return Some(candidate);
            };
            let old = change.naive_utc() + offset;
            offset = self.offset(change);
            let new = change.naive_utc() + offset;
            if shown < new && !self.every_hour {
                // It would have been between `old` and `new`, which no clock of the zone shows on this day.
                return Some(change);
            }
            let repeats = new < old && !self.every_hour;
            wall = just_before(if repeats { old } else { new });
            from = change;
        }
    }

    /// What the zone's clocks show at `at`.
    pub(crate) fn shown(&self, at: Timestamp) -> NaiveDateTime {
        at.naive_utc() + self.offset(at)
    }

    /// The instant that a reading of the zone's clocks stands for: its last when it comes twice, the change itself when it is left out.
    pub(crate) fn last_instant(&self, reading: NaiveDateTime) -> Timestamp {
        match self.zone.from_local_datetime(&reading) {
            MappedLocalTime::Single(only) => only.to_utc(),
            MappedLocalTime::Ambiguous(_, second) => second.to_utc(),
            MappedLocalTime::None => {
                // No zone is further than a day from UTC, so the change lies between these two.
                let utc = reading.and_utc();
                let (from, until) = (utc - BETWEEN_CHANGES, utc + BETWEEN_CHANGES);
                self.first_change(from, until).unwrap_or(utc)
            }
        }
    }

    /// The last reading of the wall clock that counts as gone by at `at`: in the second pass of a repeated hour all of it, for a schedule
    /// that names its hours.
    fn passed(&self, at: Timestamp) -> NaiveDateTime {
        let shown = self.shown(at);
        match self.zone.from_local_datetime(&shown) {
            MappedLocalTime::Ambiguous(first, second) if second == at && !self.every_hour => {
                match self.first_change(first.to_utc(), at) {
                    Some(change) => just_before(change.naive_utc() + self.offset(first.to_utc())),
                    None => shown,
                }
            }
            _ => shown,
        }
    }

    /// The first match of the expression behind `wall`, with nothing known of zones.
    fn next_on_the_wall(&self, wall: NaiveDateTime) -> Option<NaiveDateTime> {
        let next = self
            .cron
            .find_next_occurrence(&wall.and_utc(), false)
            .ok()?;
        Some(next.naive_utc())
    }

    /// The first instant after `from`, up to `until`, at which the zone's clocks are set.
    fn first_change(&self, from: Timestamp, until: Timestamp) -> Option<Timestamp> {
        let mut low = from;
        while low < until {
            let mut high = until.min(low + BETWEEN_CHANGES);
            if self.offset(high) == self.offset(low) {
                low = high;
                continue;
            }
            while high - low > chrono::Duration::seconds(1) {
                let middle = low + chrono::Duration::seconds((high - low).num_seconds() / 2);
                match self.offset(middle) == self.offset(low) {
                    true => low = middle,
                    false => high = middle,
                }
            }
            return Some(high);
        }
        None
    }

    fn offset(&self, at: Timestamp) -> chrono::Duration {
        let offset = self.zone.offset_from_utc_datetime(&at.naive_utc()).fix();
        chrono::Duration::seconds(i64::from(offset.local_minus_utc()))
    }
}

/// Searches go on behind a reading; this one makes the reading itself the next one.
fn just_before(wall: NaiveDateTime) -> NaiveDateTime {
    wall - chrono::Duration::seconds(1)
}

#[cfg(test)]
mod tests;
