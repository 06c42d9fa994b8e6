//! The output file: a line an answer, written through as soon as it is true.

use super::protocol::Answer;
use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};

/// Where answers go.
pub(super) struct Answers {
    output: Mutex<Written>,
}

struct Written {
    output: Box<dyn Write + Send>,
    failure: Option<io::Error>,
}

impl Answers {
    pub(super) fn new(output: Box<dyn Write + Send>) -> Self {
        Self {
            output: Mutex::new(Written {
                output,
                failure: None,
            }),
        }
    }

    /// Writes an answer. After one that could not be written whole nothing more is: a database must not read the rest of a line as another.
    pub(super) fn say(&self, answer: &Answer<'_>) {
        let mut written = self.output.lock().unwrap_or_else(PoisonError::into_inner);
        if written.failure.is_some() {
            return;
        }
        let line = answer.line();
        let done = written
            .output
            .write_all(line.as_bytes())
            .and_then(|()| written.output.flush());
        written.failure = done.err();
    }

    /// Why not everything was written, when that is so. It is said once.
    pub(super) fn failure(&self) -> Option<io::Error> {
        let mut written = self.output.lock().unwrap_or_else(PoisonError::into_inner);
        written.failure.take()
    }
}
