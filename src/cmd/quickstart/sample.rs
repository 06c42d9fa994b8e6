//! A small tree for those who only want to look: a few documents, a program, a link, a file with a hole.

use anyhow::{Context, Result};
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

/// Makes the tree below `data_dir`, unless it is there from an earlier run.
pub(super) fn make(data_dir: &Path) -> Result<PathBuf> {
    let root = data_dir.join("sample");
    if !root.exists() {
        fill(&root).with_context(|| format!("the sample tree {} can't be made", root.display()))?;
    }
    Ok(root)
}

fn fill(root: &Path) -> std::io::Result<()> {
    let letters = root.join("letters");
    fs::create_dir_all(&letters)?;
    for number in 1..=200 {
        let text = format!(
            "Letter number {number}\n\n{}\n",
            "All is well here, and it is backed up. ".repeat(number)
        );
        fs::write(letters.join(format!("letter-{number:03}.txt")), text)?;
    }
    let photos = root.join("photos");
    fs::create_dir_all(&photos)?;
    for number in 1..=8u64 {
        fs::write(
            photos.join(format!("photo-{number}.raw")),
            noise(number, 1 << 20),
        )?;
    }
    let script = root.join("hello.sh");
    fs::write(&script, "#!/bin/sh\necho hello\n")?;
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755))?;
    symlink("letters/letter-001.txt", root.join("first-letter"))?;
    fs::File::create(root.join("disk-image"))?.set_len(64 << 20)
}

/// Bytes that don't compress, the same for the same seed (xorshift64).
fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}
