//! Leases: renewed whatever the work does, obeyed at once when they are lost.

use super::hands::Play;
use super::scene::{Scene, lease};
use backupx_core::domain::command::{Lane, Lease};
use backupx_core::domain::id::CommandId;
use backupx_core::domain::report::Outcome;
use std::time::Duration;

#[tokio::test(start_paused = true)]
async fn never_08_a_command_that_is_handed_out_again_runs_once() {
    let scene = Scene::welcomed().await;
    scene.master.give(7, 1, Lane::Work);
    scene.started(7).await;
    scene.master.give(7, 1, Lane::Work);
    scene.master.state().leases.insert(CommandId(7), Lease(2));
    scene.master.give(7, 2, Lane::Work);
    scene
        .master
        .until("progress under the new lease", |state| {
            state
                .progress
                .iter()
                .any(|(_, report)| report.lease == Lease(2))
        })
        .await;
    scene.hands.release(7);
    scene
        .master
        .until("a result", |state| !state.results.is_empty())
        .await;
    assert_eq!(scene.hands.played().started, [CommandId(7)]);
    assert_eq!(scene.master.state().results[0].1.lease, Lease(2));
}

#[tokio::test(start_paused = true)]
async fn never_09_a_lost_lease_stops_the_effect_and_reports_nothing() {
    let scene = Scene::welcomed().await;
    scene.master.give(7, 1, Lane::Work);
    scene.started(7).await;
    scene.master.state().leases.insert(CommandId(7), Lease(2));
    scene.gone(7).await;
    assert_eq!(scene.hands.played().stopped, [CommandId(7)]);
    tokio::time::sleep(Duration::from_secs(3600)).await;
    assert!(scene.master.state().results.is_empty());
}

#[tokio::test(start_paused = true)]
async fn never_09_a_heartbeat_takes_a_lease_away_even_from_stuck_work() {
    let scene = Scene::welcomed().await;
    scene.hands.play(7, Play::Stuck);
    scene.master.give(7, 1, Lane::Work);
    scene.started(7).await;
    scene.master.state().pulse_lost = vec![lease(7, 1)];
    scene.gone(7).await;
    tokio::time::sleep(Duration::from_secs(3600)).await;
    assert!(scene.master.state().results.is_empty());
}

#[tokio::test(start_paused = true)]
async fn never_09_a_word_about_an_older_lease_is_not_for_the_newer_run() {
    let scene = Scene::welcomed().await;
    scene.master.give(7, 2, Lane::Work);
    scene.started(7).await;
    scene.master.state().pulse_lost = vec![lease(7, 1)];
    scene.master.state().pulse_cancel = vec![lease(7, 1)];
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert!(scene.hands.played().gone.is_empty());
}

#[tokio::test(start_paused = true)]
async fn never_09_a_rescued_run_begins_after_the_old_one_is_gone() {
    let scene = Scene::welcomed().await;
    scene.hands.play(7, Play::Stuck);
    scene.master.give(7, 1, Lane::Work);
    scene.started(7).await;
    scene.master.state().leases.insert(CommandId(7), Lease(2));
    scene
        .master
        .until("the loss", |state| {
            state
                .heartbeats
                .last()
                .is_some_and(|beat| beat.leases.is_empty())
        })
        .await;
    scene.hands.play(7, Play::Takes(Duration::from_secs(1)));
    scene.master.give(7, 2, Lane::Work);
    scene
        .master
        .until("a result", |state| !state.results.is_empty())
        .await;
    assert_eq!(scene.hands.played().gone.len(), 2);
    assert_eq!(scene.master.state().results[0].1.lease, Lease(2));
}

#[tokio::test(start_paused = true)]
async fn never_10_a_stuck_data_path_is_not_a_dead_agent() {
    let scene = Scene::welcomed().await;
    scene.hands.play(7, Play::Stuck);
    scene.master.give(7, 1, Lane::Work);
    scene.started(7).await;
    let (progress, beats) = {
        let state = scene.master.state();
        (state.progress.len(), state.heartbeats.len())
    };
    tokio::time::sleep(Duration::from_secs(6 * 3600)).await;
    let state = scene.master.state();
    assert!(state.progress.len() - progress >= 6 * 3600 / 3);
    assert!(state.heartbeats.len() - beats >= 6 * 3600 / 16);
    assert_eq!(
        state.heartbeats.last().map(|beat| beat.leases.clone()),
        Some(vec![lease(7, 1)])
    );
    assert_eq!(scene.hands.played().started.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn never_12_cancel_reaches_running_work_by_progress() {
    let scene = Scene::welcomed().await;
    scene.master.give(7, 1, Lane::Work);
    scene.started(7).await;
    scene.master.state().cancel.insert(CommandId(7));
    scene
        .master
        .until("a result", |state| !state.results.is_empty())
        .await;
    assert_eq!(
        scene.master.state().results[0].1.outcome,
        Outcome::Cancelled
    );
}

#[tokio::test(start_paused = true)]
async fn never_12_cancel_by_heartbeat_ends_work_that_does_not_listen() {
    let scene = Scene::welcomed().await;
    scene.hands.play(7, Play::Stuck);
    scene.master.give(7, 1, Lane::Work);
    scene.started(7).await;
    scene.master.state().pulse_cancel = vec![lease(7, 1)];
    scene
        .master
        .until("a result", |state| !state.results.is_empty())
        .await;
    assert_eq!(
        scene.master.state().results[0].1.outcome,
        Outcome::Cancelled
    );
    assert_eq!(scene.hands.played().gone, [CommandId(7)]);
}
