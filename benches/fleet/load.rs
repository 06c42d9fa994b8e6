//! Load: questions to nodes at a given rate through the REST API, and a queue that is filled through the stores.

use crate::agent::{Fleet, path_of};
use anyhow::{Context, Result, bail};
use backupx_core::domain::command::{CommandSpec, Lane, Lease, Subject};
use backupx_core::domain::id::{NodeId, RequestId};
use backupx_core::ports::clock::{Clock, SystemClock};
use backupx_core::ports::queue::{CommandQueue, NewCommand};
use backupx_core::ports::settings::Settings;
use backupx_redis::RedisStores;
use backupx_sql::SqlStores;
use futures::stream::{StreamExt, TryStreamExt};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior};

/// Questions that are put in at the same time.
const AT_ONCE: usize = 256;

/// Asks nodes for a folder, `rate` times a second for `long`, whether the ones before were answered or not. Each is a command that is
/// put in, handed out to the node's waiting poll, and ended by its result, for which the caller waits.
pub(crate) async fn ask(
    fleet: &Arc<Fleet>,
    key: &Arc<str>,
    nodes: &[i64],
    rate: u32,
    long: Duration,
) -> Result<()> {
    let mut asking = JoinSet::new();
    let mut beat = tokio::time::interval(Duration::from_secs(1) / rate);
    beat.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let end = Instant::now() + long;
    while Instant::now() < end {
        beat.tick().await;
        let node = nodes[rand::random_range(0..nodes.len())];
        let (fleet, key) = (Arc::clone(fleet), Arc::clone(key));
        asking.spawn(async move {
            let began = Instant::now();
            match browse(&fleet, &key, node).await {
                Ok(()) => fleet.tally.answered.add(began.elapsed()),
                Err(error) => fleet.tally.error(format!("a question: {error:#}")),
            }
        });
        while asking.try_join_next().is_some() {}
    }
    while asking.join_next().await.is_some() {}
    Ok(())
}

async fn browse(fleet: &Fleet, key: &str, node: i64) -> Result<()> {
    fleet.tally.requests.fetch_add(1, Ordering::Relaxed);
    let path = format!("/api/v1/nodes/{node}/browse?path={}", path_of(fleet));
    let answer = fleet.asking.call(key, "GET", &path, "").await?;
    match answer.status {
        200 => Ok(()),
        status => bail!("{status}"),
    }
}

/// Puts `count` questions for these nodes straight into the queue of the stores, where nobody is woken.
pub(crate) async fn fill(
    database: &str,
    redis: Option<&str>,
    nodes: &[i64],
    count: usize,
) -> Result<()> {
    let stores = SqlStores::connect(database).await?;
    let queue: Arc<dyn CommandQueue> = match redis {
        Some(url) => {
            let prefix = Settings::get(&stores, "redis.prefix").await?;
            let prefix = prefix.context("the master has no Redis")?;
            Arc::new(RedisStores::connect(url, &prefix).await?)
        }
        None => Arc::new(stores.clone()),
    };
    futures::stream::iter(0..count)
        .map(|number| enqueue(&queue, nodes[number % nodes.len()]))
        .buffer_unordered(AT_ONCE)
        .try_collect::<()>()
        .await?;
    stores.close().await;
    Ok(())
}

async fn enqueue(queue: &Arc<dyn CommandQueue>, node: i64) -> Result<()> {
    let now = SystemClock.now();
    let command = NewCommand {
        subject: Subject::Request(RequestId(rand::random_range(0..1 << 53))),
        node_id: NodeId(node),
        lane: Lane::Short,
        spec: CommandSpec::Browse {
            path: "/filled".to_owned(),
        },
        after: Lease::NONE,
        not_before: now,
        expires_at: None,
    };
    queue.enqueue(command, now).await?;
    Ok(())
}
