//! Settings from all layers, good and bad.

use super::{AgentFlags, AgentSettings, load};
use backupx_core::Result;
use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;
use tempfile::TempDir;

const TOKEN: &str = "5ecre7";

/// A folder with the configuration file `agent.yaml`.
fn folder(config: &str) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("agent.yaml");
    fs::write(&file, config).expect("a configuration file");
    (folder, file)
}

fn env(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

fn flags() -> AgentFlags {
    AgentFlags {
        master: Some("https://flag.example".to_owned()),
        token: Some(TOKEN.to_owned().into()),
        ..AgentFlags::default()
    }
}

fn with_file(config: &str) -> Result<AgentSettings> {
    let (_folder, file) = folder(config);
    load(
        &AgentFlags {
            config: Some(file),
            ..flags()
        },
        &env(&[]),
    )
}

#[track_caller]
fn refused(result: Result<AgentSettings>, parts: &[&str]) {
    let error = result.expect_err("must be refused");
    for part in parts {
        assert!(
            error.message().contains(part),
            "{part:?} is not in: {error}"
        );
    }
    assert!(!error.chain().contains(TOKEN), "{error:?}");
}

#[test]
fn flag_beats_file_beats_environment_beats_default() {
    let (_folder, file) =
        folder("master: https://file.example\npollInterval: 7\nmaxConcurrent: 3\n");
    let env = env(&[
        ("BACKUPX_AGENT_MASTER", "https://env.example"),
        ("BACKUPX_AGENT_POLL", "9s"),
        ("BACKUPX_AGENT_HEARTBEAT", "2m"),
        ("BACKUPX_AGENT_TOKEN", TOKEN),
        ("BACKUPX_AGENT_PROXY_URL", ""),
        ("BACKUPX_LOG", "debug"),
    ]);
    let all = AgentFlags {
        config: Some(file.clone()),
        ..flags()
    };
    let settings = load(&all, &env).expect("good settings");
    assert_eq!(settings.link.master(), "https://flag.example");
    assert_eq!(settings.agent.poll_interval, Duration::from_secs(7));
    assert_eq!(
        settings.agent.heartbeat_interval,
        Some(Duration::from_secs(120))
    );
    assert_eq!(settings.agent.work_slots(), 3);
    assert_eq!(settings.link.token.source(), "--token");
    assert!(settings.link.proxy_url.is_none());
    assert!(settings.warnings.is_empty());

    let file_only = AgentFlags {
        config: Some(file),
        ..AgentFlags::default()
    };
    let settings = load(&file_only, &env).expect("good settings");
    assert_eq!(settings.link.master(), "https://file.example");
    assert_eq!(settings.link.token.source(), "BACKUPX_AGENT_TOKEN");

    let settings = load(&flags(), &BTreeMap::new()).expect("good settings");
    assert_eq!(settings.agent.work_slots(), 2);
    assert_eq!(settings.agent.heartbeat_interval, None);
}

#[test]
fn every_key_of_the_file_is_taken() {
    let (folder, file) = folder(
        "master: https://file.example\ntokenFile: token\nheartbeatInterval: 15s\npollInterval: 5s\ntempDir: temp\n\
         proxyUrl: http://proxy.example:3128\ninsecureTls: true\nmaxConcurrent: 4\npolicy: policy.yaml\n",
    );
    fs::write(folder.path().join("token"), format!("{TOKEN}\n")).expect("a token file");
    fs::write(folder.path().join("policy.yaml"), "maxConcurrent: 1").expect("a policy");
    let flags = AgentFlags {
        config: Some(file),
        ..AgentFlags::default()
    };
    let settings = load(&flags, &BTreeMap::new()).expect("good settings");
    assert!(settings.link.insecure_tls && settings.link.proxy_url.is_some());
    assert_eq!(settings.agent.work_slots(), 1);
    let temp = settings.agent.temp_dir.expect("a folder");
    assert!(temp.is_dir() && temp.starts_with(folder.path()));
}

#[test]
fn what_is_missing_says_how_to_give_it() {
    refused(
        load(&AgentFlags::default(), &env(&[])),
        &["--master", "BACKUPX_AGENT_MASTER"],
    );
    let master = AgentFlags {
        token: None,
        ..flags()
    };
    refused(
        load(&master, &env(&[])),
        &["--token-file", "BACKUPX_AGENT_TOKEN", "node add"],
    );
}

#[test]
fn bad_values_name_where_they_were_given() {
    for (config, parts) in [
        (
            "masterr: https://a.example",
            ["unknown field `masterr`", "agent.yaml"],
        ),
        ("pollInterval: soon", ["pollInterval in", "15s, 10m"]),
        ("pollInterval: 2h", ["pollInterval in", "100ms to 1h"]),
        ("insecureTls: perhaps", ["insecureTls in", "true, false"]),
        ("maxConcurrent: 0", ["maxConcurrent in", "from 1 to 64"]),
        ("maxConcurrent: [1]", ["agent.yaml", "a single value"]),
        ("policy: nowhere.yaml", ["nowhere.yaml", "can't be read"]),
        ("caCertFile: nowhere.pem", ["nowhere.pem", "can't be read"]),
        ("tempDir: agent.yaml/x", ["tempDir in", "folder"]),
        ("proxyUrl: ':'", ["proxyUrl", "URL of a proxy"]),
        ("- a\n- b", ["agent.yaml", "is not right"]),
    ] {
        refused(with_file(config), &parts);
    }
    let variable = env(&[("BACKUPX_AGENT_HEARTBEAT", "x")]);
    refused(
        load(&flags(), &variable),
        &["BACKUPX_AGENT_HEARTBEAT", "15s, 10m"],
    );
    let flag = AgentFlags {
        master: Some("example".to_owned()),
        ..flags()
    };
    refused(load(&flag, &env(&[])), &["--master", "is not a URL"]);
    let missing = AgentFlags {
        config: Some("/nowhere/agent.yaml".into()),
        ..flags()
    };
    refused(
        load(&missing, &env(&[])),
        &["/nowhere/agent.yaml", "can't be read"],
    );
}

#[test]
fn never_30_a_bad_token_is_refused_without_being_shown() {
    for config in [
        format!("token: {TOKEN}\ntokenFile: {TOKEN}.txt"),
        format!("token: '{TOKEN} {TOKEN}'"),
    ] {
        let (_folder, file) = folder(&config);
        let flags = AgentFlags {
            token: None,
            config: Some(file),
            ..flags()
        };
        refused(load(&flags, &env(&[])), &["token in"]);
    }
    let settings = load(&flags(), &env(&[])).expect("good settings");
    assert!(!format!("{settings:?} {:?}", flags()).contains(TOKEN));
}

#[test]
fn unknown_variables_and_open_connections_are_warned_of() {
    let http = AgentFlags {
        master: Some("http://backup.example".to_owned()),
        ..flags()
    };
    let settings = load(&http, &env(&[("BACKUPX_AGENT_MASTR", "x")])).expect("good settings");
    assert!(settings.warnings[0].contains("BACKUPX_AGENT_MASTR"));
    assert!(settings.warnings[1].contains("not encrypted"));
    let loopback = AgentFlags {
        master: Some("http://127.0.0.1:8340".to_owned()),
        ..flags()
    };
    assert!(
        load(&loopback, &env(&[]))
            .expect("good settings")
            .warnings
            .is_empty()
    );
}
