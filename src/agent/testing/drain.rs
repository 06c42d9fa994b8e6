//! The end of an agent: finish what can be finished, report the rest, within the time that a host gives.

use super::hands::Play;
use super::master::Call;
use super::scene::Scene;
use backupx_core::ErrorKind;
use backupx_core::domain::command::Lane;
use backupx_core::domain::report::Outcome;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

#[tokio::test(start_paused = true)]
async fn an_idle_agent_ends_at_once() {
    let scene = Scene::welcomed().await;
    let asked = Instant::now();
    scene.end().await.expect("a good end");
    assert!(asked.elapsed() < Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn work_that_is_nearly_done_is_finished() {
    let scene = Scene::welcomed().await;
    scene.hands.play(7, Play::Takes(Duration::from_secs(10)));
    scene.master.give(7, 1, Lane::Work);
    scene.started(7).await;
    let master = Arc::clone(&scene.master);
    scene.end().await.expect("a good end");
    assert!(matches!(
        master.state().results[0].1.outcome,
        Outcome::Succeeded { .. }
    ));
}

#[tokio::test(start_paused = true)]
async fn work_that_takes_longer_is_reported_as_stopped_in_time() {
    let scene = Scene::welcomed().await;
    scene.hands.play(7, Play::Stuck);
    scene.master.give(7, 1, Lane::Work);
    scene.master.give(8, 1, Lane::Work);
    scene.started(8).await;
    let (master, asked) = (Arc::clone(&scene.master), Instant::now());
    scene.end().await.expect("a good end");
    assert!(asked.elapsed() <= Duration::from_secs(30));
    let state = master.state();
    assert_eq!(state.results.len(), 2);
    for (_, report) in &state.results {
        let Outcome::Failed { failure, .. } = &report.outcome else {
            panic!("{report:?} is no failure")
        };
        assert_eq!(failure.code, "agent_stopped");
    }
}

#[tokio::test(start_paused = true)]
async fn an_absent_master_does_not_keep_the_agent_from_ending() {
    let scene = Scene::welcomed().await;
    scene.master.give(7, 1, Lane::Work);
    scene.started(7).await;
    scene.master.fail(
        &Call::ALL,
        ErrorKind::Unavailable,
        "master_unreachable",
        Duration::ZERO,
    );
    let asked = Instant::now();
    scene.end().await.expect("a good end");
    assert!(asked.elapsed() <= Duration::from_secs(30));
}

#[tokio::test(start_paused = true)]
async fn nothing_new_is_asked_for_while_the_agent_ends() {
    let scene = Scene::welcomed().await;
    scene.hands.play(7, Play::Takes(Duration::from_secs(10)));
    scene.master.give(7, 1, Lane::Work);
    scene.started(7).await;
    scene.shutdown.cancel();
    tokio::task::yield_now().await;
    scene.master.give(8, 1, Lane::Work);
    let hands = Arc::clone(&scene.hands);
    scene.end().await.expect("a good end");
    assert_eq!(hands.played().started.len(), 1);
}
