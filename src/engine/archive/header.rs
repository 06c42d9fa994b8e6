//! The plain 512-byte header of an entry, as POSIX.1-1988 lays it out.

use super::BLOCK;
use backupx_core::domain::entry::EntryKind;

/// The largest number that eleven octal digits hold: sizes and times.
pub(super) const MOST_LONG: u64 = 0o777_7777_7777;
/// The largest number that seven octal digits hold: ids and device numbers.
pub(super) const MOST_SHORT: u64 = 0o777_7777;
/// Bytes of a user's or group's name, its end mark left out.
pub(super) const MOST_OWNER: usize = 31;
const MOST_NAME: usize = 100;
const MOST_PREFIX: usize = 155;

const NAME: usize = 0;
const MODE: usize = 100;
const UID: usize = 108;
const GID: usize = 116;
const SIZE: usize = 124;
const MTIME: usize = 136;
const CHECKSUM: usize = 148;
const TYPE: usize = 156;
const LINK: usize = 157;
const MAGIC: usize = 257;
const USER: usize = 265;
const GROUP: usize = 297;
const MAJOR: usize = 329;
const MINOR: usize = 337;
const PREFIX: usize = 345;

/// The type letter of an extended header that belongs to the next entry.
pub(super) const EXTENDED: u8 = b'x';
/// The type letter of an extended header for all entries behind it.
pub(super) const GLOBAL: u8 = b'g';

/// The type letter of a kind.
pub(super) fn type_of(kind: EntryKind) -> u8 {
    match kind {
        EntryKind::File => b'0',
        EntryKind::Hardlink => b'1',
        EntryKind::Symlink => b'2',
        EntryKind::CharDevice => b'3',
        EntryKind::BlockDevice => b'4',
        EntryKind::Dir => b'5',
        EntryKind::Fifo => b'6',
    }
}

/// The kind that a type letter stands for.
pub(super) fn kind_of(letter: u8) -> Option<EntryKind> {
    Some(match letter {
        b'0' | 0 | b'7' => EntryKind::File,
        b'1' => EntryKind::Hardlink,
        b'2' => EntryKind::Symlink,
        b'3' => EntryKind::CharDevice,
        b'4' => EntryKind::BlockDevice,
        b'5' => EntryKind::Dir,
        b'6' => EntryKind::Fifo,
        _ => return None,
    })
}

/// A header being written or read.
pub(super) struct Header(pub(super) [u8; BLOCK]);

impl Header {
    /// An empty header with its magic and a type letter.
    pub(super) fn new(letter: u8) -> Self {
        let mut block = [0; BLOCK];
        block[MAGIC..MAGIC + 8].copy_from_slice(b"ustar\x0000");
        block[TYPE] = letter;
        Self(block)
    }

    /// Puts the name in, divided at a `/` when that helps. False when it does not fit; then its first bytes stand there.
    pub(super) fn set_name(&mut self, name: &[u8]) -> bool {
        if name.len() <= MOST_NAME {
            self.put(NAME, name);
            return true;
        }
        let earliest = name.len() - MOST_NAME - 1;
        let divide = name[earliest..name.len() - 1]
            .iter()
            .position(|byte| *byte == b'/')
            .map(|at| at + earliest)
            .filter(|at| (1..=MOST_PREFIX).contains(at));
        if let Some(at) = divide {
            self.put(PREFIX, &name[..at]);
            self.put(NAME, &name[at + 1..]);
            return true;
        }
        self.put(NAME, &name[..MOST_NAME]);
        false
    }

    /// Puts a link's target in. False when it does not fit.
    pub(super) fn set_link(&mut self, link: &[u8]) -> bool {
        self.put(LINK, &link[..link.len().min(MOST_NAME)]);
        link.len() <= MOST_NAME
    }

    /// Puts the names of owners in, where they fit.
    pub(super) fn set_owners(&mut self, user: Option<&[u8]>, group: Option<&[u8]>) {
        for (at, name) in [(USER, user), (GROUP, group)] {
            if let Some(name) = name.filter(|name| name.len() <= MOST_OWNER) {
                self.put(at, name);
            }
        }
    }

    /// Puts the numbers in, zero where one does not fit.
    pub(super) fn set_numbers(&mut self, mode: u32, uid: u32, gid: u32, size: u64, mtime: i64) {
        self.octal(MODE, 7, u64::from(mode));
        self.octal(UID, 7, u64::from(uid));
        self.octal(GID, 7, u64::from(gid));
        self.octal(SIZE, 11, size);
        self.octal(MTIME, 11, u64::try_from(mtime).unwrap_or(0));
    }

    /// Puts the numbers of a device in.
    pub(super) fn set_device(&mut self, major: u32, minor: u32) {
        self.octal(MAJOR, 7, u64::from(major));
        self.octal(MINOR, 7, u64::from(minor));
    }

    /// Puts the checksum in; nothing may change behind this.
    pub(super) fn seal(&mut self) {
        let sum = self.sum();
        self.octal(CHECKSUM, 6, sum);
        self.0[CHECKSUM + 6] = 0;
        self.0[CHECKSUM + 7] = b' ';
    }

    /// True when every byte is zero: the end of an archive.
    pub(super) fn is_zero(&self) -> bool {
        self.0 == [0; BLOCK]
    }

    /// True when the checksum and the magic hold.
    pub(super) fn is_valid(&self) -> bool {
        self.number(CHECKSUM, 8) == Some(self.sum()) && &self.0[MAGIC..MAGIC + 5] == b"ustar"
    }

    pub(super) fn letter(&self) -> u8 {
        self.0[TYPE]
    }

    pub(super) fn name(&self) -> Vec<u8> {
        let prefix = self.text(PREFIX, MOST_PREFIX);
        let name = self.text(NAME, MOST_NAME);
        if prefix.is_empty() {
            return name.to_vec();
        }
        [prefix, b"/", name].concat()
    }

    pub(super) fn link(&self) -> &[u8] {
        self.text(LINK, MOST_NAME)
    }

    pub(super) fn user(&self) -> &[u8] {
        self.text(USER, 32)
    }

    pub(super) fn group(&self) -> &[u8] {
        self.text(GROUP, 32)
    }

    pub(super) fn mode(&self) -> Option<u64> {
        self.number(MODE, 8)
    }

    pub(super) fn uid(&self) -> Option<u64> {
        self.number(UID, 8)
    }

    pub(super) fn gid(&self) -> Option<u64> {
        self.number(GID, 8)
    }

    pub(super) fn size(&self) -> Option<u64> {
        self.number(SIZE, 12)
    }

    pub(super) fn mtime(&self) -> Option<u64> {
        self.number(MTIME, 12)
    }

    pub(super) fn device(&self) -> Option<(u64, u64)> {
        Some((self.number(MAJOR, 8)?, self.number(MINOR, 8)?))
    }

    fn put(&mut self, at: usize, text: &[u8]) {
        self.0[at..at + text.len()].copy_from_slice(text);
    }

    fn octal(&mut self, at: usize, digits: usize, number: u64) {
        let fits = number >> (3 * digits) == 0;
        let mut rest = if fits { number } else { 0 };
        for place in self.0[at..at + digits].iter_mut().rev() {
            *place = b'0' + (rest & 7) as u8;
            rest >>= 3;
        }
    }

    /// The sum of all bytes, those of the checksum taken as spaces.
    fn sum(&self) -> u64 {
        let all: u64 = self.0.iter().map(|byte| u64::from(*byte)).sum();
        let own = &self.0[CHECKSUM..CHECKSUM + 8];
        let own: u64 = own.iter().map(|byte| u64::from(*byte)).sum();
        all - own + 8 * u64::from(b' ')
    }

    fn text(&self, at: usize, length: usize) -> &[u8] {
        let field = &self.0[at..at + length];
        let end = field.iter().position(|byte| *byte == 0).unwrap_or(length);
        &field[..end]
    }

    /// An octal number with spaces or zero bytes around it; an empty field is zero.
    fn number(&self, at: usize, length: usize) -> Option<u64> {
        let field = self.text(at, length).trim_ascii();
        let mut number: u64 = 0;
        for byte in field {
            if !(b'0'..=b'7').contains(byte) {
                return None;
            }
            number = number * 8 + u64::from(byte - b'0');
        }
        Some(number)
    }
}
