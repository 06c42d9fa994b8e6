//! The journal of a job: log lines on their way to the master, each kept until the master has it. Bounded, whatever happens.

use backupx_core::domain::log::{Level, LogLine};
use backupx_core::ports::clock::{Clock, SystemClock};
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Most lines of one report.
pub(super) const BATCH: usize = 200;
/// Longest message in bytes.
const LONGEST: usize = 4096;
/// Most bytes of messages that wait.
const MOST_BYTES: usize = 1 << 20;
/// Most lines that wait.
const MOST_LINES: usize = 5000;
/// What stands behind a message that was cut.
const CUT: &str = " …";

/// Lines that the master does not have yet.
#[derive(Debug, Default)]
pub(super) struct Journal(Mutex<Lines>);

#[derive(Debug, Default)]
struct Lines {
    waiting: VecDeque<LogLine>,
    bytes: usize,
    last_seq: i64,
    left_out: u64,
}

impl Journal {
    /// Adds a line. When the journal is full, lines that matter less give way, and the log says how many.
    pub(super) fn push(&self, level: Level, message: String) {
        self.lines().push(level, shorten(message));
    }

    /// The oldest lines, at most [`BATCH`]. They stay until [`Journal::acknowledge`], so a lost answer loses none, and keep their
    /// numbers, so the master ignores those that it has.
    pub(super) fn batch(&self) -> Vec<LogLine> {
        let mut lines = self.lines();
        lines.admit_gap();
        lines.waiting.iter().take(BATCH).cloned().collect()
    }

    /// Forgets the lines of a batch that the master took.
    pub(super) fn acknowledge(&self, batch: &[LogLine]) {
        let Some(last) = batch.last() else {
            return;
        };
        let mut lines = self.lines();
        while lines
            .waiting
            .front()
            .is_some_and(|line| line.seq <= last.seq)
        {
            lines.remove(0);
        }
    }

    /// True when more lines wait than go into one report.
    pub(super) fn is_long(&self) -> bool {
        self.lines().waiting.len() > BATCH
    }

    fn lines(&self) -> MutexGuard<'_, Lines> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lines {
    fn push(&mut self, level: Level, message: String) {
        while self.is_full(message.len()) {
            self.left_out += 1;
            match self.least_below(level) {
                Some(place) => self.remove(place),
                None => return,
            }
        }
        self.append(level, message);
    }

    fn append(&mut self, level: Level, message: String) {
        self.last_seq += 1;
        self.bytes += message.len();
        self.waiting.push_back(LogLine {
            seq: self.last_seq,
            at: SystemClock.now(),
            level,
            message,
        });
    }

    fn is_full(&self, more: usize) -> bool {
        self.waiting.len() >= MOST_LINES || self.bytes + more > MOST_BYTES
    }

    /// The oldest of the lines that matter least, if they matter less than `level`.
    fn least_below(&self, level: Level) -> Option<usize> {
        let (place, line) = self
            .waiting
            .iter()
            .enumerate()
            .min_by_key(|(_, line)| line.level)?;
        (line.level < level).then_some(place)
    }

    fn remove(&mut self, place: usize) {
        if let Some(line) = self.waiting.remove(place) {
            self.bytes -= line.message.len();
        }
    }

    /// Says how many lines were left out, once there is room to say it.
    fn admit_gap(&mut self) {
        if self.left_out > 0 && !self.is_full(LONGEST) {
            let message = format!(
                "{} lines of this log were left out because the master did not take them in time",
                self.left_out
            );
            self.left_out = 0;
            self.append(Level::Warn, message);
        }
    }
}

fn shorten(mut message: String) -> String {
    if message.len() > LONGEST {
        let end = message.floor_char_boundary(LONGEST - CUT.len());
        message.truncate(end);
        message.push_str(CUT);
    }
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    fn journal(lines: usize, level: Level) -> Journal {
        let journal = Journal::default();
        for n in 0..lines {
            journal.push(level, format!("line {n}"));
        }
        journal
    }

    #[test]
    fn lines_come_again_with_their_numbers_until_they_are_acknowledged() {
        let journal = journal(300, Level::Info);
        let first = journal.batch();
        assert_eq!((first.len(), first[0].seq, first[199].seq), (BATCH, 1, 200));
        assert_eq!(journal.batch(), first);
        journal.acknowledge(&first);
        assert_eq!(journal.batch()[0].seq, 201);
        assert!(!journal.is_long());
    }

    #[test]
    fn a_long_message_is_cut_to_four_kibibytes_of_whole_characters() {
        let journal = Journal::default();
        journal.push(Level::Info, "ü".repeat(5000));
        let message = &journal.batch()[0].message;
        assert!(
            message.len() <= LONGEST && message.ends_with("ü …"),
            "{}",
            message.len()
        );
    }

    #[test]
    fn a_full_journal_keeps_what_matters_and_says_what_it_left_out() {
        let journal = journal(MOST_LINES, Level::Info);
        for _ in 0..10 {
            journal.push(Level::Error, "it broke".to_owned());
        }
        journal.push(Level::Info, "chatter".to_owned());
        let mut all = Vec::new();
        loop {
            let batch = journal.batch();
            if batch.is_empty() {
                break;
            }
            journal.acknowledge(&batch);
            all.extend(batch);
        }
        let errors = all.iter().filter(|line| line.level == Level::Error).count();
        assert_eq!(errors, 10);
        assert!(all.len() <= MOST_LINES + 1);
        assert!(all.iter().any(|line| {
            line.message
                .starts_with("11 lines of this log were left out")
        }));
        assert!(all.is_sorted_by_key(|line| line.seq));
    }

    #[test]
    fn a_journal_is_bounded_in_bytes() {
        let journal = Journal::default();
        for _ in 0..MOST_LINES {
            journal.push(Level::Warn, "x".repeat(10_000));
        }
        assert!(journal.lines().bytes <= MOST_BYTES);
    }
}
