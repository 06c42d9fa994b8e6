//! A file of the log compressed and sealed, and the way back. Whole in memory: a segment has 16 MiB, 1 GiB at most.

use crate::keys::{parse_identity, parse_recipients};
use age::DecryptError;
use backupx_core::{Error, Result};
use secrecy::SecretString;
use std::io::{Read, Write};

const LEVEL: i32 = 3;
/// More than any file of a log has.
const MOST: u64 = (1 << 30) + 1;

/// `raw` as it is stored.
pub(super) fn close(raw: &[u8], recipients: &[String]) -> Result<Vec<u8>> {
    let failed = |error: std::io::Error| {
        Error::internal("a piece of log can't be compressed").with_source(error)
    };
    let mut encoder = zstd::Encoder::new(Vec::new(), LEVEL).map_err(failed)?;
    encoder.include_checksum(true).map_err(failed)?;
    encoder.write_all(raw).map_err(failed)?;
    let compressed = encoder.finish().map_err(failed)?;
    if recipients.is_empty() {
        return Ok(compressed);
    }
    let recipients = parse_recipients(recipients)?;
    let recipients = recipients.iter().map(|one| one as &dyn age::Recipient);
    let not_sealed = || Error::internal("a piece of log can't be sealed to its recipients");
    let encryptor = age::Encryptor::with_recipients(recipients)
        .map_err(|error| not_sealed().with_source(error))?;
    let mut sealed = Vec::with_capacity(compressed.len() + 1024);
    encryptor
        .wrap_output(&mut sealed)
        .and_then(|mut writer| {
            writer.write_all(&compressed)?;
            writer.finish().map(drop)
        })
        .map_err(|error| not_sealed().with_source(error))?;
    Ok(sealed)
}

/// What was stored as `stored`, which is sealed or not.
pub(super) fn open(stored: &[u8], is_sealed: bool, identities: &[SecretString]) -> Result<Vec<u8>> {
    if is_sealed {
        let opened = unseal(stored, identities)?;
        decompress(&opened)
    } else {
        decompress(stored)
    }
}

fn unseal(stored: &[u8], identities: &[SecretString]) -> Result<Vec<u8>> {
    if identities.is_empty() {
        return Err(Error::invalid(
            "key_missing",
            "this piece of log is sealed, and the settings name no identityFile with the key that opens it",
        ));
    }
    let identities = identities
        .iter()
        .map(parse_identity)
        .collect::<Result<Vec<_>>>()?;
    let decryptor = age::Decryptor::new_buffered(stored).map_err(|error| damaged(&error))?;
    let keys = identities.iter().map(|one| one as &dyn age::Identity);
    let mut reader = decryptor.decrypt(keys).map_err(|error| match error {
        DecryptError::NoMatchingKeys => Error::invalid(
            "wrong_key",
            "this piece of log is not sealed to any key in identityFile",
        ),
        other => damaged(&other),
    })?;
    let mut opened = Vec::with_capacity(stored.len());
    reader
        .read_to_end(&mut opened)
        .map_err(|error| damaged(&error))?;
    Ok(opened)
}

fn decompress(compressed: &[u8]) -> Result<Vec<u8>> {
    let decoder = zstd::Decoder::new(compressed).map_err(|error| damaged(&error))?;
    let mut raw = Vec::new();
    decoder
        .take(MOST)
        .read_to_end(&mut raw)
        .map_err(|error| damaged(&error))?;
    if raw.len() as u64 == MOST {
        return Err(damaged(&"it has more bytes than any segment"));
    }
    Ok(raw)
}

fn damaged(why: &dyn std::fmt::Display) -> Error {
    Error::invalid(
        "wal_damaged",
        format!("a piece of log is damaged in storage: {why}"),
    )
}
