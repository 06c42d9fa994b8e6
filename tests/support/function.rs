//! A function: the built program as the `bootstrap` of AWS Lambda, under the runtime API and behind the function URL of cargo-lambda.

use std::net::SocketAddr;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use reqwest::header::HeaderMap;
use reqwest::{Client, Method, StatusCode};
use serde_json::Value;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use super::address::free_address;
use super::cli::{Cli, Ended, finish};
use super::master::make_administrator;
use super::process::{BACKUPX, Process};
use super::wait::wait_for;

/// The emulator and a cold start.
const READY: Duration = Duration::from_secs(30);
/// No invocation of a test takes longer than this.
const LIMIT: Duration = Duration::from_secs(60);
/// 32 bytes in base64, as `BACKUPX_SECRET_KEY` wants them.
const SECRET_KEY: &str = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";

/// A function that is deployed: the emulator in front, instances behind it.
#[derive(Debug)]
pub(crate) struct Function {
    /// Declared first, so that they go before the emulator.
    instances: Vec<Process>,
    emulator: Process,
    address: SocketAddr,
    folder: TempDir,
    database: String,
    http: Client,
    runtime: Runtime,
}

/// What a request or an invocation got.
#[derive(Debug)]
pub(crate) struct Reply {
    /// The HTTP status.
    pub(crate) status: StatusCode,
    /// The headers.
    pub(crate) headers: HeaderMap,
    /// The body.
    pub(crate) body: Vec<u8>,
}

impl Reply {
    /// The body as JSON.
    pub(crate) fn json(&self) -> Result<Value> {
        serde_json::from_slice(&self.body).with_context(|| format!("no JSON: {self:?}"))
    }

    /// A header's value, empty when there is none.
    pub(crate) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }
}

impl Function {
    /// A function over the database at `database`, with so many instances. Lambda starts one for each request that comes while all
    /// others are busy; the emulator shares the requests out among those that ask.
    pub(crate) fn deploy(database: &str, instances: usize) -> Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("backupx-function-")
            .tempdir()?;
        let task = folder.path().join("task");
        std::fs::create_dir(&task)?;
        symlink(BACKUPX, task.join("bootstrap"))?;
        let address = free_address()?;
        let mut emulator = Command::new("cargo-lambda");
        emulator
            .args(["lambda", "watch", "--only-lambda-apis", "--disable-cors"])
            .args(["--invoke-address", &address.ip().to_string()])
            .args(["--invoke-port", &address.port().to_string()])
            .current_dir(env!("CARGO_MANIFEST_DIR"));
        let emulator = Process::start(&mut emulator, &folder.path().join("emulator.log"))?;
        let mut function = Self {
            instances: Vec::new(),
            emulator,
            address,
            folder,
            database: database.to_owned(),
            http: Client::builder().no_proxy().timeout(LIMIT).build()?,
            runtime: tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?,
        };
        function.wait_for_the_emulator()?;
        for _ in 0..instances {
            function.start_instance()?;
        }
        Ok(function)
    }

    fn wait_for_the_emulator(&mut self) -> Result<()> {
        let address = self.address;
        let emulator = &mut self.emulator;
        let listens = wait_for("the emulator of the runtime API", READY, || {
            if let Some(status) = emulator.ended()? {
                bail!("it ended with {status}");
            }
            Ok(std::net::TcpStream::connect(address).ok().map(drop))
        });
        listens.with_context(|| emulator.last_words())
    }

    /// One more instance, cold.
    pub(crate) fn start_instance(&mut self) -> Result<()> {
        let log = self.log(self.instances.len());
        let process = Process::start(&mut self.bootstrap(&self.environment()), &log)?;
        self.instances.push(process);
        Ok(())
    }

    /// Ends all instances as Lambda does: without a word.
    pub(crate) fn end_instances(&mut self) {
        self.instances.clear();
    }

    /// Starts an instance that must end by itself, with `settings` in place of the function's own; answers how.
    pub(crate) fn failing_instance(&self, settings: &[(&str, &str)]) -> Result<Ended> {
        let settings: Vec<_> = settings
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        finish(&mut self.bootstrap(&settings))
    }

    /// The program as Lambda starts it: by its name, without arguments, and with nothing in its environment but what the function has.
    fn bootstrap(&self, settings: &[(String, String)]) -> Command {
        let task = self.task();
        let mut command = Command::new(task.join("bootstrap"));
        command
            .env_clear()
            .env(
                "AWS_LAMBDA_RUNTIME_API",
                format!("http://{}/.rt", self.address),
            )
            .env("AWS_LAMBDA_FUNCTION_NAME", "_")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "1")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512")
            .envs(settings.iter().map(|(name, value)| (name, value)))
            .current_dir(task);
        command
    }

    /// What the function's settings are.
    fn environment(&self) -> Vec<(String, String)> {
        [
            ("BACKUPX_DATABASE_URL", self.database.as_str()),
            ("BACKUPX_SECRET_KEY", SECRET_KEY),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec()
    }

    /// Makes the administrator from a host that reaches the database.
    pub(crate) fn administrator(&self) -> Result<Cli> {
        make_administrator(self.folder.path(), self.environment(), self.url())
    }

    /// The function URL.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Asks the function URL.
    pub(crate) fn ask(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Result<Reply> {
        let mut request = self
            .http
            .request(method, format!("{}{path}", self.url()))
            .body(body);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.runtime.block_on(async {
            let response = request.send().await?;
            Ok(Reply {
                status: response.status(),
                headers: response.headers().clone(),
                body: response.bytes().await?.to_vec(),
            })
        })
    }

    /// Invokes the function with an event, past every HTTP front, as a schedule does.
    pub(crate) fn invoke(&self, event: &Value) -> Result<Reply> {
        self.ask(
            Method::POST,
            "/2015-03-31/functions/_/invocations",
            &[("content-type", "application/json")],
            event.to_string().into_bytes(),
        )
    }

    /// Fails when an instance left something beside its program.
    pub(crate) fn ensure_no_file_was_made(&self) -> Result<()> {
        let names: Vec<_> = std::fs::read_dir(self.task())?
            .map(|entry| Ok(entry?.file_name()))
            .collect::<Result<_>>()?;
        ensure!(
            names == ["bootstrap"],
            "in the function's folder: {names:?}"
        );
        Ok(())
    }

    /// What the instances said, for a failure's message.
    pub(crate) fn last_words(&self) -> String {
        let words = self.instances.iter().map(Process::last_words);
        words.collect::<Vec<_>>().join("\n")
    }

    fn task(&self) -> PathBuf {
        self.folder.path().join("task")
    }

    fn log(&self, number: usize) -> PathBuf {
        self.folder.path().join(format!("instance-{number}.log"))
    }
}
