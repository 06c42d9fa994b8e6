//! Checksums of a stored stream while it goes by: of each object and of the whole, against what the manifest says.

use backupx_core::domain::manifest::{StoredObject, StoredStream};
use backupx_core::{Error, Result};
use bytes::Bytes;
use sha2::{Digest, Sha256};

/// Checks the bytes of one stream in their order.
pub(crate) struct Checksums {
    stream: StoredStream,
    /// The object that is going by, and how many of its bytes did.
    object: usize,
    passed: u64,
    object_hash: Sha256,
    /// Of the whole stream; not needed when one object is the whole.
    whole_hash: Option<Sha256>,
}

impl Checksums {
    pub(crate) fn new(stream: StoredStream) -> Self {
        Self {
            whole_hash: (stream.objects.len() != 1).then(Sha256::new),
            stream,
            object: 0,
            passed: 0,
            object_hash: Sha256::new(),
        }
    }

    /// Takes the next bytes. An object whose checksum does not hold is an error as soon as its end is there.
    pub(crate) fn update(&mut self, bytes: &Bytes) -> Result<()> {
        if let Some(whole) = &mut self.whole_hash {
            whole.update(bytes);
        }
        let mut left = bytes.clone();
        while !left.is_empty() {
            let object = self
                .stream
                .objects
                .get(self.object)
                .ok_or_else(|| self.wrong("is longer than its objects"))?;
            let room = usize::try_from(object.size - self.passed).unwrap_or(usize::MAX);
            let part = left.split_to(room.min(left.len()));
            self.object_hash.update(&part);
            self.passed += part.len() as u64;
            if self.passed == object.size {
                let found = hex::encode(std::mem::take(&mut self.object_hash).finalize());
                check(object, &found)?;
                self.object += 1;
                self.passed = 0;
            }
        }
        Ok(())
    }

    /// Says that all bytes went by.
    pub(crate) fn finish(self) -> Result<()> {
        let open = self
            .stream
            .objects
            .iter()
            .skip(self.object)
            .any(|object| object.size > 0);
        if open {
            return Err(self.wrong("is shorter than its objects"));
        }
        let found = match &self.whole_hash {
            Some(whole) => hex::encode(whole.clone().finalize()),
            None => self
                .stream
                .objects
                .iter()
                .map(|object| object.sha256.clone())
                .collect(),
        };
        if found != self.stream.sha256 {
            return Err(self.wrong("as a whole has another checksum than the manifest says"));
        }
        Ok(())
    }

    fn wrong(&self, how: &str) -> Error {
        Error::invalid(
            "stream_damaged",
            format!("the stored {} stream {how}", self.stream.stream),
        )
    }
}

fn check(object: &StoredObject, found: &str) -> Result<()> {
    if found == object.sha256 {
        return Ok(());
    }
    Err(Error::invalid(
        "stream_damaged",
        format!(
            "{} has the checksum {found}, {} was stored",
            object.name, object.sha256
        ),
    ))
}
