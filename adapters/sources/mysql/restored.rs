//! A dump on its way back: passed on line by line, with the few lines changed that would not fit, and watched for its end.

use super::read::END;
use super::sql;
use std::io::{BufRead, BufReader, Read};

/// Bytes of a line that are looked at together; the rows of a table may be longer.
const MOST_LINE: u64 = 64 << 10;
/// What older clients, and MySQL's, do not understand in front of a dump of MariaDB.
const SANDBOX: &[u8] = b"/*M!999999\\-";
/// A routine or trigger that was made under another collation of its database is wrapped in two of these.
const ALTER: &[u8] = b"ALTER DATABASE `";
const TABLE: &[u8] = b"-- Table structure for table `";

/// The dump of the database `from`, made to fit the database `to`.
pub(super) struct Restored<'a> {
    input: BufReader<&'a mut dyn Read>,
    from: Vec<u8>,
    to: Vec<u8>,
    line: Vec<u8>,
    at: usize,
    begins: bool,
    tables: u64,
    ended: bool,
}

impl<'a> Restored<'a> {
    pub(super) fn new(input: &'a mut dyn Read, from: &str, to: &str) -> Self {
        let statement = |name: &str| format!("ALTER DATABASE {} ", sql::name(name)).into_bytes();
        Self {
            input: BufReader::with_capacity(256 << 10, input),
            from: statement(from),
            to: statement(to),
            line: Vec::new(),
            at: 0,
            begins: true,
            tables: 0,
            ended: false,
        }
    }

    /// How many tables it holds.
    pub(super) fn tables(&self) -> u64 {
        self.tables
    }

    /// Whether its last line was the end marker.
    pub(super) fn ended(&self) -> bool {
        self.ended
    }

    /// Takes the next line, or the next part of one. Nothing at the end.
    fn next(&mut self) -> std::io::Result<bool> {
        self.line.clear();
        self.at = 0;
        let count = self
            .input
            .by_ref()
            .take(MOST_LINE)
            .read_until(b'\n', &mut self.line)?;
        if count == 0 {
            return Ok(false);
        }
        let is_start = self.begins;
        self.begins = self.line.ends_with(b"\n");
        if !is_start {
            return Ok(true);
        }
        self.ended = self.line.starts_with(END.as_bytes());
        if self.line.starts_with(TABLE) {
            self.tables += 1;
        } else if self.line.starts_with(SANDBOX) {
            self.line.clear();
            self.line.push(b'\n');
        } else if self.line.starts_with(ALTER) && self.line.starts_with(&self.from) {
            self.line.splice(..self.from.len(), self.to.iter().copied());
        }
        Ok(true)
    }
}

impl Read for Restored<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let mut filled = 0;
        while filled < buffer.len() {
            if self.at == self.line.len() && !self.next()? {
                break;
            }
            let count = (self.line.len() - self.at).min(buffer.len() - filled);
            buffer[filled..filled + count].copy_from_slice(&self.line[self.at..self.at + count]);
            self.at += count;
            filled += count;
        }
        Ok(filled)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dump_is_made_to_fit_its_new_name_and_nothing_else_is_touched() {
        let long = format!("({})\n", "x".repeat(200_000));
        let dump = format!(
            "/*M!999999\\- enable the sandbox mode */ \n-- MariaDB dump\n-- Table structure for table `t`\n{long}\
             ALTER DATABASE `a``b` CHARACTER SET latin1 COLLATE latin1_swedish_ci ;\n SELECT 'ALTER DATABASE `a``b` '\n\
             ALTER DATABASE `other` CHARACTER SET latin1 ;\n-- Dump completed on 2026-01-01\n"
        );
        let expected = dump
            .replace("/*M!999999\\- enable the sandbox mode */ \n", "\n")
            .replace("\nALTER DATABASE `a``b` ", "\nALTER DATABASE `new` ");
        let mut input = dump.as_bytes();
        let mut restored = Restored::new(&mut input, "a`b", "new");
        let mut text = String::new();
        restored.read_to_string(&mut text).expect("memory");
        assert_eq!(text, expected);
        assert!(restored.ended());
        assert_eq!(restored.tables(), 1);

        let mut input = &dump.as_bytes()[..dump.len() / 2];
        let mut half = Restored::new(&mut input, "a`b", "new");
        std::io::copy(&mut half, &mut std::io::sink()).expect("memory");
        assert!(!half.ended());
    }
}
