//! Following a run to its end: live progress on a terminal, plain lines elsewhere.

use super::{Client, problem};
use crate::cmd::display::Display;
use crate::cmd::failure::say;
use anyhow::Result;
use backupx_api::operations::Operation;
use backupx_api::records::{Progress, Record};
use serde::de::DeserializeOwned;
use std::time::Duration;
use tokio::time::Instant;

/// The first look comes soon, for short runs; later ones are rarer.
const SHORTEST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// How long a master may be away before following it is given up.
const PATIENCE: Duration = Duration::from_secs(300);

/// A run as it is followed.
pub(crate) trait Run: DeserializeOwned {
    /// What it is called in messages and as a sub-command.
    const WHAT: &'static str;
    /// Its list below `/api/v1`.
    const LIST: &'static str;
    /// Its state's name.
    fn status(&self) -> &'static str;
    /// True when nothing changes it any more.
    fn is_final(&self) -> bool;
    /// How far it is.
    fn progress(&self) -> Progress;
}

impl Run for Record {
    const WHAT: &'static str = "record";
    const LIST: &'static str = "/records";
    fn status(&self) -> &'static str {
        self.status.as_str()
    }
    fn is_final(&self) -> bool {
        self.status.is_final()
    }
    fn progress(&self) -> Progress {
        self.progress
    }
}

impl Run for Operation {
    const WHAT: &'static str = "operation";
    const LIST: &'static str = "/operations";
    fn status(&self) -> &'static str {
        self.status.as_str()
    }
    fn is_final(&self) -> bool {
        self.status.is_final()
    }
    fn progress(&self) -> Progress {
        self.progress
    }
}

/// Follows a run and answers it as it ended; nothing when the person stopped following it (the run goes on).
pub(crate) async fn to_the_end<R: Run>(client: &Client, id: i64) -> Result<Option<R>> {
    let mut display = Display::new();
    // Both branches may be dropped at any await: looking changes nothing, and the signal is only ever taken once.
    let ended = tokio::select! {
        ended = watch(client, id, &mut display) => Some(ended),
        _ = tokio::signal::ctrl_c() => None,
    };
    display.clear();
    match ended {
        Some(ended) => ended.map(Some),
        None => {
            let what = R::WHAT;
            say(&format!(
                "stopped following; {what} {id} goes on (`backupx {what} show {id}` looks, `backupx {what} cancel {id}` stops it)"
            ));
            Ok(None)
        }
    }
}

async fn watch<R: Run>(client: &Client, id: i64, display: &mut Display) -> Result<R> {
    let path = format!("{}/{id}", R::LIST);
    let mut pause = SHORTEST_PAUSE;
    let mut absent_since: Option<Instant> = None;
    loop {
        match client.get::<R>(&path).await {
            Ok(run) if run.is_final() => return Ok(run),
            Ok(run) => {
                absent_since = None;
                display.show(R::WHAT, id, run.status(), &run.progress());
            }
            Err(error) if problem::is_passing(&error) => {
                let since = *absent_since.get_or_insert_with(|| {
                    display.note(&format!("{error}; asking again"));
                    Instant::now()
                });
                if since.elapsed() > PATIENCE {
                    return Err(error);
                }
            }
            Err(error) => return Err(error),
        }
        tokio::time::sleep(pause).await;
        pause = pause.mul_f32(1.3).min(LONGEST_PAUSE);
    }
}
