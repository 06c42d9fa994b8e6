//! `backupx openapi`: the description of the API, as it is kept beside the console.

use super::output::print_text;
use anyhow::Result;
use std::process::ExitCode;

/// Prints the description.
pub(crate) fn run() -> Result<ExitCode> {
    print_text(&backupx_http::openapi_json())?;
    Ok(ExitCode::SUCCESS)
}
