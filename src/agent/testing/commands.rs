//! Commands: lanes, limits, logs, and how they end.

use super::hands::Play;
use super::scene::Scene;
use backupx_core::domain::command::Lane;
use backupx_core::domain::id::{CommandId, TargetId};
use backupx_core::domain::report::{CopyReport, Failure, Outcome, Report};
use std::time::Duration;

#[tokio::test(start_paused = true)]
async fn never_11_a_question_is_answered_while_all_work_is_stuck() {
    let scene = Scene::welcomed().await;
    for command in [1, 2] {
        scene.hands.play(command, Play::Stuck);
        scene.master.give(command, 1, Lane::Work);
        scene.started(command).await;
    }
    scene.master.give(3, 1, Lane::Work);
    scene.hands.play(9, Play::Takes(Duration::from_millis(5)));
    let asked = tokio::time::Instant::now();
    scene.master.give(9, 1, Lane::Short);
    scene
        .master
        .until("an answer", |state| !state.results.is_empty())
        .await;
    // Virtual time: nothing but waits of the agent itself could make this long.
    assert!(asked.elapsed() < Duration::from_secs(1));
    assert_eq!(scene.master.state().results[0].0, CommandId(9));
    assert!(!scene.hands.played().started.contains(&CommandId(3)));
}

#[tokio::test(start_paused = true)]
async fn no_more_runs_at_once_than_is_allowed() {
    let scene = Scene::welcomed().await;
    for command in 1..=4 {
        scene.master.give(command, 1, Lane::Work);
    }
    scene.started(2).await;
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert_eq!(scene.hands.played().started.len(), 2);
    scene.hands.release(1);
    scene.started(3).await;
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert_eq!(scene.hands.played().started.len(), 3);
    assert!(scene.master.state().polls.iter().all(|poll| poll.free >= 1));
}

#[tokio::test(start_paused = true)]
async fn every_log_line_arrives_once_in_order_and_in_small_reports() {
    let scene = Scene::welcomed().await;
    scene.hands.play(7, Play::Logs(1_500));
    scene.master.give(7, 1, Lane::Work);
    scene
        .master
        .until("a result", |state| !state.results.is_empty())
        .await;
    let state = scene.master.state();
    let messages: Vec<_> = state
        .lines(CommandId(7))
        .into_iter()
        .map(|line| line.message)
        .collect();
    let expected: Vec<_> = (0..1_500).map(|line| format!("line {line}")).collect();
    assert_eq!(messages, expected);
    assert!(
        state
            .progress
            .iter()
            .all(|(_, report)| report.log.len() <= 200)
    );
    assert!(
        state
            .results
            .iter()
            .all(|(_, report)| report.log.len() <= 200)
    );
}

#[tokio::test(start_paused = true)]
async fn work_that_breaks_down_fails_alone() {
    let scene = Scene::welcomed().await;
    scene.hands.play(7, Play::Panics);
    scene.hands.play(8, Play::Takes(Duration::from_secs(60)));
    scene.master.give(8, 1, Lane::Work);
    scene.master.give(7, 1, Lane::Work);
    scene
        .master
        .until("both results", |state| state.results.len() == 2)
        .await;
    let state = scene.master.state();
    let Outcome::Failed { failure, .. } = &state.results[0].1.outcome else {
        panic!("the first result is a failure: {:?}", state.results[0])
    };
    assert_eq!(failure.code, "internal");
    assert!(matches!(
        state.results[1].1.outcome,
        Outcome::Succeeded { .. }
    ));
}

#[tokio::test(start_paused = true)]
async fn never_02_copies_that_all_failed_are_a_failure_and_some_are_told() {
    let copy = |target, failure: Option<&str>| CopyReport {
        target_id: TargetId(target),
        stored_bytes: 0,
        manifest_sha256: None,
        failure: failure.map(|why| Failure::new("disk_full", why)),
    };
    let scene = Scene::welcomed().await;
    let none = Report::Copy {
        copies: vec![copy(1, Some("full")), copy(2, Some("full as well"))],
    };
    let some = Report::Copy {
        copies: vec![copy(1, Some("full")), copy(2, None)],
    };
    scene.hands.play(1, Play::Reports(none.clone()));
    scene.hands.play(2, Play::Reports(some.clone()));
    scene.master.give(1, 1, Lane::Work);
    scene
        .master
        .until("a result", |state| state.results.len() == 1)
        .await;
    scene.master.give(2, 1, Lane::Work);
    scene
        .master
        .until("both results", |state| state.results.len() == 2)
        .await;
    let state = scene.master.state();
    assert_eq!(
        state.results[0].1.outcome,
        Outcome::Failed {
            failure: Failure::new(
                "disk_full",
                "none of the 2 targets got a copy; the first: full"
            ),
            report: Some(none),
        }
    );
    assert_eq!(
        state.results[1].1.outcome,
        Outcome::Succeeded { report: some }
    );
}
