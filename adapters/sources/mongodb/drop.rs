//! Dropping a database: by MongoDB's shell, since the database tools can't.

use super::Mongodb;
use super::server::{SignIn, failure};
use crate::tool::{Answer, find};
use backupx_core::ports::source::StopFlag;
use backupx_core::{Error, Result};
use std::time::Duration;

/// How long a server may take to drop a database.
const LIMIT: Duration = Duration::from_secs(120);
/// The shell, newer name first.
const SHELLS: [&str; 2] = ["mongosh", "mongo"];

/// Drops `name`; one that is not there is as good as dropped. `tool_missing` without a shell.
pub(super) fn drop_database(source: &Mongodb, name: &str, stop: &StopFlag) -> Result<()> {
    let folder = source.source.tools.as_deref();
    let places = [folder, None];
    let shell = places.iter().find_map(|folder| {
        let mut names = SHELLS.iter();
        names.find_map(|name| find(name, *folder, &super::tools::ELSEWHERE))
    });
    let shell = shell.ok_or_else(|| {
        Error::invalid(
            "tool_missing",
            "there is no mongosh on this host, and MongoDB's database tools drop no databases: install it (package mongodb-mongosh)",
        )
    })?;
    let sign_in = SignIn::new(source)?;
    let script = sign_in.script(name)?;
    let shell = sign_in
        .shell(&shell)
        .args(["--nodb", "--quiet"])
        .arg(script);
    let Answer { text, mut ended } = shell.ask(stop, LIMIT)?;
    if ended.status.success() {
        return Ok(());
    }
    // It says what is wrong where it prints, and the script names its line alone.
    let printed = text.lines().filter(|line| line.contains("rror"));
    ended
        .last_words
        .extend(printed.map(|line| sign_in.hide(line)));
    Err(sign_in.refused(&failure(&mut ended, "mongosh"), "query_failed"))
}
