//! Telling: wake-ups for other masters that several callers want to send at the same time go in one statement.
//!
//! Nothing is delayed for company: what comes while one statement is under way makes the next one.

use crate::batch::{ended, repeated};
use crate::connections::Connections;
use crate::postgres::Channel;
use backupx_core::Result;
use backupx_core::ports::signals::Topic;
use std::collections::BTreeSet;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

/// Most wake-ups of one statement.
const MOST: usize = 512;
/// Wake-ups that may wait; who comes then waits for a place.
const WAITING: usize = 4096;

struct Job {
    topic: Topic,
    told: oneshot::Sender<Result<()>>,
}

/// The way to the other masters.
#[derive(Debug)]
pub(crate) struct Teller {
    jobs: mpsc::Sender<Job>,
    /// Ends with the stores.
    _telling: JoinSet<()>,
}

impl Teller {
    /// Tells through `channel`.
    pub(crate) fn new(connections: &Connections, channel: Channel) -> Self {
        let (jobs, waiting) = mpsc::channel(WAITING);
        let mut telling = JoinSet::new();
        telling.spawn(tell(connections.clone(), channel, waiting));
        Self {
            jobs,
            _telling: telling,
        }
    }

    /// Tells other masters; returns when it is said.
    pub(crate) async fn tell(&self, topic: Topic) -> Result<()> {
        let (told, answer) = oneshot::channel();
        let job = Job { topic, told };
        self.jobs.send(job).await.map_err(|_| ended())?;
        answer.await.map_err(|_| ended())?
    }
}

async fn tell(connections: Connections, channel: Channel, mut waiting: mpsc::Receiver<Job>) {
    let mut batch = Vec::new();
    while waiting.recv_many(&mut batch, MOST).await > 0 {
        let topics: BTreeSet<String> = batch.iter().map(|job| job.topic.to_string()).collect();
        match channel.tell(&connections, &topics).await {
            Ok(()) => {
                for job in batch.drain(..) {
                    job.told.send(Ok(())).ok(); // Whoever asked may be gone.
                }
            }
            Err(why) => {
                for (job, error) in batch.drain(..).zip(repeated(why)) {
                    job.told.send(Err(error)).ok(); // Whoever asked may be gone.
                }
            }
        }
    }
}
