//! Trees to back up, and the comparison of two.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, ensure};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use super::cli::finish;

const SEED: u64 = 0x0062_6163_6b75_7078;

/// A tree of `files` files in folders of a hundred, `bytes` of noise in all; the same for the same figures.
pub(crate) fn make_noise(root: &Path, files: usize, bytes: usize) -> Result<()> {
    let mut noise = SmallRng::seed_from_u64(SEED);
    let mut content = vec![0; bytes / files.max(1)];
    for index in 0..files {
        let folder = root.join(format!("folder-{:03}", index / 100));
        fs::create_dir_all(&folder)?;
        noise.fill_bytes(&mut content);
        fs::write(folder.join(format!("file-{index:05}")), &content)?;
    }
    Ok(())
}

/// Fails with each difference between the trees, as `tests/fidelity/compare-trees` sees them.
pub(crate) fn ensure_equal(a: &Path, b: &Path) -> Result<()> {
    let ended = finish(Command::new(fidelity("compare-trees")).args([a, b]))?;
    ensure!(
        ended.code == Some(0),
        "{} and {} differ:\n{}{}",
        a.display(),
        b.display(),
        ended.stdout,
        ended.stderr
    );
    Ok(())
}

/// Makes the tree of everything that a file system can hold, without what takes long.
pub(crate) fn make_nasty(root: &Path) -> Result<()> {
    let ended = finish(
        Command::new(fidelity("nasty-tree"))
            .args(["--small", "--no-sockets"])
            .arg(root),
    )?;
    ensure!(ended.code == Some(0), "nasty-tree: {}", ended.stderr);
    Ok(())
}

fn fidelity(script: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fidelity")
        .join(script)
}
