//! pg_dump's custom archive, followed while it streams by: whether it is whole.
//!
//! A tool that stops half way and says that all is well leaves an archive whose table of contents names data that is not there, or whose
//! last block has no end. Both are seen here, without a second pass and without the tool.

mod toc;

#[cfg(test)]
mod tests;

pub(super) use toc::{Entry, Toc, Unread};

use std::collections::BTreeSet;

/// How much of a head is looked at first; twice as much each time that it was not enough.
const FIRST_LOOK: usize = 64 << 10;
/// No table of contents is longer.
const MOST_HEAD: usize = 1 << 30;
/// A block with the rows of a table.
const DATA: u8 = 1;
/// A block with large objects.
const BLOBS: u8 = 3;

/// An archive that streams by.
#[derive(Debug)]
pub(super) struct Archive {
    state: State,
    toc: Option<Toc>,
    /// Entries whose data is still to come.
    awaited: BTreeSet<i64>,
}

/// Where in an archive the stream is.
#[derive(Debug)]
enum State {
    /// In the head, of which this is there; it is looked at when it has so many bytes.
    Head(Vec<u8>, usize),
    /// Before a block or the end.
    Between,
    /// In a number whose bytes are these so far.
    Number(Vec<u8>, Number),
    /// In a piece of a block, with so many bytes to go; `bool` tells whether it is of a large object.
    Piece(u64, bool),
}

/// What a number in a block means.
#[derive(Debug, Clone, Copy)]
enum Number {
    /// Whose block it is; then the kind of the block.
    Entry(u8),
    /// Which large object follows; 0 ends the block.
    Blob,
    /// How long a piece is, of a large object or not; 0 ends what it is a piece of.
    Length(bool),
}

impl Archive {
    pub(super) fn new() -> Self {
        Self {
            state: State::Head(Vec::new(), FIRST_LOOK),
            toc: None,
            awaited: BTreeSet::new(),
        }
    }

    /// Its table of contents, once the stream is past it.
    pub(super) fn toc(&self) -> Option<&Toc> {
        self.toc.as_ref()
    }

    /// The next bytes. An error says why this is no archive.
    pub(super) fn feed(&mut self, bytes: &[u8]) -> Result<(), String> {
        if let State::Head(head, look_at) = &mut self.state {
            head.extend_from_slice(bytes);
            if head.len() < *look_at {
                return Ok(());
            }
            *look_at = head.len().saturating_mul(2);
            return self.look();
        }
        self.blocks(bytes)
    }

    /// Tries the head as it is so far.
    pub(super) fn look(&mut self) -> Result<(), String> {
        let State::Head(head, _) = &mut self.state else {
            return Ok(());
        };
        match Toc::parse(head) {
            Ok((toc, length)) => {
                let with_data = toc.entries.iter().filter(|entry| entry.has_data);
                self.awaited = with_data.map(|entry| entry.id).collect();
                self.toc = Some(toc);
                let rest = head.split_off(length);
                self.state = State::Between;
                self.blocks(&rest)
            }
            Err(Unread::More) if head.len() < MOST_HEAD => Ok(()),
            Err(Unread::More) => Err("its table of contents has no end".to_owned()),
            Err(Unread::Wrong(why)) => Err(why),
        }
    }

    /// The stream is over. An error says what is missing.
    pub(super) fn finish(&mut self) -> Result<(), String> {
        self.look()?;
        match &self.state {
            State::Head(head, _) if head.is_empty() => Err("it is empty".to_owned()),
            State::Head(..) => Err("it ends within its table of contents".to_owned()),
            State::Number(..) | State::Piece(..) => {
                Err("it ends in the middle of a block".to_owned())
            }
            State::Between => match self.awaited.len() {
                0 => Ok(()),
                count => Err(format!(
                    "it ends before the data of {count} of its tables or large objects"
                )),
            },
        }
    }

    fn blocks(&mut self, mut bytes: &[u8]) -> Result<(), String> {
        let int_size = self.toc.as_ref().map_or(4, |toc| toc.int_size);
        while let Some((first, rest)) = bytes.split_first() {
            match &mut self.state {
                State::Head(..) => return Err("a block comes before the head".to_owned()),
                State::Between => {
                    if !matches!(*first, DATA | BLOBS) {
                        return Err(format!("a block of the unknown kind {first} is in it"));
                    }
                    self.state = State::Number(Vec::new(), Number::Entry(*first));
                    bytes = rest;
                }
                State::Number(digits, what) => {
                    digits.push(*first);
                    bytes = rest;
                    if digits.len() == 1 + int_size {
                        let what = *what;
                        let value = toc::number(digits)
                            .and_then(|value| u64::try_from(value).ok())
                            .ok_or("a block in it has a length that can't be")?;
                        self.state = self.after(what, value)?;
                    }
                }
                State::Piece(left, of_blob) => {
                    let here = usize::try_from(*left)
                        .unwrap_or(usize::MAX)
                        .min(bytes.len());
                    *left -= here as u64;
                    bytes = &bytes[here..];
                    if *left == 0 {
                        self.state = State::Number(Vec::new(), Number::Length(*of_blob));
                    }
                }
            }
        }
        Ok(())
    }

    fn after(&mut self, what: Number, value: u64) -> Result<State, String> {
        let number = |what| State::Number(Vec::new(), what);
        Ok(match (what, value) {
            (Number::Entry(kind), id) => {
                if !i64::try_from(id).is_ok_and(|id| self.awaited.remove(&id)) {
                    return Err(format!(
                        "it holds data of entry {id}, which its table of contents does not expect"
                    ));
                }
                number(if kind == BLOBS {
                    Number::Blob
                } else {
                    Number::Length(false)
                })
            }
            (Number::Blob, 0) | (Number::Length(false), 0) => State::Between,
            (Number::Blob, _) => number(Number::Length(true)),
            (Number::Length(true), 0) => number(Number::Blob),
            (Number::Length(of_blob), length) => State::Piece(length, of_blob),
        })
    }
}
