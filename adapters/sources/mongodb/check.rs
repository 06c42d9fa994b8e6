//! What a run needs, tried before the first one: tools, sign-in, version, rights.

use super::Mongodb;
use super::list::taken;
use super::server::SignIn;
use crate::steps::Steps;
use backupx_core::domain::report::TestStep;
use backupx_core::ports::source::StopFlag;

/// Names that a message lists.
const SHOWN: usize = 10;

/// The steps, up to the one that fails.
pub(super) fn check(source: &Mongodb, stop: &StopFlag) -> Vec<TestStep> {
    let mut steps = Steps::default();
    // The first that fails is the last.
    let _ = walk(source, stop, &mut steps);
    steps.done()
}

fn walk(source: &Mongodb, stop: &StopFlag, steps: &mut Steps) -> Option<()> {
    let tools = steps.take("tools", || {
        let tools = source.tools(stop)?;
        let message = format!("mongodump {}", tools.version);
        Ok((tools, message))
    })?;
    // Listing signs in, and needs the rights that a dump needs: what fails belongs to one of both.
    let mut connected = None;
    let outcome = SignIn::new(source).and_then(|sign_in| taken(source, &sign_in, &tools, stop));
    let taken = match outcome {
        Ok(taken) => Ok(taken),
        Err(error)
            if matches!(
                error.code(),
                "rights_missing" | "source_missing" | "nothing_selected"
            ) =>
        {
            connected = Some(error);
            Err(None)
        }
        Err(error) => Err(Some(error)),
    };
    let taken = steps.take("connect", || match taken {
        Ok(taken) => Ok((Some(taken), "signed in".to_owned())),
        Err(None) => Ok((None, "signed in".to_owned())),
        Err(Some(error)) => Err(error),
    })?;
    if let Some(taken) = &taken {
        steps.take("version", || {
            let message = format!("the server says that it is version {}", taken.server);
            Ok(((), message))
        })?;
    }
    let taken = steps.take("rights", || match (taken, connected) {
        (Some(taken), _) => {
            let mut message = "everything in them may be listed".to_owned();
            for warning in &taken.warnings {
                message.push_str("; ");
                message.push_str(warning);
            }
            Ok((taken, message))
        }
        (None, Some(error)) => Err(error),
        (None, None) => Err(backupx_core::Error::internal("nothing was listed")),
    })?;
    steps.take("databases", || {
        let names = &taken.databases;
        let mut message = format!(
            "{} selected: {}",
            names.len(),
            names[..names.len().min(SHOWN)].join(", ")
        );
        if names.len() > SHOWN {
            message.push_str(&format!(" and {} more", names.len() - SHOWN));
        }
        if taken.is_whole {
            message.push_str("; as one dump of one moment, with the oplog");
        }
        Ok(((), message))
    })
}
