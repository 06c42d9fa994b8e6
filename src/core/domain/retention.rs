//! Retention: which copies may go. Planned per (record, target), from good copies only.

use super::id::{RecordId, TargetId};
use super::time::Timestamp;
use chrono::Datelike;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// How many copies are kept. All zero keeps everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct RetentionPolicy {
    /// The newest ones.
    pub keep_last: u32,
    /// The newest of each of so many days that have one.
    pub keep_daily: u32,
    /// The newest of each of so many ISO weeks that have one.
    pub keep_weekly: u32,
    /// The newest of each of so many months that have one.
    pub keep_monthly: u32,
    /// The newest of each of so many years that have one.
    pub keep_yearly: u32,
}

impl RetentionPolicy {
    /// True when nothing is ever removed by this policy.
    pub fn keeps_everything(&self) -> bool {
        *self == Self::default()
    }
}

/// One good copy of one record on one target, as retention sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copy {
    /// Whose copy.
    pub record_id: RecordId,
    /// Where.
    pub target_id: TargetId,
    /// When the master heard of its success. Never the agent's clock.
    pub received_at: Timestamp,
    /// Locked records are kept whatever the policy says.
    pub locked: bool,
}

/// What happens to one copy, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Decision {
    /// Whose copy.
    pub record_id: RecordId,
    /// Where.
    pub target_id: TargetId,
    /// When the master heard of its success.
    pub received_at: Timestamp,
    /// Why it is kept (`last`, `daily`, `locked`, `floor`, `held` …); empty when it goes.
    pub reasons: Vec<String>,
}

impl Decision {
    /// True when the copy stays.
    pub fn keeps(&self) -> bool {
        !self.reasons.is_empty()
    }
}

/// Plans what is kept of `copies` (all good copies of one task), for each target by itself, newest first.
///
/// The newest good copy of each target is never removed by policy, locked ones never at all.
pub fn plan(policy: &RetentionPolicy, copies: &[Copy]) -> Vec<Decision> {
    let mut by_target: BTreeMap<TargetId, Vec<&Copy>> = BTreeMap::new();
    for copy in copies {
        by_target.entry(copy.target_id).or_default().push(copy);
    }
    by_target
        .into_values()
        .flat_map(|copies| plan_target(policy, copies))
        .collect()
}

/// Names the period that an instant falls into.
type PeriodOf = fn(Timestamp) -> (i32, u32);

fn plan_target(policy: &RetentionPolicy, mut copies: Vec<&Copy>) -> Vec<Decision> {
    copies.sort_by_key(|copy| std::cmp::Reverse((copy.received_at, copy.record_id)));
    let rules: [(&str, u32, PeriodOf); 4] = [
        ("daily", policy.keep_daily, |at| (at.year(), at.ordinal())),
        ("weekly", policy.keep_weekly, |at| {
            (at.iso_week().year(), at.iso_week().week())
        }),
        ("monthly", policy.keep_monthly, |at| (at.year(), at.month())),
        ("yearly", policy.keep_yearly, |at| (at.year(), 0)),
    ];
    let mut periods: [BTreeSet<(i32, u32)>; 4] = Default::default();
    copies
        .iter()
        .enumerate()
        .map(|(position, copy)| {
            let mut reasons = Vec::new();
            if policy.keeps_everything() {
                reasons.push("everything".to_owned());
            }
            if copy.locked {
                reasons.push("locked".to_owned());
            }
            if position < policy.keep_last as usize {
                reasons.push("last".to_owned());
            }
            for ((name, keep, period), seen) in rules.iter().zip(&mut periods) {
                if seen.len() < *keep as usize && seen.insert(period(copy.received_at)) {
                    reasons.push((*name).to_owned());
                }
            }
            if position == 0 && reasons.is_empty() {
                reasons.push("floor".to_owned());
            }
            Decision {
                record_id: copy.record_id,
                target_id: copy.target_id,
                received_at: copy.received_at,
                reasons,
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{Duration, TimeZone, Utc};
    use proptest::prelude::*;

    fn copy(id: i64, target: i64, hours_ago: i64) -> Copy {
        let now = Utc
            .with_ymd_and_hms(2026, 11, 23, 12, 0, 0)
            .single()
            .expect("a valid instant");
        Copy {
            record_id: RecordId(id),
            target_id: TargetId(target),
            received_at: now - Duration::hours(hours_ago),
            locked: false,
        }
    }

    fn kept(decisions: &[Decision]) -> Vec<i64> {
        decisions
            .iter()
            .filter(|d| d.keeps())
            .map(|d| d.record_id.0)
            .collect()
    }

    #[test]
    fn each_rule_keeps_the_newest_of_its_period() {
        let copies: Vec<_> = (0..10).map(|i| copy(i, 1, i * 12)).collect();
        let policy = RetentionPolicy {
            keep_last: 1,
            keep_daily: 3,
            ..Default::default()
        };
        assert_eq!(kept(&plan(&policy, &copies)), [0, 2, 4]);
    }

    #[test]
    fn never_18_the_last_good_copy_of_a_target_stays() {
        let copies = [copy(1, 1, 90_000), copy(2, 2, 80_000), copy(3, 2, 70_000)];
        let policy = RetentionPolicy {
            keep_last: 0,
            keep_daily: 0,
            keep_yearly: 0,
            keep_monthly: 0,
            keep_weekly: 1,
        };
        assert_eq!(kept(&plan(&policy, &copies)), [1, 3]);
    }

    #[test]
    fn never_19_locked_copies_survive_every_policy() {
        let mut copies = vec![copy(1, 1, 0), copy(2, 1, 1), copy(3, 1, 2)];
        copies[2].locked = true;
        let policy = RetentionPolicy {
            keep_last: 1,
            ..Default::default()
        };
        assert_eq!(kept(&plan(&policy, &copies)), [1, 3]);
    }

    proptest! {
        #[test]
        fn more_is_never_kept_less(ages in proptest::collection::vec(0i64..20_000, 1..40), last in 0u32..5, daily in 0u32..5) {
            let copies: Vec<_> = ages.iter().enumerate().map(|(i, age)| copy(i64::try_from(i).expect("small"), 1, *age)).collect();
            let small = RetentionPolicy { keep_last: last, keep_daily: daily, keep_weekly: 1, ..Default::default() };
            let large = RetentionPolicy { keep_last: last + 1, keep_daily: daily + 1, keep_weekly: 2, ..Default::default() };
            let small = kept(&plan(&small, &copies));
            let large = kept(&plan(&large, &copies));
            prop_assert!(!small.is_empty());
            prop_assert!(small.iter().all(|id| large.contains(id)));
        }
    }
}
