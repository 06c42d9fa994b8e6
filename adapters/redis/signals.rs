//! Signals: waiters of this process are woken directly, those of other masters through one channel that each master listens to.

use crate::RedisStores;
use crate::wakers::Wakers;
use async_trait::async_trait;
use backupx_core::Result;
use backupx_core::ports::signals::{Signals, Subscription, Topic};
use deadpool_redis::redis::aio::PubSub;
use deadpool_redis::redis::{Client, Msg, RedisResult, Value, cmd};
use futures::StreamExt;
use std::time::Duration;

/// A channel that was silent for so long is asked whether it still stands: a broken connection may look like a quiet one.
const SILENCE: Duration = Duration::from_secs(15);
/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(5);
/// The pause before the first new try; it doubles up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Where masters tell each other of changes.
#[derive(Debug, Clone)]
pub(crate) struct Channel {
    name: String,
    /// Who speaks: a master has woken its own waiters already and does not listen to itself.
    sender: String,
}

impl Channel {
    /// The channel behind this prefix, for a master that has just started.
    pub(crate) fn new(prefix: &str) -> Self {
        Self {
            name: format!("{prefix}:signals"),
            sender: format!("{:016x}", rand::random::<u64>()),
        }
    }

    /// What another master says; nothing for our own words and for what a newer master may say.
    fn heard(&self, message: &Msg) -> Option<Topic> {
        let payload: String = message.get_payload().ok()?;
        let (sender, topic) = payload.split_once(' ')?;
        (sender != self.sender).then(|| topic.parse().ok())?
    }
}

#[async_trait]
impl Signals for RedisStores {
    async fn notify(&self, topic: Topic) -> Result<()> {
        self.wakers().wake(topic);
        let channel = self.channel();
        let payload = format!("{} {topic}", channel.sender);
        self.ask(cmd("PUBLISH").arg(&channel.name).arg(payload))
            .await
    }

    fn wake(&self, topic: Topic) {
        self.wakers().wake(topic);
    }

    async fn subscribe(&self, topic: Topic) -> Result<Box<dyn Subscription>> {
        Ok(Box::new(self.wakers().register(topic)))
    }
}

/// A connection that hears the channel.
pub(crate) async fn subscriber(client: &Client, channel: &Channel) -> RedisResult<PubSub> {
    let mut subscriber = client.get_async_pubsub().await?;
    subscriber.subscribe(&channel.name).await?;
    Ok(subscriber)
}

/// Passes what other masters say on to the waiters of this one, for ever. After an interruption everybody is woken: nobody knows what
/// was missed.
pub(crate) async fn listen(client: Client, first: PubSub, channel: Channel, wakers: Wakers) {
    let mut connected = Some(first);
    loop {
        if let Some(subscriber) = connected.take() {
            hear(subscriber, &channel, &wakers).await;
            tracing::warn!(
                "the signals of other masters can't be heard: Redis is gone, trying again"
            );
        }
        let mut pause = FIRST_PAUSE;
        while connected.is_none() {
            tokio::time::sleep(pause.mul_f64(rand::random_range(0.5..=1.0))).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
            // Tried again below, and the first loss was logged.
            connected = tokio::time::timeout(PATIENCE, subscriber(&client, &channel))
                .await
                .ok()
                .and_then(RedisResult::ok);
        }
        tracing::info!("the signals of other masters are heard again");
        wakers.wake_all();
    }
}

/// Returns when the connection is lost.
async fn hear(subscriber: PubSub, channel: &Channel, wakers: &Wakers) {
    let (mut sink, mut messages) = subscriber.split();
    loop {
        match tokio::time::timeout(SILENCE, messages.next()).await {
            Ok(Some(message)) => {
                if let Some(topic) = channel.heard(&message) {
                    wakers.wake(topic);
                }
            }
            Ok(None) => return,
            Err(_) => match tokio::time::timeout(PATIENCE, sink.ping::<Value>()).await {
                Ok(Ok(_)) => {}
                Ok(Err(_)) | Err(_) => return,
            },
        }
    }
}
