//! Makes sure that there is a console to put into the crate: builds `web/` for a release when npm is there and the files are missing or
//! older than their sources, and writes a page that says how otherwise. A debug build reads the files at run time and never waits for npm.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;
use std::{env, fs};

/// What the console is built from, below `web/`.
const SOURCES: [&str; 5] = [
    "src",
    "public",
    "index.html",
    "package-lock.json",
    "vite.config.ts",
];

const PLACEHOLDER: &str = "<!doctype html>
<html lang=\"en\">
<meta charset=\"utf-8\">
<title>BackupX</title>
<h1>BackupX is running</h1>
<p>This build has no console. To get one, run <code>just web</code> (it needs npm) and build again; until then use the command line
and the API, which <a href=\"/api/v1/openapi.json\">openapi.json</a> describes.</p>
</html>
";

fn main() -> Result<(), Box<dyn Error>> {
    let web = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("../../web");
    let page = web.join("dist/index.html");
    // A path that is not there would make cargo run this again each time.
    let there = SOURCES.iter().map(|source| web.join(source));
    for path in there.filter(|path| path.exists()) {
        println!("cargo::rerun-if-changed={}", path.display());
    }
    println!("cargo::rerun-if-changed={}", web.join("dist").display());
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=BACKUPX_SKIP_WEB");
    let wanted = env::var("PROFILE")? == "release" && env::var_os("BACKUPX_SKIP_WEB").is_none();
    if wanted && web.join("package.json").exists() && is_stale(&web, &page) {
        build(&web);
    }
    if !page.exists() {
        fs::create_dir_all(web.join("dist"))?;
        fs::write(&page, PLACEHOLDER)?;
    }
    Ok(())
}

/// True when the page is missing, is the placeholder, or is older than a source.
fn is_stale(web: &Path, page: &Path) -> bool {
    let (Ok(text), Some(built)) = (fs::read_to_string(page), modified(page)) else {
        return true;
    };
    let newest = SOURCES
        .iter()
        .filter_map(|source| newest(&web.join(source)));
    text == PLACEHOLDER || newest.max().is_some_and(|changed| changed > built)
}

fn modified(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).ok()?.modified().ok()
}

/// When anything at or below `path` was last changed.
fn newest(path: &Path) -> Option<SystemTime> {
    let below = fs::read_dir(path).into_iter().flatten().flatten();
    below
        .filter_map(|entry| newest(&entry.path()))
        .chain(modified(path))
        .max()
}

/// Runs npm. A console that can't be built is a warning: the program is whole without it.
fn build(web: &Path) {
    let steps: [&[&str]; 2] = [&["ci", "--no-audit", "--no-fund"], &["run", "build"]];
    for arguments in steps {
        let ended = Command::new("npm")
            .args(arguments)
            .current_dir(web)
            .output();
        let failed = match ended {
            Ok(output) if output.status.success() => continue,
            Ok(output) => String::from_utf8_lossy(&output.stderr).into_owned(),
            Err(error) => error.to_string(),
        };
        let last = failed.lines().last().unwrap_or_default();
        println!(
            "cargo::warning=the console was not built: npm {} failed: {last}",
            arguments.join(" ")
        );
        return;
    }
}
