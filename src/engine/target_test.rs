//! The test of a target: each thing that a backup needs of it, tried once.

use backupx_core::domain::key::ObjectKey;
use backupx_core::domain::report::{TestReport, TestStep};
use backupx_core::domain::size;
use backupx_core::ports::objects::ObjectStore;
use backupx_core::{Error, Result};
use bytes::Bytes;
use std::time::{Duration, Instant};

/// No step takes longer: whoever waits for the answer learns what hangs.
const STEP_LIMIT: Duration = Duration::from_secs(20);
const BODY: &[u8] = b"BackupX tries whether it can write here. This object may be removed.\n";

/// Bytes that are moved to see how fast it is.
const SPEED_BYTES: usize = 4 << 20;

/// Writes, reads, lists and deletes objects of its own, and says of each step whether it held and what to do when not.
/// Ends within two minutes whatever the target does.
pub async fn test_target(store: &dyn ObjectStore) -> TestReport {
    test_within(store, STEP_LIMIT).await
}

async fn test_within(store: &dyn ObjectStore, limit: Duration) -> TestReport {
    let mut report = TestReport {
        ok: false,
        steps: Vec::new(),
        conditional_create: false,
    };
    let (folder, key) = match place() {
        Ok(place) => place,
        Err(error) => {
            report.steps.push(step("open", Duration::ZERO, Err(error)));
            return report;
        }
    };
    let held = try_all(store, &folder, &key, limit, &mut report).await;
    if held {
        report.ok = true;
    } else if report
        .steps
        .iter()
        .any(|step| step.name == "write" && step.ok)
    {
        // What was written is small and named as a test; the failure that stands in the report matters more.
        let _ = tokio::time::timeout(limit, store.remove_all(&folder)).await;
    }
    report
}

/// Tries one step after the other until one fails.
async fn try_all(
    store: &dyn ObjectStore,
    folder: &ObjectKey,
    key: &ObjectKey,
    limit: Duration,
    report: &mut TestReport,
) -> bool {
    let body = || vec![Bytes::from_static(BODY)];
    let size = BODY.len() as u64;
    let steps = &mut report.steps;
    take(steps, "open", limit, async {
        store.stat(key).await?;
        Ok("the target answers".to_owned())
    })
    .await
        && take(steps, "write", limit, async {
            store.create(key, body()).await?;
            Ok(format!("an object of {size} bytes was written"))
        })
        .await
        && take(steps, "read", limit, async {
            let part = 8..size;
            let read = store.read(key, part).await?;
            if read.as_ref() == &BODY[8..] {
                Ok("a range of it reads back as it was written".to_owned())
            } else {
                Err(Error::invalid(
                    "reads_differently",
                    "the object reads back differently from what was written: the storage, or something between, changes data",
                ))
            }
        })
        .await
        && take(steps, "list", limit, async {
            let listed = store.list(folder).await?;
            if listed.iter().any(|info| info.key == *key && info.size == size) {
                Ok("it is listed with its size".to_owned())
            } else {
                Err(Error::invalid(
                    "not_listed",
                    "the object was written and is not listed: check that the key may list, and that nothing caches lists",
                ))
            }
        })
        .await
        && take(steps, "speed", limit, speed(store, folder, limit)).await
        && create_again(store, key, body(), limit, report).await
        && take(&mut report.steps, "delete", limit, async {
            store.remove_all(folder).await?;
            match store.stat(key).await? {
                None => Ok("it was deleted".to_owned()),
                Some(_) => Err(Error::invalid(
                    "not_deleted",
                    "the object is still there after it was deleted: check that the key may delete; retention needs it",
                )),
            }
        })
        .await
}

/// How fast it is with more than a few bytes. A slow one is no failure: it is said.
async fn speed(store: &dyn ObjectStore, folder: &ObjectKey, limit: Duration) -> Result<String> {
    let key = folder.join("speed")?;
    // Of random bytes, so that nothing on the way makes them fewer.
    let mut bytes = vec![0; SPEED_BYTES];
    rand::fill(&mut bytes[..]);
    let bytes = Bytes::from(bytes);
    let begin = Instant::now();
    let moved = async {
        store.create(&key, vec![bytes.clone()]).await?;
        let written = begin.elapsed();
        let read = store.read(&key, 0..SPEED_BYTES as u64).await?;
        Ok::<_, Error>((written, begin.elapsed() - written, read))
    };
    match tokio::time::timeout(limit * 3 / 4, moved).await {
        Ok(moved) => {
            let (written, taken, read) = moved?;
            if read != bytes {
                return Err(Error::invalid(
                    "reads_differently",
                    "4 MiB read back differently from what was written: the storage, or something between, changes data",
                ));
            }
            Ok(format!(
                "4 MiB were written at {}/s and read at {}/s",
                per_second(written),
                per_second(taken)
            ))
        }
        Err(_) => Ok(format!(
            "it is slow: 4 MiB were not written and read within {} seconds",
            (limit * 3 / 4).as_secs_f32()
        )),
    }
}

fn per_second(took: Duration) -> String {
    let bytes = SPEED_BYTES as u128 * 1_000_000 / took.as_micros().max(1);
    size::for_people(u64::try_from(bytes).unwrap_or(u64::MAX))
}

/// Storage that takes a second object of the same name still keeps backups, since names are never used twice; it is only said.
async fn create_again(
    store: &dyn ObjectStore,
    key: &ObjectKey,
    body: Vec<Bytes>,
    limit: Duration,
    report: &mut TestReport,
) -> bool {
    let mut refused = false;
    let held = take(&mut report.steps, "createAgain", limit, async {
        match store.create(key, body).await {
            Err(error) if error.code() == "object_exists" => {
                refused = true;
                Ok("a second object of the same name is refused".to_owned())
            }
            Ok(()) => Ok("a second object of the same name is not refused: backups are kept all the same, only a guard against mistakes is missing".to_owned()),
            Err(error) => Err(error),
        }
    })
    .await;
    report.conditional_create = refused;
    held
}

async fn take(
    steps: &mut Vec<TestStep>,
    name: &str,
    limit: Duration,
    work: impl Future<Output = Result<String>>,
) -> bool {
    let begin = Instant::now();
    let outcome = tokio::time::timeout(limit, work).await.unwrap_or_else(|_| {
        Err(Error::unavailable(
            "storage_stalled",
            format!(
                "no answer within {} seconds: check address, port and firewall",
                limit.as_secs_f32()
            ),
        ))
    });
    let held = outcome.is_ok();
    steps.push(step(name, begin.elapsed(), outcome));
    held
}

fn step(name: &str, took: Duration, outcome: Result<String>) -> TestStep {
    TestStep {
        name: name.to_owned(),
        ok: outcome.is_ok(),
        message: match outcome {
            Ok(message) => message,
            Err(error) => error.chain(),
        },
        duration_ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
    }
}

fn place() -> Result<(ObjectKey, ObjectKey)> {
    let folder = ObjectKey::parse(&format!("backupx-test-{:016x}", rand::random::<u64>()))?;
    let key = folder.join("object")?;
    Ok((folder, key))
}

#[cfg(test)]
mod tests;
