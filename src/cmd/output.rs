//! What commands print: one JSON document for scripts, tables and key-value views for people.

use anyhow::{Context, Result};
pub(crate) use backupx_core::domain::size::for_people as bytes;
use chrono::{DateTime, Local, Utc};
use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use serde::Serialize;
use std::io::{ErrorKind, IsTerminal, Write};
use std::time::Duration;

/// How results are printed on standard output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub(crate) enum OutputFormat {
    /// Tables for people.
    #[default]
    Table,
    /// One JSON document.
    Json,
}

impl OutputFormat {
    /// Prints `value` as JSON, or what `view` makes of it.
    pub(crate) fn print<T: Serialize + ?Sized>(
        self,
        value: &T,
        view: impl FnOnce(&T) -> String,
    ) -> Result<()> {
        match self {
            Self::Json => print_json(value),
            Self::Table => print_text(&view(value)),
        }
    }

    /// Says that something was done: a line for people on standard error, `value` for scripts on standard output.
    pub(crate) fn done<T: Serialize + ?Sized>(self, value: &T, sentence: &str) -> Result<()> {
        match self {
            Self::Json => print_json(value),
            Self::Table => {
                super::failure::say(sentence);
                Ok(())
            }
        }
    }
}

/// Prints one JSON document.
pub(crate) fn print_json<T: Serialize + ?Sized>(value: &T) -> Result<()> {
    let text =
        serde_json::to_string_pretty(value).context("the answer could not be written as JSON")?;
    print_text(&text)
}

/// Prints text and a line end. A reader that has gone (`| head`) is no failure.
pub(crate) fn print_text(text: &str) -> Result<()> {
    let mut stdout = std::io::stdout().lock();
    let written = stdout
        .write_all(text.trim_end_matches('\n').as_bytes())
        .and_then(|()| stdout.write_all(b"\n"))
        .and_then(|()| stdout.flush());
    match written {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        other => other.context("standard output can't be written"),
    }
}

/// A table with aligned columns and no lines; columns named in `numbers` are set to the right.
pub(crate) fn table<const N: usize>(
    head: [&str; N],
    numbers: &[&str],
    rows: impl IntoIterator<Item = [String; N]>,
) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(head.map(str::to_uppercase));
    for row in rows {
        table.add_row(row.map(|cell| printable(&cell)));
    }
    for (position, name) in head.iter().enumerate() {
        if let Some(column) = table.column_mut(position) {
            column.set_padding((0, 2));
            if numbers.contains(name) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
    }
    trim_lines(&table.to_string())
}

/// Names and values below each other.
pub(crate) fn key_values(pairs: &[(&str, String)]) -> String {
    let width = pairs
        .iter()
        .map(|(name, _)| name.chars().count())
        .max()
        .unwrap_or(0);
    pairs
        .iter()
        .map(|(name, value)| {
            let value = value.split('\n').map(printable).collect::<Vec<_>>();
            format!(
                "{name:width$}  {}",
                value.join(&format!("\n{:width$}  ", ""))
            )
        })
        .collect::<Vec<_>>()
        .join("\n")
}

/// Text from elsewhere without what a terminal would obey.
pub(crate) fn printable(text: &str) -> String {
    text.chars()
        .map(|c| {
            if c.is_control() && c != '\t' {
                '\u{fffd}'
            } else {
                c
            }
        })
        .collect()
}

/// A time span for people: `0.4 s`, `12 s`, `3 min 5 s`, `2 h 4 min`.
pub(crate) fn span(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0..10 => format!("{:.1} s", duration.as_secs_f64()),
        10..60 => format!("{seconds} s"),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        3600..86_400 => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
        _ => format!("{} d {} h", seconds / 86_400, seconds % 86_400 / 3600),
    }
}

/// The span between two instants, nothing when the second is missing.
pub(crate) fn between(from: Option<DateTime<Utc>>, to: Option<DateTime<Utc>>) -> String {
    match (from, to) {
        (Some(from), Some(to)) => span((to - from).to_std().unwrap_or_default()),
        _ => "-".to_owned(),
    }
}

/// An instant in the reader's time zone.
pub(crate) fn instant(at: DateTime<Utc>) -> String {
    at.with_timezone(&Local)
        .format("%Y-%m-%d %H:%M:%S")
        .to_string()
}

/// An instant, or `-`.
pub(crate) fn instant_or_dash(at: Option<DateTime<Utc>>) -> String {
    at.map_or_else(|| "-".to_owned(), instant)
}

/// The text, or `-` when there is none.
pub(crate) fn or_dash(text: impl Into<String>) -> String {
    let text = text.into();
    if text.is_empty() {
        "-".to_owned()
    } else {
        text
    }
}

/// `yes` or `no`.
pub(crate) fn yes_no(yes: bool) -> String {
    if yes { "yes" } else { "no" }.to_owned()
}

/// True when a person watches standard error.
pub(crate) fn is_watched() -> bool {
    std::io::stderr().is_terminal()
}

fn trim_lines(text: &str) -> String {
    text.lines()
        .map(str::trim_end)
        .collect::<Vec<_>>()
        .join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_spans_are_for_people() {
        assert_eq!(bytes(1023), "1023 B");
        assert_eq!(bytes(1024), "1.00 KiB");
        assert_eq!(bytes(1_500_000_000), "1.40 GiB");
        assert_eq!(bytes(u64::MAX), "16.0 EiB");
        assert_eq!(span(Duration::from_millis(350)), "0.3 s");
        assert_eq!(span(Duration::from_secs(185)), "3 min 5 s");
        assert_eq!(span(Duration::from_secs(90_000)), "1 d 1 h");
    }

    #[test]
    fn tables_are_aligned_and_obey_nobody() {
        let text = table(
            ["name", "size"],
            &["size"],
            [
                ["a".to_owned(), "1 B".to_owned()],
                ["long\u{1b}[31m".to_owned(), "10 B".to_owned()],
            ],
        );
        assert_eq!(
            text,
            "NAME       SIZE\na           1 B\nlong\u{fffd}[31m  10 B"
        );
    }

    #[test]
    fn key_values_keep_further_lines_in_their_column() {
        assert_eq!(
            key_values(&[("id", "1".to_owned()), ("paths", "/a\n/b".to_owned())]),
            "id     1\npaths  /a\n       /b"
        );
    }
}
