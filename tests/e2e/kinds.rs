//! Kinds of storage from the catalogue, each picked, tested, written to and read from by its own name.

use std::env;
use std::fs;

use anyhow::{Context, Result, ensure};
use libtest_mimic::Trial;
use serde_json::Value;

use super::scene::Scene;
use super::support::servers::{S3, s3_trial, trial};
use super::support::trees::{ensure_equal, make_nasty};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial(
            "kinds::there_are_many_and_each_says_what_it_takes",
            there_are_many_and_each_says_what_it_takes,
        ),
        s3_trial(
            "kinds::a_preset_of_s3_goes_round",
            a_preset_of_s3_goes_round,
        ),
        trial("kinds::azure_goes_round", azure_goes_round),
        trial("kinds::google_goes_round", google_goes_round),
        trial("kinds::webdav_goes_round", webdav_goes_round),
        trial("kinds::sftp_goes_round", sftp_goes_round),
    ]
}

fn there_are_many_and_each_says_what_it_takes() -> Result<()> {
    let scene = Scene::start()?;
    let types = scene.cli.json(["target", "types"])?;
    let types = types["items"].as_array().context("no list")?;
    ensure!(types.len() >= 70, "{} kinds", types.len());
    let dropbox = scene.cli.json(["target", "types", "dropbox"])?;
    ensure!(
        dropbox["driver"] == "rclone" && dropbox["fields"].to_string().contains("token"),
        "{dropbox}"
    );
    let text = scene.cli.run(["target", "types", "wasabi"])?.stdout;
    ensure!(
        text.contains("accessKeyId") && !text.contains("endpoint"),
        "{text}"
    );
    for (arguments, code, part) in [
        (vec!["--type", "r2"], 2, "not a known kind"),
        (
            vec!["--type", "Cloudflare-R2"],
            2,
            "do you mean cloudflare-r2?",
        ),
        (
            vec!["--type", "sftp", "--set", "host=h", "--set", "hosst=h"],
            1,
            "hosst",
        ),
        (
            vec!["--type", "rclone", "--set", "backend=local"],
            1,
            "no place to keep backups",
        ),
        (
            vec![
                "--type",
                "sftp",
                "--set",
                "host=h",
                "--set",
                "option.ssh=id",
            ],
            1,
            "starts a program",
        ),
    ] {
        let mut all = vec!["target", "add", "t"];
        all.extend(&arguments);
        let ended = scene.cli.run(&all)?;
        ensure!(
            ended.code == Some(code) && ended.stderr.contains(part),
            "{arguments:?}: {:?} {}",
            ended.code,
            ended.stderr
        );
    }
    Ok(())
}

/// A nasty tree to a target that is there, proven, and back.
fn goes_round(scene: &Scene, target: &str) -> Result<Value> {
    let tested = scene.cli.json(["target", "test", target])?;
    ensure!(tested["ok"] == true, "{tested:#}");
    let tree = scene.path("tree");
    make_nasty(&tree)?;
    scene.task("nasty", &tree, &[target], &[])?;
    let id = scene.run_well("nasty")?;
    let text = id.to_string();
    let verify = ["record", "verify", &text, "--mode", "full", "--wait"];
    scene.cli.json(verify)?;
    let back = scene.restore(id, &tree, &[])?;
    ensure_equal(&tree, &back)?;
    let shown = scene.cli.json(["target", "show", target])?;
    ensure!(!shown.to_string().contains("testsecret"), "{shown}");
    scene.cli.run(["record", "rm", &text, "--yes"])?;
    Ok(shown)
}

fn a_preset_of_s3_goes_round(s3: S3) -> Result<()> {
    let scene = Scene::start()?;
    let mut arguments: Vec<String> = ["target", "add", "store", "--type", "seaweedfs"]
        .map(str::to_owned)
        .to_vec();
    arguments.extend(s3.settings("kinds"));
    scene.cli.json(arguments)?;
    let shown = goes_round(&scene, "store")?;
    ensure!(shown["type"] == "seaweedfs", "{shown}");
    Ok(())
}

/// A target of that kind, whose one secret stands in a file.
fn of_kind(kind: &str, settings: &[String], (name, secret): (&str, &str)) -> Result<()> {
    let scene = Scene::start()?;
    let mut arguments: Vec<String> = ["target", "add", "store", "--type", kind]
        .map(str::to_owned)
        .to_vec();
    let file = scene.path("secret");
    fs::write(&file, secret)?;
    let secret_setting = format!("{name}=@{}", file.display());
    for setting in settings.iter().chain([&secret_setting]) {
        arguments.extend(["--set".to_owned(), setting.clone()]);
    }
    scene.cli.json(arguments)?;
    let shown = goes_round(&scene, "store")?;
    ensure!(
        shown["type"] == kind
            && shown["secretsSet"] == serde_json::json!([name])
            && !shown.to_string().contains(secret),
        "{shown}"
    );
    Ok(())
}

fn variable(name: &str) -> Result<String> {
    let name = format!("BACKUPX_TEST_{name}");
    env::var(&name).with_context(|| format!("{name}: tests/run starts the server"))
}

fn azure_goes_round() -> Result<()> {
    let settings = [
        format!("endpoint={}", variable("AZBLOB_ENDPOINT")?),
        format!("account={}", variable("AZBLOB_ACCOUNT")?),
        format!("container={}", variable("AZBLOB_CONTAINER")?),
        "prefix=e2e".to_owned(),
    ];
    let key = variable("AZBLOB_KEY")?;
    of_kind("azure-blob", &settings, ("accountKey", &key))
}

fn google_goes_round() -> Result<()> {
    let settings = [
        format!("endpoint={}", variable("GCS_ENDPOINT")?),
        format!("bucket={}", variable("GCS_BUCKET")?),
        "prefix=e2e".to_owned(),
    ];
    of_kind(
        "google-cloud",
        &settings,
        ("accessToken", "a-token-of-an-hour"),
    )
}

fn through_rclone(kind: &str, settings: &[String]) -> Result<()> {
    let own = ["user=backupx".to_owned(), "path=e2e".to_owned()];
    of_kind(kind, &[settings, &own].concat(), ("pass", "testsecret"))
}

fn webdav_goes_round() -> Result<()> {
    let url = variable("WEBDAV_ENDPOINT")?;
    through_rclone("webdav", &[format!("url={url}")])
}

fn sftp_goes_round() -> Result<()> {
    let port = variable("SFTP_ENDPOINT")?;
    through_rclone(
        "sftp",
        &["host=127.0.0.1".to_owned(), format!("port={port}")],
    )
}
