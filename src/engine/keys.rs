//! The seal's keys: age X25519 identities and recipients, and the file key of one stream.

use backupx_core::domain::access::StreamKey;
use backupx_core::ports::keys::{KeyPair, SealKeys};
use backupx_core::{Error, Result};
use secrecy::SecretString;

/// Knows age's X25519 keys and headers.
#[derive(Debug, Clone, Copy, Default)]
pub struct AgeKeys;

impl SealKeys for AgeKeys {
    fn generate(&self) -> KeyPair {
        let identity = age::x25519::Identity::generate();
        KeyPair {
            recipient: identity.to_public().to_string(),
            identity: identity.to_string(),
        }
    }

    fn recipient_of(&self, _identity: &SecretString) -> Result<String> {
        Err(Error::internal("keys are not built in yet"))
    }

    fn check_recipient(&self, _recipient: &str) -> Result<()> {
        Err(Error::internal("keys are not built in yet"))
    }

    fn unwrap(
        &self,
        _identity: &SecretString,
        _stream: &str,
        _age_header: &str,
    ) -> Result<StreamKey> {
        Err(Error::internal("keys are not built in yet"))
    }
}
