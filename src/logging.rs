//! Log lines of the process: to standard error, so that standard output stays the commands' own.

use crate::config::{LogFormat, LogSettings};
use std::io::IsTerminal;
use tracing_subscriber::EnvFilter;

/// Starts logging. Called once, before anything is logged.
pub(crate) fn start(settings: &LogSettings) {
    let lines = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(&settings.filter))
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false)
        // Whoever read standard error may have gone: that must not end the process, as telling standard error of it would.
        .log_internal_errors(false);
    match settings.format {
        LogFormat::Text => lines.init(),
        LogFormat::Json => lines.json().flatten_event(true).init(),
    }
}
