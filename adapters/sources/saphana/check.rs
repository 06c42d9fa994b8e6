//! What a run needs, tried before the first one: tools, sign-in, version, rights, databases, and the folder of the backups.

use super::session::Session;
use super::{Saphana, files, list};
use crate::steps::Steps;
use backupx_core::domain::report::TestStep;
use backupx_core::domain::saphana::SaphanaVia;
use backupx_core::ports::source::StopFlag;

/// The steps, up to the one that fails.
pub(super) fn check(source: &Saphana, stop: &StopFlag) -> Vec<TestStep> {
    let mut steps = Steps::default();
    // The first that fails is the last.
    let _ = walk(source, stop, &mut steps);
    steps.done()
}

fn walk(source: &Saphana, stop: &StopFlag, steps: &mut Steps) -> Option<()> {
    let tools = steps.take("tools", || {
        let tools = source.tools(stop)?;
        let message = format!("{} {}", tools.hdbsql.display(), tools.version);
        Ok((tools, message))
    })?;
    let session = steps.take("connect", || {
        let session = Session::sign_in(source, tools, stop)?;
        let message = format!(
            "signed in to {} of {}",
            session.server.database, session.server.sid
        );
        Ok((session, message))
    })?;
    steps.take("version", || {
        Ok(((), format!("the server is HANA {}", session.server.version)))
    })?;
    let chosen = steps.take("rights", || {
        let chosen = list::chosen(&session, &source.source.databases, stop)?;
        list::rights_suffice(&session, &source.source, &chosen.names, stop)?;
        Ok((chosen, "they suffice".to_owned()))
    })?;
    steps.take("databases", || {
        let mut said = vec![chosen.names.join(", ")];
        said.extend(chosen.warnings);
        Ok(((), said.join("; ")))
    })?;
    if source.source.via == SaphanaVia::Backint {
        return Some(());
    }
    steps.take("folder", || {
        let folder = files::folder(&source.source, &session, stop)?;
        files::usable(&folder, source.source.level)?;
        Ok(((), folder.display().to_string()))
    })
}
