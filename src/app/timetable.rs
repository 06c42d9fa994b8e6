//! Timetables: cron expressions in a time zone, always strictly later, over every change of the clocks.

use backupx_core::domain::schedule::Schedule;
use backupx_core::domain::task::TaskSpec;
use backupx_core::domain::time::Timestamp;
use backupx_core::{Error, Result};
use chrono::Utc;
use chrono_tz::Tz;
use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};

/// A schedule that does not fire within this long is taken for a mistake.
const HORIZON: chrono::Duration = chrono::Duration::days(5 * 366);

/// A schedule that was read.
pub(crate) struct Timetable {
    cron: Cron,
    zone: Tz,
}

impl Timetable {
    /// Reads a schedule; the error names the field and says what is accepted.
    pub(crate) fn parse(schedule: &Schedule) -> Result<Self> {
        if schedule.cron.len() > 200 {
            return Err(Error::field("schedule.cron", "has more than 200 bytes"));
        }
        let zone: Tz = schedule.timezone.parse().map_err(|_| {
            Error::field(
                "schedule.timezone",
                format!(
                    "{:?} is not an IANA time zone, as Europe/Berlin",
                    schedule.timezone
                ),
            )
        })?;
        let cron = CronParser::builder()
            .seconds(Seconds::Optional)
            .year(Year::Disallowed)
            .build()
            .parse(&schedule.cron)
            .map_err(|e| {
                let message = format!("{:?} is not a cron expression: {e}", schedule.cron);
                Error::field("schedule.cron", message)
            })?;
        Ok(Self { cron, zone })
    }

    /// The first instant strictly later than `after`, if there is one within five years.
    pub(crate) fn next_after(&self, after: Timestamp) -> Option<Timestamp> {
        let mut from = after.with_timezone(&self.zone);
        // Where clocks are set back, an engine may answer an instant that is not later; then it is asked again from further on.
        for _ in 0..4 {
            let next = self.cron.find_next_occurrence(&from, false).ok()?;
            if next.with_timezone(&Utc) > after {
                let next = next.with_timezone(&Utc);
                return (next - after <= HORIZON).then_some(next);
            }
            from += chrono::Duration::hours(1);
        }
        None
    }
}

/// When a task fires first after `now`: nothing without a schedule, an error when its schedule never fires.
pub(crate) fn first_run(spec: &TaskSpec, now: Timestamp) -> Result<Option<Timestamp>> {
    let Some(schedule) = &spec.schedule else {
        return Ok(None);
    };
    match Timetable::parse(schedule)?.next_after(now) {
        Some(next) => Ok(Some(next)),
        None => Err(Error::field(
            "schedule.cron",
            format!("{:?} does not fire within five years", schedule.cron),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn schedule(cron: &str, timezone: &str) -> Schedule {
        Schedule {
            cron: cron.to_owned(),
            timezone: timezone.to_owned(),
        }
    }

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a valid instant")
    }

    fn runs(cron: &str, timezone: &str, from: &str, count: usize) -> Vec<String> {
        let table = Timetable::parse(&schedule(cron, timezone)).expect("parses");
        let mut after = at(from);
        (0..count)
            .map(|_| {
                after = table.next_after(after).expect("fires");
                after.format("%m-%dT%H:%MZ").to_string()
            })
            .collect()
    }

    #[test]
    fn never_14_clock_changes_neither_double_nor_lose_a_daily_run() {
        // Berlin 2026: 02:00 becomes 03:00 on 29 March, 03:00 becomes 02:00 on 25 October.
        let spring = runs("30 2 * * *", "Europe/Berlin", "2026-03-28T00:00:00Z", 3);
        assert_eq!(spring, ["03-28T01:30Z", "03-29T01:00Z", "03-30T00:30Z"]);
        let autumn = runs("30 2 * * *", "Europe/Berlin", "2026-10-24T00:00:00Z", 3);
        assert_eq!(autumn, ["10-24T00:30Z", "10-25T00:30Z", "10-26T01:30Z"]);
        // New York 2026: forward on 8 March, back on 1 November.
        let spring = runs("30 2 * * *", "America/New_York", "2026-03-07T12:00:00Z", 2);
        assert_eq!(spring, ["03-08T07:00Z", "03-09T06:30Z"]);
        let autumn = runs("30 1 * * *", "America/New_York", "2026-10-31T12:00:00Z", 2);
        assert_eq!(autumn, ["11-01T05:30Z", "11-02T06:30Z"]);
        // Lord Howe moves by half an hour.
        let half = runs(
            "15 2 * * *",
            "Australia/Lord_Howe",
            "2026-10-02T16:00:00Z",
            3,
        );
        assert_eq!(half.len(), 3);
    }

    #[test]
    fn never_14_hourly_runs_go_on_through_both_hours() {
        let autumn = runs("0 * * * *", "Europe/Berlin", "2026-10-24T23:30:00Z", 4);
        assert_eq!(
            autumn,
            [
                "10-25T00:00Z",
                "10-25T01:00Z",
                "10-25T02:00Z",
                "10-25T03:00Z"
            ]
        );
    }

    #[test]
    fn never_16_what_cannot_fire_is_refused_with_the_reason() {
        for (cron, timezone, field, part) in [
            ("every day", "UTC", "schedule.cron", "not a cron expression"),
            (
                "61 * * * *",
                "UTC",
                "schedule.cron",
                "not a cron expression",
            ),
            ("", "UTC", "schedule.cron", "not a cron expression"),
            ("0 3 * * *", "Mars/Olympus", "schedule.timezone", "IANA"),
        ] {
            let error = Timetable::parse(&schedule(cron, timezone))
                .err()
                .expect("must be refused");
            assert_eq!(error.field_errors()[0].field, field);
            assert!(error.message().contains(part), "{error}");
        }
        let never = Timetable::parse(&schedule("0 0 30 2 *", "UTC"));
        assert!(
            never.is_err()
                || never.is_ok_and(|t| t.next_after(at("2026-01-01T00:00:00Z")).is_none())
        );
    }

    #[test]
    fn nicknames_and_seconds_are_understood() {
        assert_eq!(
            runs("@daily", "UTC", "2026-01-01T12:00:00Z", 1),
            ["01-02T00:00Z"]
        );
        assert_eq!(
            runs("0 30 4 * * *", "UTC", "2026-01-01T12:00:00Z", 1),
            ["01-02T04:30Z"]
        );
    }

    proptest! {
        #[test]
        fn never_14_the_next_run_is_always_strictly_later(secs in 1_700_000_000i64..2_000_000_000, zone in 0usize..5, cron in 0usize..6) {
            let zone = ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Santiago"][zone];
            let cron = ["30 2 * * *", "*/15 * * * *", "0 * * * *", "0 0 1 * *", "59 23 * * 0", "*/20 * * * * *"][cron];
            let table = Timetable::parse(&schedule(cron, zone)).expect("parses");
            let after = chrono::DateTime::from_timestamp(secs, 0).expect("valid");
            let next = table.next_after(after).expect("fires");
            prop_assert!(next > after);
            prop_assert!(table.next_after(next).expect("fires") > next);
        }
    }
}
