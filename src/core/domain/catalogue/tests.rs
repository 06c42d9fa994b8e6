//! The catalogue is what it says, and each kind becomes settings that its driver takes.

use super::*;
use std::collections::BTreeSet;

fn settings(config: &[(&str, &str)], secrets: &[(&str, &str)]) -> Settings {
    let pairs = |pairs: &[(&str, &str)]| {
        pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    };
    Settings {
        config: pairs(config),
        secrets: pairs(secrets),
    }
}

#[test]
fn the_catalogue_can_be_read_and_is_long() {
    let read: Result<Vec<Kind>, _> = serde_json::from_str(include_str!("kinds.json"));
    assert_eq!(read.expect("it can be read").len(), kinds().len());
    assert!(kinds().len() >= 70, "{}", kinds().len());
    let ids: BTreeSet<_> = kinds().iter().map(|kind| &kind.id).collect();
    assert_eq!(ids.len(), kinds().len(), "two kinds have one name");
    for kind in kinds() {
        let fields: BTreeSet<_> = kind.fields.iter().map(|field| &field.name).collect();
        assert_eq!(fields.len(), kind.fields.len(), "{}", kind.id);
        assert_ne!(kind.driver, Driver::Unknown, "{}", kind.id);
        assert!(kind.like.iter().all(|like| super::kind(like).is_some()));
        for field in &kind.fields {
            assert!(!field.help.is_empty(), "{} {}", kind.id, field.name);
            let default = field.default.as_ref();
            let fits = default
                .is_none_or(|default| field.options.is_empty() || field.options.contains(default));
            assert!(fits, "{} {}", kind.id, field.name);
        }
    }
}

#[test]
fn every_template_names_settings_that_are_there() {
    for kind in kinds() {
        let all = kind.fields.iter().map(|field| (field.name.as_str(), "x"));
        let given = settings(&all.collect::<Vec<_>>(), &[]);
        let driven = kind.for_driver(&given);
        for (name, value) in &driven.config {
            assert!(!value.contains(['{', '}']), "{} {name}: {value}", kind.id);
        }
    }
}

#[test]
fn a_preset_is_settings_of_its_driver() {
    let wasabi = kind("wasabi").expect("it is there");
    let driven = wasabi.for_driver(&settings(
        &[
            ("bucket", "b"),
            ("region", "eu-central-2"),
            ("accessKeyId", "id"),
        ],
        &[("secretAccessKey", "s")],
    ));
    assert_eq!(
        driven.config["endpoint"],
        "https://s3.eu-central-2.wasabisys.com"
    );
    assert_eq!(driven.secrets["secretAccessKey"], "s");
    let r2 = kind("cloudflare-r2").expect("it is there");
    let driven = r2.for_driver(&settings(&[("bucket", "b"), ("accountId", "a1")], &[]));
    assert_eq!(
        driven.config["endpoint"],
        "https://a1.r2.cloudflarestorage.com"
    );
    assert!(!driven.config.contains_key("accountId"));
    assert_eq!(driven.config["region"], "auto");
}

#[test]
fn azure_and_google_have_settings_of_their_own() {
    let given = settings(
        &[("account", "acme"), ("container", "backups")],
        &[("accountKey", "k")],
    );
    let azure = kind("azure-blob").expect("it is there");
    let driven = azure.for_driver(&given);
    assert!(driven == given);
    let china = kind("azure-blob-china").expect("it is there");
    let driven = china.for_driver(&given);
    assert_eq!(
        driven.config["endpoint"],
        "https://acme.blob.core.chinacloudapi.cn"
    );
    let given = settings(&[("bucket", "b")], &[("serviceAccountKey", "{}")]);
    let google = kind("google-cloud").expect("it is there");
    assert!(google.for_driver(&given) == given);
}

#[test]
fn a_backend_of_rclone_gets_its_options() {
    let nextcloud = kind("nextcloud").expect("it is there");
    let given = settings(
        &[
            ("url", "https://cloud.example/dav"),
            ("user", "ada"),
            ("path", "backups"),
            ("option.nextcloud_chunk_size", "0"),
        ],
        &[("pass", "p")],
    );
    let driven = nextcloud.for_driver(&given);
    let expected = settings(
        &[
            ("backend", "webdav"),
            ("option.nextcloud_chunk_size", "0"),
            ("option.url", "https://cloud.example/dav"),
            ("option.user", "ada"),
            ("option.vendor", "nextcloud"),
            ("path", "backups"),
        ],
        &[("secret.pass", "p")],
    );
    assert!(driven == expected);
}
