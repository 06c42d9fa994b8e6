//! How far from its history a run may be, as it is said on the command line.

use super::form::set;
use backupx_api::guard::Guard;

/// When a run is odd: then retention of the task rests until `backupx record accept`.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct GuardFlags {
    /// Whether runs are compared with those before them [default: true]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    guard: Option<bool>,
    /// By how many percent a run may be smaller than those before it [default: 50]
    #[arg(long, value_name = "PERCENT")]
    guard_shrink: Option<u32>,
    /// By how many percent a run may be larger than those before it [default: 100]
    #[arg(long, value_name = "PERCENT")]
    guard_growth: Option<u32>,
}

impl GuardFlags {
    /// Changes what was named.
    pub(crate) fn apply(&self, guard: &mut Guard) {
        set(&mut guard.enabled, self.guard);
        set(&mut guard.shrink_percent, self.guard_shrink);
        set(&mut guard.growth_percent, self.guard_growth);
    }
}

/// A guard as people read it.
pub(crate) fn shown(guard: &Guard) -> String {
    match guard.enabled {
        true => format!(
            "a run is odd when it is {} % smaller or {} % larger than usual",
            guard.shrink_percent, guard.growth_percent
        ),
        false => "off".to_owned(),
    }
}
