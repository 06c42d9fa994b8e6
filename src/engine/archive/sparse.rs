//! The map of a sparse file, in front of its content: decimal numbers on lines of their own, filled up to a whole block.

use super::BLOCK;
use super::pax::{append_number, parse_number};
use std::io::{self, Read};

/// Parts that a map may name at most when it is read.
const MOST_SEGMENTS: u64 = 1 << 21;

/// Appends the map of a file of `size` bytes.
pub(super) fn append_map(map: &mut Vec<u8>, segments: &[(u64, u64)], size: u64) {
    let start = map.len();
    // A file that ends in a hole has an empty part at its end, as GNU tar writes it.
    let ends_in_hole = segments
        .last()
        .is_none_or(|(at, length)| at + length < size);
    append_line(map, segments.len() as u64 + u64::from(ends_in_hole));
    for (at, length) in segments {
        append_line(map, *at);
        append_line(map, *length);
    }
    if ends_in_hole {
        append_line(map, size);
        append_line(map, 0);
    }
    let written = map.len() - start;
    map.resize(start + written.next_multiple_of(BLOCK), 0);
}

/// Reads a map: the parts that hold data, and the bytes that the map took. The parts are in order, don't overlap and end within `size`.
pub(super) fn read_map(input: &mut impl Read, size: u64) -> io::Result<(Vec<(u64, u64)>, u64)> {
    let mut lines = Lines {
        input,
        block: [0; BLOCK],
        at: BLOCK,
        taken: 0,
    };
    let count = lines.number()?;
    if count > MOST_SEGMENTS {
        return Err(damaged("names too many parts"));
    }
    let mut segments: Vec<(u64, u64)> = Vec::new();
    let mut end = 0;
    for _ in 0..count {
        let (at, length) = (lines.number()?, lines.number()?);
        let next = at.checked_add(length).filter(|next| *next <= size);
        let next = next.ok_or_else(|| damaged("goes beyond the file's end"))?;
        if at < end {
            return Err(damaged("has parts that overlap"));
        }
        end = next;
        if length > 0 {
            segments.push((at, length));
        }
    }
    Ok((segments, lines.taken))
}

fn append_line(map: &mut Vec<u8>, number: u64) {
    append_number(map, number);
    map.push(b'\n');
}

fn damaged(why: &str) -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        format!("the map of a sparse file {why}"),
    )
}

struct Lines<'a, R> {
    input: &'a mut R,
    block: [u8; BLOCK],
    at: usize,
    taken: u64,
}

impl<R: Read> Lines<'_, R> {
    fn number(&mut self) -> io::Result<u64> {
        let mut text = [0; 20];
        let mut length = 0;
        loop {
            if self.at == BLOCK {
                self.input.read_exact(&mut self.block)?;
                self.taken += BLOCK as u64;
                self.at = 0;
            }
            let byte = self.block[self.at];
            self.at += 1;
            if byte == b'\n' {
                return parse_number(&text[..length]).ok_or_else(|| damaged("has no numbers"));
            }
            if length == text.len() {
                return Err(damaged("has a number that is too long"));
            }
            text[length] = byte;
            length += 1;
        }
    }
}
