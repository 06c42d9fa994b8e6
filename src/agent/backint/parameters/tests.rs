//! What is read out of a parameter file, what is refused, and that no secret is shown.

use super::super::storage::place;
use super::*;
use backupx_core::domain::access::TargetAccess;
use std::os::unix::fs::PermissionsExt;

const SECRET: &str = "hunter2-of-s3";

struct File {
    _folder: tempfile::TempDir,
    path: PathBuf,
}

fn file(text: &str, mode: u32) -> File {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("backint.ini");
    std::fs::write(&path, text).expect("written");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).expect("set");
    File {
        _folder: folder,
        path,
    }
}

fn s3() -> String {
    format!(
        "STORAGE_TYPE = s3\nSTORAGE_CONFIG_JSON = {{\"bucket\":\"hana\",\"endpoint\":\"http://127.0.0.1:1\",\"accessKeyId\":\"key\",\"secretAccessKey\":\"{SECRET}\",\"virtualHost\":false}}\n"
    )
}

/// The storage that the file describes.
fn here(read: &Parameters) -> TargetAccess {
    match &read.storage {
        Storage::Here(access) => TargetAccess::clone(access),
        Storage::OfMaster(_) => panic!("a master's"),
    }
}

fn load(text: &str) -> Result<Parameters> {
    Parameters::load(&file(text, 0o600).path)
}

fn refused(text: &str) -> String {
    load(text).expect_err("refused").message().to_owned()
}

#[test]
fn a_whole_file_is_understood() {
    let text = format!(
        "# the storage of HN1\n; also a comment\n{}PARALLEL_FACTOR=4\nCOMPRESS = no\nKEY_PREFIX = /hana/prod/\nCATALOG_DB = \"/var/lib/c.db\"\nLOG_FILE = /var/log/b.log\nSTALL_LIMIT = 90m\n",
        s3()
    );
    let read = load(&text).expect("understood");
    assert_eq!(here(&read).config["bucket"], "hana");
    assert_eq!(here(&read).config["virtualHost"], "false");
    assert_eq!(here(&read).secrets["secretAccessKey"].expose(), SECRET);
    assert_eq!(read.parallel, Some(4));
    assert_eq!(read.compression, Compression::None);
    assert_eq!(read.key_prefix.as_str(), "hana/prod");
    assert_eq!(read.catalog_db, Some(PathBuf::from("/var/lib/c.db")));
    assert_eq!(read.log_file, Some(PathBuf::from("/var/log/b.log")));
    assert_eq!(read.stall_limit, Duration::from_secs(90 * 60));
    assert!(read.warnings.is_empty());
    assert!(!format!("{read:?}").contains(SECRET));
    assert!(!place(&here(&read)).contains(SECRET));
}

#[test]
fn little_is_enough() {
    let read = load("STORAGE_TYPE = local\nSTORAGE_CONFIG_JSON = {\"path\":\"/srv\"}")
        .expect("understood");
    assert_eq!(read.parallel, None);
    assert_eq!(read.compression, Compression::Zstd);
    assert_eq!(read.key_prefix.as_str(), "backint");
    assert_eq!(place(&here(&read)), "local at=node path=/srv");
}

#[test]
fn keys_may_stand_behind_a_hash_when_all_do() {
    let hashed: String = s3().lines().map(|line| format!("#{line}\n")).collect();
    let read = load(&format!("{hashed}#COMPRESS = false\n# a comment\n")).expect("understood");
    assert_eq!(read.compression, Compression::None);
    // In a plain file it is what it looks like.
    let read = load(&format!("{}#COMPRESS = false\n", s3())).expect("understood");
    assert_eq!(read.compression, Compression::Zstd);
}

#[test]
fn the_settings_may_be_in_a_file_of_their_own() {
    let json =
        format!("{{\"bucket\":\"hana\",\"accessKeyId\":\"k\",\n\"secretAccessKey\":\"{SECRET}\"}}");
    let text = |path: &Path| {
        format!(
            "STORAGE_TYPE = s3\nSTORAGE_CONFIG_JSON = {}\n",
            path.display()
        )
    };
    let apart = file(&json, 0o600);
    // Then the parameter file itself holds no secret.
    let open = file(&text(&apart.path), 0o644);
    let read = Parameters::load(&open.path).expect("understood");
    assert_eq!(here(&read).secrets["secretAccessKey"].expose(), SECRET);
    let apart = file(&json, 0o644);
    let error = load(&text(&apart.path)).expect_err("refused");
    assert_eq!(error.code(), "secrets_readable");
}

#[test]
fn never_30_a_secret_that_everybody_reads_is_refused() {
    let error = Parameters::load(&file(&s3(), 0o644).path).expect_err("refused");
    assert_eq!(error.code(), "secrets_readable");
    assert!(!error.chain().contains(SECRET));
    let read = Parameters::load(&file(&s3(), 0o640).path).expect("its group may");
    assert!(read.warnings[0].contains("0640"), "{:?}", read.warnings);
    let folder = "STORAGE_TYPE = local\nSTORAGE_CONFIG_JSON = {\"path\":\"/srv\"}";
    Parameters::load(&file(folder, 0o644).path).expect("there is no secret in it");
}

#[test]
fn never_30_what_is_wrong_is_named_without_a_secret() {
    let broken = s3().replace("\"virtualHost\"", SECRET);
    let unknown = s3().replace("virtualHost", "vhost");
    let lost_key = format!("{}{SECRET}\n", s3());
    let nested = s3().replace("false", &format!("[\"{SECRET}\"]"));
    for (text, why) in [
        (broken, "STORAGE_CONFIG_JSON: is no JSON, at line 1"),
        (unknown, "STORAGE_CONFIG_JSON.vhost: is not a setting of s3"),
        (lost_key, "line 3 of the parameter file is not KEY = VALUE"),
        (nested, "STORAGE_CONFIG_JSON.virtualHost: is neither text"),
        (s3().replace("s3", "tape"), "STORAGE_TYPE: type: \"tape\""),
        (s3() + "PARALLEL_FACTOR = 0", "PARALLEL_FACTOR: \"0\""),
        (s3() + "COMPRESS = maybe", "COMPRESS: \"maybe\""),
        (
            s3() + "LOG_FILE = log",
            "LOG_FILE: log is not an absolute path",
        ),
        (s3() + "KEY_PREFIX = a/../b", "KEY_PREFIX"),
        (
            s3() + "COMPRESS = 1\nCOMPRESS = 1",
            "COMPRESS: is given twice",
        ),
        ("COMPRESS = true".to_owned(), "STORAGE_TYPE: is required"),
        (
            "STORAGE_TYPE = s3".to_owned(),
            "STORAGE_CONFIG_JSON: is required",
        ),
    ] {
        let said = refused(&text);
        assert!(said.contains(why), "{said}");
        assert!(!said.contains(SECRET), "{said}");
    }
}

#[test]
fn a_master_says_where_to_or_the_file_does() {
    let token = file("a-token\n", 0o600);
    let token = format!("NODE_TOKEN_FILE = {}\n", token.path.display());
    let master = "MASTER_URL = https://backup.example\n";
    for (text, part) in [
        (
            format!("{master}{}", s3()),
            "MASTER_URL: is given beside STORAGE_TYPE",
        ),
        (
            token.clone(),
            "NODE_TOKEN_FILE: is only of use with a master",
        ),
        (
            format!("{}TARGET = t\n", s3()),
            "TARGET: is only of use with a master",
        ),
        (master.to_owned(), "NODE_TOKEN_FILE: is required"),
        (
            format!("{master}NODE_TOKEN_FILE = token\n"),
            "not an absolute path",
        ),
        (format!("MASTER_URL = backup\n{token}"), "is not a URL"),
        (
            format!("{master}NODE_TOKEN_FILE = /nowhere/token\n"),
            "can't be read",
        ),
    ] {
        assert!(refused(&text).contains(part), "{text}: {}", refused(&text));
    }
}

#[test]
fn never_30_a_token_that_everybody_reads_is_refused() {
    let master = "MASTER_URL = https://backup.example\n";
    let with = |token: &File| format!("{master}NODE_TOKEN_FILE = {}\n", token.path.display());
    let open = file("a-token\n", 0o644);
    assert!(refused(&with(&open)).contains("chmod 600"));
    let own = file("a-token\n", 0o600);
    let read = load(&with(&own)).expect("understood");
    assert!(matches!(read.storage, Storage::OfMaster(_)));
    assert!(!format!("{read:?}").contains("a-token"));
}
