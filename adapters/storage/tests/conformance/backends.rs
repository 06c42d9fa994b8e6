//! The kinds of storage that the suite runs on, and a fresh place on each.

use backupx_core::domain::access::TargetAccess;
use backupx_core::domain::catalogue::Driver;
use backupx_core::domain::id::TargetId;
use backupx_core::domain::key::ObjectKey;
use backupx_core::domain::secret::WireSecret;
use backupx_core::ports::objects::{ObjectStore, StoreOpener};
use backupx_core::{Error, Result};
use backupx_storage::Opener;
use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use tempfile::TempDir;

/// A kind of storage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Backend {
    /// A folder of its own.
    Folder,
    /// A real S3 server.
    S3,
    /// A server that ignores conditions.
    WeakS3,
    /// A WebDAV server, through rclone.
    Webdav,
    /// An SFTP server, through rclone.
    Sftp,
}

impl fmt::Display for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Folder => "folder",
            Self::S3 => "s3",
            Self::WeakS3 => "weak s3",
            Self::Webdav => "webdav",
            Self::Sftp => "sftp",
        })
    }
}

impl Backend {
    /// Why it can't be tested here, when it can't.
    pub(crate) fn missing(self) -> Option<String> {
        let variable = format!("{}_ENDPOINT", self.variables()?);
        match std::env::var(&variable) {
            Ok(_) => None,
            Err(_) => Some(format!("{variable} is not set, see tests/run")),
        }
    }

    fn variables(self) -> Option<&'static str> {
        match self {
            Self::Folder => None,
            Self::S3 => Some("BACKUPX_TEST_S3"),
            Self::WeakS3 => Some("BACKUPX_TEST_WEAK_S3"),
            Self::Webdav => Some("BACKUPX_TEST_WEBDAV"),
            Self::Sftp => Some("BACKUPX_TEST_SFTP"),
        }
    }
}

/// A fresh place on some storage.
pub(crate) struct Fresh {
    /// The settings that open it.
    pub(crate) access: TargetAccess,
    /// It, opened.
    pub(crate) store: Arc<dyn ObjectStore>,
    folder: TempDir,
}

impl Fresh {
    pub(crate) fn new(backend: Backend) -> Result<Self> {
        let folder = tempfile::tempdir()
            .map_err(|error| Error::internal("no temporary folder").with_source(error))?;
        let access = match backend.variables() {
            None => access(
                Driver::Local,
                &[("path", &folder.path().join("root").display().to_string())],
                &[],
            ),
            Some(variables) if matches!(backend, Backend::Webdav | Backend::Sftp) => {
                rclone_access(variables)?
            }
            Some(variables) => s3_access(variables)?,
        };
        let store = Opener::default().open(&access)?;
        Ok(Self {
            access,
            store,
            folder,
        })
    }

    /// The folder around the root of a folder store.
    pub(crate) fn outside(&self) -> &Path {
        self.folder.path()
    }

    /// The root of a folder store.
    pub(crate) fn root(&self) -> std::path::PathBuf {
        self.folder.path().join("root")
    }

    /// The same place with some settings changed.
    pub(crate) fn reopened(
        &self,
        config: &[(&str, &str)],
        secrets: &[(&str, &str)],
    ) -> Result<Arc<dyn ObjectStore>> {
        let mut access = self.access.clone();
        access.config.extend(owned(config));
        access.secrets.extend(wired(secrets));
        Opener::default().open(&access)
    }

    pub(crate) async fn clean(&self) -> Result<()> {
        for top in ["a", "b", "t"] {
            self.store.remove_all(&key(top)).await?;
        }
        Ok(())
    }
}

/// A key that is known to be valid.
pub(crate) fn key(text: &str) -> ObjectKey {
    ObjectKey::parse(text).expect("a valid key")
}

/// A folder that no other case has.
fn own_place() -> String {
    static PLACE: AtomicU32 = AtomicU32::new(0);
    let number = PLACE.fetch_add(1, Ordering::Relaxed);
    format!("conformance/{}-{number}", std::process::id())
}

fn variable(variables: &str, name: &str) -> Result<String> {
    std::env::var(format!("{variables}_{name}"))
        .map_err(|_| Error::invalid("test_setup", format!("{variables}_{name} is not set")))
}

/// The server at `…_ENDPOINT`: an address, or a port where it is no URL.
fn rclone_access(variables: &str) -> Result<TargetAccess> {
    let endpoint = variable(variables, "ENDPOINT")?;
    let path = own_place();
    let mut config = vec![("path", path.as_str()), ("option.user", "backupx")];
    match endpoint.starts_with("http") {
        true => config.extend([("backend", "webdav"), ("option.url", &endpoint)]),
        false => config.extend([
            ("backend", "sftp"),
            ("option.host", "127.0.0.1"),
            ("option.port", &endpoint),
        ]),
    }
    Ok(access(
        Driver::Rclone,
        &config,
        &[("secret.pass", "testsecret")],
    ))
}

fn s3_access(variables: &str) -> Result<TargetAccess> {
    let value = |name: &str| variable(variables, name);
    let prefix = own_place();
    Ok(access(
        Driver::S3,
        &[
            ("endpoint", &value("ENDPOINT")?),
            ("bucket", &value("BUCKET")?),
            ("region", "us-east-1"),
            ("accessKeyId", &value("KEY")?),
            ("prefix", &prefix),
        ],
        &[("secretAccessKey", &value("SECRET")?)],
    ))
}

fn access(kind: Driver, config: &[(&str, &str)], secrets: &[(&str, &str)]) -> TargetAccess {
    TargetAccess {
        id: TargetId(1),
        name: "here".to_owned(),
        kind,
        config: owned(config).collect(),
        secrets: wired(secrets).collect::<BTreeMap<_, _>>(),
        relay: false,
    }
}

fn owned(pairs: &[(&str, &str)]) -> impl Iterator<Item = (String, String)> {
    pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
}

fn wired(pairs: &[(&str, &str)]) -> impl Iterator<Item = (String, WireSecret)> {
    pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), WireSecret::new(*value)))
}
