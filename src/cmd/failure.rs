//! Failures at the command line: how an error is said to a person, and which exit code it has.

use std::fmt;
use std::io::Write;
use std::process::ExitCode;

/// It failed.
pub(crate) const FAILED: u8 = 1;
/// It was asked for wrongly.
pub(crate) const WRONG_USAGE: u8 = 2;

/// Something that can be seen to be wrong before anything is asked of a master.
#[derive(Debug)]
pub(crate) struct Usage(pub(crate) String);

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Usage {}

/// A wrong usage as an error.
pub(crate) fn usage(message: impl Into<String>) -> anyhow::Error {
    anyhow::Error::new(Usage(message.into()))
}

/// What to do about an error, said below it.
#[derive(Debug)]
pub(crate) struct Hint {
    /// What happened.
    pub(crate) message: String,
    /// What to do, each a line.
    pub(crate) hints: Vec<String>,
}

impl Hint {
    /// An error with one line of what to do.
    pub(crate) fn error(message: impl Into<String>, hint: impl Into<String>) -> anyhow::Error {
        anyhow::Error::new(Self {
            message: message.into(),
            hints: vec![hint.into()],
        })
    }
}

impl fmt::Display for Hint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Hint {}

/// Says an error with its causes and what to do about it, and answers the exit code.
pub(crate) fn report(error: &anyhow::Error) -> ExitCode {
    say(&describe(error));
    let wrong_usage = error.chain().any(<dyn std::error::Error>::is::<Usage>);
    ExitCode::from(if wrong_usage { WRONG_USAGE } else { FAILED })
}

/// Writes a line to standard error. A closed standard error is nobody's loss.
pub(crate) fn say(line: &str) {
    // Nobody is left to be told when standard error is closed.
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}

fn describe(error: &anyhow::Error) -> String {
    let mut sentence = String::new();
    let mut hints = error
        .downcast_ref::<Hint>()
        .map_or_else(Vec::new, |hint| hint.hints.clone());
    for cause in error.chain() {
        let text = cause.to_string();
        // A wrapper that already quotes its cause is not said twice.
        if !sentence.ends_with(&text) {
            if !sentence.is_empty() {
                sentence.push_str(": ");
            }
            sentence.push_str(&text);
        }
        if let Some(hint) = cause.downcast_ref::<Hint>()
            && !hints.ends_with(&hint.hints)
        {
            hints.extend(hint.hints.iter().cloned());
        }
    }
    let mut text = format!("error: {sentence}");
    for hint in hints {
        text.push_str("\n  hint: ");
        text.push_str(&hint);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::Context;

    #[test]
    fn a_hint_around_an_error_is_said_as_well() {
        let inner = std::io::Error::other("no answer");
        let hint = Hint {
            message: "no answer".to_owned(),
            hints: vec!["ask again".to_owned()],
        };
        let error = anyhow::Error::new(inner).context(hint);
        assert_eq!(describe(&error), "error: no answer\n  hint: ask again");
    }

    #[test]
    fn causes_and_hints_are_said_once() {
        let error: anyhow::Error = Hint::error(
            "task \"x\" was not found",
            "`backupx task ls` names all tasks",
        );
        let error = Err::<(), _>(error)
            .context("running the task")
            .expect_err("an error");
        assert_eq!(
            describe(&error),
            "error: running the task: task \"x\" was not found\n  hint: `backupx task ls` names all tasks"
        );
    }
}
