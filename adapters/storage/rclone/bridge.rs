//! The child: started when it is first needed, again when it died, and gone with this process whatever becomes of it.

use super::error::Failure;
use super::settings::Settings;
use crate::limits::{Limits, RCLONE};
use backupx_core::domain::key::ObjectKey;
use backupx_core::{Error, Result};
use bytes::Bytes;
use reqwest::header::{CONTENT_LENGTH, CONTENT_TYPE, RANGE};
use reqwest::{Body, Client, Response};
use serde_json::{Value, json};
use std::collections::HashSet;
use std::fmt;
use std::ops::Range;
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::Duration;
use tokio::sync::Mutex;

/// How long it may take until it listens.
const START: Duration = Duration::from_secs(20);
/// Between two looks whether it does.
const LOOK: Duration = Duration::from_millis(50);
/// It ends with its standard input, so that it outlives nobody, and what is sent to its parent's group does not reach it half way.
const KEEPER: &str =
    r#""$@" & child=$!; cat >/dev/null; kill "$child" 2>/dev/null; wait "$child" 2>/dev/null"#;
/// What of this process's environment it gets.
const KEPT: [&str; 12] = [
    "PATH",
    "HOME",
    "LANG",
    "TZ",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
];
/// The code of a bridge without rclone.
pub(super) const MISSING: &str = "rclone_missing";
const BOUNDARY: &str = "backupx-6c1f0a0e4b7d4c0d9a";

/// rclone, as this process uses it.
pub struct Bridge {
    running: Mutex<Option<Arc<Running>>>,
    limits: Limits,
}

impl Default for Bridge {
    fn default() -> Self {
        Self::within(RCLONE)
    }
}

impl fmt::Debug for Bridge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Bridge")
    }
}

/// A child that listens.
struct Running {
    client: Client,
    folder: PathBuf,
    /// The remotes that it knows.
    known: std::sync::Mutex<HashSet<String>>,
    keeper: std::sync::Mutex<Child>,
    input: Option<ChildStdin>,
}

/// A remote of the child.
pub(super) struct Remote {
    running: Arc<Running>,
    name: String,
    limits: Limits,
}

impl Bridge {
    /// One whose calls give up after these limits.
    pub(crate) fn within(limits: Limits) -> Self {
        Self {
            running: Mutex::default(),
            limits,
        }
    }

    /// A remote with these settings, on a child that listens.
    pub(super) async fn remote(&self, settings: &Settings) -> Result<Remote> {
        let running = self.running().await?;
        let name = settings.remote();
        let remote = Remote {
            running,
            name,
            limits: self.limits,
        };
        if !remote.is_known() {
            remote.make(settings).await?;
        }
        Ok(remote)
    }

    async fn running(&self) -> Result<Arc<Running>> {
        let mut place = self.running.lock().await;
        if let Some(running) = place.as_ref()
            && running.listens().await
        {
            return Ok(Arc::clone(running));
        }
        let started = Arc::new(Running::start().await?);
        *place = Some(Arc::clone(&started));
        Ok(started)
    }
}

impl Running {
    async fn start() -> Result<Self> {
        if !is_on_path() {
            return Err(missing("it is not on this host's PATH"));
        }
        let folder = private_folder()?;
        let socket = folder.join("socket");
        let mut keeper = Command::new("sh");
        keeper.args([
            "-c",
            KEEPER,
            "sh",
            "rclone",
            "rcd",
            "--rc-no-auth",
            "--rc-serve",
        ]);
        // In memory alone: what a remote is made of never reaches a disk.
        keeper.args([
            "--config",
            "",
            "--low-level-retries",
            "3",
            "--contimeout",
            "30s",
            "--timeout",
            "2m",
        ]);
        keeper.arg(format!("--rc-addr=unix://{}", socket.display()));
        keeper.env_clear();
        for name in KEPT {
            keeper.envs(std::env::var_os(name).map(|value| (name, value)));
        }
        keeper.env("TMPDIR", &folder);
        keeper
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let mut child = keeper.spawn().map_err(|error| {
            Error::unavailable(MISSING, "no shell could be started for rclone").with_source(error)
        })?;
        let client = Client::builder()
            .unix_socket(socket.clone())
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .map_err(|error| {
                Error::internal("no client for rclone could be made").with_source(error)
            })?;
        let running = Self {
            client,
            folder,
            known: std::sync::Mutex::default(),
            input: child.stdin.take(),
            keeper: std::sync::Mutex::new(child),
        };
        let listening = async {
            while !running.listens().await {
                tokio::time::sleep(LOOK).await;
            }
        };
        match tokio::time::timeout(START, listening).await {
            Ok(()) => Ok(running),
            Err(_) => Err(missing(&format!(
                "it did not come up within {} s",
                START.as_secs()
            ))),
        }
    }

    async fn listens(&self) -> bool {
        let asked = self.client.post("http://rclone/rc/noop").json(&json!({}));
        let asked = asked.timeout(Duration::from_secs(5)).send().await;
        asked.is_ok_and(|answer| answer.status().is_success())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // The keeper reads its end and takes rclone with it.
        drop(self.input.take());
        let keeper = self
            .keeper
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = keeper.wait() {
            tracing::debug!(%error, "the keeper of rclone could not be waited for");
        }
        if let Err(error) = std::fs::remove_dir_all(&self.folder) {
            tracing::debug!(%error, "the folder of rclone's socket stays");
        }
    }
}

impl Remote {
    /// What rclone calls it.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    fn is_known(&self) -> bool {
        let known = self.running.known.lock();
        known
            .unwrap_or_else(PoisonError::into_inner)
            .contains(&self.name)
    }

    /// Tells rclone of it. Whatever it would ask beyond the options, as a sign-in in a browser, can't be answered here and is not needed.
    async fn make(&self, settings: &Settings) -> Result<()> {
        let parameters = json!({
            "name": self.name,
            "type": settings.backend(),
            "parameters": settings.options(),
            "opt": { "obscure": true, "nonInteractive": true },
        });
        let made = self.call::<Value>("config/create", &parameters).await;
        made.map_err(|failure| match failure {
            Failure::Silent(error) => error,
            // Its words may repeat what it was given.
            Failure::Refused(..) => Error::invalid(
                "bad_settings",
                format!(
                    "rclone does not accept the settings of {}: check the backend and its options",
                    settings.place()
                ),
            ),
        })?;
        let mut known = self
            .running
            .known
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        known.insert(self.name.clone());
        Ok(())
    }

    /// Calls a command of rclone's remote control.
    pub(super) async fn call<T: serde::de::DeserializeOwned>(
        &self,
        command: &str,
        parameters: &Value,
    ) -> std::result::Result<T, Failure> {
        let url = format!("http://rclone/{command}");
        let request = self.running.client.post(url).json(parameters);
        let answer = request
            .timeout(self.limits.call)
            .send()
            .await
            .map_err(silent)?;
        let answer = accepted(answer).await?;
        answer.json().await.map_err(silent)
    }

    /// Lays an object down below the root `fs`.
    pub(super) async fn upload(
        &self,
        fs: &str,
        key: &ObjectKey,
        body: Vec<Bytes>,
    ) -> std::result::Result<(), Failure> {
        let (folder, leaf) = key.as_str().rsplit_once('/').unwrap_or(("", key.as_str()));
        // Names are keys: letters, digits and a few signs, none of which a header has to escape.
        let head = format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{leaf}\"\r\nContent-Type: application/octet-stream\r\n\r\n"
        );
        let tail = format!("\r\n--{BOUNDARY}--\r\n");
        let mut parts = vec![Bytes::from(head)];
        parts.extend(body);
        parts.push(Bytes::from(tail));
        let length: usize = parts.iter().map(Bytes::len).sum();
        let parts = parts.into_iter().map(Ok::<_, std::io::Error>);
        let request = self
            .running
            .client
            .post("http://rclone/operations/uploadfile")
            .query(&[("fs", fs), ("remote", folder)])
            .header(
                CONTENT_TYPE,
                format!("multipart/form-data; boundary={BOUNDARY}"),
            )
            .header(CONTENT_LENGTH, length)
            .body(Body::wrap_stream(futures::stream::iter(parts)));
        let answer = request
            .timeout(self.limits.transfer)
            .send()
            .await
            .map_err(silent)?;
        accepted(answer).await.map(drop)
    }

    /// Bytes of an object below the root `fs`; fewer where it ends.
    pub(super) async fn read(
        &self,
        fs: &str,
        key: &ObjectKey,
        range: &Range<u64>,
    ) -> std::result::Result<Bytes, Failure> {
        let mut url = reqwest::Url::parse("http://rclone/").map_err(|error| {
            Failure::Silent(Error::internal("no address for rclone").with_source(error))
        })?;
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.push(&format!("[{fs}]"));
            segments.extend(key.as_str().split('/'));
        }
        let request = self
            .running
            .client
            .get(url)
            .header(RANGE, format!("bytes={}-{}", range.start, range.end - 1));
        let answer = request
            .timeout(self.limits.transfer)
            .send()
            .await
            .map_err(silent)?;
        accepted(answer).await?.bytes().await.map_err(silent)
    }
}

fn missing(why: &str) -> Error {
    Error::unavailable(
        MISSING,
        format!(
            "this target needs rclone 1.61 or newer, and {why}: install it from rclone.org, Debian 12 has an older one"
        ),
    )
}

fn is_on_path() -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join("rclone").is_file())
}

async fn accepted(answer: Response) -> std::result::Result<Response, Failure> {
    let status = answer.status();
    if status.is_success() {
        return Ok(answer);
    }
    let text = answer.text().await.unwrap_or_default();
    // Beside its words stands what it was asked, which may hold a secret.
    let words = serde_json::from_str::<Value>(&text)
        .ok()
        .and_then(|value| value["error"].as_str().map(str::to_owned))
        .unwrap_or_else(|| format!("status {status}"));
    Err(Failure::Refused(status.as_u16(), words))
}

fn silent(error: reqwest::Error) -> Failure {
    Failure::Silent(
        match error.is_timeout() {
            true => Error::unavailable(
                "storage_stalled",
                "rclone made no progress within the limit: check the network to the storage",
            ),
            false => Error::unavailable("storage_unavailable", "rclone gave no answer"),
        }
        .with_source(error.without_url()),
    )
}

/// A folder that nobody else looks into.
fn private_folder() -> Result<PathBuf> {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let folder =
        std::env::temp_dir().join(format!("backupx-rclone-{}-{number}", std::process::id()));
    // Left by a process that had this number before.
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::DirBuilder::new()
        .mode(0o700)
        .create(&folder)
        .map_err(|error| {
            Error::unavailable(
                "temp_unusable",
                format!("{} can't be made", folder.display()),
            )
            .with_source(error)
        })?;
    Ok(folder)
}
