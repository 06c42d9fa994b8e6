//! A real nginx before the masters, with the settings of `infra/nginx/backupx.conf`.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;

use super::address::free_address;
use super::cli::finish;
use super::master::status_of;
use super::process::Process;
use super::wait::wait_for;

const READY: Duration = Duration::from_secs(30);
/// What the example calls its masters and its own port.
const MASTERS: [&str; 2] = ["master-1:8340", "master-2:8340"];
const LISTEN: &str = "listen 8340;";

/// The proxy.
#[derive(Debug)]
pub(crate) struct Nginx {
    process: Process,
    address: SocketAddr,
    _folder: TempDir,
}

impl Nginx {
    /// Starts one before these two masters.
    pub(crate) fn start(masters: [SocketAddr; 2]) -> Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("backupx-nginx-")
            .tempdir()?;
        let address = free_address()?;
        let site = folder.path().join("site.conf");
        fs::write(&site, example(masters, address)?)?;
        let main = folder.path().join("nginx.conf");
        fs::write(&main, around(folder.path(), &site))?;
        let tested = finish(nginx(folder.path(), &main).arg("-t"))?;
        ensure!(tested.code == Some(0), "nginx -t: {}", tested.stderr);
        let process = Process::start(
            &mut nginx(folder.path(), &main),
            &folder.path().join("nginx.log"),
        )?;
        let nginx = Self {
            process,
            address,
            _folder: folder,
        };
        wait_for("an nginx that answers", READY, || {
            Ok(status_of(address, "/health").map(drop))
        })
        .with_context(|| nginx.last_words())?;
        Ok(nginx)
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its address as a URL.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The last lines of its log.
    pub(crate) fn last_words(&self) -> String {
        self.process.last_words()
    }
}

/// The example for these masters and this address. Everything else of it is as people get it.
fn example(masters: [SocketAddr; 2], address: SocketAddr) -> Result<String> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("infra/nginx/backupx.conf");
    let mut text = fs::read_to_string(&file)?;
    let listen = format!("listen {address};");
    let named = MASTERS
        .into_iter()
        .zip(masters.map(|master| master.to_string()));
    for (from, to) in named.chain([(LISTEN, listen)]) {
        ensure!(text.contains(from), "no {from:?} in {}", file.display());
        text = text.replace(from, &to);
    }
    Ok(text)
}

/// What a distribution's `nginx.conf` has around a site. One process, so that its end is the end of all of it.
fn around(folder: &Path, site: &Path) -> String {
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|kind| format!("  {kind}_temp_path {}/{kind};\n", folder.display()))
        .concat();
    format!(
        "daemon off;\nmaster_process off;\npid {0}/pid;\nerror_log stderr warn;\nevents {{ worker_connections 2048; }}\nhttp {{\n  access_log off;\n{temporary}  include {1};\n}}\n",
        folder.display(),
        site.display(),
    )
}

fn nginx(folder: &Path, config: &Path) -> Command {
    let mut command = Command::new(program());
    command
        .arg("-p")
        .arg(folder)
        .args(["-e", "stderr"])
        .arg("-c")
        .arg(config);
    command
}

/// Debian keeps it where only root looks.
fn program() -> PathBuf {
    let debian = PathBuf::from("/usr/sbin/nginx");
    if debian.exists() {
        debian
    } else {
        PathBuf::from("nginx")
    }
}
