//! The link to the master over real HTTP: what it sends, what it makes of answers, and whom it never tells its token.

use super::link::{TOKEN, link, to, token};
use super::server::{Answer, Server};
use crate::link::{HttpLink, LinkSettings, Token};
use backupx_core::domain::command::{Lane, Lease};
use backupx_core::domain::id::{CommandId, TargetId};
use backupx_core::domain::progress::Progress;
use backupx_core::domain::protocol::{Heartbeat, Hello, Poll, ProgressReport, ResultReport};
use backupx_core::domain::report::Outcome;
use backupx_core::ports::master::MasterLink;
use backupx_core::{Error, ErrorKind};
use bytes::Bytes;
use serde_json::json;

const POLL: Poll = Poll {
    wait_secs: 1,
    free: 2,
    lane: Some(Lane::Work),
};

fn progress() -> ProgressReport {
    ProgressReport {
        lease: Lease(3),
        progress: Progress::default(),
        log: Vec::new(),
    }
}

async fn hello_error(answer: Answer) -> Error {
    let server = Server::start(move |_| answer.clone()).await;
    let error = to(&server)
        .hello(Hello::default())
        .await
        .expect_err("must fail");
    assert!(!format!("{error:?}").contains(TOKEN));
    error
}

#[tokio::test]
async fn calls_carry_the_token_and_the_protocol() {
    let server = Server::start(|_| {
        Answer::json(
            200,
            &json!({"nodeId": 4, "nodeName": "web1", "serverTime": "2026-01-02T03:04:05Z", "heartbeatIntervalSecs": 15,
                "maxWaitSecs": 25, "keep": [], "stop": []}),
        )
    })
    .await;
    let welcome = link(&format!("{}/backupx/", server.url()))
        .hello(Hello::default())
        .await
        .expect("a welcome");
    assert_eq!((welcome.node_id.0, welcome.node_name.as_str()), (4, "web1"));
    let asked = server.asked();
    assert_eq!(asked.line, "POST /backupx/api/agent/v1/hello");
    assert_eq!(asked.header("authorization"), Some("Bearer 5ecre7"));
    assert_eq!(asked.header("content-type"), Some("application/json"));
    let body: serde_json::Value = serde_json::from_slice(&asked.body).expect("JSON");
    assert_eq!(body["leases"], json!([]));
}

#[tokio::test]
async fn a_poll_without_content_is_empty() {
    let server = Server::start(|_| Answer::new(204, "text/plain", "")).await;
    let assignments = to(&server).poll(POLL).await.expect("an answer");
    assert!(assignments.commands.is_empty());
    assert_eq!(server.asked().body, br#"{"wait":1,"free":2,"lane":"work"}"#);
}

#[tokio::test]
async fn an_empty_poll_tells_when_to_ask_again() {
    for (header, told) in [("retry-after: 30", Some(30)), ("retry-after: soon", None)] {
        let server = Server::start(move |_| Answer::new(204, "text/plain", "").with(header)).await;
        let assignments = to(&server).poll(POLL).await.expect("an answer");
        assert_eq!(assignments.retry_after_secs, told, "{header}");
    }
}

#[tokio::test]
async fn never_33_a_redirect_is_not_followed_and_gets_no_token() {
    for status in [301, 302, 303, 307, 308] {
        let elsewhere = Server::start(|_| Answer::json(200, &json!({}))).await;
        let location = format!("location: {}/api/agent/v1/hello", elsewhere.url());
        let server =
            Server::start(move |_| Answer::new(status, "text/html", "moved").with(&location)).await;
        let link = to(&server);
        let errors = [
            link.hello(Hello::default()).await.err(),
            link.heartbeat(Heartbeat::default()).await.err(),
            link.relay_create(
                CommandId(1),
                Lease(1),
                TargetId(1),
                "data.000001",
                vec![Bytes::from_static(b"x")],
            )
            .await
            .err(),
            link.relay_read(CommandId(1), Lease(1), TargetId(1), "data.000001", 0..1)
                .await
                .err(),
            link.relay_stat(CommandId(1), Lease(1), TargetId(1), "data.000001")
                .await
                .err(),
        ];
        for error in errors {
            let error = error.expect("a redirect is an error");
            assert_eq!(error.code(), "redirect_refused", "{status}: {error}");
        }
        assert!(elsewhere.requests().is_empty(), "{status} was followed");
    }
}

#[tokio::test]
async fn problem_details_become_the_error_that_they_tell_of() {
    let lost = hello_error(Answer::problem(
        409,
        "lease_lost",
        "command 7 is not yours any more",
    ))
    .await;
    assert_eq!(
        (lost.kind(), lost.code()),
        (ErrorKind::Conflict, "lease_lost")
    );
    assert_eq!(lost.message(), "command 7 is not yours any more");

    let busy =
        hello_error(Answer::problem(429, "too_many_requests", "slow down").with("retry-after: 17"))
            .await;
    assert_eq!(
        (busy.kind(), busy.retry_after()),
        (ErrorKind::TooManyRequests, Some(17))
    );

    let away = hello_error(Answer::problem(503, "unavailable", "the database is away")).await;
    assert!(away.is_retryable());

    let unknown = hello_error(Answer::problem(422, "brand_new", "no such thing")).await;
    assert_eq!(
        (unknown.kind(), unknown.code()),
        (ErrorKind::Invalid, "master_refused")
    );
}

#[tokio::test]
async fn what_is_no_master_is_called_so() {
    for (answer, code) in [
        (
            Answer::new(200, "text/html", "<html>welcome</html>"),
            "not_a_master",
        ),
        (Answer::new(404, "text/html", "not found"), "not_a_master"),
        (Answer::new(405, "text/plain", "no"), "not_a_master"),
        (
            Answer::new(502, "text/html", "bad gateway"),
            "master_unavailable",
        ),
        (Answer::json(200, &json!({"hello": "world"})), "bad_answer"),
        (Answer::json(200, &json!({})).broken_off(100), "master_cut"),
    ] {
        let error = hello_error(answer).await;
        assert_eq!(
            (error.kind(), error.code()),
            (ErrorKind::Unavailable, code),
            "{error:?}"
        );
    }
}

#[tokio::test]
async fn an_unreachable_master_is_named() {
    let gone = Server::start(|_| Answer::new(204, "", "")).await.url();
    let error = link(&gone)
        .hello(Hello::default())
        .await
        .expect_err("must fail");
    assert_eq!(error.code(), "master_unreachable");
    assert!(error.message().contains(&gone), "{error}");
}

#[tokio::test]
async fn a_refused_token_is_explained() {
    let error = hello_error(Answer::problem(401, "unauthenticated", "no")).await;
    assert_eq!(error.kind(), ErrorKind::Unauthenticated);
    for part in ["the token of --token", "was rotated", "rotate-token"] {
        assert!(error.message().contains(part), "{error}");
    }
}

#[tokio::test]
async fn a_rotated_token_is_taken_from_its_file_without_a_restart() {
    let server = Server::start(|request| match request.header("authorization") {
        Some("Bearer new") => Answer::new(204, "", ""),
        _ => Answer::problem(401, "unauthenticated", "no"),
    })
    .await;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("token");
    std::fs::write(&file, "old\n").expect("a token file");
    let token = Token::from_file(&file).expect("a token");
    let link = HttpLink::new(LinkSettings::new(&server.url(), token).expect("a good URL"))
        .expect("a client");
    let refused = link.poll(POLL).await.expect_err("must be refused");
    assert_eq!(refused.kind(), ErrorKind::Unauthenticated);
    std::fs::write(&file, "new\n").expect("a token file");
    let renewed = link.poll(POLL).await.expect_err("the old token was sent");
    assert!(renewed.is_retryable(), "{renewed:?}");
    link.poll(POLL).await.expect("the new token is sent");
}

#[tokio::test]
async fn progress_and_result_name_their_command() {
    let server = Server::start(|request| {
        if request.line.ends_with("/result") {
            Answer::new(204, "", "")
        } else {
            Answer::json(
                200,
                &json!({"serverTime": "2026-01-02T03:04:05Z", "cancel": true}),
            )
        }
    })
    .await;
    let link = to(&server);
    assert!(
        link.progress(CommandId(7), progress())
            .await
            .expect("an answer")
            .cancel
    );
    assert_eq!(
        server.asked().line,
        "POST /api/agent/v1/commands/7/progress"
    );
    let report = ResultReport {
        lease: Lease(3),
        log: Vec::new(),
        outcome: Outcome::Cancelled,
    };
    link.result(CommandId(7), report).await.expect("taken");
    assert_eq!(server.asked().line, "POST /api/agent/v1/commands/7/result");
    assert_eq!(
        server.asked().body,
        br#"{"lease":3,"log":[],"outcome":"cancelled"}"#
    );
}

#[tokio::test]
async fn objects_go_through_the_relay_with_size_lease_and_range() {
    let server = Server::start(|request| match request.line.split(' ').next() {
        Some("PUT") => Answer::new(201, "", ""),
        Some("HEAD") => Answer::new(200, "application/octet-stream", vec![0; 1234]),
        _ => Answer::new(206, "application/octet-stream", "cdef"),
    })
    .await;
    let link = to(&server);
    let (command, lease, target, name) = (
        CommandId(7),
        Lease(3),
        TargetId(2),
        "data.tar.zst.age.000001",
    );
    let block = Bytes::from(vec![7; 100_000]);
    link.relay_create(command, lease, target, name, vec![block.clone(), block])
        .await
        .expect("created");
    let asked = server.asked();
    assert_eq!(
        asked.line,
        "PUT /api/agent/v1/commands/7/objects/2/data.tar.zst.age.000001?lease=3"
    );
    assert_eq!(asked.header("content-length"), Some("200000"));
    assert_eq!(asked.body, vec![7; 200_000]);

    let size = link
        .relay_stat(command, lease, target, name)
        .await
        .expect("an answer");
    assert_eq!(size, Some(1234));

    let bytes = link
        .relay_read(command, lease, target, name, 2..6)
        .await
        .expect("read");
    assert_eq!(bytes, "cdef");
    assert_eq!(server.asked().header("range"), Some("bytes=2-5"));
}

#[tokio::test]
async fn an_object_that_is_there_or_not_is_told_apart() {
    let server = Server::start(|request| {
        if request.line.starts_with("PUT") {
            Answer::problem(409, "object_exists", "it is there already")
        } else {
            Answer::problem(404, "object_not_found", "it is not there")
        }
    })
    .await;
    let link = to(&server);
    let (command, lease, target) = (CommandId(7), Lease(3), TargetId(2));
    let taken = link
        .relay_create(
            command,
            lease,
            target,
            "manifest.json",
            vec![Bytes::from_static(b"{}")],
        )
        .await
        .expect_err("must be refused");
    assert_eq!(
        (taken.kind(), taken.code()),
        (ErrorKind::Conflict, "object_exists")
    );
    let missing = link
        .relay_stat(command, lease, target, "manifest.json")
        .await;
    assert_eq!(missing.expect("an answer"), None);
    let unread = link
        .relay_read(command, lease, target, "manifest.json", 0..2)
        .await
        .expect_err("must fail");
    assert_eq!(unread.kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn an_object_that_breaks_off_is_an_error() {
    let short = Answer::new(206, "application/octet-stream", "cd");
    for answer in [short.clone(), short.broken_off(2)] {
        let server = Server::start(move |_| answer.clone()).await;
        let error = to(&server)
            .relay_read(CommandId(7), Lease(3), TargetId(2), "data", 2..6)
            .await
            .expect_err("must fail");
        assert_eq!(error.code(), "master_cut");
    }
}

#[test]
fn urls_that_are_no_masters_are_refused_with_the_reason() {
    for (url, part) in [
        ("", "is not a URL"),
        ("backup.example", "is not a URL"),
        ("ftp://backup.example", "not an http or https URL"),
        (
            "https://user:hunter2@backup.example",
            "must not contain a user",
        ),
        ("https://backup.example/?a=b", "behind '?'"),
    ] {
        let error = LinkSettings::new(url, token()).expect_err("must be refused");
        assert!(error.message().contains(part), "{url}: {error}");
        assert!(!error.message().contains("hunter2"));
    }
}

#[test]
fn never_30_the_token_is_in_no_debug_output() {
    let mut settings = LinkSettings::new("https://backup.example", token()).expect("a good URL");
    settings.proxy_url = Some("http://user:hunter2@proxy.example:3128".to_owned().into());
    let shown = format!(
        "{settings:?} {:?}",
        HttpLink::new(settings.clone()).expect("a client")
    );
    assert!(
        !shown.contains(TOKEN) && !shown.contains("hunter2"),
        "{shown}"
    );
}
