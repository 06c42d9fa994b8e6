//! Signals. Waits have a long limit that is never reached when the promise holds: a lost wake-up is seen as a test that takes too long.

use crate::case::{cases, measured};
use crate::ports::Ports;
use anyhow::{Context, Result, ensure};
use backupx_core::domain::command::Subject;
use backupx_core::domain::id::{NodeId, RecordId};
use backupx_core::ports::signals::{Subscription, Topic};
use std::time::{Duration, Instant};

cases!(
    a_notify_after_the_registration_is_not_missed,
    every_waiter_is_woken,
    topics_do_not_wake_each_other,
    a_wait_ends_at_its_limit,
    a_dropped_wait_loses_nothing,
    many_notifies_wake_at_least_once,
    a_notify_reaches_the_waiters_of_every_master,
    a_wake_up_reaches_another_master_in_time,
    a_wake_reaches_the_waiters_of_this_master_alone,
);

const TOPIC: Topic = Topic::Node(NodeId(1));
/// Longer than any wait that is going to succeed.
const LONG: Duration = Duration::from_secs(3600);

/// Woken well before `LONG`.
async fn woken(subscription: &mut Box<dyn Subscription>) -> Result<()> {
    tokio::time::timeout(Duration::from_secs(30), subscription.wait(LONG))
        .await
        .context("the wake-up was lost")
}

/// Not woken: a wait with no patience returns by its limit, and so a wait without end would still be pending.
async fn asleep(subscription: &mut Box<dyn Subscription>) -> bool {
    let wait = subscription.wait(LONG);
    futures::pin_mut!(wait);
    futures::poll!(wait).is_pending()
}

async fn a_notify_after_the_registration_is_not_missed(ports: &Ports) -> Result<()> {
    let mut subscription = ports.signals.subscribe(TOPIC).await?;
    ports.signals.notify(TOPIC).await?;
    woken(&mut subscription).await?;
    let waiter = tokio::spawn(async move {
        woken(&mut subscription).await?;
        anyhow::Ok(())
    });
    ports.signals.notify(TOPIC).await?;
    waiter.await??;
    Ok(())
}

async fn every_waiter_is_woken(ports: &Ports) -> Result<()> {
    let mut all = Vec::new();
    for _ in 0..50 {
        all.push(ports.signals.subscribe(TOPIC).await?);
    }
    ports.signals.notify(TOPIC).await?;
    for subscription in &mut all {
        woken(subscription).await?;
    }
    Ok(())
}

async fn topics_do_not_wake_each_other(ports: &Ports) -> Result<()> {
    let topics = [
        TOPIC,
        Topic::Node(NodeId(2)),
        Topic::Subject(Subject::Record(RecordId(1))),
        Topic::Subject(Subject::Record(RecordId(2))),
        Topic::Events,
    ];
    for noisy in topics {
        let mut all = Vec::new();
        for topic in topics {
            all.push((topic, ports.signals.subscribe(topic).await?));
        }
        ports.signals.notify(noisy).await?;
        for (topic, subscription) in &mut all {
            if *topic == noisy {
                woken(subscription).await?;
            }
        }
        for (_, subscription) in &mut all {
            assert!(asleep(subscription).await);
        }
    }
    Ok(())
}

async fn a_wait_ends_at_its_limit(ports: &Ports) -> Result<()> {
    let mut subscription = ports.signals.subscribe(TOPIC).await?;
    subscription.wait(Duration::ZERO).await;
    subscription.wait(Duration::from_millis(1)).await;
    Ok(())
}

async fn a_dropped_wait_loses_nothing(ports: &Ports) -> Result<()> {
    let mut subscription = ports.signals.subscribe(TOPIC).await?;
    for _ in 0..3 {
        assert!(asleep(&mut subscription).await);
    }
    ports.signals.notify(TOPIC).await?;
    woken(&mut subscription).await
}

async fn many_notifies_wake_at_least_once(ports: &Ports) -> Result<()> {
    let mut subscription = ports.signals.subscribe(TOPIC).await?;
    for _ in 0..1000 {
        ports.signals.notify(TOPIC).await?;
    }
    woken(&mut subscription).await
}

/// A file has one master; its command line wakes nobody, and waiters look again after their time-out.
async fn a_notify_reaches_the_waiters_of_every_master(ports: &Ports) -> Result<()> {
    if !ports.host.is_shared() {
        return Ok(());
    }
    let replica = ports.host.replica().await?;
    for topic in [
        TOPIC,
        Topic::Subject(Subject::Record(RecordId(1))),
        Topic::Events,
    ] {
        let mut here = ports.signals.subscribe(topic).await?;
        let mut there = replica.signals.subscribe(topic).await?;
        ports.signals.notify(topic).await?;
        woken(&mut here).await?;
        woken(&mut there).await?;
        replica.signals.notify(topic).await?;
        woken(&mut here).await?;
    }
    Ok(())
}

/// The promise is 100 ms. What is measured is told with the run; a machine under load may be slow, so the limit is ten times that for half
/// of them, and for each one whether it comes at all.
async fn a_wake_up_reaches_another_master_in_time(ports: &Ports) -> Result<()> {
    let replica = ports.host.replica().await?;
    let listening = match ports.host.is_shared() {
        true => &replica,
        false => ports,
    };
    let mut times = Vec::new();
    for _ in 0..100 {
        let mut waiter = listening.signals.subscribe(TOPIC).await?;
        let said = Instant::now();
        ports.signals.notify(TOPIC).await?;
        woken(&mut waiter).await?;
        times.push(said.elapsed());
    }
    times.sort();
    let (median, slowest) = (times[50], times[99]);
    measured(&format!(
        "half of 100 wake-ups within {:.1} ms, all within {:.1} ms",
        median.as_secs_f64() * 1e3,
        slowest.as_secs_f64() * 1e3
    ))?;
    ensure!(median < Duration::from_secs(1), "{median:?}");
    Ok(())
}

async fn a_wake_reaches_the_waiters_of_this_master_alone(ports: &Ports) -> Result<()> {
    let replica = ports.host.replica().await?;
    let mut here = ports.signals.subscribe(TOPIC).await?;
    let mut there = replica.signals.subscribe(TOPIC).await?;
    ports.signals.wake(TOPIC);
    woken(&mut here).await?;
    assert!(asleep(&mut here).await);
    // What travels keeps its order: had the wake travelled, it would be here before this word.
    let mut last = replica.signals.subscribe(Topic::Events).await?;
    ports.signals.notify(Topic::Events).await?;
    if ports.host.is_shared() {
        woken(&mut last).await?;
    }
    assert!(asleep(&mut there).await);
    Ok(())
}
