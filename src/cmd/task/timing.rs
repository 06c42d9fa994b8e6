//! When a task runs, as flags: its timetable, what is caught up, jitter, maintenance windows; and until when it rests.

use crate::cmd::failure::usage;
use anyhow::Result;
use backupx_api::schedules::{CatchUp, MaintenanceWindow, Schedule, Weekday};
use backupx_core::domain::duration;
use backupx_core::domain::schedule::TimeOfDay;
use chrono::{DateTime, Local, NaiveDate, NaiveDateTime, NaiveTime, TimeZone, Utc};

/// What sets a schedule; in an edit, windows replace the ones before.
#[derive(Debug, Default, clap::Args)]
pub(super) struct Timing {
    /// When it runs by itself: five or six cron fields, or @daily and the like
    #[arg(long, value_name = "EXPR")]
    cron: Option<String>,
    /// IANA time zone of the schedule [default: UTC]
    #[arg(long, value_name = "TZ")]
    timezone: Option<String>,
    /// What becomes of firings that were missed: skip, once (one run makes up for all) or all [default: once]
    #[arg(long, value_name = "POLICY", value_parser = catch_up)]
    catch_up: Option<CatchUp>,
    /// Begin each run up to so much later, to spread the load: 90s, 15m, 2h; 0 means on time
    #[arg(long, value_name = "SPAN", value_parser = jitter)]
    jitter: Option<u32>,
    /// A time in which the schedule begins no run, as "22:00-04:00" or "mon-fri 08:00-18:00"; may be repeated
    #[arg(long, value_name = "WINDOW", value_parser = window)]
    maintenance: Vec<MaintenanceWindow>,
}

impl Timing {
    /// Sets what was named.
    pub(super) fn apply(&self, schedule: &mut Option<Schedule>) -> Result<()> {
        if let Some(cron) = &self.cron {
            match schedule {
                Some(schedule) => schedule.cron.clone_from(cron),
                None => *schedule = Some(Schedule::new(cron, "UTC")),
            }
        }
        let Some(schedule) = schedule else {
            return match self.needs_cron() {
                Some(flag) => Err(usage(format!("{flag} needs --cron"))),
                None => Ok(()),
            };
        };
        if let Some(timezone) = &self.timezone {
            schedule.timezone.clone_from(timezone);
        }
        if let Some(catch_up) = self.catch_up {
            schedule.catch_up = catch_up;
        }
        if let Some(jitter) = self.jitter {
            schedule.jitter_secs = jitter;
        }
        if !self.maintenance.is_empty() {
            schedule.maintenance.clone_from(&self.maintenance);
        }
        Ok(())
    }

    fn needs_cron(&self) -> Option<&'static str> {
        [
            ("--timezone", self.timezone.is_some()),
            ("--catch-up", self.catch_up.is_some()),
            ("--jitter", self.jitter.is_some()),
            ("--maintenance", !self.maintenance.is_empty()),
        ]
        .into_iter()
        .find_map(|(flag, is_set)| is_set.then_some(flag))
    }
}

fn catch_up(text: &str) -> Result<CatchUp, String> {
    CatchUp::ALL
        .iter()
        .copied()
        .find(|policy| policy.as_str() == text)
        .ok_or_else(|| "use skip, once or all".to_owned())
}

fn jitter(text: &str) -> Result<u32, String> {
    duration::parse(text)
        .and_then(|span| u32::try_from(span.as_secs()).ok())
        .ok_or_else(|| format!("use {}", duration::ACCEPTED))
}

/// Reads `[DAYS ]HH:MM-HH:MM`; days are names and ranges with commas between them.
fn window(text: &str) -> Result<MaintenanceWindow, String> {
    let bad = || format!("{text:?} is no window, as \"22:00-04:00\" or \"mon-fri 08:00-18:00\"");
    let (names, span) = text.trim().rsplit_once(' ').unwrap_or(("", text.trim()));
    let (from, to) = span.split_once('-').ok_or_else(bad)?;
    let mut days = Vec::new();
    for part in names
        .split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty())
    {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (day(first).ok_or_else(bad)?, day(last).ok_or_else(bad)?);
        let all = Weekday::ALL.iter().cycle().skip_while(|day| **day != first);
        for day in all.take(7) {
            if !days.contains(day) {
                days.push(*day);
            }
            if *day == last {
                break;
            }
        }
    }
    Ok(MaintenanceWindow {
        days,
        from: TimeOfDay::parse(from).ok_or_else(bad)?,
        to: TimeOfDay::parse(to).ok_or_else(bad)?,
    })
}

fn day(name: &str) -> Option<Weekday> {
    let name = name.trim().to_ascii_lowercase();
    Weekday::ALL
        .iter()
        .copied()
        .find(|day| day.as_str() == name)
}

/// A window as it is typed.
pub(super) fn of_window(window: &MaintenanceWindow) -> String {
    let days: Vec<_> = window.days.iter().map(|day| day.as_str()).collect();
    let blank = if days.is_empty() { "" } else { " " };
    format!("{}{blank}{}-{}", days.join(","), window.from, window.to)
}

/// Until when: a span from `now` on, an RFC 3339 instant, or a day or time of the reader's own clock.
pub(super) fn until(text: &str, now: DateTime<Utc>) -> Result<DateTime<Utc>> {
    if let Some(span) = duration::parse(text) {
        let span = chrono::Duration::from_std(span).ok();
        if let Some(at) = span.and_then(|span| now.checked_add_signed(span)) {
            return Ok(at);
        }
    }
    if let Ok(at) = DateTime::parse_from_rfc3339(text) {
        return Ok(at.to_utc());
    }
    let reading = NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M")
        .or_else(|_| NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M"))
        .or_else(|_| {
            NaiveDate::parse_from_str(text, "%Y-%m-%d").map(|day| day.and_time(NaiveTime::MIN))
        });
    let at = reading
        .ok()
        .and_then(|reading| Local.from_local_datetime(&reading).latest());
    at.map(|at| at.to_utc()).ok_or_else(|| {
        usage(format!(
            "--until {text:?}: name a span (3d, 12h), a day (2026-12-24) or a time (\"2026-12-24 08:00\")"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_read_as_they_are_shown() {
        for (typed, shown) in [
            ("22:00-04:00", "22:00-04:00"),
            ("Mon-fri 08:00-18:00", "mon,tue,wed,thu,fri 08:00-18:00"),
            ("sat,sun-mon 00:00-24:00", "sat,sun,mon 00:00-24:00"),
        ] {
            let read = window(typed).expect("parses");
            assert_eq!(of_window(&read), shown);
            assert_eq!(window(shown), Ok(read));
        }
        for bad in [
            "",
            "22:00",
            "noday 08:00-18:00",
            "mon 8-18",
            "mon- 08:00-18:00",
        ] {
            assert!(window(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_end_is_a_span_or_an_instant() {
        let now: DateTime<Utc> = "2026-12-24T08:00:00Z".parse().expect("an instant");
        let read = |text| until(text, now).ok();
        assert_eq!(read("3d"), Some(now + chrono::Duration::days(3)));
        assert_eq!(
            read("2026-12-25T09:00:00+01:00"),
            Some(now + chrono::Duration::days(1))
        );
        assert!(read("2026-12-30").is_some() && read("2026-12-30 08:00").is_some());
        assert_eq!(read("tomorrow"), None);
    }
}
