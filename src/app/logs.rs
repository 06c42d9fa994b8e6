//! Logs: what agents and the master write about a run, with a limit on every line.

use crate::App;
use backupx_core::Result;
use backupx_core::domain::command::{Lease, Subject};
use backupx_core::domain::guard::Finding;
use backupx_core::domain::log::{Level, LogLine, StoredLine};
use backupx_core::domain::report::Failure;

/// Most bytes of a line.
const MAX_LINE: usize = 4096;
/// Most lines of one report: an agent batches far fewer.
const MAX_LINES: usize = 2000;
/// The number of the master's own line at the end of a run. Agents count from 1.
const END_LINE: i64 = -1;

impl App {
    /// Appends what an agent wrote: lines that it may number itself, cut to their limit.
    pub(crate) async fn append_log(
        &self,
        subject: Subject,
        lease: Lease,
        lines: Vec<LogLine>,
    ) -> Result<()> {
        let lines: Vec<LogLine> = lines
            .into_iter()
            .filter(|line| line.seq > 0)
            .take(MAX_LINES)
            .map(cut)
            .collect();
        if lines.is_empty() || matches!(subject, Subject::Request(_)) {
            return Ok(());
        }
        self.ports.logs.append(subject, lease, &lines).await
    }

    /// Up to `limit` lines behind the line `after`.
    pub(crate) async fn read_log(
        &self,
        subject: Subject,
        after: i64,
        limit: u32,
    ) -> Result<Vec<StoredLine>> {
        self.ports
            .logs
            .read(subject, after, limit.clamp(1, 1000))
            .await
    }

    /// The master's last line about a run. The end itself is stored, so a line that could not be written is only worth a warning.
    pub(crate) async fn note_end(
        &self,
        subject: Subject,
        lease: Lease,
        state: &str,
        failure: Option<&Failure>,
        odd: &[Finding],
    ) {
        let (level, message) = match failure {
            Some(failure) => (Level::Error, format!("{state}: {}", failure.message)),
            None => (Level::Info, state.to_owned()),
        };
        let at = self.now();
        let line = |seq, level, message| {
            cut(LogLine {
                seq,
                at,
                level,
                message,
            })
        };
        let mut lines: Vec<_> = (1..)
            .zip(odd.iter().rev())
            .map(|(back, finding)| line(END_LINE - back, Level::Warn, finding.message.clone()))
            .collect();
        lines.reverse();
        lines.push(line(END_LINE, level, message));
        if let Err(error) = self.ports.logs.append(subject, lease, &lines).await {
            tracing::warn!(%subject, error = error.chain(), "the last line of a log could not be written");
        }
    }
}

fn cut(mut line: LogLine) -> LogLine {
    if line.message.len() > MAX_LINE {
        let mut end = MAX_LINE - '…'.len_utf8();
        while !line.message.is_char_boundary(end) {
            end -= 1;
        }
        line.message.truncate(end);
        line.message.push('…');
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_are_cut_between_characters() {
        let line = cut(LogLine {
            seq: 1,
            at: chrono::DateTime::UNIX_EPOCH,
            level: Level::Info,
            message: "é".repeat(10_000),
        });
        assert!(line.message.len() <= MAX_LINE);
        assert!(line.message.ends_with("é…"));
    }
}
