//! The head of pg_dump's custom archive: what it is, and its table of contents.
//!
//! The layout is that of `pg_backup_archiver.c` and `pg_backup_custom.c` in PostgreSQL 12 to 18: archive versions 1.14, 1.15 (16) and
//! 1.16 (17 and 18).

use std::collections::BTreeMap;

const MAGIC: &[u8] = b"PGDMP";
/// Archive versions, by their second number, that are understood.
const VERSIONS: std::ops::RangeInclusive<u8> = 14..=16;
/// The number of the custom format among the archive formats.
const CUSTOM: u8 = 1;
/// Most bytes of one text in it: a definition may hold a long function.
const MOST_TEXT: usize = 512 << 20;

/// What an archive holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Toc {
    /// Second number of the archive's version.
    pub(crate) version: u8,
    /// Bytes of an integer.
    pub(crate) int_size: usize,
    /// The major version of the server that was dumped.
    pub(crate) server: String,
    /// Everything in it, in the order of a restore.
    pub(crate) entries: Vec<Entry>,
}

/// One thing in an archive.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Entry {
    /// Its number, by which others name it.
    pub(crate) id: i64,
    /// Whether there is data of it behind the table of contents.
    pub(crate) has_data: bool,
    /// Its name, for some kinds with what it belongs to before it.
    pub(crate) tag: String,
    /// Its kind, as `TABLE` or `FK CONSTRAINT`.
    pub(crate) kind: String,
    /// The SQL that makes it.
    pub(crate) definition: String,
    /// Its schema.
    pub(crate) schema: String,
    /// Who owns it.
    pub(crate) owner: String,
    /// The numbers of what has to be there first.
    pub(crate) needs: Vec<i64>,
}

/// Why a table of contents can't be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unread {
    /// It is longer than what is there so far.
    More,
    /// It is none.
    Wrong(String),
}

impl Toc {
    /// Reads it from the first bytes of an archive, and tells how many they are.
    pub(crate) fn parse(head: &[u8]) -> Result<(Self, usize), Unread> {
        let mut at = Reader {
            head,
            at: 0,
            int_size: 4,
        };
        if at.bytes(MAGIC.len())? != MAGIC {
            return Err(wrong("it does not begin with PGDMP"));
        }
        let (major, version, _revision) = (at.byte()?, at.byte()?, at.byte()?);
        if major != 1 || !VERSIONS.contains(&version) {
            return Err(wrong(&format!(
                "its version {major}.{version} is none that is understood (1.14 to 1.16)"
            )));
        }
        at.int_size = at.byte()?.into();
        let offset_size: usize = at.byte()?.into();
        if !(2..=8).contains(&at.int_size) || !(2..=8).contains(&offset_size) {
            return Err(wrong("its integers have no size that there is"));
        }
        let format = at.byte()?;
        if format != CUSTOM {
            return Err(wrong(&format!("its format {format} is not the custom one")));
        }
        // How it is compressed, then when it was made: seven numbers.
        if version >= 15 {
            at.byte()?;
        } else {
            at.int()?;
        }
        for _ in 0..7 {
            at.int()?;
        }
        let _database = at.text()?;
        let server = at.text()?;
        let _tool = at.text()?;
        let count = at.int()?;
        let mut entries = Vec::new();
        for _ in 0..count {
            entries.push(entry(&mut at, version, offset_size)?);
        }
        if entries.is_empty() {
            return Err(wrong("its table of contents is empty"));
        }
        let int_size = at.int_size;
        Ok((
            Self {
                version,
                int_size,
                server,
                entries,
            },
            at.at,
        ))
    }

    /// The entries by number.
    pub(crate) fn by_id(&self) -> BTreeMap<i64, &Entry> {
        self.entries.iter().map(|entry| (entry.id, entry)).collect()
    }

    /// The only entry of a kind, as `DATABASE`.
    pub(crate) fn of_kind(&self, kind: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.kind == kind)
    }
}

fn entry(at: &mut Reader<'_>, version: u8, offset_size: usize) -> Result<Entry, Unread> {
    let id = at.int()?;
    let has_data = at.int()? != 0;
    let (_table_oid, _oid) = (at.text()?, at.text()?);
    let (tag, kind) = (at.text()?, at.text()?);
    let _section = at.int()?;
    let definition = at.text()?;
    let (_drop, _copy) = (at.text()?, at.text()?);
    let schema = at.text()?;
    let (_tablespace, _access_method) = (at.text()?, at.text()?);
    if version >= 16 {
        let _relation_kind = at.int()?;
    }
    let owner = at.text()?;
    let _with_oids = at.text()?;
    let mut needs = Vec::new();
    while let Some(need) = at.maybe_text()? {
        let need = need
            .parse()
            .map_err(|_| wrong(&format!("{need:?} is no number of an entry")))?;
        needs.push(need);
    }
    // Where its data begins, which is not known yet when an archive is written into a pipe.
    at.byte()?;
    at.bytes(offset_size)?;
    Ok(Entry {
        id,
        has_data,
        tag,
        kind,
        definition,
        schema,
        owner,
        needs,
    })
}

fn wrong(why: &str) -> Unread {
    Unread::Wrong(why.to_owned())
}

struct Reader<'a> {
    head: &'a [u8],
    at: usize,
    int_size: usize,
}

impl<'a> Reader<'a> {
    fn bytes(&mut self, count: usize) -> Result<&'a [u8], Unread> {
        let end = self.at.checked_add(count).ok_or(Unread::More)?;
        let bytes = self.head.get(self.at..end).ok_or(Unread::More)?;
        self.at = end;
        Ok(bytes)
    }

    fn byte(&mut self) -> Result<u8, Unread> {
        Ok(self.bytes(1)?[0])
    }

    fn int(&mut self) -> Result<i64, Unread> {
        let bytes = self.bytes(1 + self.int_size)?;
        number(bytes).ok_or_else(|| wrong("a number in it is out of range"))
    }

    fn text(&mut self) -> Result<String, Unread> {
        Ok(self.maybe_text()?.unwrap_or_default())
    }

    fn maybe_text(&mut self) -> Result<Option<String>, Unread> {
        let length = self.int()?;
        if length < 0 {
            return Ok(None);
        }
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if length > MOST_TEXT {
            return Err(wrong(&format!("a text in it has {length} bytes")));
        }
        Ok(Some(
            String::from_utf8_lossy(self.bytes(length)?).into_owned(),
        ))
    }
}

/// A number as archives hold it: a sign, then the bytes, least first.
pub(super) fn number(bytes: &[u8]) -> Option<i64> {
    let (sign, digits) = bytes.split_first()?;
    let mut value: u64 = 0;
    for digit in digits.iter().rev() {
        value = value.checked_mul(256)?.checked_add(u64::from(*digit))?;
    }
    let value = i64::try_from(value).ok()?;
    Some(if *sign == 0 { value } else { -value })
}
