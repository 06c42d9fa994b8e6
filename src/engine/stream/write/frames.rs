//! Frames: the raw stream, cut into pieces of a fixed size that compress and decompress by themselves.

use super::compress::{Compressors, Frame, Job};
use crate::stream::FRAME_BYTES;
use backupx_core::domain::task::Compression;
use backupx_core::{Error, Result};
use crossbeam_channel::{Receiver, Sender, bounded};
use std::io;

/// What the seal gets, in the order of the stream.
pub(super) enum Next {
    /// A frame that is being compressed.
    Frame(Receiver<Result<Frame>>),
    /// The stream is complete. A queue that ends without this was given up.
    End,
}

/// The writing end of a stream. Dropping it without [`RawWriter::finish`] gives the stream up.
pub(crate) struct RawWriter {
    frame: Vec<u8>,
    compression: Compression,
    compressors: Compressors,
    order: Sender<Next>,
    spent_in: Sender<Vec<u8>>,
    spent: Receiver<Vec<u8>>,
}

/// A writer, and the frames that come of it in order.
pub(super) fn channel(
    compression: Compression,
    compressors: &Compressors,
) -> (RawWriter, Receiver<Next>) {
    let in_flight = compressors.in_flight();
    let (order, frames) = bounded(in_flight);
    let (spent_in, spent) = bounded(in_flight + 1);
    let writer = RawWriter {
        frame: Vec::new(),
        compression,
        compressors: compressors.clone(),
        order,
        spent_in,
        spent,
    };
    (writer, frames)
}

impl RawWriter {
    /// Says that the stream is complete.
    pub(crate) fn finish(mut self) -> Result<()> {
        if !self.frame.is_empty() {
            self.send_frame().map_err(given_up)?;
        }
        self.order
            .send(Next::End)
            .map_err(|_| given_up(io::ErrorKind::BrokenPipe.into()))
    }

    fn send_frame(&mut self) -> io::Result<()> {
        let raw = std::mem::take(&mut self.frame);
        let (reply, frame) = bounded(1);
        let gone = || io::Error::from(io::ErrorKind::BrokenPipe);
        self.order.send(Next::Frame(frame)).map_err(|_| gone())?;
        let job = Job {
            raw,
            compression: self.compression,
            reply,
            spent: self.spent_in.clone(),
        };
        if self.compressors.send(job) {
            Ok(())
        } else {
            Err(gone())
        }
    }

    fn empty_buffer(&self) -> Vec<u8> {
        match self.spent.try_recv() {
            Ok(mut buffer) => {
                buffer.clear();
                buffer
            }
            Err(_) => Vec::with_capacity(frame_bytes()),
        }
    }
}

impl io::Write for RawWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut left = bytes;
        while !left.is_empty() {
            if self.frame.capacity() == 0 {
                self.frame = self.empty_buffer();
            }
            let room = frame_bytes() - self.frame.len();
            let (now, later) = left.split_at(room.min(left.len()));
            self.frame.extend_from_slice(now);
            left = later;
            if self.frame.len() == frame_bytes() {
                self.send_frame()?;
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn frame_bytes() -> usize {
    usize::try_from(FRAME_BYTES).unwrap_or(usize::MAX)
}

fn given_up(error: io::Error) -> Error {
    Error::unavailable("stream_given_up", "nobody takes the stream any more").with_source(error)
}
