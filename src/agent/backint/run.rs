//! One call, from its requests to its last answer.

use super::answers::Answers;
use super::caller::Caller;
use super::log::Log;
use super::parameters::Parameters;
use super::protocol::{Answer, Function, Input, Requests};
use super::shelf::Shelf;
use super::{backup, delete, inquire, restore, stall};
use backupx_core::domain::access::TargetAccess;
use backupx_core::ports::backint::Catalogue;
use backupx_core::ports::clock::Clock;
use backupx_core::ports::objects::StoreOpener;
use backupx_core::ports::source::StopFlag;
use backupx_core::{Error, Result};
use futures::stream::{self, StreamExt};
use std::io::Write;
use std::sync::Arc;

/// Threads that compress for all objects of a call together.
const MOST_CORES: usize = 16;
/// Objects that are under way at the same time when nobody says how many: more than a database has channels.
const MOST_CHANNELS: usize = 64;
/// Objects that are asked about or removed at the same time when nobody says how many.
const MOST_QUESTIONS: usize = 8;

/// What the command line says.
#[derive(Debug, Clone)]
pub struct Call {
    /// What to do.
    pub function: Function,
    /// Whose objects.
    pub user: String,
    /// The database's own id of the backup.
    pub backup_id: Option<String>,
    /// How many objects the input names, where that is said.
    pub object_count: Option<u64>,
    /// Of which level the backup is.
    pub level: Option<String>,
}

/// What a call needs of its host.
pub struct Host {
    /// The storage, to be opened by `opener`.
    pub access: TargetAccess,
    /// Opens the storage.
    pub opener: Arc<dyn StoreOpener>,
    /// The catalogue, where there is one that can be used.
    pub catalogue: Option<Arc<dyn Catalogue>>,
    /// The host's clock.
    pub clock: Arc<dyn Clock>,
    /// Its processor cores.
    pub cores: usize,
}

/// A call that is under way.
pub(super) struct Running {
    pub(super) call: Call,
    pub(super) parameters: Parameters,
    pub(super) shelf: Shelf,
    pub(super) answers: Answers,
    pub(super) log: Arc<Log>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) caller: Caller,
    pub(super) version: (u32, u32),
    /// How many objects are under way at once.
    pub(super) parallel: usize,
    /// Threads that compress for one of them.
    pub(super) cores: usize,
    pub(super) stop: StopFlag,
}

/// Whether something came to what it should.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It did.
    Well,
    /// It did not, and the answers say which.
    Badly,
}

impl Call {
    /// The requests of this call's input.
    fn requests(&self, input: &[u8]) -> Result<Input> {
        let input = Input::parse(self.function, input)?;
        let found = input.requests.count() as u64;
        match self
            .object_count
            .filter(|_| self.function == Function::Backup)
        {
            Some(announced) if announced > found => Err(Error::invalid(
                "bad_backint_input",
                format!(
                    "the input file can't be understood: it names {found} objects and -c announces {announced}, so it is cut off"
                ),
            )),
            Some(_) | None => Ok(input),
        }
    }
}

/// Carries a call out and answers each request in what `output` opens, as soon as its answer is true. True when all of it came to what it
/// should; `Invalid` (`bad_backint_input`) before anything was done or answered.
pub async fn run(
    call: Call,
    input: &[u8],
    output: impl FnOnce() -> Result<Box<dyn Write + Send>>,
    parameters: Parameters,
    host: Host,
    log: Arc<Log>,
    stop: StopFlag,
) -> Result<bool> {
    let caller = Caller::now();
    let Input { version, requests } = call.requests(input)?;
    for warning in &parameters.warnings {
        log.warn(warning.clone());
    }
    log.info(format!(
        "{} for {}: {} requests",
        call.function.as_str(),
        call.user,
        requests.count()
    ));
    let most = match call.function {
        Function::Backup | Function::Restore => MOST_CHANNELS,
        Function::Inquire | Function::Delete => MOST_QUESTIONS,
    };
    let all = requests.count().max(1);
    let parallel = parameters.parallel.unwrap_or(most).min(all);
    let running = Running {
        shelf: Shelf::open(&parameters, &call.user, &host, &log)?,
        answers: Answers::new(output()?),
        clock: host.clock,
        caller,
        version,
        parallel,
        cores: (host.cores.min(MOST_CORES) / parallel).max(1),
        stop,
        call,
        parameters,
        log,
    };
    running.go(requests).await
}

impl Running {
    async fn go(self, requests: Requests) -> Result<bool> {
        self.answers.say(&Answer::Software(self.version));
        let failed = tokio::select! {
            // Neither is polled again after the other one ended, and only the first one ends.
            failed = self.all(requests) => failed,
            () = stall::watch(&self.log, self.parameters.stall_limit, &self.stop) => 0,
        };
        if let Some(error) = self.answers.failure() {
            return Err(Error::unavailable(
                "output_failed",
                format!("the output file can't be written: {error}"),
            ));
        }
        self.log.info(format!(
            "{} ends: {failed} requests failed",
            self.call.function.as_str()
        ));
        Ok(failed == 0)
    }

    /// Answers all requests, and says how many failed.
    async fn all(&self, requests: Requests) -> usize {
        match requests {
            Requests::Backup(all) => {
                let taking = self.each(all, |one| backup::one(self, one));
                tokio::join!(taking, self.shelf.sweep()).0
            }
            Requests::Restore(all) => self.each(all, |one| restore::one(self, one)).await,
            Requests::Inquire(all) => self.each(all, |one| inquire::one(self, one)).await,
            Requests::Delete(all) => self.each(all, |one| delete::one(self, one)).await,
        }
    }

    /// Requests are begun in their order, some at the same time, and end as they may.
    async fn each<R, F: Future<Output = Outcome>>(
        &self,
        all: Vec<R>,
        one: impl Fn(R) -> F,
    ) -> usize {
        stream::iter(all)
            .map(one)
            .buffer_unordered(self.parallel)
            .filter(|outcome| std::future::ready(*outcome == Outcome::Badly))
            .count()
            .await
    }

    /// An error unless the call goes on.
    pub(super) fn goes_on(&self) -> Result<()> {
        if self.stop.is_stopped() {
            return Err(Error::conflict("cancelled", "the call was stopped"));
        }
        Ok(())
    }
}
