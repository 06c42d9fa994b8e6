//! The seal's keys: age X25519 identities and recipients, and the file key of one stream.

use age::{DecryptError, Decryptor, Identity};
use age_core::format::{FILE_KEY_BYTES, FileKey, Stanza};
use backupx_core::domain::access::StreamKey;
use backupx_core::domain::secret::WireSecret;
use backupx_core::ports::keys::{KeyPair, SealKeys};
use backupx_core::{Error, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use secrecy::{ExposeSecret as _, SecretString};
use std::sync::Mutex;

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

    fn recipient_of(&self, identity: &SecretString) -> Result<String> {
        Ok(parse_identity(identity)?.to_public().to_string())
    }

    fn check_recipient(&self, recipient: &str) -> Result<()> {
        parse_recipient(recipient).map(drop)
    }

    fn unwrap(&self, identity: &SecretString, stream: &str, age_header: &str) -> Result<StreamKey> {
        let header = decode_header(age_header)?;
        let capturing = Capturing {
            identity: parse_identity(identity)?,
            caught: Mutex::new(None),
        };
        let decryptor = Decryptor::new_buffered(&header[..]).map_err(bad_header)?;
        decryptor
            .decrypt(std::iter::once(&capturing as &dyn Identity))
            .map_err(|error| match error {
                DecryptError::NoMatchingKeys => Error::invalid(
                    "wrong_key",
                    "this backup is not sealed to the given key: give the key of the organisation that made it, or one of its recovery keys",
                ),
                other => bad_header(other),
            })?;
        let caught = capturing
            .caught
            .into_inner()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let file_key =
            caught.ok_or_else(|| Error::internal("age opened a header without a key"))?;
        Ok(StreamKey {
            stream: stream.to_owned(),
            file_key: WireSecret::new(BASE64.encode(*file_key)),
        })
    }
}

/// The recipients of a run.
pub(crate) fn parse_recipients(recipients: &[String]) -> Result<Vec<age::x25519::Recipient>> {
    recipients
        .iter()
        .map(|text| parse_recipient(text))
        .collect()
}

/// Header and nonce from their text in a manifest.
pub(crate) fn decode_header(text: &str) -> Result<Vec<u8>> {
    BASE64.decode(text).map_err(|error| {
        Error::invalid(
            "bad_age_header",
            "the seal's header in the manifest is no base64",
        )
        .with_source(error)
    })
}

/// Header and nonce as text for a manifest.
pub(crate) fn encode_header(header: &[u8]) -> String {
    BASE64.encode(header)
}

/// Opens one stream with its file key: whatever header it is shown, it answers that key, and age checks the header with it.
pub(crate) struct StreamIdentity(zeroize::Zeroizing<[u8; FILE_KEY_BYTES]>);

impl StreamIdentity {
    /// The identity of the stream called `stream`, when its key is among `keys`.
    pub(crate) fn find(keys: &[StreamKey], stream: &str) -> Result<Self> {
        let key = keys
            .iter()
            .find(|key| key.stream == stream)
            .ok_or_else(|| {
                Error::invalid(
                    "key_missing",
                    format!(
                        "the {stream} stream of this backup is sealed and no key for it was given"
                    ),
                )
            })?;
        let bytes =
            zeroize::Zeroizing::new(BASE64.decode(key.file_key.expose()).unwrap_or_default());
        let file_key: [u8; FILE_KEY_BYTES] = bytes.as_slice().try_into().map_err(|_| {
            Error::invalid(
                "bad_stream_key",
                format!("the key of the {stream} stream is not 16 bytes in base64"),
            )
        })?;
        Ok(Self(zeroize::Zeroizing::new(file_key)))
    }
}

impl Identity for StreamIdentity {
    fn unwrap_stanza(&self, _stanza: &Stanza) -> Option<Result<FileKey, DecryptError>> {
        Some(Ok(FileKey::new(Box::new(*self.0))))
    }
}

/// Unwraps with a person's or the organisation's identity and remembers the file key that came out.
struct Capturing {
    identity: age::x25519::Identity,
    caught: Mutex<Option<zeroize::Zeroizing<[u8; FILE_KEY_BYTES]>>>,
}

impl Identity for Capturing {
    fn unwrap_stanza(&self, stanza: &Stanza) -> Option<Result<FileKey, DecryptError>> {
        let unwrapped = self.identity.unwrap_stanza(stanza)?;
        if let Ok(file_key) = &unwrapped {
            let mut caught = self
                .caught
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner);
            *caught = Some(zeroize::Zeroizing::new(*file_key.expose_secret()));
        }
        Some(unwrapped)
    }
}

pub(crate) fn parse_identity(identity: &SecretString) -> Result<age::x25519::Identity> {
    identity.expose_secret().trim().parse().map_err(|_| {
        Error::invalid(
            "bad_identity",
            "the text is no age identity; one looks like AGE-SECRET-KEY-1…",
        )
    })
}

pub(crate) fn parse_recipient(recipient: &str) -> Result<age::x25519::Recipient> {
    recipient.parse().map_err(|why| {
        Error::invalid(
            "bad_recipient",
            format!("{recipient:?} is no age recipient ({why}); one looks like age1…"),
        )
    })
}

fn bad_header(error: DecryptError) -> Error {
    Error::invalid(
        "bad_age_header",
        "the seal's header can't be read: the stream is damaged",
    )
    .with_source(error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn sealed(recipient: &str) -> Result<String> {
        let recipients = parse_recipients(&[recipient.to_owned()])?;
        let mut bytes = Vec::new();
        let mut writer =
            age::Encryptor::with_recipients(recipients.iter().map(|r| r as &dyn age::Recipient))
                .expect("a recipient is given")
                .wrap_output(&mut bytes)
                .expect("memory takes it");
        writer.flush().expect("memory takes it");
        drop(writer);
        Ok(encode_header(&bytes))
    }

    #[test]
    fn a_file_key_comes_out_of_its_header_with_the_right_identity_only() -> Result<()> {
        let pair = AgeKeys.generate();
        assert_eq!(AgeKeys.recipient_of(&pair.identity)?, pair.recipient);
        let header = sealed(&pair.recipient)?;
        let key = AgeKeys.unwrap(&pair.identity, "data", &header)?;
        let identity = StreamIdentity::find(std::slice::from_ref(&key), "data")?;
        let raw = decode_header(&header)?;
        let opened = Decryptor::new_buffered(&raw[..])
            .expect("a header")
            .decrypt(std::iter::once(&identity as &dyn Identity));
        assert!(opened.is_ok());
        let stranger = AgeKeys.generate();
        let refused = AgeKeys
            .unwrap(&stranger.identity, "data", &header)
            .expect_err("another key");
        assert_eq!(refused.code(), "wrong_key");
        assert!(StreamIdentity::find(&[key], "index").is_err());
        Ok(())
    }

    #[test]
    fn texts_that_are_no_keys_are_refused_with_a_hint() {
        let refused = AgeKeys
            .check_recipient("age1nonsense")
            .expect_err("no recipient");
        assert!(refused.message().contains("age1…"));
        let secret = SecretString::from("AGE-SECRET-KEY-1NONSENSE");
        let refused = AgeKeys.recipient_of(&secret).expect_err("no identity");
        assert!(
            !refused.message().contains("NONSENSE"),
            "never_30: no secret in an error"
        );
    }
}
