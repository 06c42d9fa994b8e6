//! Cases: how they are listed and how one is run.

use crate::ports::Ports;
use anyhow::{Context, Result};
use futures::future::BoxFuture;
use std::future::Future;
use std::io::Write;
use std::time::Duration;

/// One promise of a port.
#[derive(Clone, Copy)]
pub(crate) struct Case {
    /// Module and function.
    pub(crate) name: &'static str,
    /// What has to hold.
    pub(crate) run: for<'a> fn(&'a Ports) -> BoxFuture<'a, Result<()>>,
}

/// Lists the cases of a module.
macro_rules! cases {
    ($($name:ident),+ $(,)?) => {
        /// What this module asks.
        pub(crate) fn cases() -> Vec<crate::case::Case> {
            vec![$(crate::case::Case {
                name: concat!(module_path!(), "::", stringify!($name)),
                run: |ports| Box::pin($name(ports)),
            }),+]
        }
    };
}
pub(crate) use cases;

/// Tells of what was measured, for the list of promises that `tests/run` prints.
pub(crate) fn measured(what: &str) -> Result<()> {
    writeln!(std::io::stdout(), "measured: {what}")?;
    Ok(())
}

/// Makes a call until the store is there again, as every caller of a master does. Any other failure is one.
pub(crate) async fn patiently<T, F>(call: impl Fn() -> F) -> Result<T>
where
    F: Future<Output = backupx_core::Result<T>>,
{
    let trying = async {
        loop {
            match call().await {
                Err(error) if error.is_retryable() => tokio::task::yield_now().await,
                done => return done,
            }
        }
    };
    let done = tokio::time::timeout(Duration::from_secs(60), trying).await;
    Ok(done.context("the store did not come back")??)
}

/// Runs one test on a runtime of its own with several threads.
pub(crate) fn block_on(
    test: impl Future<Output = Result<()>>,
) -> Result<(), libtest_mimic::Failed> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(4)
        .enable_all()
        .build()
        .context("the test's runtime");
    match runtime.and_then(|runtime| runtime.block_on(test)) {
        Ok(()) => Ok(()),
        Err(error) => Err(format!("{error:?}").into()),
    }
}
