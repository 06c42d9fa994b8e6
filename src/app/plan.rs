//! Plans: when a task runs next by its schedule - its timetable with jitter, maintenance windows and what is caught up.

use crate::timetable::Timetable;
use backupx_core::domain::name::Name;
use backupx_core::domain::schedule::{CatchUp, MaintenanceWindow, NextRun, Schedule, Weekday};
use backupx_core::domain::task::TaskSpec;
use backupx_core::domain::time::Timestamp;
use backupx_core::{Error, Result};
use chrono::{Datelike, Days, NaiveDate, NaiveDateTime, NaiveTime, Timelike};
use sha2::{Digest, Sha256};

/// Instants that are looked at before a schedule is taken for one that never fires.
const LOOKS: usize = 1000;
/// Most missed firings that `all` makes up for.
const BACKLOG: usize = 100;
/// How far back `all` looks, from the longest to the shortest: as far as there are no more than [`BACKLOG`] firings.
const LOOK_BACK: [chrono::Duration; 7] = [
    chrono::Duration::days(31),
    chrono::Duration::days(7),
    chrono::Duration::days(1),
    chrono::Duration::hours(6),
    chrono::Duration::hours(1),
    chrono::Duration::minutes(10),
    chrono::Duration::minutes(1),
];
/// Under `skip` a run that could not begin within this long is left out.
pub(crate) const BEGINS_WITHIN: chrono::Duration = chrono::Duration::hours(1);

/// A schedule that was read, for one task.
pub(crate) struct Plan<'a> {
    schedule: &'a Schedule,
    timetable: Timetable,
    name: &'a Name,
}

/// What is to be done with a firing that is due.
pub(crate) enum Firing {
    /// A run is made, for this instant of the timetable.
    Run(NextRun),
    /// A maintenance window is open until then.
    Wait(Timestamp),
    /// It comes too late and is not made up for.
    LeftOut,
}

impl<'a> Plan<'a> {
    /// Reads the schedule of a task; the error names the field and says what is accepted.
    pub(crate) fn of(name: &'a Name, schedule: &'a Schedule) -> Result<Self> {
        Ok(Self {
            schedule,
            timetable: Timetable::parse(schedule)?,
            name,
        })
    }

    /// The first run whose instant is strictly later than `after` and that is made strictly later than `not_before`.
    pub(crate) fn first(&self, after: Timestamp, not_before: Timestamp) -> Option<NextRun> {
        let mut after = after;
        for _ in 0..LOOKS {
            let instant = self.timetable.next_after(after)?;
            let meant = instant + self.jitter(instant);
            after = instant;
            match self.open_window(meant) {
                Window::None if meant > not_before => return Some(NextRun { instant, at: meant }),
                Window::None => {}
                Window::Until(end) if self.schedule.catch_up == CatchUp::Skip => {
                    // Whatever is meant for before the end falls in the window as well.
                    after = instant.max(end - self.most_jitter() - chrono::Duration::seconds(1));
                }
                Window::Until(end) if end > not_before => {
                    return Some(NextRun { instant, at: end });
                }
                Window::Until(_) => {}
                Window::Always => return None,
            }
        }
        None
    }

    /// The run that comes behind `fired`, seen from `now`: the next instant at all when all are made up for, the next one to come otherwise.
    pub(crate) fn behind(&self, fired: NextRun, now: Timestamp) -> Option<NextRun> {
        match self.schedule.catch_up {
            CatchUp::All => self.first(fired.instant, Timestamp::UNIX_EPOCH),
            CatchUp::Once | CatchUp::Skip => {
                let after = fired.instant.max(now - self.most_jitter());
                self.first(after, now)
            }
        }
    }

    /// When runs are made from `next` on, the next `count` of them, none earlier than `now`.
    pub(crate) fn coming(
        &self,
        next: Option<NextRun>,
        now: Timestamp,
        count: usize,
    ) -> Vec<Timestamp> {
        let mut runs = Vec::new();
        let mut next = next;
        while let Some(run) = next.filter(|_| runs.len() < count) {
            let at = run.at.max(now);
            runs.push(at);
            next = self.behind(run, at);
        }
        runs
    }

    /// What becomes of a run that is due at `now`.
    pub(crate) fn firing(&self, due: NextRun, now: Timestamp) -> Firing {
        let skips = self.schedule.catch_up == CatchUp::Skip;
        if skips && !self.is_fresh(due, now) {
            return Firing::LeftOut;
        }
        match self.open_window(now) {
            Window::Until(_) | Window::Always if skips => Firing::LeftOut,
            Window::Until(end) => Firing::Wait(end),
            Window::Always => Firing::LeftOut,
            Window::None if self.schedule.catch_up == CatchUp::All => {
                Firing::Run(self.within_backlog(due, now))
            }
            Window::None => Firing::Run(due),
        }
    }

    /// True when `due` or one of the runs behind it may still begin.
    fn is_fresh(&self, due: NextRun, now: Timestamp) -> bool {
        let too_old = now - BEGINS_WITHIN;
        let after = due.instant.max(too_old - self.most_jitter());
        due.at >= too_old
            || self
                .first(after, too_old)
                .is_some_and(|newer| newer.at <= now)
    }

    /// `due`, or the oldest missed run that is still made up for when `due` lies further back.
    fn within_backlog(&self, due: NextRun, now: Timestamp) -> NextRun {
        for back in LOOK_BACK {
            let from = now - back;
            let reaches_due = from < due.instant;
            let from = if reaches_due { due.instant } else { from };
            if self.count(from, now) <= BACKLOG {
                return match self.timetable.next_after(from) {
                    Some(oldest) if !reaches_due && oldest <= now => NextRun {
                        instant: oldest,
                        at: due.at,
                    },
                    _ => due,
                };
            }
        }
        due
    }

    /// How many instants lie after `from`, up to `to`; stops behind [`BACKLOG`].
    fn count(&self, from: Timestamp, to: Timestamp) -> usize {
        let mut after = from;
        for count in 0..=BACKLOG {
            match self.timetable.next_after(after) {
                Some(next) if next <= to => after = next,
                _ => return count,
            }
        }
        BACKLOG + 1
    }

    fn most_jitter(&self) -> chrono::Duration {
        chrono::Duration::seconds(i64::from(self.schedule.jitter_secs))
    }

    /// A figure that is the same on every replica, and another for each task and instant.
    fn jitter(&self, instant: Timestamp) -> chrono::Duration {
        let mut hash = Sha256::new();
        hash.update(instant.timestamp().to_be_bytes());
        hash.update(self.name.as_str());
        let digest = hash.finalize();
        let number = digest
            .iter()
            .take(8)
            .fold(0u64, |number, byte| (number << 8) | u64::from(*byte));
        let seconds = number % (u64::from(self.schedule.jitter_secs) + 1);
        chrono::Duration::seconds(i64::try_from(seconds).unwrap_or_default())
    }

    /// Whether a maintenance window is open, and until when; windows that follow each other are one.
    fn open_window(&self, at: Timestamp) -> Window {
        let mut end = at;
        // Each look passes the end of one window; a week of them and more is a schedule that never begins anything.
        for _ in 0..=8 * self.schedule.maintenance.len() {
            let shown = self.timetable.shown(end);
            let ends = self.schedule.maintenance.iter();
            let ends = ends.filter_map(|window| end_of(window, shown));
            match ends.max() {
                Some(reading) => end = self.timetable.last_instant(reading).max(end),
                None if end == at => return Window::None,
                None => return Window::Until(end),
            }
        }
        if self.schedule.maintenance.is_empty() {
            Window::None
        } else {
            Window::Always
        }
    }
}

enum Window {
    None,
    Until(Timestamp),
    Always,
}

/// When a window that is open at `shown` ends, both on the wall clock of its zone.
fn end_of(window: &MaintenanceWindow, shown: NaiveDateTime) -> Option<NaiveDateTime> {
    let today = shown.date();
    let minutes = shown.hour() * 60 + shown.minute();
    let begins_on = |day: NaiveDate| {
        window.begins_on(Weekday::from_monday(day.weekday().num_days_from_monday()))
    };
    let (from, to) = (window.from.minutes(), window.to.minutes());
    let until = |day: NaiveDate| {
        let midnight = day.and_time(NaiveTime::MIN);
        midnight + chrono::Duration::minutes(i64::from(to))
    };
    if window.passes_midnight() {
        let tomorrow = today.checked_add_days(Days::new(1))?;
        let yesterday = today.checked_sub_days(Days::new(1))?;
        if minutes >= from && begins_on(today) {
            return Some(until(tomorrow));
        }
        return (minutes < to && begins_on(yesterday)).then(|| until(today));
    }
    (minutes >= from && minutes < to && begins_on(today)).then(|| until(today))
}

/// When a task fires first after `now`: nothing without a schedule, an error when its schedule never fires.
pub(crate) fn first_run(spec: &TaskSpec, now: Timestamp) -> Result<Option<NextRun>> {
    let Some(schedule) = &spec.schedule else {
        return Ok(None);
    };
    first_of(&spec.name, schedule, now).map(Some)
}

/// When a schedule fires first after `now`; an error when it never does.
pub(crate) fn first_of(name: &Name, schedule: &Schedule, now: Timestamp) -> Result<NextRun> {
    let plan = Plan::of(name, schedule)?;
    plan.first(now, now).ok_or_else(|| {
        let (field, but) = match schedule.maintenance.is_empty() {
            true => ("schedule.cron", ""),
            false => (
                "schedule.maintenance",
                " outside of its maintenance windows",
            ),
        };
        let message = format!("{:?} does not fire within five years{but}", schedule.cron);
        Error::field(field, message)
    })
}

/// Refuses jitter that would let a run begin behind the next one.
pub(crate) fn check_jitter(spec: &TaskSpec, now: Timestamp) -> Result<()> {
    let Some(schedule) = spec.schedule.as_ref().filter(|s| s.jitter_secs > 0) else {
        return Ok(());
    };
    let timetable = Timetable::parse(schedule)?;
    let mut after = now;
    let mut last = None;
    for _ in 0..10 {
        let Some(next) = timetable.next_after(after) else {
            break;
        };
        let between = last.map(|last| next - last);
        if between.is_some_and(|between| {
            between <= chrono::Duration::seconds(schedule.jitter_secs.into())
        }) {
            return Err(Error::field(
                "schedule.jitterSecs",
                format!(
                    "{} seconds are not less than what lies between two runs of {:?}",
                    schedule.jitter_secs, schedule.cron
                ),
            ));
        }
        last = Some(next);
        after = next;
    }
    Ok(())
}
