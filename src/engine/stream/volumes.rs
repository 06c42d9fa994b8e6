//! Volumes: how a stream of unknown length is cut into objects that are created at once from memory.
//!
//! The first volumes have the store's own size; later ones are larger, so that a long stream stays far below 1,000,000 volumes (the
//! number has six digits) and its manifest stays small, while a short one costs little memory.

use backupx_core::{Error, Result};

/// Volumes of one size before the size doubles.
const VOLUMES_PER_SIZE: u64 = 1000;
/// How often the size doubles: volumes grow from 16 to 64 MiB.
const DOUBLINGS: u64 = 2;
/// Highest number that the six digits of a name hold.
const MAX_VOLUMES: u64 = 999_999;

/// The size of volume `number` (counted from 1) where the first ones have `first_bytes`.
pub(crate) fn volume_bytes(first_bytes: u64, number: u64) -> u64 {
    let doublings = (number.saturating_sub(1) / VOLUMES_PER_SIZE).min(DOUBLINGS);
    first_bytes.max(1) << doublings
}

/// The name of volume `number` of the stream `base`.
pub(crate) fn volume_name(base: &str, number: u64) -> Result<String> {
    if number > MAX_VOLUMES {
        return Err(Error::invalid(
            "stream_too_long",
            format!(
                "{base} needs more than {MAX_VOLUMES} volumes: give the target larger ones, or split the task"
            ),
        ));
    }
    Ok(format!("{base}.{number:06}"))
}

/// How many bytes of volumes may be on their way to one destination at the same time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Budget(u64);

impl Budget {
    /// For all destinations of a run together: a third of what a run should need in all.
    const TOTAL_BYTES: u64 = 48 << 20;

    /// One destination's share when there are `destinations` in all.
    pub(crate) fn share(destinations: usize) -> Self {
        Self(Self::TOTAL_BYTES / destinations.max(1) as u64)
    }

    /// How many volumes of this size may be under way: at least one, at most what the store takes.
    pub(crate) fn parallel(self, volume_bytes: u64, most: usize) -> usize {
        let fit = usize::try_from(self.0 / volume_bytes.max(1)).unwrap_or(usize::MAX);
        fit.min(most).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn never_25_nine_terabytes_meet_no_limit() {
        let first = 16 << 20;
        let (mut left, mut number) = (9_000_000_000_000u64, 0);
        while left > 0 {
            number += 1;
            let name = volume_name("data.tar.zst.age", number).expect("a name for every volume");
            assert_eq!(name.len(), "data.tar.zst.age.000001".len());
            left = left.saturating_sub(volume_bytes(first, number));
        }
        assert!(number < 200_000, "{number} volumes make a large manifest");
        assert!(
            volume_bytes(first, number) <= 64 << 20,
            "memory stays bounded"
        );
    }

    #[test]
    fn names_stay_in_order_and_end() {
        assert_eq!(volume_name("d", 1).expect("named"), "d.000001");
        assert!(volume_name("d", MAX_VOLUMES).is_ok());
        assert_eq!(
            volume_name("d", MAX_VOLUMES + 1)
                .expect_err("refused")
                .code(),
            "stream_too_long"
        );
    }

    #[test]
    fn volumes_under_way_stay_within_the_budget() {
        let mib = 1 << 20;
        assert_eq!(Budget::share(1).parallel(16 * mib, 4), 3);
        assert_eq!(Budget::share(1).parallel(64 * mib, 4), 1);
        assert_eq!(Budget::share(8).parallel(16 * mib, 4), 1);
        assert_eq!(Budget::share(1).parallel(mib, 4), 4);
    }
}
