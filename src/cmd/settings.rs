//! `--set key=value`: settings as they stand on a command line, with secrets from files and from the environment.

use super::failure::usage;
use anyhow::{Context, Result};
use std::collections::BTreeMap;

/// Reads `key=value`, `key=@FILE` (the file's content without its last line end) and `key=env:NAME`. `key=@@x` and `key=env::x` mean
/// the plain values `@x` and `env:x`.
pub(crate) fn parse(pairs: &[String]) -> Result<BTreeMap<String, String>> {
    let mut settings = BTreeMap::new();
    for pair in pairs {
        let (key, value) = pair
            .split_once('=')
            .filter(|(key, _)| !key.is_empty())
            .ok_or_else(|| usage(format!("--set {pair:?} must have the form key=value")))?;
        let value = value_of(key, value)?;
        if settings.insert(key.to_owned(), value).is_some() {
            return Err(usage(format!("--set names {key:?} twice")));
        }
    }
    Ok(settings)
}

fn value_of(key: &str, value: &str) -> Result<String> {
    if let Some(rest) = value.strip_prefix('@') {
        if rest.starts_with('@') {
            return Ok(rest.to_owned());
        }
        let text = std::fs::read_to_string(rest)
            .with_context(|| format!("--set {key}: the file {rest} can't be read"))?;
        let text = text.strip_suffix('\n').unwrap_or(&text);
        return Ok(text.strip_suffix('\r').unwrap_or(text).to_owned());
    }
    if let Some(name) = value.strip_prefix("env:") {
        if name.starts_with(':') {
            return Ok(format!("env{name}"));
        }
        return std::env::var(name)
            .map_err(|_| usage(format!("--set {key}: the variable {name} is not set")));
    }
    Ok(value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(pair: &str) -> Result<String> {
        let settings = parse(&[pair.to_owned()])?;
        Ok(settings.into_values().next().unwrap_or_default())
    }

    #[test]
    fn values_are_plain_or_come_from_elsewhere() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("secret");
        std::fs::write(&file, "s3cr=t\n")?;
        assert_eq!(parsed("a=b=c")?, "b=c");
        assert_eq!(parsed(&format!("a=@{}", file.display()))?, "s3cr=t");
        assert_eq!(parsed("a=@@x")?, "@x");
        assert_eq!(parsed("a=env::x")?, "env:x");
        assert_eq!(parsed("a=env:PATH")?, std::env::var("PATH")?);
        Ok(())
    }

    #[test]
    fn wrong_settings_are_explained() {
        for (pairs, part) in [
            (vec!["a"], "key=value"),
            (vec!["=b"], "key=value"),
            (vec!["a=1", "a=2"], "twice"),
            (vec!["a=env:BACKUPX_NO_SUCH_VARIABLE"], "not set"),
            (vec!["a=@/no/such/file"], "can't be read"),
        ] {
            let pairs: Vec<_> = pairs.into_iter().map(str::to_owned).collect();
            let error = parse(&pairs).expect_err("must be refused");
            assert!(format!("{error:#}").contains(part), "{pairs:?}: {error:#}");
        }
    }
}
