//! What a person sees of a run on standard error: one moving line on a terminal, plain lines elsewhere.

use super::failure::say;
use super::output;
use backupx_api::records::{Phase, Progress};
use indicatif::{ProgressBar, ProgressStyle};
use std::time::Duration;
use tokio::time::Instant;

/// How often a line is said where nobody watches a bar.
const LINE_INTERVAL: Duration = Duration::from_secs(10);

/// What a person sees of a run on standard error.
pub(crate) struct Display {
    bar: Option<ProgressBar>,
    began: Instant,
    said: Option<(String, Instant)>,
}

impl Display {
    /// A bar on a terminal, lines elsewhere.
    pub(crate) fn new() -> Self {
        let bar = output::is_watched().then(|| {
            let bar = ProgressBar::new_spinner();
            bar.set_style(spinner_style());
            bar.enable_steady_tick(Duration::from_millis(120));
            bar
        });
        Self {
            bar,
            began: Instant::now(),
            said: None,
        }
    }

    /// Shows how far a run is.
    pub(crate) fn show(&mut self, what: &str, id: i64, status: &str, progress: &Progress) {
        let line = format!("{what} {id}  {}", self.describe(status, progress));
        self.line(status, line);
    }

    /// Shows how far work of this process is.
    pub(crate) fn show_own(&mut self, what: &str, progress: &Progress) {
        let line = format!("{what}  {}", self.describe("running", progress));
        self.line(what, line);
    }

    /// Ends with a line about what was done, and how long it took.
    pub(crate) fn end(mut self, what: &str) {
        self.clear();
        say(&format!(
            "{what} took {}",
            output::span(self.began.elapsed())
        ));
    }

    /// Says something beside the progress.
    pub(crate) fn note(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| say(line)),
            None => say(line),
        }
    }

    /// Takes the bar away.
    pub(crate) fn clear(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }

    fn line(&mut self, state: &str, line: String) {
        if let Some(bar) = &self.bar {
            bar.set_message(line);
            return;
        }
        let due = self
            .said
            .as_ref()
            .is_none_or(|(said, at)| said != state || at.elapsed() >= LINE_INTERVAL);
        if due {
            say(&line);
            self.said = Some((state.to_owned(), Instant::now()));
        }
    }

    fn describe(&self, status: &str, progress: &Progress) -> String {
        if status == "queued" {
            return "queued, waits for its node".to_owned();
        }
        let phase = match progress.phase {
            Phase::Waiting | Phase::Preparing => "preparing",
            Phase::Transferring => "",
            Phase::Confirming => "confirming",
            Phase::Done => "done",
        };
        let mut parts = Vec::new();
        if !phase.is_empty() {
            parts.push(phase.to_owned());
        }
        parts.push(match progress.total_bytes {
            Some(total) => format!(
                "{} of {}",
                output::bytes(progress.bytes),
                output::bytes(total)
            ),
            None => output::bytes(progress.bytes),
        });
        parts.push(match progress.total_files {
            Some(total) => format!("{} of {total} files", progress.files),
            None => format!("{} files", progress.files),
        });
        let elapsed = self.began.elapsed();
        if let Some(speed) = per_second(progress.bytes, elapsed) {
            parts.push(format!("{}/s", output::bytes(speed)));
            if let Some(left) = progress
                .total_bytes
                .and_then(|total| total.checked_sub(progress.bytes))
                .filter(|left| *left > 0 && speed > 0)
            {
                let eta = Duration::from_secs(left.div_ceil(speed));
                parts.push(format!("{} left", output::span(eta)));
            }
        }
        parts.join("  ")
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        self.clear();
    }
}

/// Average speed, once there is enough to tell.
fn per_second(bytes: u64, elapsed: Duration) -> Option<u64> {
    let millis = u64::try_from(elapsed.as_millis()).ok()?;
    (millis >= 300 && bytes > 0).then(|| bytes.saturating_mul(1000) / millis)
}

fn spinner_style() -> ProgressStyle {
    ProgressStyle::with_template("{spinner} {elapsed_precise}  {wide_msg}")
        .unwrap_or_else(|_| ProgressStyle::default_spinner())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speed_needs_some_time() {
        assert_eq!(per_second(1000, Duration::from_millis(100)), None);
        assert_eq!(per_second(1000, Duration::from_secs(2)), Some(500));
    }
}
