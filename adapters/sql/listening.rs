//! Listening: how masters hear each other through Postgres itself, on one connection each that is made again when it breaks.

use crate::wakers::Wakers;
use sqlx::postgres::{PgListener, PgNotification};
use std::time::Duration;

/// A channel that was silent for so long is asked whether it still stands: a broken connection may look like a quiet one.
const SILENCE: Duration = Duration::from_secs(15);
/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(5);
/// The pause before the first new try; it doubles up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Where to listen and to whom not.
#[derive(Debug, Clone)]
pub(crate) struct Channel {
    /// The server.
    pub(crate) url: String,
    /// The channel's name.
    pub(crate) name: String,
    /// Who speaks in this process.
    pub(crate) own: String,
}

impl Channel {
    /// A connection that hears the channel.
    pub(crate) async fn listener(&self) -> Result<PgListener, sqlx::Error> {
        let mut listener = PgListener::connect(&self.url).await?;
        // Made anew here, so that there is one place that catches up.
        listener.eager_reconnect(false);
        listener.listen(&self.name).await?;
        Ok(listener)
    }

    /// Passes what other masters say on to the waiters of this one, for ever. After an interruption everybody is woken once the channel is
    /// heard again: nobody knows what was missed.
    pub(crate) async fn listen(self, first: PgListener, wakers: Wakers) {
        let mut connected = Some(first);
        loop {
            if let Some(listener) = connected.take() {
                self.hear(listener, &wakers).await;
                tracing::warn!(
                    "the signals of other masters can't be heard: the database is gone, trying again"
                );
            }
            let mut pause = FIRST_PAUSE;
            while connected.is_none() {
                tokio::time::sleep(pause.mul_f64(rand::random_range(0.5..=1.0))).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
                // Tried again below, and the first loss was logged.
                connected = tokio::time::timeout(PATIENCE, self.listener())
                    .await
                    .ok()
                    .and_then(Result::ok);
            }
            tracing::info!("the signals of other masters are heard again");
            wakers.wake_all();
        }
    }

    /// Returns when the connection is lost.
    async fn hear(&self, mut listener: PgListener, wakers: &Wakers) {
        loop {
            // What was read half-way stays in the listener when the time is over.
            match tokio::time::timeout(SILENCE, listener.try_recv()).await {
                Ok(Ok(Some(notification))) => self.pass_on(&notification, wakers),
                Ok(Ok(None) | Err(_)) => return,
                Err(_) => {
                    let asked = sqlx::raw_sql("SELECT 1").execute(&mut listener);
                    match tokio::time::timeout(PATIENCE, asked).await {
                        Ok(Ok(_)) => {}
                        Ok(Err(_)) | Err(_) => return,
                    }
                }
            }
        }
    }

    fn pass_on(&self, notification: &PgNotification, wakers: &Wakers) {
        // What a newer master may say is passed over.
        if let Some((sender, topic)) = notification.payload().split_once(' ')
            && sender != self.own
            && let Ok(topic) = topic.parse()
        {
            wakers.wake(topic);
        }
    }
}
