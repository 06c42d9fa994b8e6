//! The servers that `tests/run` started, as its environment names them, and trials that need one.

use std::env;

use anyhow::{Context, Result};
use libtest_mimic::{Completion, Failed, Trial};

/// The variable in which the command line finds the secret of the S3 servers.
pub(crate) const PASSED_SECRET: &str = "SECRET_OF_TESTED_S3";

/// An S3 server and what opens it.
#[derive(Debug, Clone)]
pub(crate) struct S3 {
    /// Its address.
    pub(crate) endpoint: String,
    /// A region, as the signature wants one.
    pub(crate) region: String,
    /// Access key id.
    pub(crate) key: String,
    /// Secret access key.
    pub(crate) secret: String,
    /// A bucket that exists.
    pub(crate) bucket: String,
}

impl S3 {
    /// The server with conditional writes.
    pub(crate) fn real() -> Result<Self> {
        Self::named("BACKUPX_TEST_S3")
    }

    /// The server that ignores them.
    pub(crate) fn weak() -> Result<Self> {
        Self::named("BACKUPX_TEST_WEAK_S3")
    }

    fn named(prefix: &str) -> Result<Self> {
        let variable = |name: &str| {
            let name = format!("{prefix}_{name}");
            env::var(&name).with_context(|| {
                format!("{name} is not set; `tests/run` starts the server and sets it")
            })
        };
        Ok(Self {
            endpoint: variable("ENDPOINT")?,
            region: variable("REGION")?,
            key: variable("KEY")?,
            secret: variable("SECRET")?,
            bucket: variable("BUCKET")?,
        })
    }

    /// The arguments `--set …` of a target in folder `prefix` of the bucket. The secret goes by the environment that [`Cli`] passes on.
    ///
    /// [`Cli`]: super::cli::Cli
    pub(crate) fn settings(&self, prefix: &str) -> Vec<String> {
        let pairs = [
            ("endpoint", &self.endpoint),
            ("region", &self.region),
            ("bucket", &self.bucket),
            ("accessKeyId", &self.key),
            ("secretAccessKey", &format!("env:{PASSED_SECRET}")),
            ("prefix", &prefix.to_owned()),
        ];
        pairs
            .into_iter()
            .flat_map(|(name, value)| ["--set".to_owned(), format!("{name}={value}")])
            .collect()
    }
}

/// A trial that needs no server.
pub(crate) fn trial(name: &str, body: impl FnOnce() -> Result<()> + Send + 'static) -> Trial {
    Trial::test(name, move || body().map_err(failed))
}

/// A trial that needs the S3 server. Without one it is ignored with the reason, or fails when all are required.
pub(crate) fn s3_trial(name: &str, body: impl FnOnce(S3) -> Result<()> + Send + 'static) -> Trial {
    Trial::ignorable_test(name, move || match S3::real() {
        Ok(server) => body(server).map(|()| Completion::Completed).map_err(failed),
        Err(missing) if env::var_os("BACKUPX_TEST_REQUIRE_ALL").is_some() => Err(failed(missing)),
        Err(missing) => Ok(Completion::ignored_with(missing)),
    })
}

/// A trial that starts these programs itself. Without one it is ignored with the reason, or fails when all are required.
pub(crate) fn program_trial(
    name: &str,
    programs: &'static [&'static str],
    body: impl FnOnce() -> Result<()> + Send + 'static,
) -> Trial {
    Trial::ignorable_test(name, move || {
        let missing = programs.iter().find(|program| !is_installed(program));
        match missing {
            None => body().map(|()| Completion::Completed).map_err(failed),
            Some(program) => {
                let reason = format!("{program} is not installed; `tests/run` installs it");
                match env::var_os("BACKUPX_TEST_REQUIRE_ALL") {
                    Some(_) => Err(Failed::from(reason)),
                    None => Ok(Completion::ignored_with(reason)),
                }
            }
        }
    })
}

fn is_installed(program: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    let searched = env::split_paths(&path).chain(["/usr/sbin".into(), "/sbin".into()]);
    searched
        .into_iter()
        .any(|folder| folder.join(program).exists())
}

/// A failure with its whole chain.
pub(crate) fn failed(error: anyhow::Error) -> Failed {
    Failed::from(format!("{error:#}"))
}
