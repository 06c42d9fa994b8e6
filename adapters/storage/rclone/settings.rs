//! The settings of a backend of rclone, checked before anything is started. What would reach around the host's policy is refused: backends
//! that wrap others or read this host's own disk, and options that start programs.

use crate::required;
use backupx_core::domain::access::TargetAccess;
use backupx_core::domain::catalogue::{OPTION, SECRET};
use backupx_core::{Error, Result};
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

/// Backends that are no place of their own, or the host's own disk.
const NO_PLACES: [&str; 17] = [
    "alias",
    "archive",
    "cache",
    "chunker",
    "combine",
    "compress",
    "crypt",
    "doi",
    "hasher",
    "http",
    "local",
    "memory",
    "union",
    "cloudinary",
    "imagekit",
    "google photos",
    "googlephotos",
];

/// Options that start programs.
const PROGRAMS: [&str; 3] = ["ssh", "server_command", "bearer_token_command"];

/// Checked settings.
pub(crate) struct Settings {
    backend: String,
    root: String,
    /// All options of the backend, secret ones among them. Has no `Debug`.
    options: BTreeMap<String, String>,
    /// Where it is, for people.
    at: String,
}

impl Settings {
    pub(super) fn read(access: &TargetAccess) -> Result<Self> {
        let backend = required(access, "backend")?.to_owned();
        if NO_PLACES.contains(&backend.as_str()) {
            return Err(Error::field(
                "config.backend",
                format!("{backend} is no place to keep backups in: name the backend itself"),
            ));
        }
        let named = |name: &str, prefix: &str| {
            let name = name.strip_prefix(prefix)?;
            Some(name.to_owned())
        };
        let mut options = BTreeMap::new();
        for (name, value) in &access.config {
            options.extend(named(name, OPTION).map(|name| (name, value.clone())));
        }
        for (name, value) in &access.secrets {
            let value = value.expose().to_owned();
            options.extend(named(name, SECRET).map(|name| (name, value)));
        }
        options.retain(|_, value| !value.is_empty());
        let starts =
            |name: &&String| PROGRAMS.contains(&name.as_str()) || name.ends_with("_command");
        if let Some(option) = options.keys().find(starts) {
            return Err(Error::field(
                format!("config.{OPTION}{option}"),
                "starts a program of the host, which a target may not",
            ));
        }
        // A slash at its beginning tells a path of a server from one of the user's own folder there.
        let root = access.config.get("path").map_or("", String::as_str);
        let root = root.trim_end_matches('/').to_owned();
        let place = [
            "url",
            "host",
            "endpoint",
            "account",
            "user",
            "username",
            "share_name",
        ];
        let place = place.iter().find_map(|name| options.get(*name));
        let at = match place {
            Some(place) => format!("{backend} {place}"),
            None => backend.clone(),
        };
        Ok(Self {
            backend,
            root,
            options,
            at,
        })
    }

    /// Name of the backend.
    pub(super) fn backend(&self) -> &str {
        &self.backend
    }

    /// Folder on it, without a slash at its end.
    pub(super) fn root(&self) -> &str {
        &self.root
    }

    /// Its options by name.
    pub(super) fn options(&self) -> &BTreeMap<String, String> {
        &self.options
    }

    /// Where it is, for people.
    pub(super) fn place(&self) -> &str {
        &self.at
    }

    /// A name that is the same for the same backend with the same options, in this process.
    pub(super) fn remote(&self) -> String {
        let mut hasher = DefaultHasher::new();
        (&self.backend, &self.options).hash(&mut hasher);
        format!("target{:016x}", hasher.finish())
    }
}
