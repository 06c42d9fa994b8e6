//! Answers kept for repeated requests.

use crate::case::cases;
use crate::ports::Ports;
use crate::samples::at;
use anyhow::Result;
use backupx_core::ports::settings::KeptAnswer;

cases!(
    the_first_caller_does_the_work_and_others_learn_its_answer,
    a_request_that_failed_gives_its_key_free,
    an_old_answer_does_not_count,
    old_answers_are_purged,
);

fn known(hash: &str, status: u16, body: &str) -> KeptAnswer {
    KeptAnswer {
        request_hash: hash.to_owned(),
        status,
        body: body.to_owned(),
    }
}

async fn the_first_caller_does_the_work_and_others_learn_its_answer(ports: &Ports) -> Result<()> {
    let begin = |key, hash, second| ports.answers.begin(key, hash, at(second), at(0));
    assert_eq!(begin("k", "h", 1).await?, None);
    assert_eq!(begin("k", "h", 2).await?, Some(known("h", 0, "")));
    assert_eq!(begin("other", "h", 2).await?, None);
    ports.answers.keep("k", 201, "{\"id\":1}").await?;
    let answer = known("h", 201, "{\"id\":1}");
    assert_eq!(begin("k", "h", 3).await?, Some(answer.clone()));
    assert_eq!(begin("k", "another request", 3).await?, Some(answer));
    Ok(())
}

async fn a_request_that_failed_gives_its_key_free(ports: &Ports) -> Result<()> {
    let begin = || ports.answers.begin("k", "h", at(1), at(0));
    assert_eq!(begin().await?, None);
    ports.answers.forget("k").await?;
    assert_eq!(begin().await?, None);
    assert!(begin().await?.is_some());
    Ok(())
}

async fn an_old_answer_does_not_count(ports: &Ports) -> Result<()> {
    let begin = |hash, second, expired| ports.answers.begin("k", hash, at(second), at(expired));
    begin("h", 10, 0).await?;
    ports.answers.keep("k", 200, "old").await?;
    assert!(begin("h", 50, 10).await?.is_some());
    assert_eq!(begin("new", 50, 11).await?, None);
    assert_eq!(begin("new", 51, 11).await?, Some(known("new", 0, "")));
    Ok(())
}

async fn old_answers_are_purged(ports: &Ports) -> Result<()> {
    for (key, second) in [("a", 1), ("b", 2), ("c", 3)] {
        ports.answers.begin(key, "h", at(second), at(0)).await?;
    }
    assert_eq!(ports.answers.purge(at(3)).await?, 2);
    assert!(ports.answers.begin("c", "h", at(9), at(0)).await?.is_some());
    assert!(ports.answers.begin("a", "h", at(9), at(0)).await?.is_none());
    Ok(())
}
