//! A master in a storm: killed with SIGKILL at random moments, and started again whenever it is down, as a service manager does.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, ensure};

use crate::support::master::{Master, status_of};

/// How long a master lives, and how long it is missed.
const LIFE: std::ops::Range<Duration> = Duration::from_millis(1500)..Duration::from_secs(7);
const ABSENCE: std::ops::Range<Duration> = Duration::from_millis(50)..Duration::from_millis(1200);
/// The pause of a service manager before it starts again what ended by itself, as a master does that finds no database.
const RESTART: Duration = Duration::from_millis(300);
const LOOK: Duration = Duration::from_millis(50);
/// How soon after the storm the master must be ready.
const RECOVERY: Duration = Duration::from_secs(60);

/// Somebody who kills a master and starts it again until the storm is over.
pub(super) struct Supervisor {
    calm: Arc<AtomicBool>,
    thread: JoinHandle<Result<(Master, Fate)>>,
}

/// What a master went through.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Fate {
    /// How often it was killed.
    pub(super) kills: u32,
    /// How often it was started again, after a kill or because it had ended by itself.
    pub(super) restarts: u32,
}

impl Supervisor {
    /// Takes a running master over.
    pub(super) fn start(mut master: Master) -> Self {
        let calm = Arc::new(AtomicBool::new(false));
        let over = Arc::clone(&calm);
        let thread = thread::spawn(move || {
            let mut fate = Fate::default();
            while !over.load(Ordering::Relaxed) {
                live(&mut master, &over, &mut fate)?;
            }
            recover(&mut master, &mut fate)?;
            Ok((master, fate))
        });
        Self { calm, thread }
    }

    /// Ends the storm and answers the master, ready again.
    pub(super) fn end(self) -> Result<(Master, Fate)> {
        self.calm.store(true, Ordering::Relaxed);
        self.thread
            .join()
            .map_err(|_| anyhow!("a supervisor panicked"))?
    }
}

/// One life, up to its violent end and the start of the next.
fn live(master: &mut Master, over: &AtomicBool, fate: &mut Fate) -> Result<()> {
    let end = Instant::now() + rand::random_range(LIFE);
    while Instant::now() < end {
        if over.load(Ordering::Relaxed) {
            return Ok(());
        }
        keep_up(master, fate)?;
        thread::sleep(LOOK);
    }
    if master.id().is_some() {
        master.kill()?;
        fate.kills += 1;
        thread::sleep(rand::random_range(ABSENCE));
        master.launch()?;
        fate.restarts += 1;
    }
    Ok(())
}

fn keep_up(master: &mut Master, fate: &mut Fate) -> Result<()> {
    if master.has_ended()? {
        thread::sleep(RESTART);
        master.launch()?;
        fate.restarts += 1;
    }
    Ok(())
}

fn recover(master: &mut Master, fate: &mut Fate) -> Result<()> {
    let limit = Instant::now() + RECOVERY;
    while status_of(master.address(), "/ready") != Some(200) {
        keep_up(master, fate)?;
        ensure!(
            Instant::now() < limit,
            "a master did not recover from the storm:\n{}",
            master.last_words()
        );
        thread::sleep(LOOK);
    }
    Ok(())
}
