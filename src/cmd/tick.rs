//! `backupx tick`: one pass of scheduler and sweeper, as a cron job or a Lambda schedule calls it.

use super::server;
use crate::config::ServerArgs;
use crate::wire;
use anyhow::Result;
use std::process::ExitCode;

/// Makes one pass and exits; 1 when a part of it failed.
pub(crate) async fn run(args: &ServerArgs) -> Result<ExitCode> {
    let app = wire::control_plane(&args.settle()?).await?;
    Ok(if server::pass(&app).await {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
