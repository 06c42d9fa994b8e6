//! What is left out: patterns in gitignore syntax, as if a `.gitignore` with them lay in each named path.
//!
//! A pattern that begins with a named path is that absolute path. Later patterns win, `!` takes back in.

use backupx_core::{Error, Result};
use ignore::gitignore::{Gitignore, GitignoreBuilder};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// The patterns of one source.
#[derive(Debug, Clone)]
pub(super) struct Excludes(Option<Gitignore>);

impl Excludes {
    /// Reads `patterns` for the named `roots` (absolute, without trailing `/`).
    pub(super) fn new(roots: &[Vec<u8>], patterns: &[String]) -> Result<Self> {
        let mut builder = GitignoreBuilder::new("/");
        let mut any = false;
        for pattern in patterns {
            for line in anchored(roots, pattern) {
                any = true;
                builder.add_line(None, &line).map_err(|error| {
                    Error::field(
                        "source.excludes",
                        format!("{pattern:?} is no pattern: {error}"),
                    )
                })?;
            }
        }
        if !any {
            return Ok(Self(None));
        }
        let rules = builder.build().map_err(|error| {
            Error::field(
                "source.excludes",
                format!("can't be used together: {error}"),
            )
        })?;
        Ok(Self(Some(rules)))
    }

    /// True when there are no patterns at all.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// True when the thing at this archive path is left out, everything above it being in.
    pub(super) fn match_path(&self, path: &[u8], is_dir: bool) -> bool {
        self.0.as_ref().is_some_and(|rules| {
            rules
                .matched(Path::new(OsStr::from_bytes(path)), is_dir)
                .is_ignore()
        })
    }
}

/// The lines that a pattern stands for, anchored at `/`.
fn anchored(roots: &[Vec<u8>], pattern: &str) -> Vec<String> {
    let (not, body) = match pattern.strip_prefix('!') {
        Some(body) => ("!", body),
        None => ("", pattern),
    };
    let inner = body.trim_end_matches('/');
    if !inner.contains('/') || body.starts_with('#') {
        return vec![pattern.to_owned()];
    }
    let text = body.strip_prefix('/').unwrap_or(body);
    let mut lines = Vec::new();
    for root in roots {
        let root = String::from_utf8_lossy(root);
        let is_absolute = body.starts_with('/')
            && inner
                .strip_prefix(root.trim_end_matches('/'))
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        if is_absolute {
            return vec![pattern.to_owned()];
        }
        lines.push(format!(
            "{not}{}/{text}",
            escape(root.trim_end_matches('/'))
        ));
    }
    lines
}

fn escape(path: &str) -> String {
    let mut text = String::with_capacity(path.len());
    for c in path.chars() {
        if matches!(
            c,
            '*' | '?' | '[' | ']' | '{' | '}' | '\\' | '!' | '#' | ' '
        ) {
            text.push('\\');
        }
        text.push(c);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn excludes(patterns: &[&str]) -> Excludes {
        let patterns: Vec<String> = patterns.iter().map(|p| (*p).to_owned()).collect();
        Excludes::new(&[b"/srv/data".to_vec(), b"/var".to_vec()], &patterns).expect("patterns")
    }

    #[test]
    fn patterns_are_read_as_in_a_gitignore_of_each_path() {
        let excludes = excludes(&[
            "*.log",
            "/cache",
            "a/b",
            "/srv/data/x/",
            "build/",
            "!keep.log",
        ]);
        for (path, is_dir, out) in [
            ("srv/data/deep/er/x.log", false, true),
            ("srv/data/keep.log", false, false),
            ("srv/data/cache", true, true),
            ("var/cache", true, true),
            ("srv/data/sub/cache", true, false),
            ("srv/data/a/b", false, true),
            ("srv/data/z/a/b", false, false),
            ("srv/data/x", true, true),
            ("srv/data/x", false, false),
            ("srv/data/q/build", true, true),
            ("srv/data/q/build", false, false),
        ] {
            assert_eq!(excludes.match_path(path.as_bytes(), is_dir), out, "{path}");
        }
    }

    #[test]
    fn a_broken_pattern_is_refused_by_name() {
        let error = Excludes::new(&[b"/a".to_vec()], &["[z-a]".to_owned()]);
        assert!(error.is_err_and(|e| e.message().contains("[z-a]")));
    }
}
