//! Schedules from outside: what is saved comes back, what cannot work is refused, and the next runs are shown.

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use crate::client::Api;

fn task(name: &str, target: i64, more: Value) -> Value {
    let mut task = json!({
        "name": name,
        "source": {"type": "file", "paths": ["/etc"]},
        "targetIds": [target],
    });
    if let (Some(task), Value::Object(more)) = (task.as_object_mut(), more) {
        task.extend(more);
    }
    task
}

fn instants(reply: &Value) -> Vec<&str> {
    let runs = reply["nextRuns"].as_array().into_iter().flatten();
    runs.filter_map(Value::as_str).collect()
}

#[tokio::test]
async fn a_schedule_comes_back_as_it_was_saved_with_its_next_runs() -> Result<()> {
    let api = Api::start()?;
    let target = api.target("folder").await?;
    let schedule = json!({
        "cron": "30 2 * * *",
        "timezone": "Europe/Berlin",
        "catchUp": "all",
        "jitterSecs": 600,
        "maintenance": [{"days": ["mon", "sun"], "from": "22:00", "to": "04:00"}, {"days": [], "from": "12:00", "to": "24:00"}],
    });
    let body = task("etc", target, json!({"schedule": schedule}));
    let saved = api.post("/api/v1/tasks", body).await?.expect(201)?;
    ensure!(saved["schedule"] == schedule, "{saved}");
    let path = format!("/api/v1/tasks/{}", saved["id"]);
    let reply = api.get(&format!("{path}/next-runs")).await?.expect(200)?;
    let runs = instants(&reply);
    ensure!(runs.len() == 5 && runs.is_sorted(), "{reply}");
    ensure!(saved["nextRunAt"] == *runs[0], "{saved} {reply}");
    let one = api
        .get(&format!("{path}/next-runs?count=1"))
        .await?
        .expect(200)?;
    ensure!(instants(&one) == runs[..1], "{one}");
    let odd = api.get(&format!("{path}/next-runs?colour=red")).await?;
    odd.expect(422)?;
    Ok(())
}

#[tokio::test]
async fn what_cannot_work_is_refused_with_its_field_when_saved_and_when_previewed() -> Result<()> {
    let api = Api::start()?;
    let target = api.target("folder").await?;
    for (schedule, field) in [
        (json!({"cron": "every day"}), "schedule.cron"),
        (json!({"cron": "0 0 30 2 *"}), "schedule.cron"),
        (
            json!({"cron": "@daily", "timezone": "Mars"}),
            "schedule.timezone",
        ),
        (
            json!({"cron": "@daily", "maintenance": [{"from": "00:00", "to": "24:00"}]}),
            "schedule.maintenance",
        ),
        (
            json!({"cron": "@daily", "maintenance": [{"from": "04:00", "to": "04:00"}]}),
            "schedule.maintenance",
        ),
    ] {
        let body = task("etc", target, json!({"schedule": schedule}));
        let saved = api.post("/api/v1/tasks", body).await?;
        let preview = api
            .post("/api/v1/schedules/preview", json!({"schedule": schedule}))
            .await?;
        for refused in [saved, preview] {
            let problem = refused.refusal(422, "invalid_input")?;
            ensure!(problem["errors"][0]["field"] == field, "{problem}");
        }
    }
    for schedule in [
        json!({"cron": "@daily", "colour": "red"}),
        json!({"cron": "@daily", "catchUp": "never"}),
        json!({"cron": "@daily", "maintenance": [{"from": "4 o'clock", "to": "05:00"}]}),
        json!({"cron": "@daily", "maintenance": [{"from": "04:00", "to": "05:00", "colour": "red"}]}),
    ] {
        let body = task("etc", target, json!({"schedule": schedule}));
        api.post("/api/v1/tasks", body).await?.expect(422)?;
    }
    let body = json!({"schedule": {"cron": "0 4 * * *"}, "count": 3});
    let preview = api
        .post("/api/v1/schedules/preview", body)
        .await?
        .expect(200)?;
    ensure!(instants(&preview).len() == 3, "{preview}");
    Ok(())
}

#[tokio::test]
async fn a_pause_has_an_end_and_a_reason() -> Result<()> {
    let api = Api::start()?;
    let target = api.target("folder").await?;
    let body = task("etc", target, json!({"schedule": {"cron": "@hourly"}}));
    let saved = api.post("/api/v1/tasks", body).await?.expect(201)?;
    let path = format!("/api/v1/tasks/{}", saved["id"]);
    let off = format!("{path}/disable");
    let disable = |body| api.post(&off, body);
    let year = saved["createdAt"].as_str().unwrap_or_default()[..4].parse::<i32>()? + 1;
    let until = format!("{year}-06-01T12:30:00Z");
    let paused = disable(json!({"until": until, "reason": "the disks are moved"}))
        .await?
        .expect(200)?;
    ensure!(
        paused["enabled"] == true && paused["pausedUntil"] == *until,
        "{paused}"
    );
    ensure!(paused["pauseReason"] == "the disks are moved", "{paused}");
    ensure!(
        paused["nextRunAt"] == *format!("{year}-06-01T13:00:00Z"),
        "{paused}"
    );
    for bad in [
        json!({"reason": "no end"}),
        json!({"until": "2020-01-01T00:00:00Z"}),
        json!({"until": "soon"}),
        json!({"until": until, "colour": "red"}),
    ] {
        disable(bad).await?.expect(422)?;
    }
    let off = disable(json!({})).await?.expect(200)?;
    ensure!(
        off["enabled"] == false && off["pausedUntil"].is_null(),
        "{off}"
    );
    let until = json!({"until": until});
    disable(until).await?.refusal(409, "task_disabled")?;
    let none = api.get(&format!("{path}/next-runs")).await?.expect(200)?;
    ensure!(instants(&none).is_empty(), "{none}");
    Ok(())
}

#[tokio::test]
async fn tasks_name_what_they_wait_for_and_where_they_may_run() -> Result<()> {
    let api = Api::start()?;
    let target = api.target("folder").await?;
    let first = api.task("first", 0, target).await?;
    let after = json!({"taskIds": [first], "when": "any"});
    let body = task("second", target, json!({"after": after, "pool": "db"}));
    let second = api.post("/api/v1/tasks", body).await?.expect(201)?;
    ensure!(
        second["after"] == after && second["pool"] == "db",
        "{second}"
    );
    ensure!(second["nodeId"].is_null(), "{second}");
    let path = format!("/api/v1/tasks/{}/run", second["id"]);
    let run = api.post(&path, json!({})).await?.expect(202)?;
    ensure!(
        run["nodeId"].is_null() && run["status"] == "queued",
        "{run}"
    );
    let used = api.delete(&format!("/api/v1/tasks/{first}")).await?;
    used.refusal(409, "task_in_use")?;
    for (more, field) in [
        (
            json!({"after": {"taskIds": [first, first]}}),
            "after.taskIds",
        ),
        (json!({"after": {"taskIds": [99]}}), "after.taskIds"),
        (json!({"after": {"taskIds": []}}), "after.taskIds"),
        (json!({"pool": "db", "nodeId": 0}), "pool"),
        (json!({"pool": "a/b"}), "pool"),
    ] {
        let refused = api
            .post("/api/v1/tasks", task("third", target, more))
            .await?;
        let problem = refused.refusal(422, "invalid_input")?;
        ensure!(problem["errors"][0]["field"] == field, "{problem}");
    }
    Ok(())
}
