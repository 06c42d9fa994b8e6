//! mongodump's archive, followed while it streams by: what it holds, and whether it is whole.
//!
//! It is a magic number, a head of documents (one about itself, then one for each collection), and blocks: a document that names a
//! collection, its documents, and a terminator. The last block of a collection says so (`EOF`) and has no documents.
//! <https://github.com/mongodb/mongo-tools/blob/master/common/archive/archive.go>. The sums in those last blocks are checked by mongorestore.

#[cfg(test)]
mod tests;

use super::bson::{Value, fields};
use crate::returning::Watch;
use std::collections::BTreeSet;

/// What an archive begins with.
const MAGIC: u32 = 0x8199_e26d;
/// What ends the head and each block, where the length of a document would stand.
const TERMINATOR: [u8; 4] = [0xff; 4];
/// Bytes of the shortest document.
const LEAST: u32 = 5;
/// Most bytes of a document: 16 MiB may be stored, and the server adds to its own.
const MOST: u32 = 48 << 20;
/// The collection of entries of the oplog, in no database.
const OPLOG: &str = "oplog";
/// How the collection is called in which the server keeps the one of a time series.
const BUCKETS: &str = "system.buckets.";

/// A collection of a database.
pub(super) type Namespace = (String, String);

/// What an archive says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Head {
    /// The version of the server that was dumped.
    pub(super) server: String,
    /// The collections in it, without the oplog.
    pub(super) collections: BTreeSet<Namespace>,
    /// Whether what was written while it was made is in it too.
    pub(super) has_oplog: bool,
}

impl Head {
    /// Its databases.
    pub(super) fn databases(&self) -> BTreeSet<&str> {
        self.collections.iter().map(|(db, _)| db.as_str()).collect()
    }
}

/// An archive that streams by.
#[derive(Debug)]
pub(super) struct Archive {
    state: State,
    head: Head,
    /// Collections whose last block is still to come.
    awaited: BTreeSet<Namespace>,
    bytes: u64,
}

/// Where in an archive the stream is.
#[derive(Debug)]
enum State {
    /// In a number of four bytes, of which these are there.
    Number(Vec<u8>, Next),
    /// In a document of so many bytes of which these are there.
    Document(Vec<u8>, usize, Next),
    /// In a document that nobody looks at, with so many bytes to go.
    Data(u64),
}

/// What comes, or a terminator where one may stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    Magic,
    Itself,
    Collection,
    Block,
    Data,
    /// Nothing but the terminator: behind the document that ends a collection.
    End,
}

impl Watch for Archive {
    fn feed(&mut self, bytes: &[u8]) -> Result<(), String> {
        Self::feed(self, bytes)
    }

    fn finish(&mut self) -> Result<(), String> {
        Self::finish(self)
    }
}

impl Archive {
    pub(super) fn new() -> Self {
        Self {
            state: State::Number(Vec::new(), Next::Magic),
            head: Head::default(),
            awaited: BTreeSet::new(),
            bytes: 0,
        }
    }

    /// What it holds, when that has gone by.
    pub(super) fn head(&self) -> Option<&Head> {
        let in_head = match &self.state {
            State::Number(_, next) | State::Document(_, _, next) => {
                matches!(next, Next::Magic | Next::Itself | Next::Collection)
            }
            State::Data(_) => false,
        };
        (!in_head).then_some(&self.head)
    }

    /// The next bytes. An error says what is wrong with them.
    pub(super) fn feed(&mut self, mut bytes: &[u8]) -> Result<(), String> {
        while !bytes.is_empty() {
            let count = match &mut self.state {
                State::Data(left) => {
                    let count = usize::try_from(*left)
                        .unwrap_or(usize::MAX)
                        .min(bytes.len());
                    *left -= count as u64;
                    if *left == 0 {
                        self.state = State::Number(Vec::new(), Next::Data);
                    }
                    count
                }
                State::Number(digits, next) => {
                    let count = (4 - digits.len()).min(bytes.len());
                    digits.extend_from_slice(&bytes[..count]);
                    if let Ok(digits) = <[u8; 4]>::try_from(digits.as_slice()) {
                        self.state = number(digits, *next)
                            .map_err(|why| format!("{why}, at byte {}", self.bytes))?;
                    }
                    count
                }
                State::Document(document, length, next) => {
                    let count = (*length - document.len()).min(bytes.len());
                    document.extend_from_slice(&bytes[..count]);
                    if document.len() == *length {
                        let (document, next) = (std::mem::take(document), *next);
                        let next = self
                            .document(&document, next)
                            .map_err(|why| format!("{why}, before byte {}", self.bytes))?;
                        self.state = State::Number(Vec::new(), next);
                    }
                    count
                }
            };
            self.bytes += count as u64;
            bytes = &bytes[count..];
        }
        Ok(())
    }

    /// The stream is over. An error says what is missing.
    pub(super) fn finish(&self) -> Result<(), String> {
        match &self.state {
            State::Number(digits, Next::Block) if digits.is_empty() => {}
            State::Number(..) | State::Document(..) | State::Data(_) if self.bytes == 0 => {
                return Err("it is empty".to_owned());
            }
            State::Number(..) | State::Document(..) | State::Data(_) if self.head().is_none() => {
                return Err("it ends within its head".to_owned());
            }
            State::Number(..) | State::Document(..) | State::Data(_) => {
                return Err("it ends in the middle of a collection".to_owned());
            }
        }
        match self.awaited.first() {
            None => Ok(()),
            Some((db, collection)) => Err(format!(
                "it ends before {} of its collections do, as {db}.{collection}",
                self.awaited.len()
            )),
        }
    }

    fn document(&mut self, document: &[u8], what: Next) -> Result<Next, String> {
        let fields = fields(document).ok_or("a document in it is damaged")?;
        let text = |wanted: &str| {
            fields.iter().find_map(|(name, value)| match value {
                Value::Text(text) if name == wanted => Some(text.clone()),
                Value::Text(_) | Value::Flag(_) | Value::Other => None,
            })
        };
        if what == Next::Itself {
            self.head.server = text("server_version").unwrap_or_else(|| "?".to_owned());
            return Ok(Next::Collection);
        }
        let (Some(db), Some(collection)) = (text("db"), text("collection")) else {
            return Err("a document in it names no collection".to_owned());
        };
        let namespace = (db, collection);
        if what == Next::Collection {
            if namespace.0.is_empty() && namespace.1 == OPLOG {
                self.head.has_oplog = true;
            } else {
                self.head.collections.insert(namespace.clone());
            }
            self.awaited.insert(namespace);
            return Ok(Next::Collection);
        }
        // A time series is kept in a collection of another name.
        let series = namespace.1.strip_prefix(BUCKETS);
        let series = series.map(|name| (namespace.0.clone(), name.to_owned()));
        let namespace = series
            .filter(|series| self.head.collections.contains(series))
            .unwrap_or(namespace);
        if fields.contains(&("EOF".to_owned(), Value::Flag(true))) {
            self.awaited.remove(&namespace);
            return Ok(Next::End);
        }
        if self.head.collections.contains(&namespace) && !self.awaited.contains(&namespace) {
            return Err(format!(
                "the collection {}.{} goes on behind its end",
                namespace.0, namespace.1
            ));
        }
        self.awaited.insert(namespace);
        Ok(Next::Data)
    }
}

/// What four bytes mean where `next` is awaited.
fn number(digits: [u8; 4], next: Next) -> Result<State, String> {
    let value = u32::from_le_bytes(digits);
    if next == Next::Magic {
        return if value == MAGIC {
            Ok(State::Number(Vec::new(), Next::Itself))
        } else {
            Err("it does not begin as an archive of mongodump".to_owned())
        };
    }
    if digits == TERMINATOR {
        return match next {
            Next::Collection | Next::Data | Next::End => Ok(State::Number(Vec::new(), Next::Block)),
            Next::Magic | Next::Itself | Next::Block => {
                Err("a terminator stands where none may".to_owned())
            }
        };
    }
    if !(LEAST..=MOST).contains(&value) {
        return Err(format!("a document in it has {value} bytes"));
    }
    match next {
        Next::End => Err("there are documents behind the end of a collection".to_owned()),
        Next::Data => Ok(State::Data(u64::from(value) - 4)),
        Next::Magic | Next::Itself | Next::Collection | Next::Block => Ok(State::Document(
            digits.to_vec(),
            usize::try_from(value).unwrap_or(usize::MAX),
            next,
        )),
    }
}
