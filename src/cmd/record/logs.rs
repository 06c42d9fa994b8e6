//! Logs of records and operations, printed once or followed to their end.

use crate::cmd::client::{Client, problem};
use crate::cmd::output::{OutputFormat, instant, print_text, printable};
use anyhow::Result;
use backupx_api::logs::LogLine;
use backupx_api::page::Page;
use serde::Deserialize;
use std::process::ExitCode;
use std::time::Duration;

/// How often a followed log is asked for more.
const PAUSE: Duration = Duration::from_millis(700);

/// What is asked of a run while its log is followed.
#[derive(Deserialize)]
struct State {
    status: String,
}

/// Prints the log of the run at `path`: as JSON always one document, which grows while it is followed.
pub(crate) async fn run(
    client: &Client,
    output: OutputFormat,
    path: &str,
    follow: bool,
) -> Result<ExitCode> {
    let logs = format!("{path}/logs");
    if !follow {
        let page: Page<LogLine> = client.list(&logs, &[], usize::MAX).await?;
        output.print(&page, |page| {
            page.items.iter().map(text).collect::<Vec<_>>().join("\n")
        })?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut printer = Printer::new(output)?;
    let mut last = 0;
    loop {
        // The state is read before the lines, so that none of a finished run are missed.
        let state: Result<State> = client.get(path).await;
        let lines: Result<Vec<LogLine>> = behind(client, &logs, last).await;
        match (state, lines) {
            (Ok(state), Ok(lines)) => {
                for line in &lines {
                    last = last.max(line.id);
                    printer.print(line)?;
                }
                if is_final(&state.status) {
                    printer.finish()?;
                    return Ok(ExitCode::SUCCESS);
                }
            }
            (Err(error), _) | (_, Err(error)) if !problem::is_passing(&error) => return Err(error),
            // A master that is away for a moment is asked again.
            _ => {}
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Prints lines as they come.
struct Printer {
    output: OutputFormat,
    is_first: bool,
}

impl Printer {
    fn new(output: OutputFormat) -> Result<Self> {
        if output == OutputFormat::Json {
            print_text("{\"items\":[")?;
        }
        Ok(Self {
            output,
            is_first: true,
        })
    }

    fn print(&mut self, line: &LogLine) -> Result<()> {
        let comma = if self.is_first { "" } else { "," };
        self.is_first = false;
        match self.output {
            OutputFormat::Json => print_text(&format!("{comma}{}", serde_json::to_string(line)?)),
            OutputFormat::Table => print_text(&text(line)),
        }
    }

    fn finish(self) -> Result<()> {
        match self.output {
            OutputFormat::Json => print_text("],\"nextCursor\":null}"),
            OutputFormat::Table => Ok(()),
        }
    }
}

async fn behind(client: &Client, logs: &str, last: i64) -> Result<Vec<LogLine>> {
    let page: Page<LogLine> = client
        .get_with(
            logs,
            &[("limit", "500".to_owned()), ("cursor", last.to_string())],
        )
        .await?;
    Ok(page.items)
}

fn is_final(status: &str) -> bool {
    !matches!(status, "queued" | "running")
}

fn text(line: &LogLine) -> String {
    format!(
        "{}  {:5}  {}",
        instant(line.at),
        line.level,
        printable(&line.message)
    )
}
