//! Keys of sealed backups: what the master asks of the seal's format.

use crate::Result;
use crate::domain::access::StreamKey;
use secrecy::SecretString;

/// A fresh key pair of the organisation.
pub struct KeyPair {
    /// `AGE-SECRET-KEY-1…`, kept by the master (sealed) or only by people.
    pub identity: SecretString,
    /// `age1…`, public.
    pub recipient: String,
}

/// Knows the format of identities, recipients and sealed streams.
pub trait SealKeys: Send + Sync {
    /// Makes a key pair.
    fn generate(&self) -> KeyPair;

    /// The recipient of an identity; `Invalid` when the text is none.
    fn recipient_of(&self, identity: &SecretString) -> Result<String>;

    /// Refuses a text that is no recipient, and says why.
    fn check_recipient(&self, recipient: &str) -> Result<()>;

    /// Unwraps the file key of one stream from its header (base64, as in the manifest): it opens this stream and nothing else.
    fn unwrap(&self, identity: &SecretString, stream: &str, age_header: &str) -> Result<StreamKey>;
}
