//! The opened seal: any range of what was sealed, from the chunks of storage that hold it.

use super::damaged;
use super::stored::StoredBytes;
use super::window::Window;
use crate::Destination;
use crate::keys::{StreamIdentity, decode_header};
use age::{DecryptError, Decryptor, Identity};
use backupx_core::Result;
use backupx_core::domain::access::StreamKey;
use backupx_core::domain::key::ObjectKey;
use backupx_core::domain::manifest::StoredStream;
use bytes::Bytes;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;

/// Plain bytes in each chunk of an age payload but the last, and what sealing adds to it (age-encryption.org/v1).
const CHUNK_BYTES: u64 = 64 << 10;
const TAG_BYTES: u64 = 16;
const SEALED_CHUNK_BYTES: u64 = CHUNK_BYTES + TAG_BYTES;

/// A stream behind its seal, when it has one.
pub(crate) struct Plain {
    stream: String,
    stored: StoredBytes,
    seal: Option<Seal>,
    len: u64,
}

struct Seal {
    header: Bytes,
    identity: StreamIdentity,
    /// Where the last chunk begins in storage, and its bytes: age needs them to know where the end is.
    last: (u64, Bytes),
}

/// Stored bytes that were fetched, and where they begin.
#[derive(Clone)]
pub(crate) struct Region {
    start: u64,
    bytes: Bytes,
}

impl Plain {
    /// Opens a stream. Reads its last chunk when it is sealed.
    pub(crate) async fn open(
        destination: &Destination,
        location: &ObjectKey,
        stream: &StoredStream,
        keys: &[StreamKey],
    ) -> Result<Self> {
        let stored = StoredBytes::new(destination, location, stream)?;
        let name = stream.stream.clone();
        let Some(header) = &stream.age_header else {
            return Ok(Self {
                stream: name,
                len: stored.len(),
                stored,
                seal: None,
            });
        };
        let identity = StreamIdentity::find(keys, &name)?;
        let header = Bytes::from(decode_header(header)?);
        let header_len = header.len() as u64;
        let sealed = stored
            .len()
            .checked_sub(header_len)
            .filter(|sealed| *sealed >= TAG_BYTES)
            .ok_or_else(|| damaged(&name, "it is shorter than its seal"))?;
        let chunks = sealed.div_ceil(SEALED_CHUNK_BYTES);
        let last_start = header_len + (chunks - 1) * SEALED_CHUNK_BYTES;
        let len = sealed
            .checked_sub(chunks * TAG_BYTES)
            .ok_or_else(|| damaged(&name, "its last chunk is too short"))?;
        let last = stored.read(last_start..stored.len()).await?;
        Ok(Self {
            stream: name,
            len,
            stored,
            seal: Some(Seal {
                header,
                identity,
                last: (last_start, last),
            }),
        })
    }

    /// The stream's name.
    pub(crate) fn stream(&self) -> &str {
        &self.stream
    }

    /// Plain bytes in all.
    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    /// Bytes read from storage so far.
    pub(crate) fn stored_bytes_read(&self) -> u64 {
        self.stored.bytes_read()
    }

    /// Fetches what is needed to open the plain bytes `range`.
    pub(crate) async fn fetch(&self, range: Range<u64>) -> Result<Region> {
        let stored = match &self.seal {
            None => range,
            Some(seal) => {
                let header = seal.header.len() as u64;
                let first = range.start / CHUNK_BYTES;
                let behind = range.end.div_ceil(CHUNK_BYTES).max(first + 1);
                let end = (header + behind * SEALED_CHUNK_BYTES).min(self.stored.len());
                let start = (header + first * SEALED_CHUNK_BYTES).min(end);
                if start >= seal.last.0 {
                    return Ok(Region {
                        start: seal.last.0,
                        bytes: seal.last.1.clone(),
                    });
                }
                start..end
            }
        };
        let start = stored.start;
        let bytes = self.stored.read(stored).await?;
        Ok(Region { start, bytes })
    }

    /// The plain bytes `range` out of a region that was fetched for at least these. Work for a thread that may be busy.
    pub(crate) fn unseal(&self, region: &Region, range: Range<u64>) -> Result<Bytes> {
        let too_large = || damaged(&self.stream, "a frame does not fit into memory");
        let length = usize::try_from(range.end - range.start).map_err(|_| too_large())?;
        let Some(seal) = &self.seal else {
            let start = usize::try_from(range.start - region.start).map_err(|_| too_large())?;
            return region
                .bytes
                .get(start..start + length)
                .map(|part| region.bytes.slice_ref(part))
                .ok_or_else(|| damaged(&self.stream, "storage answered less than was asked for"));
        };
        let window = Window::new(
            self.stored.len(),
            [
                (0, seal.header.clone()),
                (region.start, region.bytes.clone()),
                seal.last.clone(),
            ],
        );
        let mut plain = vec![0; length];
        seal.open(window)
            .and_then(|mut reader| {
                reader.seek(SeekFrom::Start(range.start))?;
                reader.read_exact(&mut plain)
            })
            .map_err(|error| damaged(&self.stream, "it does not decrypt").with_source(error))?;
        Ok(Bytes::from(plain))
    }

    /// Everything from `input`, which gives the whole stored stream from its beginning, as plain bytes.
    pub(crate) fn unseal_all<'a>(
        &self,
        input: impl io::BufRead + 'a,
    ) -> io::Result<Box<dyn Read + 'a>> {
        match &self.seal {
            None => Ok(Box::new(input)),
            Some(seal) => Ok(Box::new(seal.open(input)?)),
        }
    }
}

impl Seal {
    fn open<R: io::BufRead>(&self, input: R) -> io::Result<age::stream::StreamReader<R>> {
        let broken = |error: DecryptError| io::Error::new(io::ErrorKind::InvalidData, error);
        Decryptor::new_buffered(input)
            .map_err(broken)?
            .decrypt(std::iter::once(&self.identity as &dyn Identity))
            .map_err(broken)
    }
}
