//! Tools that say, hang, fail and break off.

use super::*;
use std::sync::Mutex;

fn shell(script: &str) -> Tool {
    Tool::new("/bin/sh").arg("-c").arg(script)
}

fn silent(_: &str) {}

#[test]
fn what_a_tool_prints_and_says_arrives() {
    let (mut out, heard) = (Vec::new(), Mutex::new(Vec::new()));
    let said = |line: &str| heard.lock().expect("nobody panics").push(line.to_owned());
    let ended = shell("echo one; echo a warning >&2; echo two; exit 3")
        .read(&mut out, &said, &StopFlag::default())
        .expect("it runs");
    assert_eq!(out, b"one\ntwo\n");
    assert_eq!(heard.into_inner().expect("nobody panics"), ["a warning"]);
    let error = ended
        .well("sh", "dump_failed")
        .expect_err("exit code 3 is a failure");
    assert_eq!(error.message(), "sh ended with exit code 3: a warning");
}

#[test]
fn never_30_a_secret_that_a_tool_says_is_hidden() {
    let tool = shell("echo \"denied for $WORD\" >&2; exit 1")
        .env("WORD", "hunter2")
        .secret(&WireSecret::new("hunter2"));
    let ended = tool
        .read(&mut Vec::new(), &silent, &StopFlag::default())
        .expect("it runs");
    assert_eq!(ended.last_words, ["denied for [secret]"]);
}

#[test]
fn a_tool_that_hangs_ends_with_all_it_started_when_the_run_is_stopped() {
    let stop = StopFlag::default();
    let folder = tempfile::tempdir().expect("a folder");
    let pid = folder.path().join("pid");
    // Its child holds the pipe open, and both are deaf to SIGHUP.
    let script = format!(
        "trap '' HUP; (trap '' HUP; sleep 600) & echo $! > {}; wait",
        pid.display()
    );
    std::thread::scope(|scope| {
        let reading = scope.spawn(|| shell(&script).read(&mut Vec::new(), &silent, &stop));
        while !std::fs::read_to_string(&pid).is_ok_and(|text| text.ends_with('\n')) {
            std::thread::yield_now();
        }
        stop.stop();
        let error = reading
            .join()
            .expect("no panic")
            .expect_err("it was stopped");
        assert_eq!(error.code(), "cancelled");
    });
    let child = std::fs::read_to_string(&pid).expect("written");
    // The kernel ends a killed process in its own time, and whoever inherits it reaps it in theirs.
    let is_over = || {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", child.trim()));
        stat.map_or(true, |text| text.contains(") Z "))
    };
    let limit = Instant::now() + LIMIT;
    while !is_over() {
        assert!(Instant::now() < limit, "the sleeper lives on");
        std::thread::yield_now();
    }
}

#[test]
fn a_short_question_has_a_limit() {
    let error = shell("sleep 600")
        .ask(&StopFlag::default(), Duration::from_millis(200))
        .expect_err("too slow");
    assert_eq!(error.code(), "tool_timeout");
    let error = shell("cat >/dev/null; sleep 600")
        .write_within(
            &mut &b"said"[..],
            &silent,
            &StopFlag::default(),
            Duration::from_millis(200),
        )
        .expect_err("too slow");
    assert_eq!(error.code(), "tool_timeout");
}

#[test]
fn an_input_that_breaks_off_is_never_taken_for_the_whole() {
    struct Broken(usize);
    impl Read for Broken {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            self.0 += 1;
            match self.0 {
                1 => {
                    buffer[..5].copy_from_slice(b"half\n");
                    Ok(5)
                }
                _ => Err(std::io::Error::other(Error::invalid(
                    "stream_damaged",
                    "broken",
                ))),
            }
        }
    }
    let folder = tempfile::tempdir().expect("a folder");
    let whole = folder.path().join("whole");
    let script = format!("cat >/dev/null; touch {}", whole.display());
    let error = shell(&script)
        .write(&mut Broken(0), &silent, &StopFlag::default())
        .expect_err("the input broke off");
    assert_eq!(error.code(), "stream_damaged");
    assert!(!whole.exists(), "the tool took the half for the whole");
}

#[test]
fn a_tool_that_did_not_read_everything_is_no_success() {
    let mut input = std::io::repeat(b'x').take(64 << 20);
    let error = shell("exit 0")
        .write(&mut input, &silent, &StopFlag::default())
        .expect_err("it read nothing");
    assert_eq!(error.code(), "restore_failed");
}

#[test]
fn the_environment_of_the_agent_changes_nothing() {
    let answer = shell("env | cut -d= -f1 | sort")
        .ask(&StopFlag::default(), LIMIT)
        .expect("it runs");
    let allowed = [
        "HOME",
        "PATH",
        "TMPDIR",
        "LD_LIBRARY_PATH",
        "LC_ALL",
        "PWD",
        "OLDPWD",
        "SHLVL",
        "_",
    ];
    for name in answer.text.lines() {
        assert!(allowed.contains(&name), "{name}");
    }
}

const LIMIT: Duration = Duration::from_secs(30);
