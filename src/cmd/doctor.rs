//! `backupx doctor`: looks at what can be looked at from here, and says what to do about what is not right.

mod host;
mod master;

use super::failure::FAILED;
use super::output::{OutputFormat, table};
use anyhow::Result;
use serde::Serialize;
use std::process::ExitCode;

/// Doctor takes no settings beside those of the other commands.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

/// How something was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
enum Verdict {
    Ok,
    Warning,
    Failed,
}

/// One thing that was looked at.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Finding {
    check: &'static str,
    verdict: Verdict,
    message: String,
}

/// All that was found.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Findings {
    version: &'static str,
    ok: bool,
    checks: Vec<Finding>,
}

/// Looks and prints.
pub(crate) async fn run(_: Args, output: OutputFormat) -> Result<ExitCode> {
    let mut checks = host::look();
    checks.extend(master::look().await);
    let ok = checks
        .iter()
        .all(|finding| finding.verdict != Verdict::Failed);
    let findings = Findings {
        version: env!("CARGO_PKG_VERSION"),
        ok,
        checks,
    };
    output.print(&findings, view)?;
    Ok(if ok {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(FAILED)
    })
}

impl Finding {
    fn ok(check: &'static str, message: impl Into<String>) -> Self {
        Self {
            check,
            verdict: Verdict::Ok,
            message: message.into(),
        }
    }

    fn warning(check: &'static str, message: impl Into<String>) -> Self {
        Self {
            check,
            verdict: Verdict::Warning,
            message: message.into(),
        }
    }

    fn failed(check: &'static str, message: impl Into<String>) -> Self {
        Self {
            check,
            verdict: Verdict::Failed,
            message: message.into(),
        }
    }
}

fn view(findings: &Findings) -> String {
    let rows = table(
        ["check", "verdict", "found"],
        &[],
        findings.checks.iter().map(|finding| {
            let verdict = match finding.verdict {
                Verdict::Ok => "ok",
                Verdict::Warning => "warning",
                Verdict::Failed => "FAILED",
            };
            [
                finding.check.to_owned(),
                verdict.to_owned(),
                finding.message.clone(),
            ]
        }),
    );
    let end = if findings.ok {
        "Nothing stands in the way."
    } else {
        "Something stands in the way, see above."
    };
    format!("backupx {}\n\n{rows}\n\n{end}", findings.version)
}
