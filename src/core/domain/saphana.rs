//! SAP HANA as a source: which of its databases, how they are backed up, and who makes the statements.

use super::database::{Selection, Server, no_path, unfit};
use crate::FieldError;
use serde::{Deserialize, Serialize};

/// Channels that HANA opens to a Backint tool at most.
pub const MOST_CHANNELS: u8 = 32;
/// Times that a backup is tried again at most.
pub const MOST_RETRIES: u8 = 10;
/// Seconds before the first retry at most.
pub const MOST_RETRY_WAIT_SECS: u32 = 3600;

/// SAP HANA, by `hdbsql`: the database itself makes the backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SaphanaSource {
    /// How it is reached; with a `userStoreKey` only whether the connection is sealed.
    #[serde(default)]
    pub server: Server,
    /// A key of the user store (`hdbuserstore`) of the agent's user, which says where the server is and who signs in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_store_key: Option<String>,
    /// The database that is signed in to; absent means the one that listens at the port. From the system database tenants are backed up too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connect_to: Option<String>,
    /// Which databases: `SYSTEMDB` and names of tenants.
    #[serde(default)]
    pub databases: Selection,
    /// What of them is backed up.
    #[serde(default)]
    pub level: SaphanaLevel,
    /// Where HANA writes its backup.
    #[serde(default)]
    pub via: SaphanaVia,
    /// Streams to the Backint tool at once, 1 to 32; absent leaves HANA as it is set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channels: Option<u8>,
    /// Folder on the database's host that its backup is written to before it is read; for logs the one where HANA lays them down. Absent
    /// means HANA's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folder: Option<String>,
    /// How often a backup that failed is tried again within a run.
    #[serde(default = "retries")]
    pub retries: u8,
    /// Seconds before the first retry; each further one waits twice as long.
    #[serde(default = "retry_wait_secs")]
    pub retry_wait_secs: u32,
    /// Folder on the node with `hdbsql` and `hdbuserstore`; absent means that they are looked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tools: Option<String>,
}

fn retries() -> u8 {
    2
}

fn retry_wait_secs() -> u32 {
    30
}

impl Default for SaphanaSource {
    fn default() -> Self {
        Self {
            server: Server::default(),
            user_store_key: None,
            connect_to: None,
            databases: Selection::default(),
            level: SaphanaLevel::default(),
            via: SaphanaVia::default(),
            channels: None,
            folder: None,
            retries: retries(),
            retry_wait_secs: retry_wait_secs(),
            tools: None,
        }
    }
}

/// What of a HANA database is backed up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum SaphanaLevel {
    /// All of its data.
    #[default]
    Full,
    /// What changed since the last data backup of any level.
    Incremental,
    /// What changed since the last full backup.
    Differential,
    /// The log backups that HANA made by itself since the last full backup.
    Log,
}

/// Where HANA writes a backup.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum SaphanaVia {
    /// Into files on its host, which are read and then removed.
    #[default]
    File,
    /// To its Backint tool, which keeps it by itself.
    Backint,
}

impl SaphanaSource {
    /// What can be seen to be wrong without asking anybody, by field below `at`. The server and the selection are looked at elsewhere.
    pub fn wrong(&self, at: &str) -> Vec<FieldError> {
        let mut errors = Vec::new();
        let mut wrong = |field: &str, message: String| {
            errors.push(FieldError {
                field: format!("{at}.{field}"),
                message,
            });
        };
        for (field, message) in self.wrong_sign_in() {
            wrong(field, message);
        }
        if self.via == SaphanaVia::Backint && self.level == SaphanaLevel::Log {
            wrong(
                "via",
                "log backups that go through Backint are with its tool already: collect those in files, or none"
                    .to_owned(),
            );
        }
        if let Some(channels) = self.channels {
            if !(1..=MOST_CHANNELS).contains(&channels) {
                wrong("channels", format!("must be 1 to {MOST_CHANNELS}"));
            } else if self.via == SaphanaVia::File {
                wrong(
                    "channels",
                    "are streams to a Backint tool: leave them out, or set via to backint"
                        .to_owned(),
                );
            }
        }
        if let Some(folder) = &self.folder {
            if self.via == SaphanaVia::Backint {
                wrong(
                    "folder",
                    "is for backups into files: a Backint tool keeps its own place".to_owned(),
                );
            } else if let Some(why) = no_path(folder) {
                wrong("folder", why);
            } else if folder.contains(|c: char| c.is_control() || matches!(c, '\'' | '"' | ';')) {
                let message = "must have no quotes, semicolons or control characters: it goes into a statement";
                wrong("folder", message.to_owned());
            }
        }
        if self.retries > MOST_RETRIES {
            wrong("retries", format!("must be at most {MOST_RETRIES}"));
        }
        if self.retry_wait_secs > MOST_RETRY_WAIT_SECS {
            let message = format!("must be at most {MOST_RETRY_WAIT_SECS}");
            wrong("retryWaitSecs", message);
        }
        errors
    }

    /// What is wrong with how it is signed in to, by field.
    fn wrong_sign_in(&self) -> Vec<(&'static str, String)> {
        let mut errors = Vec::new();
        let server = &self.server;
        if server.socket.is_some() {
            errors.push((
                "server.socket",
                "HANA has no sockets: name a host and a port".to_owned(),
            ));
        }
        for (field, text) in [
            ("userStoreKey", &self.user_store_key),
            ("connectTo", &self.connect_to),
            ("server.user", &server.user),
        ] {
            match text.as_deref() {
                // What begins with a dash would be an option of the tool that it is handed to.
                Some(text) if text.starts_with('-') => {
                    errors.push((field, "must not begin with '-'".to_owned()));
                }
                Some(text) if field != "server.user" => {
                    errors.extend(unfit(text).map(|why| (field, why)));
                }
                Some(_) | None => {}
            }
        }
        if self.user_store_key.is_none() {
            if server.user.is_none() {
                let message =
                    "is required, with a password; or name a userStoreKey instead".to_owned();
                errors.push(("server.user", message));
            }
            return errors;
        }
        for (field, is_there) in [
            ("server.host", server.host.is_some()),
            ("server.port", server.port.is_some()),
            ("server.user", server.user.is_some()),
            ("server.passwordFile", server.password_file.is_some()),
        ] {
            if is_there {
                let message = "is what the key of the user store says: leave one of both out";
                errors.push((field, message.to_owned()));
            }
        }
        errors
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(source: &SaphanaSource) -> Vec<String> {
        let errors = source.wrong("source").into_iter();
        errors.map(|error| error.field).collect()
    }

    fn by_key() -> SaphanaSource {
        SaphanaSource {
            user_store_key: Some("BACKUP".to_owned()),
            ..SaphanaSource::default()
        }
    }

    #[test]
    fn what_does_not_go_together_is_refused_by_field() {
        assert!(fields(&by_key()).is_empty());
        assert_eq!(fields(&SaphanaSource::default()), ["source.server.user"]);
        let both = SaphanaSource {
            server: Server {
                host: Some("db".to_owned()),
                user: Some("BACKUP".to_owned()),
                socket: Some("/run/db".to_owned()),
                ..Server::default()
            },
            ..by_key()
        };
        assert_eq!(
            fields(&both),
            [
                "source.server.socket",
                "source.server.host",
                "source.server.user"
            ]
        );
        let backint = SaphanaSource {
            via: SaphanaVia::Backint,
            channels: Some(32),
            ..by_key()
        };
        assert!(fields(&backint).is_empty());
        let log = SaphanaSource {
            level: SaphanaLevel::Log,
            folder: Some("/backup".to_owned()),
            channels: Some(33),
            ..backint
        };
        assert_eq!(
            fields(&log),
            ["source.via", "source.channels", "source.folder"]
        );
        let quoted = SaphanaSource {
            folder: Some("/backup/'); DROP".to_owned()),
            ..by_key()
        };
        assert_eq!(fields(&quoted), ["source.folder"]);
        let file = SaphanaSource {
            channels: Some(4),
            folder: Some("backup".to_owned()),
            retries: 11,
            retry_wait_secs: 3601,
            connect_to: Some("-d".to_owned()),
            ..by_key()
        };
        assert_eq!(
            fields(&file),
            [
                "source.connectTo",
                "source.channels",
                "source.folder",
                "source.retries",
                "source.retryWaitSecs"
            ]
        );
    }
}
