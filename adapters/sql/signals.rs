//! Signals: waiters of this process are woken directly, those of other masters through the database where it can carry a word.

use crate::SqlStores;
use crate::wakers::Waiter;
use async_trait::async_trait;
use backupx_core::Result;
use backupx_core::ports::signals::{Signals, Subscription, Topic};
use std::time::Duration;

#[async_trait]
impl Signals for SqlStores {
    async fn notify(&self, topic: Topic) -> Result<()> {
        self.wakers().wake(topic);
        if let Some(teller) = self.teller() {
            teller.tell(topic).await?;
        }
        Ok(())
    }

    fn wake(&self, topic: Topic) {
        self.wakers().wake(topic);
    }

    async fn subscribe(&self, topic: Topic) -> Result<Box<dyn Subscription>> {
        Ok(Box::new(self.wakers().register(topic)))
    }
}

#[async_trait]
impl Subscription for Waiter {
    async fn wait(&mut self, limit: Duration) {
        Waiter::wait(self, limit).await;
    }
}
