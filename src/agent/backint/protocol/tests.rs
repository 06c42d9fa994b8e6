//! What is understood of an input, what is refused, and how answers look.

use super::*;

fn parsed(function: Function, text: &str) -> Result<Input> {
    Input::parse(function, text.as_bytes())
}

fn requests(function: Function, text: &str) -> Requests {
    parsed(function, text).expect("understood").requests
}

fn pipe(name: &str) -> Handed {
    Handed {
        form: Form::Pipe,
        name: name.to_owned(),
    }
}

fn refused(function: Function, text: &str) -> String {
    let error = parsed(function, text).expect_err("refused");
    assert_eq!(error.code(), "bad_backint_input");
    error.message().to_owned()
}

#[test]
fn a_backup_names_pipes_and_files() {
    let text = "#SOFTWAREID \"backint 1.04\" \"hdb 2.00.059\"\nwhat else is said\n#PIPE \"/a b/c\"\n#FILE /plain 4096\n\n# comment\n";
    let input = parsed(Function::Backup, text).expect("understood");
    assert_eq!(input.version, (1, 4));
    let file = Handed {
        form: Form::File,
        name: "/plain".to_owned(),
    };
    assert_eq!(input.requests, Requests::Backup(vec![pipe("/a b/c"), file]));
}

#[test]
fn a_restore_names_ids_and_the_newest_with_another_place() {
    let found = requests(
        Function::Restore,
        "#EBID \"id\" \"/from\"\n#EBID \"id\" \"/from\" \"/to\"\n#NULL \"/from\" \"/to here\"\n",
    );
    let wanted = |ebid: Option<&str>, to: Option<&str>| Wanted {
        ebid: ebid.map(str::to_owned),
        name: "/from".to_owned(),
        to: to.map(str::to_owned),
    };
    let id = Some("id");
    assert_eq!(
        found,
        Requests::Restore(vec![
            wanted(id, None),
            wanted(id, Some("/to")),
            wanted(None, Some("/to here"))
        ])
    );
}

#[test]
fn quotes_are_escaped_and_other_backslashes_are_themselves() {
    let found = requests(
        Function::Backup,
        "#PIPE \"/a \\\"b\\\" \\n\\\\x\"\n#PIPE /q\\\"r\n",
    );
    assert_eq!(
        found,
        Requests::Backup(vec![pipe("/a \"b\" \\n\\\\x"), pipe("/q\"r")])
    );
    for name in ["/a \"b\"", "", "/x\\y", "\"", "/ü 漢"] {
        let said = quoted(name);
        let (parameter, behind) = quoted_parameter(&said[1..]).expect("closed");
        assert_eq!(parameter.replace("\\\"", "\""), name);
        assert_eq!(behind, "");
    }
}

#[test]
fn only_an_inquiry_may_ask_for_everything() {
    let all = Asked {
        ebid: None,
        name: None,
    };
    assert_eq!(
        requests(Function::Inquire, "#NULL"),
        Requests::Inquire(vec![all])
    );
    assert!(refused(Function::Restore, "#NULL").contains("line 1 lacks the object's name"));
}

#[test]
fn what_makes_no_sense_is_refused_with_its_line() {
    let cases = [
        (Function::Backup, "#PIPE", "line 1 lacks the pipe's name"),
        (
            Function::Backup,
            "#PIPE \"\"",
            "line 1 lacks the pipe's name",
        ),
        (
            Function::Backup,
            "#PIPE /a\n#PIPE \"/b",
            "line 2 has a quote that is not closed",
        ),
        (
            Function::Backup,
            "#PIPE \"/a\"b",
            "line 1 has text right behind a closing quote",
        ),
        (
            Function::Backup,
            "#EBID \"x\" \"/a\"",
            "no request of this function",
        ),
        (
            Function::Delete,
            "#NULL \"/a\"",
            "no request of this function",
        ),
        (
            Function::Restore,
            "#EBID \"x\"",
            "line 1 lacks the object's name",
        ),
        (Function::Inquire, "", "names nothing to inquire"),
        (Function::Backup, "only words", "names nothing to backup"),
        (Function::Backup, "#PIPE /a\0b", "zero byte"),
    ];
    for (function, text, why) in cases {
        let said = refused(function, text);
        assert!(said.contains(why), "{text:?}: {said}");
    }
    let error = Input::parse(Function::Backup, b"#PIPE /a\n#PIPE /\xff").expect_err("no UTF-8");
    assert!(error.message().contains("no UTF-8 from byte 16"));
}

#[test]
fn the_older_version_of_both_is_spoken() {
    let spoken = |text: &str| {
        parsed(Function::Inquire, &format!("#SOFTWAREID {text}\n#NULL"))
            .expect("understood")
            .version
    };
    assert_eq!(spoken("\"backint 1.50\" \"hdb\""), (1, 50));
    assert_eq!(spoken("\"backint 1.04\" \"hdb\""), (1, 4));
    assert_eq!(spoken("\"backint 2.0\" \"hdb\""), VERSION);
    assert_eq!(spoken("\"what\" \"hdb\""), UNSAID);
}

#[test]
fn answers_are_lines_that_a_database_reads() {
    let line = |answer: Answer<'_>| answer.line();
    assert_eq!(
        line(Answer::Software((1, 4))),
        format!(
            "#SOFTWAREID \"backint 1.04\" \"BackupX {}\"\n",
            env!("CARGO_PKG_VERSION")
        )
    );
    assert_eq!(
        line(Answer::Saved("id", "/a \"b\"", 7)),
        "#SAVED \"id\" \"/a \\\"b\\\"\" 7\n"
    );
    assert_eq!(
        line(Answer::Restored("id", "/a")),
        "#RESTORED \"id\" \"/a\"\n"
    );
    assert_eq!(
        line(Answer::Backup("id", "/a", None)),
        "#BACKUP \"id\" \"/a\"\n"
    );
    let made = Some("2026-11-28T06:30:00.000Z".to_owned());
    assert_eq!(
        line(Answer::Backup("id", "/a", made)),
        "#BACKUP \"id\" \"/a\" \"2026-11-28T06:30:00.000Z\"\n"
    );
    assert_eq!(line(Answer::NotFound(None, None)), "#NOTFOUND\n");
    assert_eq!(
        line(Answer::NotFound(None, Some("/a"))),
        "#NOTFOUND \"/a\"\n"
    );
    assert_eq!(
        line(Answer::Failed(Some("id"), Some("/a"))),
        "#ERROR \"id\" \"/a\"\n"
    );
    assert_eq!(
        line(Answer::Deleted("id", "/a")),
        "#DELETED \"id\" \"/a\"\n"
    );
}
