//! The node's token: from a setting, or from a file that is read again when the master refuses what it said before.

use backupx_core::{Error, Result};
use secrecy::{ExposeSecret, SecretString};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

/// A node's token. Never in `Debug` output, log or error.
#[derive(Clone)]
pub struct Token {
    value: Arc<RwLock<SecretString>>,
    origin: Origin,
}

#[derive(Debug, Clone)]
enum Origin {
    Setting(String),
    File(PathBuf),
}

impl Token {
    /// A token that stands in the setting called `source`.
    pub fn given(token: SecretString, source: &str) -> Result<Self> {
        Ok(Self {
            value: Arc::new(RwLock::new(checked(token.expose_secret(), source)?)),
            origin: Origin::Setting(source.to_owned()),
        })
    }

    /// The token in the file at `path`.
    pub fn from_file(path: &Path) -> Result<Self> {
        Ok(Self {
            value: Arc::new(RwLock::new(read(path)?)),
            origin: Origin::File(path.to_owned()),
        })
    }

    /// Where it came from, for messages.
    pub fn source(&self) -> String {
        match &self.origin {
            Origin::Setting(source) => source.clone(),
            Origin::File(path) => path.display().to_string(),
        }
    }

    /// The value of the `Authorization` header.
    pub(super) fn header(&self) -> Result<reqwest::header::HeaderValue> {
        let value = self.value.read().unwrap_or_else(PoisonError::into_inner);
        let text = format!("Bearer {}", value.expose_secret());
        let mut header =
            reqwest::header::HeaderValue::from_str(&text).map_err(|_| unfit(&self.source()))?;
        header.set_sensitive(true);
        Ok(header)
    }

    /// Reads the file again, if it is in one. True when it holds another token now.
    pub(super) fn renew(&self) -> bool {
        let Origin::File(path) = &self.origin else {
            return false;
        };
        // A file that is not right at the moment changes nothing: the next refusal looks again.
        let Ok(fresh) = read(path) else {
            return false;
        };
        let mut value = self.value.write().unwrap_or_else(PoisonError::into_inner);
        let changed = value.expose_secret() != fresh.expose_secret();
        *value = fresh;
        changed
    }
}

fn read(path: &Path) -> Result<SecretString> {
    let shown = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|cause| {
        Error::invalid(
            "bad_setting",
            format!("the token file {shown} can't be read: {cause}"),
        )
    })?;
    checked(&text, &format!("the token file {shown}"))
}

fn checked(text: &str, source: &str) -> Result<SecretString> {
    let token = text.trim();
    if token.is_empty() {
        return Err(Error::invalid(
            "bad_setting",
            format!("{source} holds no token: it is empty"),
        ));
    }
    if token.len() > 1024 || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(unfit(source));
    }
    Ok(SecretString::from(token.to_owned()))
}

fn unfit(source: &str) -> Error {
    Error::invalid(
        "bad_setting",
        format!("{source} holds no token: a token is one word of letters and digits"),
    )
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Token(from {})", self.source())
    }
}
