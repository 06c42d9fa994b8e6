//! Live progress of a run on standard error: one moving line on a terminal, a line at the end elsewhere.

use super::failure::say;
use super::output::{bytes, is_watched, span};
use backupx_core::domain::progress::Progress;
use indicatif::{ProgressBar, ProgressStyle};
use std::cell::Cell;
use std::time::{Duration, Instant};

/// A run that somebody watches.
pub(crate) struct Live {
    doing: String,
    bar: Option<ProgressBar>,
    begun: Instant,
    last: Cell<Progress>,
}

impl Live {
    /// Begins a line that says what is being done.
    pub(crate) fn new(doing: &str) -> Self {
        let bar = is_watched().then(|| {
            let bar = ProgressBar::new_spinner();
            if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}") {
                bar.set_style(style);
            }
            bar.enable_steady_tick(Duration::from_millis(120));
            bar.set_message(doing.to_owned());
            bar
        });
        Self {
            doing: doing.to_owned(),
            bar,
            begun: Instant::now(),
            last: Cell::default(),
        }
    }

    /// Shows how far it is.
    pub(crate) fn show(&self, progress: &Progress) {
        self.last.set(*progress);
        if let Some(bar) = &self.bar {
            bar.set_message(format!(
                "{}  {}",
                self.doing,
                figures(progress, self.begun.elapsed())
            ));
        }
    }

    /// Ends the line and leaves what came of it.
    pub(crate) fn end(self, took: Duration) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        let progress = self.last.get();
        let done = if progress.files > 0 {
            format!(": {} files, {}", progress.files, bytes(progress.bytes))
        } else {
            String::new()
        };
        say(&format!("{}{done} in {}", self.doing, span(took)));
    }
}

/// Bytes, files, speed and, once the total is known, the time that is left.
fn figures(progress: &Progress, elapsed: Duration) -> String {
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "figures for people"
    )]
    let per_second = (progress.bytes as f64 / elapsed.as_secs_f64().max(0.001)) as u64;
    let of_total = progress
        .total_bytes
        .map(|total| format!(" of {}", bytes(total)))
        .unwrap_or_default();
    let left = progress
        .total_bytes
        .filter(|_| per_second > 0)
        .map(|total| {
            format!(
                ", {} left",
                span(Duration::from_secs(
                    total.saturating_sub(progress.bytes) / per_second
                ))
            )
        })
        .unwrap_or_default();
    format!(
        "{}{of_total}, {} files, {}/s{left}",
        bytes(progress.bytes),
        progress.files,
        bytes(per_second)
    )
}
