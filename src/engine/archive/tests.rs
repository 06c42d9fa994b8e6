//! The archive as a codec: what goes in comes out, also through another reader, and whatever is read ends in entries or an error.

use super::index::IndexWriter;
use super::write::ArchiveWriter;
use super::{ArchiveReader, IndexReader};
use backupx_core::domain::entry::{Entry, EntryKind};
use proptest::collection::vec;
use proptest::prelude::*;
use std::io::Read;

fn path() -> impl Strategy<Value = Vec<u8>> {
    let name = vec(prop_oneof![9 => b'a'..=b'z', 1 => any::<u8>()], 1..200);
    let name = name.prop_map(|name| {
        let plain = name.into_iter().filter(|byte| !matches!(byte, 0 | b'/'));
        [b"n".to_vec(), plain.collect()].concat()
    });
    vec(name, 1..5).prop_map(|names| names.join(&b'/'))
}

fn kind() -> impl Strategy<Value = EntryKind> {
    prop_oneof![
        4 => Just(EntryKind::File),
        1 => Just(EntryKind::Dir),
        1 => Just(EntryKind::Symlink),
        1 => Just(EntryKind::Hardlink),
        1 => Just(EntryKind::CharDevice),
        1 => Just(EntryKind::BlockDevice),
        1 => Just(EntryKind::Fifo),
    ]
}

fn owner_name() -> impl Strategy<Value = Option<Vec<u8>>> {
    proptest::option::of(vec(1..=255_u8, 1..50))
}

prop_compose! {
    fn entry()(
        path in path(),
        kind in kind(),
        mode in 0..0o10000_u32,
        (uid, gid) in (any::<u32>(), any::<u32>()),
        (user, group) in (owner_name(), owner_name()),
        mtime in (any::<i32>().prop_map(|t| i64::from(t) * 5), prop_oneof![Just(0), 0..1_000_000_000_u32]),
        content in vec(any::<u8>(), 0..3000),
        xattrs in vec((vec(1..=255_u8, 1..40), vec(any::<u8>(), 0..600)), 0..3),
        link in path(),
        device in (0..4096_u32, 0..1_048_576_u32),
        gaps in proptest::option::of(vec((1..9000_u64, 1..400_u64), 0..6)),
    ) -> (Entry, Vec<u8>) {
        let mut content = if kind == EntryKind::File { content } else { Vec::new() };
        let mut size = content.len() as u64;
        let mut segments = None;
        if let (EntryKind::File, Some(gaps)) = (kind, gaps) {
            let (mut at, mut parts, mut stored) = (0, Vec::new(), 0);
            for (gap, length) in gaps {
                parts.push((at + gap, length));
                at += gap + length;
                stored += length;
            }
            content.resize(usize::try_from(stored).expect("small"), 7);
            size = at + content.len() as u64 % 3;
            segments = Some(parts);
        }
        let is_link = matches!(kind, EntryKind::Symlink | EntryKind::Hardlink);
        let is_device = matches!(kind, EntryKind::CharDevice | EntryKind::BlockDevice);
        let entry = Entry {
            path, kind, mode, uid, gid, user, group, mtime, size, xattrs, segments,
            link: is_link.then_some(link),
            device: is_device.then_some(device),
        };
        (entry, content)
    }
}

/// An archive, its index, and where each entry begins.
fn write(entries: &[(Entry, Vec<u8>)]) -> (Vec<u8>, Vec<u8>, Vec<u64>) {
    let (mut data, mut lines, mut offsets) = (Vec::new(), Vec::new(), Vec::new());
    let mut index = IndexWriter::new(&mut lines);
    let mut archive = ArchiveWriter::new(&mut data);
    for (entry, content) in entries {
        offsets.push(archive.offset());
        index.append(entry, archive.offset()).expect("written");
        archive
            .append(entry, &mut &content[..], |_| Ok(()))
            .expect("written");
    }
    archive.finish().expect("written");
    index.finish().expect("written");
    (data, lines, offsets)
}

fn read_all(bytes: &[u8], offset: u64) -> backupx_core::Result<Vec<(Entry, Vec<u8>)>> {
    let mut reader = ArchiveReader::new(bytes, offset);
    let mut entries = Vec::new();
    while let Some(located) = reader.next_entry()? {
        let mut content = Vec::new();
        (&mut reader)
            .take(1 << 20)
            .read_to_end(&mut content)
            .map_err(|error| super::lift(error, "archive_unreadable", "reading"))?;
        entries.push((located.entry, content));
    }
    Ok(entries)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_goes_in_comes_out(entries in vec(entry(), 1..8)) {
        let (data, _, offsets) = write(&entries);
        prop_assert_eq!(data.len() % 512, 0);
        prop_assert_eq!(&read_all(&data, 0).expect("a good archive"), &entries);
        // An entry can be read from where the index says that it begins.
        for (at, offset) in offsets.iter().enumerate() {
            let rest = &data[usize::try_from(*offset).expect("small")..];
            prop_assert_eq!(&read_all(rest, *offset).expect("from here on")[..], &entries[at..]);
        }
    }

    #[test]
    fn the_index_says_what_the_archive_says(entries in vec(entry(), 1..8)) {
        let (_, lines, offsets) = write(&entries);
        let index: Result<Vec<_>, _> = IndexReader::new(&lines[..]).collect();
        for ((line, (entry, _)), offset) in index.expect("good lines").iter().zip(&entries).zip(offsets) {
            prop_assert_eq!(&line.path, &entry.path);
            prop_assert_eq!(&line.link, &entry.link);
            prop_assert_eq!((line.kind, line.size, line.mode), (entry.kind, entry.size, entry.mode));
            prop_assert_eq!((line.mtime, line.uid, line.gid), (entry.mtime, entry.uid, entry.gid));
            prop_assert_eq!((line.offset, line.frame), (offset, offset / crate::stream::FRAME_BYTES));
        }
    }

    #[test]
    fn another_reader_finds_the_same_names(mut entries in vec(entry(), 1..8)) {
        for (entry, _) in &mut entries {
            // That reader takes a newline within a value for its end.
            (entry.user, entry.group, entry.xattrs) = (None, None, Vec::new());
            entry.path.retain(|byte| *byte != b'\n');
            entry.link.iter_mut().for_each(|link| link.retain(|byte| *byte != b'\n'));
        }
        let (data, _, _) = write(&entries);
        let mut other = tar::Archive::new(&data[..]);
        let mut names = Vec::new();
        for found in other.entries().expect("an archive") {
            names.push(found.expect("an entry").path_bytes().trim_ascii_end().to_vec());
        }
        prop_assert_eq!(names.len(), entries.len());
        for (name, (entry, _)) in names.iter().zip(&entries) {
            if entry.segments.is_none() {
                // A folder's name ends in `/` there, and blanks at the end of any name are cut by that reader.
                let name = name.strip_suffix(b"/").unwrap_or(name).trim_ascii_end();
                prop_assert_eq!(name, entry.path.trim_ascii_end());
            }
        }
    }

    #[test]
    fn a_cut_archive_is_an_error(entries in vec(entry(), 1..4), part in 0.0..1.0_f64) {
        let (data, _, _) = write(&entries);
        let length = ((data.len() - 1024) as f64 * part) as usize;
        prop_assert_eq!(read_all(&data[..length], 0).expect_err("cut").code(), "archive_truncated");
    }

    #[test]
    fn noise_is_an_error_and_never_a_panic(mut noise in vec(any::<u8>(), 0..4096), entries in vec(entry(), 1..3), at in 0..2048_usize) {
        drop(read_all(&noise, 0));
        let (data, lines, _) = write(&entries);
        noise.splice(0..0, data[..at.min(data.len())].iter().copied());
        drop(read_all(&noise, 0));
        drop(IndexReader::new(&noise[..]).collect::<Result<Vec<_>, _>>());
        drop(IndexReader::new(&lines[..lines.len() / 2]).collect::<Result<Vec<_>, _>>());
    }
}

#[test]
fn numbers_that_no_plain_header_holds_come_back() {
    let mut entry = Entry {
        path: b"large".to_vec(),
        kind: EntryKind::File,
        mode: 0o644,
        uid: u32::MAX - 1,
        gid: 2_097_152,
        user: Some(vec![b'u'; 40]),
        group: None,
        mtime: (1 << 36, 0),
        size: 9 << 30,
        xattrs: Vec::new(),
        link: None,
        device: None,
        segments: None,
    };
    let mut head = Vec::new();
    let mut archive = ArchiveWriter::new(&mut head);
    // Nine gigabytes are not written: the header is all that matters.
    let ended = archive.append(&entry, &mut std::io::empty(), |_| Ok(()));
    assert!(ended.is_err());
    let mut reader = ArchiveReader::new(&head[..], 0);
    let read = reader.next_entry().expect("a header").expect("an entry");
    assert_eq!(read.entry, entry);
    entry.segments = Some(vec![(8 << 30, 5)]);
    let (data, _, _) = write(&[(entry.clone(), vec![1; 5])]);
    let read = read_all(&data, 0).expect("a good archive");
    assert_eq!(read, [(entry, vec![1; 5])]);
}
