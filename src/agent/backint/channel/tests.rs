//! Pipes with late, early and vanished other ends; files that change.

use super::*;
use std::fs;
use std::io::{Read, Write};
use std::thread;

fn pipe(folder: &Path) -> std::path::PathBuf {
    let path = folder.join("a pipe");
    rustix::fs::mkfifoat(rustix::fs::CWD, &path, Mode::RUSR | Mode::WUSR).expect("made");
    path
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

#[test]
fn a_pipe_is_read_to_its_end_whoever_comes_first() {
    let folder = folder();
    let path = pipe(folder.path());
    let content: Vec<u8> = (0..3_000_000u32).map(|n| (n % 251) as u8).collect();
    let (stop, mut got) = (StopFlag::default(), Vec::new());
    let (its, sent) = (path.clone(), content.clone());
    let writer = thread::spawn(move || fs::write(its, sent));
    read_pipe(&path, &mut got, &stop).expect("read");
    writer.join().expect("ended").expect("written");
    assert!(got == content);
}

#[test]
fn never_01_a_pipe_that_gives_nothing_is_no_backup() {
    let folder = folder();
    let path = pipe(folder.path());
    let its = path.clone();
    let writer = thread::spawn(move || File::options().write(true).open(its).map(drop));
    let error = read_pipe(&path, &mut Vec::new(), &StopFlag::default()).expect_err("refused");
    assert_eq!(error.code(), "empty_pipe");
    writer.join().expect("ended").expect("opened");
}

#[test]
fn a_pipe_without_another_end_is_waited_for_until_the_stop() {
    let folder = folder();
    let path = pipe(folder.path());
    let stop = StopFlag::default();
    let (its, flag) = (path.clone(), stop.clone());
    let reader = thread::spawn(move || read_pipe(&its, &mut Vec::new(), &flag));
    let (its, flag) = (path.clone(), stop.clone());
    stop.stop();
    let outcome = reader.join().expect("ended");
    assert_eq!(outcome.expect_err("given up").code(), "cancelled");
    let outcome = PipeWriter::open(&its, &flag);
    assert_eq!(outcome.err().expect("given up").code(), "cancelled");
}

#[test]
fn a_reader_that_goes_is_told_from_one_that_is_done() {
    let folder = folder();
    let path = pipe(folder.path());
    let its = path.clone();
    let reader = thread::spawn(move || {
        let mut start = [0; 10];
        File::open(its)?.read_exact(&mut start)
    });
    let mut writer = PipeWriter::open(&path, &StopFlag::default()).expect("opened");
    let error = writer
        .write_all(&vec![1; 8 << 20])
        .expect_err("nobody reads");
    assert_eq!(failed(&path, "", error).code(), "reader_gone");
    reader.join().expect("ended").expect("read");
}

#[test]
fn a_file_is_no_pipe_and_a_pipe_no_file() {
    let folder = folder();
    let (stop, path) = (StopFlag::default(), folder.path().join("file"));
    fs::write(&path, "x").expect("written");
    let error = read_pipe(&path, &mut Vec::new(), &stop).expect_err("refused");
    assert_eq!(error.code(), "wrong_kind");
    let error = read_file(&pipe(folder.path()), &mut Vec::new(), &stop).expect_err("refused");
    assert_eq!(error.code(), "wrong_kind");
    let error = read_file(folder.path(), &mut Vec::new(), &stop).expect_err("refused");
    assert_eq!(error.code(), "wrong_kind");
}

#[test]
fn never_07_a_file_that_changes_while_it_is_read_is_refused() {
    struct Changes(std::path::PathBuf);
    impl Write for Changes {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            File::options().append(true).open(&self.0)?.set_len(5)?;
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let folder = folder();
    let path = folder.path().join("file");
    fs::write(&path, vec![7; 100]).expect("written");
    let error =
        read_file(&path, &mut Changes(path.clone()), &StopFlag::default()).expect_err("refused");
    assert_eq!(error.code(), "file_changed");
    let mut got = Vec::new();
    read_file(&path, &mut got, &StopFlag::default()).expect("it stays now");
    assert_eq!(got, [7; 5]);
}

#[test]
fn a_file_has_its_name_only_when_it_is_whole() {
    let folder = folder();
    let path = folder.path().join("file");
    fs::write(&path, "before").expect("written");
    let given_up = PartialFile::beside(&path).expect("a name");
    given_up
        .create()
        .expect("made")
        .write_all(b"half")
        .expect("written");
    drop(given_up);
    assert_eq!(fs::read(&path).expect("read"), b"before");
    let whole = PartialFile::beside(&path).expect("a name");
    let mut file = whole.create().expect("made");
    file.write_all(b"after")
        .and_then(|()| file.flush())
        .expect("written");
    whole.finish().expect("in its place");
    assert_eq!(fs::read(&path).expect("read"), b"after");
    assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1);
}
