//! The kinds of storage that the suite runs on, and a fresh place on each.

use crate::proxy::Proxy;
use backupx_core::domain::access::TargetAccess;
use backupx_core::domain::catalogue::Driver;
use backupx_core::domain::id::TargetId;
use backupx_core::domain::key::ObjectKey;
use backupx_core::domain::secret::WireSecret;
use backupx_core::ports::objects::{ObjectStore, StoreOpener};
use backupx_core::{Error, Result};
use backupx_storage::{Limits, Opener};
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tempfile::TempDir;

/// A kind of storage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Backend {
    /// A folder of its own.
    Folder,
    /// SeaweedFS: a real S3 server.
    S3,
    /// rclone: an S3 server that ignores conditions.
    WeakS3,
    /// Azurite.
    Azblob,
    /// fake-gcs-server.
    Gcs,
    /// rclone's WebDAV server, through rclone.
    Webdav,
    /// rclone's SFTP server, through rclone.
    Sftp,
    /// Apache's WebDAV, through rclone.
    Dav,
    /// OpenSSH, through rclone.
    Openssh,
    /// pyftpdlib with TLS, through rclone.
    Ftps,
}

impl fmt::Display for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Folder => "folder",
            Self::S3 => "s3",
            Self::WeakS3 => "weak s3",
            Self::Azblob => "azblob",
            Self::Gcs => "gcs",
            Self::Webdav => "webdav",
            Self::Sftp => "sftp",
            Self::Dav => "apache",
            Self::Openssh => "openssh",
            Self::Ftps => "ftps",
        })
    }
}

impl Backend {
    /// Why it can't be tested here, when it can't.
    pub(crate) fn missing(self) -> Option<String> {
        let name = match self {
            Self::Folder => return None,
            Self::Openssh | Self::Ftps => "PORT",
            Self::S3
            | Self::WeakS3
            | Self::Azblob
            | Self::Gcs
            | Self::Webdav
            | Self::Sftp
            | Self::Dav => "ENDPOINT",
        };
        self.variable(name).err().map(|error| error.to_string())
    }

    /// What `tests/run` says of its server.
    pub(crate) fn variable(self, name: &str) -> Result<String> {
        let server = match self {
            Self::Folder => "FOLDER",
            Self::S3 => "S3",
            Self::WeakS3 => "WEAK_S3",
            Self::Azblob => "AZBLOB",
            Self::Gcs => "GCS",
            Self::Webdav => "WEBDAV",
            Self::Sftp => "SFTP",
            Self::Dav => "DAV",
            Self::Openssh => "OPENSSH",
            Self::Ftps => "FTPS",
        };
        let variable = format!("BACKUPX_TEST_{server}_{name}");
        std::env::var(&variable).map_err(|_| {
            Error::invalid(
                "test_setup",
                format!("{variable} is not set, see tests/run"),
            )
        })
    }

    /// The settings of a target in `place` on it; `folder` is one for a folder store.
    pub(crate) fn access(self, folder: &Path, place: &str) -> Result<TargetAccess> {
        let root = folder.join("root").display().to_string();
        let endpoint = || self.variable("ENDPOINT");
        Ok(match self {
            Self::Folder => access(Driver::Local, &[("path", &root)], &[]),
            Self::S3 | Self::WeakS3 => access(
                Driver::S3,
                &[
                    ("endpoint", &endpoint()?),
                    ("bucket", &self.variable("BUCKET")?),
                    ("region", "us-east-1"),
                    ("accessKeyId", &self.variable("KEY")?),
                    ("prefix", place),
                ],
                &[("secretAccessKey", &self.variable("SECRET")?)],
            ),
            Self::Azblob => access(
                Driver::Azblob,
                &[
                    ("endpoint", &endpoint()?),
                    ("account", &self.variable("ACCOUNT")?),
                    ("container", &self.variable("CONTAINER")?),
                    ("prefix", place),
                ],
                &[("accountKey", &self.variable("KEY")?)],
            ),
            Self::Gcs => access(
                Driver::Gcs,
                &[
                    ("endpoint", &endpoint()?),
                    ("bucket", &self.variable("BUCKET")?),
                    ("prefix", place),
                ],
                &[("accessToken", "any-token-will-do")],
            ),
            Self::Webdav | Self::Dav => rclone(
                &[
                    ("backend", "webdav"),
                    ("path", place),
                    ("option.url", &endpoint()?),
                    ("option.user", "backupx"),
                ],
                &[("secret.pass", PASSWORD)],
            ),
            Self::Sftp => rclone(
                &[
                    ("backend", "sftp"),
                    ("path", place),
                    ("option.host", "127.0.0.1"),
                    ("option.port", &endpoint()?),
                    ("option.user", "backupx"),
                ],
                &[("secret.pass", PASSWORD)],
            ),
            Self::Openssh => rclone(
                &[
                    ("backend", "sftp"),
                    ("path", &format!("{}/{place}", self.variable("FOLDER")?)),
                    ("option.host", "127.0.0.1"),
                    ("option.port", &self.variable("PORT")?),
                    ("option.user", "root"),
                    ("option.key_file", &self.variable("KEY")?),
                ],
                &[],
            ),
            Self::Ftps => rclone(
                &[
                    ("backend", "ftp"),
                    ("path", place),
                    ("option.host", "127.0.0.1"),
                    ("option.port", &self.variable("PORT")?),
                    ("option.user", "backupx"),
                    ("option.explicit_tls", "true"),
                    ("option.no_check_certificate", "true"),
                    ("option.disable_tls13", "true"),
                ],
                &[("secret.pass", PASSWORD)],
            ),
        })
    }
}

impl Backend {
    /// The folder of its server on this host, where it has one for itself.
    fn folder(self) -> Option<PathBuf> {
        match self {
            Self::Dav | Self::Openssh | Self::Ftps => self.variable("FOLDER").ok().map(Into::into),
            Self::Folder
            | Self::S3
            | Self::WeakS3
            | Self::Azblob
            | Self::Gcs
            | Self::Webdav
            | Self::Sftp => None,
        }
    }
}

const PASSWORD: &str = "testsecret";
/// Base64, as a key of Azure has to be.
pub(crate) const WRONG_SECRET: &str = "dGhpcy1pcy13cm9uZw==";

fn rclone(config: &[(&str, &str)], secrets: &[(&str, &str)]) -> TargetAccess {
    access(Driver::Rclone, config, secrets)
}

/// A fresh place on some storage.
pub(crate) struct Fresh {
    /// The settings that open it.
    pub(crate) access: TargetAccess,
    /// It, opened.
    pub(crate) store: Arc<dyn ObjectStore>,
    /// What it is on.
    pub(crate) backend: Backend,
    place: String,
    folder: TempDir,
}

impl Fresh {
    pub(crate) fn new(backend: Backend) -> Result<Self> {
        let folder = tempfile::tempdir()
            .map_err(|error| Error::internal("no temporary folder").with_source(error))?;
        let place = own_place();
        let access = backend.access(folder.path(), &place)?;
        let store = Opener::default().open(&access)?;
        Ok(Self {
            access,
            store,
            backend,
            place,
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

    /// Where the objects of a place lie as files, seen past the program.
    pub(crate) fn files(&self) -> Option<PathBuf> {
        match self.backend {
            Backend::Folder => Some(self.root()),
            other => Some(other.folder()?.join(&self.place)),
        }
    }

    /// A place of its own on a disk of a few MiB.
    pub(crate) fn on_a_small_disk(&self) -> Result<Arc<dyn ObjectStore>> {
        let place = format!("small/{}", self.place);
        match self.backend {
            Backend::WeakS3 => self.reopened(&[("bucket", "small")], &[]),
            Backend::Openssh => {
                let folder = self.backend.variable("FOLDER")?;
                self.reopened(&[("path", &format!("{folder}/{place}"))], &[])
            }
            Backend::Folder
            | Backend::S3
            | Backend::Azblob
            | Backend::Gcs
            | Backend::Webdav
            | Backend::Sftp
            | Backend::Dav
            | Backend::Ftps => self.reopened(&[("path", &place)], &[]),
        }
    }

    /// The same place, opened by somebody with wrong credentials.
    pub(crate) fn with_a_wrong_secret(&self) -> Result<Arc<dyn ObjectStore>> {
        match self.backend {
            Backend::S3 | Backend::WeakS3 => {
                self.reopened(&[], &[("secretAccessKey", WRONG_SECRET)])
            }
            Backend::Azblob => self.reopened(&[], &[("accountKey", WRONG_SECRET)]),
            // Its server knows nobody of that name.
            Backend::Openssh => self.reopened(&[("option.user", WRONG_SECRET)], &[]),
            Backend::Folder
            | Backend::Gcs
            | Backend::Webdav
            | Backend::Sftp
            | Backend::Dav
            | Backend::Ftps => self.reopened(&[], &[("secret.pass", WRONG_SECRET)]),
        }
    }

    /// The same place of Azure, opened by a signature that `tests/run` made instead of the key.
    pub(crate) fn with_a_signature(&self, name: &str) -> Result<Arc<dyn ObjectStore>> {
        let signature = self.backend.variable(name)?;
        self.reopened(&[], &[("accountKey", ""), ("sasToken", &signature)])
    }

    /// The same place, opened by somebody who may read and list alone.
    pub(crate) fn read_only(&self) -> Result<Arc<dyn ObjectStore>> {
        let variable = |name: &str| self.backend.variable(name);
        match self.backend {
            Backend::S3 => self.reopened(
                &[("accessKeyId", &variable("READONLY_KEY")?)],
                &[("secretAccessKey", &variable("READONLY_SECRET")?)],
            ),
            Backend::Openssh => {
                self.reopened(&[("option.key_file", &variable("READONLY_KEY")?)], &[])
            }
            Backend::Azblob => self.with_a_signature("READONLY_SAS"),
            Backend::Folder
            | Backend::WeakS3
            | Backend::Gcs
            | Backend::Webdav
            | Backend::Sftp
            | Backend::Dav
            | Backend::Ftps => self.reopened(&[("option.user", "reader")], &[]),
        }
    }

    /// The same place with some settings changed.
    pub(crate) fn reopened(
        &self,
        config: &[(&str, &str)],
        secrets: &[(&str, &str)],
    ) -> Result<Arc<dyn ObjectStore>> {
        self.reopened_by(&Opener::default(), config, secrets)
    }

    fn reopened_by(
        &self,
        opener: &Opener,
        config: &[(&str, &str)],
        secrets: &[(&str, &str)],
    ) -> Result<Arc<dyn ObjectStore>> {
        let mut access = self.access.clone();
        access.config.extend(owned(config));
        access.secrets.extend(wired(secrets));
        opener.open(&access)
    }

    /// A proxy before the server, and the same place behind it, with limits that a test can wait for.
    pub(crate) fn behind_a_proxy(&self) -> Result<(Proxy, Arc<dyn ObjectStore>)> {
        let endpoint = self.backend.variable("ENDPOINT")?;
        let proxy = Proxy::before(&endpoint)
            .map_err(|error| Error::internal("no proxy").with_source(error))?;
        // Azurite has the account in its address.
        let path = endpoint.split('/').skip(3).map(|part| format!("/{part}"));
        let url = format!("{}{}", proxy.url(), path.collect::<String>());
        let setting = match self.backend {
            Backend::Webdav | Backend::Dav => "option.url",
            _ => "endpoint",
        };
        let opener = Opener::within(Limits {
            call: Duration::from_secs(10),
            transfer: Duration::from_secs(2),
        });
        let store = self.reopened_by(&opener, &[(setting, &url)], &[])?;
        Ok((proxy, store))
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
