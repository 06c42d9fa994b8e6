//! Failed sign-ins.

use crate::case::cases;
use crate::ports::Ports;
use crate::samples::at;
use anyhow::Result;

cases!(
    failures_are_counted_within_the_window,
    keys_are_counted_by_themselves,
    a_good_sign_in_forgets_the_failures,
    old_failures_are_purged,
    failures_at_the_same_moment_all_count,
);

async fn failures_are_counted_within_the_window(ports: &Ports) -> Result<()> {
    let guard = &ports.sign_in_guard;
    for (second, window_start, count) in [(10, 0, 1), (20, 0, 2), (30, 10, 3), (31, 11, 3)] {
        let counted = guard.failed("ada", at(second), at(window_start)).await?;
        assert_eq!(counted, count, "at {second}");
    }
    assert_eq!(guard.failures("ada", at(10)).await?, (4, Some(at(31))));
    assert_eq!(guard.failures("ada", at(31)).await?, (1, Some(at(31))));
    assert_eq!(guard.failures("ada", at(32)).await?, (0, None));
    Ok(())
}

async fn keys_are_counted_by_themselves(ports: &Ports) -> Result<()> {
    let guard = &ports.sign_in_guard;
    guard.failed("ada", at(1), at(0)).await?;
    assert_eq!(guard.failed("192.0.2.1", at(1), at(0)).await?, 1);
    assert_eq!(guard.failures("bob", at(0)).await?, (0, None));
    Ok(())
}

async fn a_good_sign_in_forgets_the_failures(ports: &Ports) -> Result<()> {
    let guard = &ports.sign_in_guard;
    guard.failed("ada", at(1), at(0)).await?;
    guard.failed("bob", at(1), at(0)).await?;
    guard.clear("ada").await?;
    assert_eq!(guard.failures("ada", at(0)).await?, (0, None));
    assert_eq!(guard.failures("bob", at(0)).await?, (1, Some(at(1))));
    Ok(())
}

async fn old_failures_are_purged(ports: &Ports) -> Result<()> {
    let guard = &ports.sign_in_guard;
    for second in 1..4 {
        guard.failed("ada", at(second), at(0)).await?;
    }
    assert_eq!(guard.purge(at(3)).await?, 2);
    assert_eq!(guard.failures("ada", at(0)).await?, (1, Some(at(3))));
    Ok(())
}

async fn failures_at_the_same_moment_all_count(ports: &Ports) -> Result<()> {
    let guard = &ports.sign_in_guard;
    let tries = (0..20).map(|_| guard.failed("ada", at(1), at(0)));
    let mut counts: Vec<u32> = futures::future::try_join_all(tries).await?;
    counts.sort_unstable();
    assert_eq!(counts.last(), Some(&20));
    assert_eq!(guard.failures("ada", at(0)).await?, (20, Some(at(1))));
    Ok(())
}
