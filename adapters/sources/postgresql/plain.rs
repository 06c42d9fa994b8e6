//! SQL text of pg_dump and pg_dumpall: where it ends, and how it begins.

use std::collections::VecDeque;

/// Bytes at the end of a dump in which its marker stands, with what may follow it.
const TAIL: usize = 4096;

/// What the last line but blanks of a whole dump says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// Of pg_dump.
    Database,
    /// Of pg_dumpall.
    Cluster,
}

impl End {
    fn marker(self) -> &'static str {
        match self {
            Self::Database => "-- PostgreSQL database dump complete",
            Self::Cluster => "-- PostgreSQL database cluster dump complete",
        }
    }
}

/// The end of a text that streams by.
#[derive(Debug, Default)]
pub(super) struct Tail(VecDeque<u8>);

impl Tail {
    /// The next bytes.
    pub(super) fn feed(&mut self, bytes: &[u8]) {
        let new = &bytes[bytes.len().saturating_sub(TAIL)..];
        let over = (self.0.len() + new.len()).saturating_sub(TAIL);
        self.0.drain(..over.min(self.0.len()));
        self.0.extend(new);
    }

    /// The text is over. An error says what is missing.
    pub(super) fn finish(&self, end: End) -> Result<(), String> {
        let bytes: Vec<u8> = self.0.iter().copied().collect();
        if bytes.is_empty() {
            return Err("it is empty".to_owned());
        }
        let text = String::from_utf8_lossy(&bytes);
        // The marker stands in a comment of three lines. Data may look like it, so nothing but that may follow.
        let mut last = text.lines().rev().filter(|line| {
            let line = line.trim_end();
            !line.is_empty() && line != "--" && !line.starts_with("\\unrestrict ")
        });
        match last.next() {
            Some(line) if line.trim_end() == end.marker() && text.ends_with('\n') => Ok(()),
            _ => Err(format!("it does not end with {:?}", end.marker())),
        }
    }
}

/// The encoding that the head of a dump names.
pub(super) fn encoding(head: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(head);
    let rest = text.split("SET client_encoding = '").nth(1)?;
    let name = rest.split('\'').next()?;
    let is_name = |name: &str| {
        !name.is_empty()
            && name.len() < 32
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    };
    Some(name.to_owned()).filter(|name| is_name(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn end_of(text: &str) -> Result<(), String> {
        let mut tail = Tail::default();
        for piece in text.as_bytes().chunks(7) {
            tail.feed(piece);
        }
        tail.finish(End::Database)
    }

    #[test]
    fn never_1_only_a_text_with_its_end_marker_is_whole() {
        let whole = format!(
            "{}\n--\n-- PostgreSQL database dump complete\n--\n\n",
            "insert into t values (1);\n".repeat(400)
        );
        assert_eq!(end_of(&whole), Ok(()));
        assert_eq!(end_of(&format!("{whole}\\unrestrict abc\n\n")), Ok(()));
        for broken in ["", "--\n", &whole[..whole.len() - 20], &whole[..300]] {
            assert!(end_of(broken).is_err(), "{broken:?}");
        }
        let followed = format!("{whole}copy t from stdin;\n");
        assert!(end_of(&followed).is_err());
    }

    #[test]
    fn the_encoding_is_read_from_the_head() {
        assert_eq!(
            encoding(b"SET lock_timeout = 0;\nSET client_encoding = 'LATIN1';\n").as_deref(),
            Some("LATIN1")
        );
        assert_eq!(encoding(b"SET client_encoding = 'a b';"), None);
        assert_eq!(encoding(b"nothing"), None);
    }
}
