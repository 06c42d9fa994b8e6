//! Hostile and careless input: every refusal is problem details, says what is wrong, and changes nothing.

use anyhow::{Result, ensure};
use reqwest::Method;
use serde_json::{Value, json};

use crate::client::Api;

fn fields(problem: &Value) -> Vec<&str> {
    let errors = problem["errors"].as_array();
    let errors = errors.into_iter().flatten();
    errors.filter_map(|error| error["field"].as_str()).collect()
}

#[tokio::test]
async fn bad_names_are_refused_wherever_a_thing_is_named() -> Result<()> {
    let api = Api::start()?;
    let target = api.target("folder").await?;
    let long = "x".repeat(10_000);
    for name in [
        "",
        " ",
        "a/b",
        "a\\b",
        "../../etc",
        "a\u{0}b",
        "a\nb",
        long.as_str(),
    ] {
        let source = json!({"type": "file", "paths": ["/etc"]});
        let asked = [
            ("/api/v1/nodes", json!({"name": name})),
            (
                "/api/v1/targets",
                json!({"name": name, "type": "local", "config": {"path": "/tmp/x"}}),
            ),
            (
                "/api/v1/tasks",
                json!({"name": name, "source": source, "targetIds": [target]}),
            ),
            ("/api/v1/api-keys", json!({"name": name, "role": "viewer"})),
            (
                "/api/v1/users",
                json!({"username": name, "password": "long enough password", "role": "viewer"}),
            ),
        ];
        for (path, body) in asked {
            let reply = api.post(path, body).await?;
            let problem = reply.refusal(422, "invalid_input")?;
            let named = fields(&problem);
            ensure!(
                named == ["name"] || named == ["username"],
                "{path} {problem}"
            );
            ensure!(
                reply.text.len() < 4000,
                "{path} sends {} bytes back",
                reply.text.len()
            );
        }
    }
    Ok(())
}

#[tokio::test]
async fn wrong_bodies_are_refused_with_the_field() -> Result<()> {
    let api = Api::start()?;
    let source = json!({"type": "file", "paths": ["/etc"]});
    let cases = [
        (json!({}), 422, vec!["name"]),
        (json!([]), 422, vec!["body"]),
        (json!(7), 422, vec!["body"]),
        (json!({"name": 7}), 422, vec!["name"]),
        (json!({"name": "a", "colour": "red"}), 422, vec!["colour"]),
        (
            json!({"name": "a", "source": {"type": "fax"}}),
            422,
            vec!["source.type"],
        ),
        (
            json!({"name": "a", "source": source, "targetIds": "1"}),
            422,
            vec!["targetIds"],
        ),
        (
            json!({"name": "a", "source": source, "targetIds": []}),
            422,
            vec!["targetIds"],
        ),
        (
            json!({"name": "a", "source": source, "targetIds": [1], "compression": "rar"}),
            422,
            vec!["compression"],
        ),
        (
            json!({"name": "a", "source": source, "targetIds": [1], "maxCores": 0}),
            422,
            vec!["maxCores"],
        ),
        (
            json!({"name": "a", "source": {"type": "file", "paths": ["etc"]}, "targetIds": [1]}),
            422,
            vec!["source.paths"],
        ),
    ];
    for (body, status, expected) in cases {
        let problem = api
            .post("/api/v1/tasks", body.clone())
            .await?
            .refusal(status, "invalid_input")?;
        let said = fields(&problem);
        ensure!(
            said == expected || (expected == ["source.type"] && said == ["source"]),
            "{body}: {problem}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn what_is_no_json_is_refused() -> Result<()> {
    let api = Api::start()?;
    let post = || api.ask(Method::POST, "/api/v1/nodes").by(&api.admin);
    let json = |body: &'static str| post().header("content-type", "application/json").body(body);
    json("{\"name\": ").send().await?.refusal(400, "bad_json")?;
    json("").send().await?.refusal(400, "bad_json")?;
    json("{\"name\": \"a\"} trailing")
        .send()
        .await?
        .refusal(400, "bad_json")?;
    json("{\"name\": \"\u{fffd}")
        .send()
        .await?
        .refusal(400, "bad_json")?;
    post()
        .body("name=a")
        .send()
        .await?
        .refusal(415, "unsupported_media_type")?;
    let form = post().header("content-type", "application/x-www-form-urlencoded");
    form.body("name=a")
        .send()
        .await?
        .refusal(415, "unsupported_media_type")?;
    let bytes = post()
        .header("content-type", "application/json")
        .body(vec![0xff; 100]);
    bytes.send().await?.refusal(400, "bad_json")?;
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let deep = post().header("content-type", "application/json").body(deep);
    deep.send().await?.problem()?;
    Ok(())
}

#[tokio::test]
async fn large_bodies_are_refused() -> Result<()> {
    let api = Api::start()?;
    let body = json!({"name": "x".repeat(2 * 1024 * 1024)});
    api.post("/api/v1/nodes", body.clone())
        .await?
        .refusal(413, "body_too_large")?;
    let keyed = api
        .ask(Method::POST, "/api/v1/nodes")
        .by(&api.admin)
        .header("idempotency-key", "k");
    keyed
        .json(&body)
        .send()
        .await?
        .refusal(413, "body_too_large")?;
    api.get("/api/v1/nodes").await?.expect(200)?;
    Ok(())
}

#[tokio::test]
async fn bad_queries_are_refused_with_the_field() -> Result<()> {
    let api = Api::start()?;
    let cases = [
        ("/api/v1/nodes?limit=0", "limit"),
        ("/api/v1/nodes?limit=501", "limit"),
        ("/api/v1/nodes?limit=-1", "limit"),
        ("/api/v1/tasks?limit=ten", "limit"),
        ("/api/v1/records?cursor=abc", "cursor"),
        ("/api/v1/records?cursor=-1", "cursor"),
        ("/api/v1/records?cursor=99999999999999999999999", "cursor"),
        ("/api/v1/records?status=finished", "status"),
        ("/api/v1/records?taskId=x", "taskId"),
        ("/api/v1/operations?kind=burn", "kind"),
        ("/api/v1/events?cursor=%00", "cursor"),
    ];
    for (path, field) in cases {
        let problem = api.get(path).await?.refusal(422, "invalid_input")?;
        ensure!(fields(&problem) == [field], "{path}: {problem}");
    }
    Ok(())
}

#[tokio::test]
async fn wrong_addresses_and_methods_are_problems() -> Result<()> {
    let api = Api::start()?;
    let long = format!("/api/v1/nodes/{}", "9".repeat(5000));
    for path in [
        "/api/v1/nothing",
        "/api",
        "/api/v2/nodes",
        "/api/v1/nodes/abc",
        "/api/v1/nodes/1.5",
        "/api/v1/nodes/%2e%2e",
        long.as_str(),
    ] {
        api.get(path).await?.refusal(404, "not_found")?;
    }
    for path in [
        "/api/v1/nodes/424242",
        "/api/v1/nodes/-1",
        "/api/v1/targets/424242",
        "/api/v1/tasks/424242",
        "/api/v1/records/424242",
        "/api/v1/operations/424242",
        "/api/v1/users/424242",
    ] {
        let reply = api.get(path).await?;
        let problem = reply.problem()?;
        ensure!(reply.status == 404, "{path}: {problem}");
        ensure!(
            problem["code"]
                .as_str()
                .is_some_and(|code| code.ends_with("_not_found")),
            "{path}: {problem}"
        );
    }
    let reply = api
        .ask(Method::PATCH, "/api/v1/nodes")
        .by(&api.admin)
        .send()
        .await?;
    reply.refusal(405, "method_not_allowed")?;
    ensure!(reply.header("allow").contains("GET"), "{:?}", reply.headers);
    api.ask(Method::POST, "/")
        .send()
        .await?
        .refusal(405, "method_not_allowed")?;
    Ok(())
}

#[tokio::test]
async fn a_taken_name_and_a_used_target_are_conflicts() -> Result<()> {
    let api = Api::start()?;
    let target = api.target("folder").await?;
    api.task("etc", 0, target).await?;
    let again = api.post("/api/v1/nodes", json!({"name": "web"})).await?;
    again.expect(201)?;
    api.post("/api/v1/nodes", json!({"name": "web"}))
        .await?
        .refusal(409, "node_name_taken")?;
    api.delete(&format!("/api/v1/targets/{target}"))
        .await?
        .refusal(409, "target_in_use")?;
    Ok(())
}

#[tokio::test]
async fn every_answer_names_its_request() -> Result<()> {
    let api = Api::start()?;
    let reply = api.get("/api/v1/nothing").await?;
    let id = reply.header("x-request-id");
    ensure!(id.len() == 16, "{id:?}");
    ensure!(reply.problem()?["requestId"] == id);
    let own = api
        .ask(Method::GET, "/health")
        .header("x-request-id", "mine-1");
    ensure!(own.send().await?.header("x-request-id") == "mine-1");
    Ok(())
}
