//! Trees on disk, read as an archive would read them.

use super::FileSource;
use backupx_core::domain::entry::{Entry, EntryKind};
use backupx_core::domain::report::Counts;
use backupx_core::ports::source::{EntrySink, EntrySource, StopFlag};
use backupx_core::{Error, Result};
use std::fs;
use std::io::Read;
use std::path::Path;

/// What a sink does when an entry comes, before it reads the content.
type Deed<'a> = Box<dyn FnMut(&Entry) + 'a>;

/// Keeps everything.
#[derive(Default)]
struct Kept<'a> {
    entries: Vec<(Entry, Vec<u8>)>,
    warnings: Vec<String>,
    deed: Option<Deed<'a>>,
}

impl EntrySink for Kept<'_> {
    fn entry(&mut self, entry: &Entry, content: &mut dyn Read) -> Result<()> {
        if let Some(deed) = &mut self.deed {
            deed(entry);
        }
        let mut bytes = Vec::new();
        content
            .read_to_end(&mut bytes)
            .map_err(|error| Error::internal("the content could not be read").with_source(error))?;
        if entry.kind == EntryKind::File {
            let stored = match &entry.segments {
                Some(segments) => segments.iter().map(|(_, length)| length).sum(),
                None => entry.size,
            };
            assert_eq!(bytes.len() as u64, stored, "{}", entry.display_path());
        }
        self.entries.push((entry.clone(), bytes));
        Ok(())
    }

    fn warn(&mut self, message: String) {
        self.warnings.push(message);
    }
}

impl Kept<'_> {
    /// Paths below `root`.
    fn names(&self, root: &Path) -> Vec<String> {
        let root = root.to_str().expect("text").trim_start_matches('/');
        let below = |(entry, _): &(Entry, Vec<u8>)| {
            let path = String::from_utf8_lossy(&entry.path).into_owned();
            Some(path.strip_prefix(root)?.trim_start_matches('/').to_owned())
        };
        self.entries.iter().filter_map(below).collect()
    }

    fn named(&self, name: &str) -> &(Entry, Vec<u8>) {
        let found = self
            .entries
            .iter()
            .find(|(entry, _)| entry.path.ends_with(name.as_bytes()));
        found.expect("it was read")
    }
}

fn source(path: &Path, excludes: &[&str]) -> FileSource {
    let excludes: Vec<String> = excludes.iter().map(|&text| text.to_owned()).collect();
    FileSource::new(&[path.display().to_string()], &excludes).expect("a source")
}

fn read(source: FileSource, kept: &mut Kept<'_>) -> Result<Counts> {
    Box::new(source.cores(2)).read(kept, &StopFlag::default())
}

fn write(path: &Path, content: &[u8]) {
    fs::create_dir_all(path.parent().expect("a folder")).expect("folders");
    fs::write(path, content).expect("written");
}

#[test]
fn folders_come_before_what_is_in_them_and_names_in_order() {
    let bed = tempfile::tempdir().expect("a folder");
    for number in 0..300 {
        write(&bed.path().join(format!("m/{number:03}")), &[7; 100]);
    }
    write(&bed.path().join("a.txt"), b"a");
    write(&bed.path().join("a/z"), b"z");
    write(&bed.path().join("z/large"), &vec![1; 3 << 20]);
    let (mut first, mut second) = (Kept::default(), Kept::default());
    let counts = read(source(bed.path(), &[]), &mut first).expect("read");
    read(source(bed.path(), &[]), &mut second).expect("read");
    let names = first.names(bed.path());
    assert_eq!(names[..4], ["", "a", "a/z", "a.txt"]);
    assert_eq!(names[4..6], ["m", "m/000"]);
    assert_eq!(names.last().expect("many"), "z/large");
    assert_eq!(first.entries, second.entries);
    assert_eq!((counts.files, counts.dirs), (303, 4));
    assert_eq!(counts.bytes, 300 * 100 + 2 + (3 << 20));
    assert_eq!(first.named("z/large").1, vec![1; 3 << 20]);
}

#[test]
fn further_names_of_a_file_are_links_to_the_first() {
    let bed = tempfile::tempdir().expect("a folder");
    write(&bed.path().join("b"), b"content");
    fs::hard_link(bed.path().join("b"), bed.path().join("a")).expect("link");
    fs::hard_link(bed.path().join("b"), bed.path().join("c")).expect("link");
    let mut kept = Kept::default();
    let counts = read(source(bed.path(), &[]), &mut kept).expect("read");
    assert_eq!((counts.files, counts.entries), (1, 4));
    let (first, content) = kept.named("/a");
    assert_eq!(
        (first.kind, &content[..]),
        (EntryKind::File, &b"content"[..])
    );
    for name in ["/b", "/c"] {
        let (link, _) = kept.named(name);
        assert_eq!((link.kind, link.size), (EntryKind::Hardlink, 0));
        assert_eq!(link.link.as_ref(), Some(&first.path));
    }
}

#[test]
fn holes_are_not_read() {
    let bed = tempfile::tempdir().expect("a folder");
    let file = fs::File::create(bed.path().join("holes")).expect("file");
    std::os::unix::fs::FileExt::write_all_at(&file, &[5; 10], 1 << 30).expect("written");
    file.set_len(10 << 30).expect("length");
    let mut kept = Kept::default();
    read(source(bed.path(), &[]), &mut kept).expect("read");
    let (entry, content) = kept.named("holes");
    assert_eq!(entry.size, 10 << 30);
    assert!(
        entry
            .segments
            .as_ref()
            .is_some_and(|parts| parts.len() == 1)
    );
    assert!(content.len() < 1 << 20);
}

#[test]
fn pipes_are_kept_and_never_read_and_sockets_are_skipped() {
    let bed = tempfile::tempdir().expect("a folder");
    let fifo = rustix::fs::FileType::Fifo;
    let mode = rustix::fs::Mode::RUSR;
    rustix::fs::mknodat(rustix::fs::CWD, bed.path().join("pipe"), fifo, mode, 0).expect("pipe");
    let _socket =
        std::os::unix::net::UnixListener::bind(bed.path().join("socket")).expect("socket");
    let mut kept = Kept::default();
    let counts = read(source(bed.path(), &[]), &mut kept).expect("read");
    assert_eq!(kept.names(bed.path()), ["", "pipe"]);
    assert_eq!((counts.skipped, counts.warnings), (1, 0));
}

#[test]
fn what_is_excluded_is_not_even_entered() {
    let bed = tempfile::tempdir().expect("a folder");
    for name in [
        "keep/a.txt",
        "keep/b.log",
        "cache/x",
        "deep/cache/x",
        "deep/y.log",
    ] {
        write(&bed.path().join(name), b"x");
    }
    let absolute = format!("{}/deep/cache", bed.path().display());
    let mut kept = Kept::default();
    read(
        source(bed.path(), &["*.log", "/cache/", &absolute]),
        &mut kept,
    )
    .expect("read");
    assert_eq!(kept.names(bed.path()), ["", "deep", "keep", "keep/a.txt"]);
}

#[test]
fn cache_folders_keep_their_tag_alone() {
    let bed = tempfile::tempdir().expect("a folder");
    let tag = b"Signature: 8a477f597d28d172789f06886806bc55\n# by a test";
    write(&bed.path().join("cache/CACHEDIR.TAG"), tag);
    write(&bed.path().join("cache/large"), b"x");
    write(&bed.path().join("other/CACHEDIR.TAG"), b"no signature");
    write(&bed.path().join("other/large"), b"x");
    let mut kept = Kept::default();
    read(source(bed.path(), &[]), &mut kept).expect("read");
    let names = kept.names(bed.path());
    assert_eq!(names[1..3], ["cache", "cache/CACHEDIR.TAG"]);
    assert_eq!(names[3..], ["other", "other/CACHEDIR.TAG", "other/large"]);
    let mut all = Kept::default();
    read(source(bed.path(), &[]).skip_cache_dirs(false), &mut all).expect("read");
    assert_eq!(all.entries.len(), names.len() + 1);
}

#[test]
fn what_is_measured_is_what_is_read() {
    let bed = tempfile::tempdir().expect("a folder");
    write(&bed.path().join("a/one"), &[1; 5000]);
    write(&bed.path().join("a/left.log"), &[1; 300]);
    fs::hard_link(bed.path().join("a/one"), bed.path().join("two")).expect("a second name");
    std::os::unix::fs::symlink("a/one", bed.path().join("link")).expect("a link");
    let sparse = fs::File::create(bed.path().join("sparse")).expect("a file");
    sparse.set_len(1 << 30).expect("a hole");
    let _socket =
        std::os::unix::net::UnixListener::bind(bed.path().join("socket")).expect("socket");

    let measured = source(bed.path(), &["*.log"]).measure(&StopFlag::default());
    let counts = read(source(bed.path(), &["*.log"]), &mut Kept::default()).expect("read");

    let extent = measured.expect("looked at").expect("known");
    assert_eq!(
        (extent.entries, extent.bytes),
        (counts.entries, counts.bytes)
    );
}

#[test]
fn other_file_systems_are_left_out_when_asked() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let bed = tempfile::tempdir().expect("a folder");
    let inner = bed.path().join("inner");
    fs::create_dir(&inner).expect("folder");
    let run = |program: &str, arguments: &[&str]| {
        let status = std::process::Command::new(program)
            .args(arguments)
            .arg(&inner)
            .status();
        assert!(status.expect("the program is there").success());
    };
    run("mount", &["-t", "tmpfs", "none"]);
    write(&inner.join("x"), b"x");
    let (mut stay, mut cross) = (Kept::default(), Kept::default());
    let stayed = read(source(bed.path(), &[]).one_file_system(true), &mut stay);
    let crossed = read(source(bed.path(), &[]), &mut cross);
    run("umount", &[]);
    assert!(stayed.is_ok() && crossed.is_ok());
    assert_eq!(stay.names(bed.path()), ["", "inner"]);
    assert_eq!(cross.names(bed.path()), ["", "inner", "inner/x"]);
}

#[test]
fn a_named_path_that_is_not_there_is_an_error_that_names_it() {
    let bed = tempfile::tempdir().expect("a folder");
    let missing = bed.path().join("missing");
    let error = read(source(&missing, &[]), &mut Kept::default()).expect_err("not there");
    assert_eq!(error.code(), "source_missing");
    assert!(error.message().contains("missing"), "{error}");
}

#[test]
fn a_named_file_or_link_is_kept_itself() {
    let bed = tempfile::tempdir().expect("a folder");
    write(&bed.path().join("file"), b"content");
    std::os::unix::fs::symlink("file", bed.path().join("link")).expect("link");
    let mut kept = Kept::default();
    read(source(&bed.path().join("file"), &[]), &mut kept).expect("read");
    assert_eq!(kept.named("/file").1, b"content");
    let counts = read(source(&bed.path().join("link"), &[]), &mut kept).expect("read");
    assert_eq!(kept.named("/link").0.kind, EntryKind::Symlink);
    assert_eq!(
        counts.warnings, 1,
        "a person may have meant what it points to"
    );
}

/// Reads a tree in which the file `z` is changed when its turn comes.
fn change_while_reading(change: impl Fn(&Path)) -> (Counts, Entry, Vec<u8>, Vec<String>) {
    let bed = tempfile::tempdir().expect("a folder");
    let path = bed.path().join("z");
    write(&path, &vec![1; 4 << 20]);
    let mut kept = Kept {
        deed: Some(Box::new(|entry| {
            if entry.path.ends_with(b"/z") {
                change(&path);
            }
        })),
        ..Kept::default()
    };
    let counts = read(source(bed.path(), &[]), &mut kept).expect("read");
    let (entry, content) = kept.named("/z").clone();
    (counts, entry, content, kept.warnings)
}

#[test]
fn never_07_a_file_that_shrinks_is_padded_warned_of_and_counted() {
    let (counts, entry, content, warnings) = change_while_reading(|path| {
        let file = fs::File::options().write(true).open(path).expect("open");
        file.set_len(100).expect("shrunk");
    });
    assert_eq!(entry.size, 4 << 20);
    assert_eq!(content[..100], [1; 100]);
    assert!(content[100..].iter().all(|byte| *byte == 0));
    assert_eq!((counts.changed, counts.warnings), (1, 1));
    assert!(warnings[0].contains("/z changed its size"), "{warnings:?}");
}

#[test]
fn never_07_a_file_that_grows_is_cut_warned_of_and_counted() {
    let (counts, entry, content, warnings) = change_while_reading(|path| {
        let file = fs::File::options().write(true).open(path).expect("open");
        file.set_len(9 << 20).expect("grown");
    });
    assert_eq!((entry.size, content.len()), (4 << 20, 4 << 20));
    assert_eq!((counts.changed, counts.warnings), (1, 1));
    assert!(warnings[0].contains("/z changed its size"), "{warnings:?}");
}

#[test]
fn never_07_a_file_that_vanishes_is_warned_of_and_counted() {
    let bed = tempfile::tempdir().expect("a folder");
    let path = bed.path().join("z");
    write(&bed.path().join("a"), b"a");
    write(&path, &vec![1; 4 << 20]);
    let mut kept = Kept {
        deed: Some(Box::new(|entry| {
            if entry.path.ends_with(b"/a") {
                fs::remove_file(&path).expect("removed");
            }
        })),
        ..Kept::default()
    };
    let counts = read(source(bed.path(), &[]), &mut kept).expect("read");
    assert_eq!((counts.vanished, counts.files, counts.warnings), (1, 1, 1));
    assert!(
        kept.warnings[0].contains("/z vanished"),
        "{:?}",
        kept.warnings
    );
}

#[test]
fn never_07_what_cant_be_read_is_warned_of_and_counted() {
    // The kernel lets nobody read the first page of a process.
    let mut kept = Kept::default();
    let counts = read(source(Path::new("/proc/self/mem"), &[]), &mut kept).expect("read");
    assert_eq!(
        (counts.unreadable, counts.files, counts.warnings),
        (1, 0, 1)
    );
    assert!(
        kept.warnings[0].contains("proc/self/mem can't be read"),
        "{:?}",
        kept.warnings
    );
}

#[test]
fn file_systems_that_the_kernel_makes_up_are_not_entered() {
    let root = rustix::process::geteuid().is_root();
    if !root {
        return;
    }
    let bed = tempfile::tempdir().expect("a folder");
    let inner = bed.path().join("inner");
    fs::create_dir(&inner).expect("folder");
    let run = |program: &str, arguments: &[&str]| {
        let status = std::process::Command::new(program)
            .args(arguments)
            .arg(&inner)
            .status();
        assert!(status.expect("the program is there").success());
    };
    run("mount", &["-t", "proc", "none"]);
    let mut kept = Kept::default();
    let counts = read(source(bed.path(), &[]), &mut kept);
    run("umount", &[]);
    assert_eq!(kept.names(bed.path()), ["", "inner"]);
    assert_eq!(counts.expect("read").skipped, 1);
}

#[test]
fn a_run_that_is_stopped_ends_as_cancelled() {
    let bed = tempfile::tempdir().expect("a folder");
    for number in 0..5000 {
        write(&bed.path().join(format!("{number}")), b"x");
    }
    let stop = StopFlag::default();
    let asked = stop.clone();
    let mut kept = Kept {
        deed: Some(Box::new(move |_| asked.stop())),
        ..Kept::default()
    };
    let error = Box::new(source(bed.path(), &[]).cores(2)).read(&mut kept, &stop);
    assert_eq!(error.expect_err("stopped").code(), "cancelled");
    assert!(kept.entries.len() < 5000);
}

#[test]
fn an_error_of_the_sink_ends_the_run_as_it_is() {
    struct Full;
    impl EntrySink for Full {
        fn entry(&mut self, _: &Entry, _: &mut dyn Read) -> Result<()> {
            Err(Error::unavailable("storage_full", "no room"))
        }
        fn warn(&mut self, _: String) {}
    }
    let bed = tempfile::tempdir().expect("a folder");
    for number in 0..2000 {
        write(&bed.path().join(format!("{number}")), b"x");
    }
    let error = Box::new(source(bed.path(), &[])).read(&mut Full, &StopFlag::default());
    assert_eq!(error.expect_err("full").code(), "storage_full");
}
