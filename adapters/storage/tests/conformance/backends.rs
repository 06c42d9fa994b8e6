//! The kinds of storage that the suite runs on, and a fresh place on each.

use backupx_core::domain::access::TargetAccess;
use backupx_core::domain::id::TargetId;
use backupx_core::domain::key::ObjectKey;
use backupx_core::domain::secret::WireSecret;
use backupx_core::domain::target::TargetKind;
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
}

impl fmt::Display for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Folder => "folder",
            Self::S3 => "s3",
            Self::WeakS3 => "weak s3",
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
                TargetKind::Local,
                &[("path", &folder.path().join("root").display().to_string())],
                &[],
            ),
            Some(variables) => s3_access(variables)?,
        };
        let store = Opener.open(&access)?;
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
        Opener.open(&access)
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

fn s3_access(variables: &str) -> Result<TargetAccess> {
    static PLACE: AtomicU32 = AtomicU32::new(0);
    let value = |name: &str| {
        std::env::var(format!("{variables}_{name}"))
            .map_err(|_| Error::invalid("test_setup", format!("{variables}_{name} is not set")))
    };
    let prefix = format!(
        "conformance/{}-{}",
        std::process::id(),
        PLACE.fetch_add(1, Ordering::Relaxed)
    );
    Ok(access(
        TargetKind::S3,
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

fn access(kind: TargetKind, config: &[(&str, &str)], secrets: &[(&str, &str)]) -> TargetAccess {
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
