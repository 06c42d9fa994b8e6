//! Schedules: when a task runs by itself, what is caught up, and a look ahead.

use crate::mirror::mirrored;
use backupx_core::domain::schedule::{self, TimeOfDay};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

mirrored! {
    /// What becomes of firings that were missed.
    #[derive(Default)]
    #[serde(rename_all = "camelCase")]
    CatchUp = schedule::CatchUp {
        /// They are left out.
        Skip = "skip",
        /// One run makes up for all of them.
        #[default]
        Once = "once",
        /// Each gets its run, one after another; at most a hundred, none older than a month.
        All = "all",
    }
}

mirrored! {
    /// A day of the week.
    #[serde(rename_all = "camelCase")]
    Weekday = schedule::Weekday {
        /// Monday.
        Mon = "mon",
        /// Tuesday.
        Tue = "tue",
        /// Wednesday.
        Wed = "wed",
        /// Thursday.
        Thu = "thu",
        /// Friday.
        Fri = "fri",
        /// Saturday.
        Sat = "sat",
        /// Sunday.
        Sun = "sun",
    }
}

/// A cron expression in a time zone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Schedule {
    /// Five or six fields, or `@daily` and the like.
    pub cron: String,
    /// IANA name of the zone, as `Europe/Berlin`; `UTC` when absent.
    #[serde(default = "utc")]
    pub timezone: String,
    /// What becomes of firings that were missed: no master was there, the run before still waited, or a maintenance window was open.
    #[serde(default)]
    pub catch_up: CatchUp,
    /// Each run begins up to so many seconds later, less than what lies between two runs.
    #[serde(default)]
    pub jitter_secs: u32,
    /// Times of the week, in the schedule's zone, in which it begins no run.
    #[serde(default)]
    pub maintenance: Vec<MaintenanceWindow>,
}

impl Schedule {
    /// A schedule with the defaults.
    pub fn new(cron: impl Into<String>, timezone: impl Into<String>) -> Self {
        schedule::Schedule::new(cron, timezone).into()
    }
}

pub(crate) fn utc() -> String {
    "UTC".to_owned()
}

impl From<Schedule> for schedule::Schedule {
    fn from(schedule: Schedule) -> Self {
        Self {
            cron: schedule.cron,
            timezone: schedule.timezone,
            catch_up: schedule.catch_up.into(),
            jitter_secs: schedule.jitter_secs,
            maintenance: schedule.maintenance.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<schedule::Schedule> for Schedule {
    fn from(schedule: schedule::Schedule) -> Self {
        Self {
            cron: schedule.cron,
            timezone: schedule.timezone,
            catch_up: schedule.catch_up.into(),
            jitter_secs: schedule.jitter_secs,
            maintenance: schedule.maintenance.into_iter().map(Into::into).collect(),
        }
    }
}

/// A time of the week in which a schedule begins no run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MaintenanceWindow {
    /// The days on which it begins; empty means every day.
    #[serde(default)]
    pub days: Vec<Weekday>,
    /// When it begins, `00:00` to `23:59`.
    #[schema(value_type = String)]
    pub from: TimeOfDay,
    /// When it ends, `00:00` to `24:00`: on the day after, when that is not later than `from`.
    #[schema(value_type = String)]
    pub to: TimeOfDay,
}

impl From<MaintenanceWindow> for schedule::MaintenanceWindow {
    fn from(window: MaintenanceWindow) -> Self {
        Self {
            days: window.days.into_iter().map(Into::into).collect(),
            from: window.from,
            to: window.to,
        }
    }
}

impl From<schedule::MaintenanceWindow> for MaintenanceWindow {
    fn from(window: schedule::MaintenanceWindow) -> Self {
        Self {
            days: window.days.into_iter().map(Into::into).collect(),
            from: window.from,
            to: window.to,
        }
    }
}

/// How far to look ahead.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct NextRunsQuery {
    /// How many instants, 1 to 50; 5 when absent.
    #[serde(default)]
    pub count: Option<u32>,
}

/// A schedule to look ahead with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SchedulePreviewRequest {
    /// The schedule.
    pub schedule: Schedule,
    /// How many instants, 1 to 50; 5 when absent.
    #[serde(default)]
    pub count: Option<u32>,
}

/// When a schedule fires next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SchedulePreview {
    /// Instants, strictly later than now.
    pub next_runs: Vec<DateTime<Utc>>,
}
