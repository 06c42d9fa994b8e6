//! Archives made by hand, whole and cut.

use super::*;

fn text(name: &str, value: &str) -> Vec<u8> {
    let mut field = vec![2];
    field.extend(name.as_bytes());
    field.push(0);
    field.extend(i32::try_from(value.len() + 1).expect("short").to_le_bytes());
    field.extend(value.as_bytes());
    field.push(0);
    field
}

fn document(fields: &[Vec<u8>]) -> Vec<u8> {
    let body = fields.concat();
    let mut document = i32::try_from(body.len() + 5)
        .expect("short")
        .to_le_bytes()
        .to_vec();
    document.extend(body);
    document.push(0);
    document
}

fn name(db: &str, collection: &str) -> Vec<Vec<u8>> {
    vec![text("db", db), text("collection", collection)]
}

fn block(db: &str, collection: &str, is_end: bool, data: &[Vec<u8>]) -> Vec<u8> {
    let mut fields = name(db, collection);
    fields.push(vec![8, b'E', b'O', b'F', 0, is_end.into()]);
    let mut block = document(&fields);
    block.extend(data.concat());
    block.extend(TERMINATOR);
    block
}

fn head(collections: &[(&str, &str)]) -> Vec<u8> {
    let mut bytes = MAGIC.to_le_bytes().to_vec();
    bytes.extend(document(&[text("server_version", "8.2.11")]));
    for (db, collection) in collections {
        bytes.extend(document(&name(db, collection)));
    }
    bytes.extend(TERMINATOR);
    bytes
}

/// Two collections in turns, a time series, and the oplog.
fn archive() -> Vec<u8> {
    let data = document(&[text("a", "terminators \u{ff}\u{ff}\u{ff}\u{ff}")]);
    let mut bytes = head(&[("shöp", "a"), ("shöp", "b"), ("shöp", "ts"), ("", "oplog")]);
    bytes.extend(block("shöp", "a", false, &[data.clone(), data.clone()]));
    bytes.extend(block("shöp", "b", true, &[]));
    bytes.extend(block(
        "shöp",
        "system.buckets.ts",
        false,
        std::slice::from_ref(&data),
    ));
    bytes.extend(block("shöp", "a", false, std::slice::from_ref(&data)));
    bytes.extend(block("shöp", "system.buckets.ts", true, &[]));
    bytes.extend(block("shöp", "a", true, &[]));
    bytes.extend(block("", "oplog", false, &[data]));
    bytes.extend(block("", "oplog", true, &[]));
    bytes
}

fn end_of(bytes: &[u8], piece: usize) -> Result<Archive, String> {
    let mut archive = Archive::new();
    for piece in bytes.chunks(piece) {
        archive.feed(piece)?;
    }
    archive.finish()?;
    Ok(archive)
}

#[test]
fn a_whole_archive_is_whole_however_it_arrives() {
    for piece in [1, 3, 1000] {
        let archive = end_of(&archive(), piece).expect("it is whole");
        let head = archive.head().expect("it has one");
        assert_eq!((head.server.as_str(), head.has_oplog), ("8.2.11", true));
        assert_eq!(head.databases().into_iter().collect::<Vec<_>>(), ["shöp"]);
        assert_eq!(head.collections.len(), 3);
    }
}

#[test]
fn never_1_an_archive_that_is_cut_anywhere_is_not_whole() {
    let bytes = archive();
    for end in 0..bytes.len() {
        assert!(end_of(&bytes[..end], 16).is_err(), "cut at {end}");
    }
}

#[test]
fn what_is_no_archive_is_refused() {
    let mut goes_on = archive();
    goes_on.extend(block("shöp", "b", false, &[]));
    let mut behind_end = head(&[("x", "a")]);
    behind_end.extend(block("x", "a", true, &[document(&[])]));
    let mut unknown = head(&[]);
    unknown.extend(block("x", "never named", false, &[]));
    let mut terminator = archive();
    terminator.extend(TERMINATOR);
    let mut endless = archive();
    endless.extend(u32::MAX.wrapping_sub(1).to_le_bytes());
    for bytes in [
        b"-- SQL".to_vec(),
        goes_on,
        behind_end,
        unknown,
        terminator,
        endless,
    ] {
        assert!(end_of(&bytes, 1000).is_err());
    }
    assert!(end_of(&head(&[]), 1000).is_ok(), "an empty server is one");
}

#[test]
fn damage_never_panics() {
    let whole = archive();
    for at in 0..whole.len() {
        for bit in 0..8 {
            let mut bytes = whole.clone();
            bytes[at] ^= 1 << bit;
            // Whole or not: a letter may have become another one.
            let _ = end_of(&bytes, 50);
        }
    }
}
