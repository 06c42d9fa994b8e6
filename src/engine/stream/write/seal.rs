//! The seal: frames in order, their seek table behind them, encrypted to the recipients when there are any.

use super::StreamPlan;
use super::frames::Next;
use crate::stream::block::BlockWriter;
use crate::stream::seek_table::SeekTable;
use backupx_core::domain::task::Compression;
use backupx_core::{Error, Result};
use bytes::Bytes;
use crossbeam_channel::{Receiver, Sender};
use std::io::{self, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What is known of a stream once all of it went through the seal.
pub(in crate::stream) struct Sealed {
    /// Bytes before compression.
    pub(in crate::stream) raw_bytes: u64,
    /// Header and nonce, when it is sealed.
    pub(in crate::stream) age_header: Option<Vec<u8>>,
}

/// Seals everything that comes until the end of the stream.
pub(super) fn run(
    plan: &StreamPlan,
    frames: &Receiver<Next>,
    blocks: Sender<Bytes>,
) -> Result<Sealed> {
    let (mut envelope, age_header) = Envelope::open(&plan.recipients, BlockWriter::new(blocks))?;
    let mut table = SeekTable::default();
    let mut raw_bytes = 0;
    loop {
        match frames.recv() {
            Ok(Next::Frame(frame)) => {
                let frame = frame.recv().map_err(|_| given_up())??;
                envelope.write_all(&frame.bytes).map_err(not_taken)?;
                raw_bytes += frame.raw_len as u64;
                if plan.compression == Compression::Zstd {
                    table.push(frame.bytes.len() as u64, frame.raw_len as u64);
                }
            }
            Ok(Next::End) => break,
            Err(_) => return Err(given_up()),
        }
    }
    if plan.compression == Compression::Zstd {
        envelope.write_all(&table.encode()?).map_err(not_taken)?;
    }
    envelope.close().map_err(not_taken)?;
    Ok(Sealed {
        raw_bytes,
        age_header,
    })
}

enum Envelope {
    Sealed(age::stream::StreamWriter<Caught>),
    Open(BlockWriter),
}

impl Envelope {
    /// An envelope to `recipients`, and the header and nonce that it begins with.
    fn open(
        recipients: &[age::x25519::Recipient],
        out: BlockWriter,
    ) -> Result<(Self, Option<Vec<u8>>)> {
        if recipients.is_empty() {
            return Ok((Self::Open(out), None));
        }
        let encryptor =
            age::Encryptor::with_recipients(recipients.iter().map(|r| r as &dyn age::Recipient))
                .map_err(|error| {
                    Error::internal("the stream can't be sealed to its recipients")
                        .with_source(error)
                })?;
        let copy = Arc::new(Mutex::new(Some(Vec::new())));
        let writer = encryptor
            .wrap_output(Caught {
                out,
                copy: Arc::clone(&copy),
            })
            .map_err(not_taken)?;
        let header = lock(&copy).take();
        Ok((Self::Sealed(writer), header))
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Sealed(writer) => writer.write_all(bytes),
            Self::Open(out) => out.write_all(bytes),
        }
    }

    fn close(self) -> io::Result<()> {
        match self {
            Self::Sealed(writer) => writer.finish()?.out.finish(),
            Self::Open(out) => out.finish(),
        }
    }
}

/// A writer that keeps a copy of what goes through until the copy is taken: age writes header and nonce when it is wrapped around
/// a writer, and then owns that writer.
struct Caught {
    out: BlockWriter,
    copy: Arc<Mutex<Option<Vec<u8>>>>,
}

impl Write for Caught {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Some(copy) = lock(&self.copy).as_mut() {
            copy.extend_from_slice(bytes);
        }
        self.out.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

fn lock(copy: &Mutex<Option<Vec<u8>>>) -> MutexGuard<'_, Option<Vec<u8>>> {
    copy.lock().unwrap_or_else(PoisonError::into_inner)
}

fn given_up() -> Error {
    Error::unavailable("stream_given_up", "the stream was given up before its end")
}

fn not_taken(error: io::Error) -> Error {
    Error::unavailable("stream_given_up", "nobody takes the stream any more").with_source(error)
}
