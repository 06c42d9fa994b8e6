//! Archives made by hand, whole and cut.

use super::*;

/// An archive of version 1.`version` with one table of `rows` and one large object.
fn archive(version: u8) -> Vec<u8> {
    let mut bytes = b"PGDMP".to_vec();
    bytes.extend([1, version, 0, 4, 8, 1]);
    if version >= 15 {
        bytes.push(0);
    } else {
        int(&mut bytes, -1);
    }
    for number in [1, 2, 3, 4, 5, 126, 0] {
        int(&mut bytes, number);
    }
    for text in ["db", "17.10", "17.10"] {
        string(&mut bytes, Some(text));
    }
    int(&mut bytes, 3);
    entry(&mut bytes, version, 1, false, "TABLE", &[]);
    entry(&mut bytes, version, 2, true, "TABLE DATA", &["1"]);
    entry(&mut bytes, version, 3, true, "BLOBS", &[]);
    // A table in two pieces.
    bytes.push(DATA);
    int(&mut bytes, 2);
    for piece in ["1\tone\n", "\\.\n\n"] {
        string(&mut bytes, Some(piece));
    }
    int(&mut bytes, 0);
    bytes.push(BLOBS);
    int(&mut bytes, 3);
    int(&mut bytes, 16_445);
    string(&mut bytes, Some("blob"));
    int(&mut bytes, 0);
    int(&mut bytes, 0);
    bytes
}

fn entry(bytes: &mut Vec<u8>, version: u8, id: i32, has_data: bool, kind: &str, needs: &[&str]) {
    int(bytes, id);
    int(bytes, has_data.into());
    for text in [Some("0"), Some("0"), Some("täble"), Some(kind)] {
        string(bytes, text);
    }
    int(bytes, 2);
    for text in [Some("CREATE …"), None, None, Some("public"), None, None] {
        string(bytes, text);
    }
    if version >= 16 {
        int(bytes, 114);
    }
    string(bytes, Some("boss"));
    string(bytes, Some("false"));
    for need in needs {
        string(bytes, Some(need));
    }
    string(bytes, None);
    bytes.push(1);
    bytes.extend([0; 8]);
}

fn int(bytes: &mut Vec<u8>, value: i32) {
    bytes.push(u8::from(value < 0));
    bytes.extend(value.unsigned_abs().to_le_bytes());
}

fn string(bytes: &mut Vec<u8>, text: Option<&str>) {
    match text {
        None => int(bytes, -1),
        Some(text) => {
            int(bytes, i32::try_from(text.len()).expect("short"));
            bytes.extend(text.as_bytes());
        }
    }
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
    for version in 14..=16 {
        let bytes = archive(version);
        for piece in [1, 3, 1000] {
            let archive = end_of(&bytes, piece).expect("it is whole");
            let toc = archive.toc().expect("it has one");
            assert_eq!((toc.version, toc.entries.len()), (version, 3));
            let data = toc.of_kind("TABLE DATA").expect("there");
            assert_eq!(
                (data.tag.as_str(), data.needs.as_slice()),
                ("täble", [1].as_slice())
            );
        }
    }
}

#[test]
fn never_1_an_archive_that_is_cut_anywhere_is_not_whole() {
    for version in 14..=16 {
        let bytes = archive(version);
        for end in 0..bytes.len() {
            assert!(end_of(&bytes[..end], 16).is_err(), "cut at {end}");
        }
    }
}

#[test]
fn what_is_no_archive_is_refused() {
    let whole = archive(16);
    let mut newer = whole.clone();
    newer[6] = 17;
    let mut tar = whole.clone();
    tar[10] = 3;
    let mut twice = whole.clone();
    twice.extend(&whole[whole.len() - 40..]);
    for bytes in [&b"-- SQL"[..], &newer, &tar, &twice] {
        assert!(end_of(bytes, 1000).is_err());
    }
}

#[test]
fn damage_never_panics() {
    let whole = archive(16);
    for at in 0..whole.len() {
        for bit in 0..8 {
            let mut bytes = whole.clone();
            bytes[at] ^= 1 << bit;
            // Whole or not: a number or a letter may have become another one.
            let _ = end_of(&bytes, 50);
        }
    }
}
