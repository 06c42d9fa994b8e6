//! BSON, as far as the head of an archive needs it: the texts and flags of a document's first level.
//!
//! <https://bsonspec.org/spec.html>. The few fields that are read are no reason for a crate that knows all of it.

/// A field of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    Text(String),
    Flag(bool),
    /// Of a type that nobody asks about.
    Other,
}

/// The fields of `document`, which begins with its length. Nothing when that is no document.
pub(super) fn fields(document: &[u8]) -> Option<Vec<(String, Value)>> {
    let mut at = Reader(document);
    if at.length()? != document.len() {
        return None;
    }
    let mut fields = Vec::new();
    loop {
        let kind = at.byte()?;
        if kind == 0 {
            return at.0.is_empty().then_some(fields);
        }
        let name = at.name()?;
        fields.push((name, at.value(kind)?));
    }
}

/// What is left of a document.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn bytes(&mut self, count: usize) -> Option<&'a [u8]> {
        let (bytes, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(bytes)
    }

    fn byte(&mut self) -> Option<u8> {
        Some(self.bytes(1)?[0])
    }

    fn length(&mut self) -> Option<usize> {
        let bytes = self.bytes(4)?.try_into().ok()?;
        usize::try_from(i32::from_le_bytes(bytes)).ok()
    }

    fn name(&mut self) -> Option<String> {
        let end = self.0.iter().position(|byte| *byte == 0)?;
        let name = self.bytes(end)?;
        self.byte()?;
        Some(String::from_utf8_lossy(name).into_owned())
    }

    fn value(&mut self, kind: u8) -> Option<Value> {
        let size = match kind {
            0x02 => {
                let length = self.length()?;
                let text = self.bytes(length)?.strip_suffix(&[0])?;
                return Some(Value::Text(String::from_utf8_lossy(text).into_owned()));
            }
            0x08 => return Some(Value::Flag(self.byte()? != 0)),
            // Double, date, timestamp, 64 bits.
            0x01 | 0x09 | 0x11 | 0x12 => 8,
            // Document, array: their length counts itself.
            0x03 | 0x04 => self.length()?.checked_sub(4)?,
            // Binary: a byte that tells of what kind stands before its bytes.
            0x05 => self.length()?.checked_add(1)?,
            0x07 => 12,
            0x0a => 0,
            0x10 => 4,
            0x13 => 16,
            _ => return None,
        };
        self.bytes(size)?;
        Some(Value::Other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_and_flags_are_read_and_the_rest_is_passed_over() {
        let mut bytes = vec![0; 4];
        bytes.extend(b"\x02db\0\x06\0\0\0sh\xc3\xb6p\0");
        bytes.extend(b"\x10n\0\x01\0\0\0\x12crc\x00\0\0\0\0\0\0\0\0\x0anone\0");
        bytes.extend(b"\x03d\0\x05\0\0\0\0\x05b\0\x02\0\0\0\0xy\x08EOF\0\x01\0");
        bytes[0] = u8::try_from(bytes.len()).expect("short");
        let fields = fields(&bytes).expect("a document");
        assert_eq!(fields[0], ("db".to_owned(), Value::Text("shöp".to_owned())));
        assert_eq!(fields.last(), Some(&("EOF".to_owned(), Value::Flag(true))));
        assert_eq!(fields.len(), 7);
        for end in 0..bytes.len() {
            assert_eq!(super::fields(&bytes[..end]), None, "cut at {end}");
        }
    }
}
