//! Passwords: what is accepted, and Argon2id on threads of its own.

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use backupx_core::{Error, Result};
use secrecy::{ExposeSecret, SecretString};
use std::sync::OnceLock;
use tokio::sync::Semaphore;

/// Fewest characters of a password.
const MIN_CHARS: usize = 10;
/// Most bytes of a password: what is longer only costs work.
const MAX_BYTES: usize = 1024;
/// How many hashes run at once: each takes 19 MiB, and a flood of sign-ins must not take all memory.
const AT_ONCE: usize = 2;

/// Hashes and compares passwords.
pub(crate) struct Passwords {
    turns: Semaphore,
}

impl Default for Passwords {
    fn default() -> Self {
        Self {
            turns: Semaphore::new(AT_ONCE),
        }
    }
}

impl Passwords {
    /// The hash of a new password, as a PHC string; refuses what is too short or too long.
    pub(crate) async fn hash(&self, password: &SecretString) -> Result<String> {
        check(password)?;
        let password = password.clone();
        self.on_own_thread(move || hash(&password)).await?
    }

    /// True when `password` is the one that `hash` was made of. Without a hash it works as long and answers false, so that nobody
    /// can tell by the time whether a name exists.
    pub(crate) async fn matches(
        &self,
        password: &SecretString,
        phc: Option<String>,
    ) -> Result<bool> {
        if password.expose_secret().len() > MAX_BYTES {
            return Ok(false);
        }
        let password = password.clone();
        self.on_own_thread(move || {
            let nobody = hash_of_nobody()?;
            let known = phc.is_some();
            let phc = phc.unwrap_or_else(|| nobody.to_owned());
            let parsed = PasswordHash::new(&phc)
                .map_err(|e| Error::internal("a stored password hash is broken").with_source(e))?;
            let same = Argon2::default()
                .verify_password(password.expose_secret().as_bytes(), &parsed)
                .is_ok();
            Ok(same && known)
        })
        .await?
    }

    async fn on_own_thread<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T> {
        let _turn = self
            .turns
            .acquire()
            .await
            .map_err(|e| Error::internal("passwords are closed").with_source(e))?;
        tokio::task::spawn_blocking(work)
            .await
            .map_err(|e| Error::internal("hashing a password broke off").with_source(e))
    }
}

fn check(password: &SecretString) -> Result<()> {
    let password = password.expose_secret();
    if password.chars().count() < MIN_CHARS {
        return Err(Error::field(
            "password",
            format!("must have at least {MIN_CHARS} characters"),
        ));
    }
    if password.len() > MAX_BYTES {
        return Err(Error::field(
            "password",
            format!("must have at most {MAX_BYTES} bytes"),
        ));
    }
    Ok(())
}

fn hash(password: &SecretString) -> Result<String> {
    Argon2::default()
        .hash_password(password.expose_secret().as_bytes())
        .map(|hash| hash.to_string())
        .map_err(|e| Error::internal("a password could not be hashed").with_source(e))
}

/// A hash that no password is known for, made with the same cost as all others.
fn hash_of_nobody() -> Result<&'static str> {
    static NOBODY: OnceLock<String> = OnceLock::new();
    if let Some(made) = NOBODY.get() {
        return Ok(made);
    }
    let random: [u8; 32] = rand::random();
    let made = hash(&SecretString::from(hex::encode(random)))?;
    Ok(NOBODY.get_or_init(|| made))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_right_password_matches() -> Result<()> {
        let passwords = Passwords::default();
        let right = SecretString::from("correct horse".to_owned());
        let hash = passwords.hash(&right).await?;
        assert!(hash.starts_with("$argon2id$"));
        assert!(passwords.matches(&right, Some(hash.clone())).await?);
        let wrong = SecretString::from("correct horsf".to_owned());
        assert!(!passwords.matches(&wrong, Some(hash)).await?);
        assert!(!passwords.matches(&right, None).await?);
        Ok(())
    }

    #[test]
    fn short_and_endless_passwords_are_refused() {
        assert!(check(&SecretString::from("123456789".to_owned())).is_err());
        assert!(check(&SecretString::from("1234567890".to_owned())).is_ok());
        assert!(check(&SecretString::from("x".repeat(1025))).is_err());
    }
}
