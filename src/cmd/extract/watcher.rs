//! Watching work of this process: progress and warnings on standard error, and Ctrl-C to stop it.

use crate::cmd::display::Display;
use crate::cmd::output::printable;
use backupx_api::records::Progress;
use backupx_core::domain::log::Level;
use backupx_core::ports::observer::{Counters, Observer};
use backupx_core::ports::source::StopFlag;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// How often a person sees how far it is.
const INTERVAL: Duration = Duration::from_millis(200);
/// Lines that may wait to be shown; what is beyond them is left out.
const WAITING_LINES: usize = 1000;

/// Someone who looks on.
pub(crate) struct Watcher {
    eyes: Arc<Eyes>,
    over: CancellationToken,
    shown: JoinHandle<()>,
}

struct Eyes {
    counters: Counters,
    lines: mpsc::Sender<String>,
}

impl Observer for Eyes {
    fn counters(&self) -> &Counters {
        &self.counters
    }

    fn log(&self, level: Level, message: String) {
        let line = match level {
            Level::Debug | Level::Info => return,
            Level::Warn => format!("warning: {}", printable(&message)),
            Level::Error => format!("error: {}", printable(&message)),
        };
        // More lines than anybody reads at once are left out; the report counts them.
        let _ = self.lines.try_send(line);
    }
}

impl Watcher {
    /// Begins to look; Ctrl-C asks the work to stop.
    pub(crate) fn start(stop: StopFlag) -> Self {
        let (lines, mut arrived) = mpsc::channel(WAITING_LINES);
        let eyes = Arc::new(Eyes {
            counters: Counters::default(),
            lines,
        });
        let over = CancellationToken::new();
        let shown = tokio::spawn({
            let (eyes, over) = (Arc::clone(&eyes), over.clone());
            async move {
                let mut display = Display::new();
                loop {
                    // All branches are cancel-safe: a line stays in its channel, a signal and the end are seen at the next turn.
                    tokio::select! {
                        () = over.cancelled() => break,
                        Some(line) = arrived.recv() => display.note(&line),
                        _ = tokio::signal::ctrl_c() => {
                            display.note("stopping");
                            stop.stop();
                        }
                        () = tokio::time::sleep(INTERVAL) => {
                            display.show_own("extract", &Progress::from(eyes.counters.snapshot()));
                        }
                    }
                }
                while let Ok(line) = arrived.try_recv() {
                    display.note(&line);
                }
            }
        });
        Self { eyes, over, shown }
    }

    /// What the work is given to report to.
    pub(crate) fn observer(&self) -> Arc<dyn Observer> {
        Arc::clone(&self.eyes) as Arc<dyn Observer>
    }

    /// Shows what is left and ends.
    pub(crate) async fn end(self) {
        self.over.cancel();
        // The display only shows; if it broke down, the work has not.
        let _ = self.shown.await;
    }
}
