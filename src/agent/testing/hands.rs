//! Hands that do what a test tells them instead of moving data.

use crate::runtime::Job;
use crate::work::Hands;
use async_trait::async_trait;
use backupx_core::domain::id::CommandId;
use backupx_core::domain::log::Level;
use backupx_core::domain::report::{Listing, Report};
use backupx_core::domain::work::Work;
use backupx_core::ports::observer::Observer;
use backupx_core::{Error, Result};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How a command goes.
#[derive(Debug, Clone)]
pub(super) enum Play {
    /// Works until the test says [`Played::release`] or it is asked to stop.
    Obedient,
    /// Never ends and does not look at the stop flag.
    Stuck,
    /// Ends well after this long.
    Takes(Duration),
    /// Logs so many lines at once, then ends well.
    Logs(usize),
    /// Ends with this report at once.
    Reports(Report),
    /// Breaks down.
    Panics,
}

/// What the hands did.
#[derive(Debug, Default)]
pub(super) struct Played {
    plays: BTreeMap<CommandId, Play>,
    released: Vec<CommandId>,
    /// Every beginning, in order.
    pub(super) started: Vec<CommandId>,
    /// Those that saw their stop flag.
    pub(super) stopped: Vec<CommandId>,
    /// Those whose future is gone, whatever the reason.
    pub(super) gone: Vec<CommandId>,
}

/// The hands.
#[derive(Debug, Default)]
pub(super) struct Actor(Mutex<Played>);

impl Actor {
    pub(super) fn played(&self) -> MutexGuard<'_, Played> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How `command` goes; without a word it is [`Play::Obedient`].
    pub(super) fn play(&self, command: i64, play: Play) {
        self.played().plays.insert(CommandId(command), play);
    }

    /// Lets an obedient command end well.
    pub(super) fn release(&self, command: i64) {
        self.played().released.push(CommandId(command));
    }
}

/// Notes when the work is dropped or done.
struct Gone<'a>(&'a Actor, CommandId);

impl Drop for Gone<'_> {
    fn drop(&mut self) {
        self.0.played().gone.push(self.1);
    }
}

#[async_trait]
impl Hands for Actor {
    async fn carry_out(&self, _work: Work, job: Arc<Job>) -> Result<Report> {
        let command = job.command();
        let play = {
            let mut played = self.played();
            played.started.push(command);
            played.plays.get(&command).cloned()
        };
        let _gone = Gone(self, command);
        match play.unwrap_or(Play::Obedient) {
            Play::Obedient => {
                while !self.played().released.contains(&command) {
                    if job.stop_flag().is_stopped() {
                        self.played().stopped.push(command);
                        return Err(Error::conflict("cancelled", "stopped"));
                    }
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
            Play::Stuck => std::future::pending().await,
            Play::Takes(long) => tokio::time::sleep(long).await,
            Play::Logs(lines) => {
                for line in 0..lines {
                    job.log(Level::Info, format!("line {line}"));
                }
            }
            Play::Reports(report) => return Ok(report),
            Play::Panics => panic!("as the test wants it"),
        }
        Ok(Report::Browse(Listing::default()))
    }
}
