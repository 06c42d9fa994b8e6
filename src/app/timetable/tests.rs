//! Timetables over every change of the clocks.

use super::*;
use chrono::{Duration, Timelike};
use proptest::prelude::*;
use std::collections::BTreeSet;

fn schedule(cron: &str, timezone: &str) -> Schedule {
    Schedule::new(cron, timezone)
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
        never.is_err() || never.is_ok_and(|t| t.next_after(at("2026-01-01T00:00:00Z")).is_none())
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

/// Zones that set their clocks in ten different ways: at midnight, by half an hour, by two, around Ramadan, on the evening before.
const ZONES: [&str; 10] = [
    "Europe/Berlin",
    "America/New_York",
    "America/Santiago",
    "America/Havana",
    "America/Nuuk",
    "Africa/Cairo",
    "Africa/Casablanca",
    "Australia/Lord_Howe",
    "Pacific/Chatham",
    "Antarctica/Troll",
];

const FIRST: &str = "2026-01-01T00:00:00Z";
const LAST: &str = "2031-01-01T00:00:00Z";

fn zone(name: &str) -> Tz {
    name.parse().expect("a zone")
}

/// What the zone's clocks show at `at`.
fn shown(zone: Tz, at: Timestamp) -> NaiveDateTime {
    zone.from_utc_datetime(&at.naive_utc()).naive_local()
}

/// Every minute of the five years at which the clocks of a zone are set.
fn changes(zone: Tz) -> Vec<Timestamp> {
    let ahead = |at| shown(zone, at) - at.naive_utc();
    let mut changes = Vec::new();
    let mut hour = at(FIRST);
    while hour < at(LAST) {
        let next = hour + Duration::hours(1);
        if ahead(hour) != ahead(next) {
            let minutes = (1..=60).map(|minute| hour + Duration::minutes(minute));
            changes.extend(minutes.into_iter().find(|at| ahead(*at) != ahead(hour)));
        }
        hour = next;
    }
    changes
}

/// The instant that a reading of the clock stands for: its first when it comes twice, the change itself when it is left out.
fn instant(zone: Tz, reading: NaiveDateTime) -> Timestamp {
    match zone.from_local_datetime(&reading) {
        MappedLocalTime::Single(only) => only.to_utc(),
        MappedLocalTime::Ambiguous(first, _) => first.to_utc(),
        MappedLocalTime::None => {
            let gap = chrono_tz::GapInfo::new(&reading, &zone).expect("it is in a gap");
            gap.end.expect("a gap has an end").to_utc()
        }
    }
}

/// What a schedule of certain hours has to do within a span, told from its days.
fn on_each_day(
    zone: Tz,
    hours: &[u32],
    minutes: &[u32],
    span: (Timestamp, Timestamp),
) -> Vec<Timestamp> {
    let mut day = shown(zone, span.0).date() - Duration::days(1);
    let mut instants = BTreeSet::new();
    while day <= shown(zone, span.1).date() {
        for hour in hours {
            for minute in minutes {
                let reading = day.and_hms_opt(*hour, *minute, 0).expect("a time of day");
                instants.insert(instant(zone, reading));
            }
        }
        day += Duration::days(1);
    }
    within(instants, span)
}

/// What a schedule of every hour has to do within a span, told from its minutes.
fn in_each_hour(zone: Tz, minutes: &[u32], span: (Timestamp, Timestamp)) -> Vec<Timestamp> {
    let count = (span.1 - span.0).num_minutes();
    let all = (0..=count).map(|minute| span.0 + Duration::minutes(minute));
    within(
        all.filter(|at| minutes.contains(&shown(zone, *at).minute())),
        span,
    )
}

fn within(
    instants: impl IntoIterator<Item = Timestamp>,
    (from, to): (Timestamp, Timestamp),
) -> Vec<Timestamp> {
    let inside = |at: &Timestamp| *at > from && *at <= to;
    instants.into_iter().filter(inside).collect()
}

fn told(cron: &str, zone: &str, (from, to): (Timestamp, Timestamp)) -> Vec<Timestamp> {
    let table = Timetable::parse(&schedule(cron, zone)).expect("parses");
    let mut instants = Vec::new();
    let mut after = from;
    while let Some(next) = table.next_after(after).filter(|next| *next <= to) {
        assert!(next > after, "{cron} in {zone} stands still at {after}");
        instants.push(next);
        after = next;
    }
    instants
}

#[test]
fn never_14_every_clock_change_of_ten_zones_in_five_years() {
    let mut seen = 0;
    for name in ZONES {
        let zone = zone(name);
        for change in changes(zone) {
            seen += 1;
            let span = (change - Duration::hours(60), change + Duration::hours(60));
            let mut readings = vec![(0, 0), (0, 30), (2, 30), (23, 45)];
            // What the clocks show just then, before and behind the change, and half an hour around it.
            for minutes in [-60, -30, -1, 0, 15, 30, 60] {
                for at in [change, change - Duration::minutes(1)] {
                    let reading = shown(zone, at) + Duration::minutes(minutes);
                    readings.push((reading.hour(), reading.minute()));
                }
            }
            for (hour, minute) in readings {
                assert_eq!(
                    told(&format!("{minute} {hour} * * *"), name, span),
                    on_each_day(zone, &[hour], &[minute], span),
                    "daily at {hour}:{minute:02} in {name} around {change}"
                );
            }
            for (cron, hours, minutes) in [
                ("0 */6 * * *", vec![0, 6, 12, 18], vec![0]),
                ("30 2,14 * * *", vec![2, 14], vec![30]),
                ("*/15 0-3 * * *", vec![0, 1, 2, 3], vec![0, 15, 30, 45]),
            ] {
                assert_eq!(
                    told(cron, name, span),
                    on_each_day(zone, &hours, &minutes, span),
                    "{cron} in {name} around {change}"
                );
            }
            for (cron, minutes) in [
                ("0 * * * *", vec![0]),
                ("*/20 * * * *", vec![0, 20, 40]),
                ("30 0-23 * * *", vec![30]),
            ] {
                assert_eq!(
                    told(cron, name, span),
                    in_each_hour(zone, &minutes, span),
                    "{cron} in {name} around {change}"
                );
            }
        }
    }
    assert!(seen >= 90, "{seen} changes are too few to be all");
}

proptest! {
    #[test]
    fn never_14_the_next_run_is_later_and_skips_no_day_that_has_the_hour(
        secs in at(FIRST).timestamp()..at(LAST).timestamp(),
        near in any::<bool>(),
        name in proptest::sample::select(&ZONES[..]),
        hour in 0u32..24,
        minute in 0u32..60,
    ) {
        let zone = zone(name);
        let mut after = chrono::DateTime::from_timestamp(secs, 0).expect("an instant");
        // Half of the cases begin within the two days around a change.
        if let Some(change) = changes(zone).into_iter().find(|change| near && *change > after) {
            after = change + Duration::seconds(secs % 172_800 - 86_400);
        }
        let table = Timetable::parse(&schedule(&format!("{minute} {hour} * * *"), name)).expect("parses");
        let next = table.next_after(after).expect("fires");
        prop_assert!(next > after);
        let today = shown(zone, after).date();
        let expected = (-1..=2).filter_map(|days| (today + Duration::days(days)).and_hms_opt(hour, minute, 0))
            .map(|reading| instant(zone, reading))
            .find(|at| *at > after);
        prop_assert_eq!(Some(next), expected);
    }

    #[test]
    fn never_14_any_schedule_moves_on(
        secs in at(FIRST).timestamp()..at(LAST).timestamp(),
        micros in 0u32..1_000_000,
        name in proptest::sample::select(&ZONES[..]),
        cron in proptest::sample::select(&["*/15 * * * *", "0 * * * *", "0 0 1 * *", "59 23 * * 0", "*/20 * * * * *", "0 0 L * *", "0 2 * * 1#1"][..]),
    ) {
        let table = Timetable::parse(&schedule(cron, name)).expect("parses");
        let after = chrono::DateTime::from_timestamp(secs, micros * 1000).expect("an instant");
        let next = table.next_after(after).expect("fires");
        prop_assert!(next > after);
        prop_assert!(table.next_after(next).expect("fires") > next);
        prop_assert_eq!(table.next_after(next - Duration::microseconds(1)), Some(next), "nothing lies between");
    }
}
