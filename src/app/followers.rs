//! Followers: tasks that run when others succeeded. Driven by the outbox, so each step may come twice and counts once.

use crate::App;
use backupx_core::Result;
use backupx_core::domain::id::{EventId, TaskId};
use backupx_core::domain::page::PageRequest;
use backupx_core::domain::record::Trigger;
use backupx_core::domain::task::Task;

impl App {
    /// Tells every task that waits for `upstream` of its success, and makes the runs of those that wait for nothing more.
    pub(crate) async fn run_followers(&self, event: EventId, upstream: TaskId) -> Result<()> {
        let mut page = PageRequest::first(PageRequest::MAX_LIMIT);
        loop {
            let followers = self.ports.tasks.followers(upstream, page).await?;
            for task in &followers.items {
                self.run_follower(event, upstream, task).await?;
            }
            match followers.next {
                Some(next) => page.after = Some(next),
                None => return Ok(()),
            }
        }
    }

    async fn run_follower(&self, event: EventId, upstream: TaskId, task: &Task) -> Result<()> {
        let Some(after) = &task.spec.after else {
            return Ok(());
        };
        let now = self.now();
        let rests = task.pause.as_ref().is_some_and(|pause| pause.until > now);
        if !task.enabled || rests {
            return Ok(());
        }
        let record = self.new_record(task, Trigger::After).await?;
        let made = self
            .ports
            .tasks
            .follow(task.id, upstream, event, after.when, record)
            .await?;
        let Some(id) = made else {
            return Ok(());
        };
        tracing::info!(
            task.id = task.id.0,
            record.id = id.0,
            upstream = upstream.0,
            "a run was queued after another task"
        );
        // The record is written; should this fail, the sweep puts the command in.
        match self.ports.records.get(id).await? {
            Some(record) => self.enqueue_record(&record).await,
            None => Ok(()),
        }
    }
}
