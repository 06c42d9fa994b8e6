//! A master that is away, refuses, or hides behind a proxy.

use super::hands::Play;
use super::master::{Call, Master};
use super::scene::{Scene, lease};
use backupx_core::ErrorKind;
use backupx_core::domain::command::Lane;
use backupx_core::domain::report::Outcome;
use std::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 3600);

/// Gives the agent work and waits for its result.
async fn does_work(scene: &Scene) {
    scene.hands.play(7, Play::Takes(Duration::from_secs(1)));
    scene.master.give(7, 1, Lane::Work);
    scene
        .master
        .until("a result", |state| !state.results.is_empty())
        .await;
}

#[tokio::test(start_paused = true)]
async fn never_15_an_agent_outlives_days_without_its_master() {
    let master = Master::default();
    master.fail(
        &Call::ALL,
        ErrorKind::Unavailable,
        "master_unreachable",
        Duration::ZERO,
    );
    let scene = Scene::start(master);
    tokio::time::sleep(3 * DAY).await;
    assert!(scene.lives());
    let tried = scene.master.state().count(Call::Hello);
    assert!(
        (4_000..=9_000).contains(&tried),
        "{tried} hellos in three days"
    );
    assert_eq!(scene.master.state().count(Call::Poll), 0);

    scene.master.recover();
    does_work(&scene).await;
    scene.end().await.expect("a good end");
}

#[tokio::test(start_paused = true)]
async fn never_15_a_refused_token_is_tried_again_for_ever() {
    let master = Master::default();
    master.fail(
        &Call::ALL,
        ErrorKind::Unauthenticated,
        "unauthenticated",
        Duration::ZERO,
    );
    let scene = Scene::start(master);
    tokio::time::sleep(DAY).await;
    assert!(scene.lives());
    let tried = scene.master.state().count(Call::Hello);
    assert!((1_000..=3_000).contains(&tried), "{tried} hellos in a day");
    scene.master.recover();
    scene
        .master
        .until("a welcome", |state| !state.polls.is_empty())
        .await;
}

#[tokio::test(start_paused = true)]
async fn never_15_a_proxy_that_cuts_polls_does_not_deafen_the_agent() {
    let scene = Scene::welcomed().await;
    scene.master.fail(
        &[Call::Poll],
        ErrorKind::Unavailable,
        "master_cut",
        Duration::from_secs(10),
    );
    let before = scene.master.state().count(Call::Poll);
    tokio::time::sleep(Duration::from_secs(3600)).await;
    let polls = scene.master.state().count(Call::Poll) - before;
    // Asked again within a second after each cut: deaf for at most a tenth of the time.
    assert!(polls >= 3600 / 12, "{polls} polls in an hour");
    assert_eq!(scene.master.state().hellos.len(), 1);
}

/// How often an agent polls in an hour when the master holds no polls and wants to be left alone for `secs`.
async fn polls_in_an_hour(secs: u64) -> usize {
    let master = Master::default();
    master.state().retry_after_secs = Some(secs);
    let scene = Scene::start(master);
    tokio::time::sleep(Duration::from_secs(3600)).await;
    let polls = scene.master.state().count(Call::Poll);
    does_work(&scene).await;
    polls
}

#[tokio::test(start_paused = true)]
async fn a_master_that_holds_no_polls_is_asked_as_rarely_as_it_wishes() {
    // The wish with up to a fifth of jitter.
    let polls = polls_in_an_hour(30).await;
    assert!((100..=121).contains(&polls), "{polls}");
}

#[tokio::test(start_paused = true)]
async fn a_masters_wish_never_makes_an_agent_ask_more_often_than_its_host_wants() {
    let polls = polls_in_an_hour(1).await;
    assert!(polls <= 721, "{polls}");
}

#[tokio::test(start_paused = true)]
async fn never_15_the_agent_says_hello_again_with_what_it_holds() {
    let scene = Scene::welcomed().await;
    scene.master.give(7, 1, Lane::Work);
    scene.started(7).await;
    scene.master.fail(
        &Call::ALL,
        ErrorKind::Unavailable,
        "master_unreachable",
        Duration::ZERO,
    );
    tokio::time::sleep(Duration::from_secs(300)).await;
    scene.master.recover();
    scene
        .master
        .until("a second hello", |state| state.hellos.len() == 2)
        .await;
    assert_eq!(scene.master.state().hellos[1].leases, [lease(7, 1)]);
    scene.hands.release(7);
    scene
        .master
        .until("a result", |state| state.results.len() == 1)
        .await;
    assert_eq!(scene.hands.played().started.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn never_09_what_the_master_does_not_want_kept_is_stopped_without_a_report() {
    let scene = Scene::welcomed().await;
    scene.master.give(7, 1, Lane::Work);
    scene.started(7).await;
    scene.master.fail(
        &Call::ALL,
        ErrorKind::Unavailable,
        "master_unreachable",
        Duration::ZERO,
    );
    tokio::time::sleep(Duration::from_secs(300)).await;
    scene.master.state().stop = vec![lease(7, 1)];
    scene.master.recover();
    scene.gone(7).await;
    tokio::time::sleep(Duration::from_secs(300)).await;
    assert!(scene.master.state().results.is_empty());
    assert!(
        scene
            .master
            .state()
            .heartbeats
            .last()
            .is_some_and(|beat| beat.leases.is_empty())
    );
}

#[tokio::test(start_paused = true)]
async fn a_result_waits_for_days_and_is_taken_once() {
    let scene = Scene::welcomed().await;
    scene.hands.play(7, Play::Takes(Duration::from_secs(30)));
    scene.master.give(7, 1, Lane::Work);
    scene.started(7).await;
    scene.master.fail(
        &Call::ALL,
        ErrorKind::Unavailable,
        "master_unreachable",
        Duration::ZERO,
    );
    tokio::time::sleep(2 * DAY).await;
    scene.master.state().lose_answers = 1;
    scene.master.recover();
    scene
        .master
        .until("both offers", |state| state.results.len() == 2)
        .await;
    tokio::time::sleep(Duration::from_secs(600)).await;
    let state = scene.master.state();
    assert_eq!(state.results.len(), 2);
    assert_eq!(state.results[0], state.results[1]);
    assert!(matches!(
        state.results[0].1.outcome,
        Outcome::Succeeded { .. }
    ));
}

#[tokio::test(start_paused = true)]
async fn too_many_requests_and_server_errors_are_lived_through() {
    let scene = Scene::welcomed().await;
    scene.hands.play(7, Play::Takes(Duration::from_secs(30)));
    scene.master.give(7, 1, Lane::Work);
    scene.started(7).await;
    for (kind, code) in [
        (ErrorKind::TooManyRequests, "too_many_requests"),
        (ErrorKind::Internal, "internal"),
        (ErrorKind::Unauthenticated, "unauthenticated"),
    ] {
        scene.master.fail(&Call::ALL, kind, code, Duration::ZERO);
        tokio::time::sleep(Duration::from_secs(600)).await;
        scene.master.recover();
        scene
            .master
            .until("a heartbeat", |state| !state.heartbeats.is_empty())
            .await;
    }
    scene
        .master
        .until("a result", |state| state.results.len() == 1)
        .await;
    assert!(scene.lives());
}
