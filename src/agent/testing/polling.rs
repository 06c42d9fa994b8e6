//! Polling: how many polls an agent holds, and of which lanes.

use super::hands::Play;
use super::scene::Scene;
use backupx_core::domain::command::Lane;
use std::time::Duration;

/// More than a poll waits.
const LONG: Duration = Duration::from_secs(60);
const BOTH: Option<Lane> = None;

impl Scene {
    /// Waits until the agent holds just these polls.
    async fn holds(&self, polls: &[Option<Lane>]) {
        self.master
            .until(&format!("polls of {polls:?}"), |state| state.held == polls)
            .await;
    }

    /// Gives the agent commands that never end, and waits for their beginning.
    async fn keeps_busy_with(&self, commands: std::ops::RangeInclusive<i64>, lane: Lane) {
        for command in commands.clone() {
            self.hands.play(command, Play::Obedient);
            self.master.give(command, 1, lane);
        }
        for command in commands {
            self.started(command).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_idle_agent_holds_one_poll() {
    let scene = Scene::welcomed().await;
    for _ in 0..3600 {
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(scene.master.state().held, [BOTH]);
    }
    let polls = scene.master.state().polls.len();
    assert!((3600 / 26..=3600 / 19).contains(&polls), "{polls}");
}

#[tokio::test(start_paused = true)]
async fn one_poll_is_enough_while_each_lane_has_a_place() {
    let scene = Scene::welcomed().await;
    scene.keeps_busy_with(1..=1, Lane::Work).await;
    scene.keeps_busy_with(11..=13, Lane::Short).await;
    scene.holds(&[BOTH]).await;
    assert_eq!(
        scene.master.state().polls.last().map(|poll| poll.free),
        Some(1)
    );
}

#[tokio::test(start_paused = true)]
async fn never_11_work_is_asked_for_as_soon_as_it_has_a_place_again() {
    let scene = Scene::welcomed().await;
    scene.keeps_busy_with(1..=2, Lane::Work).await;
    scene.holds(&[Some(Lane::Short)]).await;
    let free = tokio::time::Instant::now();
    scene.hands.release(1);
    scene.holds(&[Some(Lane::Short), BOTH]).await;
    scene.master.give(3, 1, Lane::Work);
    scene.started(3).await;
    // Virtual time: nothing but waits of the agent itself could make this long.
    assert!(free.elapsed() < Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn never_11_work_is_asked_for_while_questions_take_all_their_places() {
    let scene = Scene::welcomed().await;
    scene.keeps_busy_with(1..=4, Lane::Short).await;
    scene.holds(&[Some(Lane::Work)]).await;
    scene.keeps_busy_with(11..=11, Lane::Work).await;
    scene.holds(&[Some(Lane::Work)]).await;
    let free = tokio::time::Instant::now();
    scene.hands.release(1);
    scene.holds(&[Some(Lane::Work), Some(Lane::Short)]).await;
    assert!(free.elapsed() < Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn a_second_poll_is_not_held_for_ever() {
    let scene = Scene::welcomed().await;
    scene.keeps_busy_with(1..=2, Lane::Work).await;
    scene.holds(&[Some(Lane::Short)]).await;
    scene.hands.release(1);
    scene.holds(&[Some(Lane::Short), BOTH]).await;
    tokio::time::sleep(LONG).await;
    assert_eq!(scene.master.state().held, [BOTH]);

    scene.keeps_busy_with(11..=14, Lane::Short).await;
    scene.holds(&[Some(Lane::Work)]).await;
    scene.hands.release(11);
    scene.holds(&[Some(Lane::Work), Some(Lane::Short)]).await;
    tokio::time::sleep(LONG).await;
    assert_eq!(scene.master.state().held, [BOTH]);
}

#[tokio::test(start_paused = true)]
async fn no_poll_is_held_while_everything_is_taken() {
    let scene = Scene::welcomed().await;
    scene.keeps_busy_with(1..=2, Lane::Work).await;
    scene.keeps_busy_with(11..=14, Lane::Short).await;
    scene.holds(&[]).await;
    tokio::time::sleep(LONG).await;
    assert_eq!(scene.master.state().held, []);
    scene.hands.release(2);
    scene.holds(&[Some(Lane::Work)]).await;
}
