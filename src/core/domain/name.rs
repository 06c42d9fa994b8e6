//! Names that people give, and the slugs made of them for paths in storage.

use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A name of a node, target, task or key: 1 to 100 characters, no control characters, no `/` or `\`, no blanks around it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Name(String);

impl Name {
    /// Longest name, in characters.
    pub const MAX_CHARS: usize = 100;

    /// Parses a name; the error is about `field` and says what is accepted.
    pub fn parse(field: &str, text: &str) -> Result<Self> {
        let chars = text.chars().count();
        if chars == 0 {
            return Err(Error::field(field, "must not be empty"));
        }
        if chars > Self::MAX_CHARS {
            return Err(Error::field(
                field,
                format!(
                    "has {chars} characters, {} at most are accepted",
                    Self::MAX_CHARS
                ),
            ));
        }
        if text.trim() != text {
            return Err(Error::field(field, "must not begin or end with a blank"));
        }
        if let Some(bad) = text
            .chars()
            .find(|c| c.is_control() || matches!(c, '/' | '\\'))
        {
            return Err(Error::field(field, format!("must not contain {bad:?}")));
        }
        Ok(Self(text.to_owned()))
    }

    /// The name with `-number` behind it, shortened where that makes it too long; as it is for number 1.
    #[must_use]
    pub fn numbered(&self, number: usize) -> Self {
        if number <= 1 {
            return self.clone();
        }
        let suffix = format!("-{number}");
        let kept = Self::MAX_CHARS - suffix.len();
        let name: String = self.0.chars().take(kept).collect();
        Self(format!("{}{suffix}", name.trim_end()))
    }

    /// The name as it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name reduced to `[a-z0-9-]`, at most 60 characters, never empty. Not unique: paths carry the record's id as well.
    pub fn slug(&self) -> String {
        let mut slug = String::new();
        for c in self.0.chars() {
            if c.is_ascii_alphanumeric() {
                slug.push(c.to_ascii_lowercase());
            } else if !slug.is_empty() && !slug.ends_with('-') {
                slug.push('-');
            }
            if slug.len() == 60 {
                break;
            }
        }
        let slug = slug.trim_end_matches('-');
        if slug.is_empty() {
            "task".to_owned()
        } else {
            slug.to_owned()
        }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Name {
    type Error = Error;
    fn try_from(text: String) -> Result<Self> {
        Self::parse("name", &text)
    }
}

impl From<Name> for String {
    fn from(name: Name) -> Self {
        name.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slug_is_plain_and_never_empty() {
        let slug = |text: &str| Name::parse("name", text).expect("valid name").slug();
        assert_eq!(
            slug("Web server: /etc & co".replace('/', "").as_str()),
            "web-server-etc-co"
        );
        assert_eq!(slug("备份"), "task");
        assert_eq!(slug(&"x".repeat(100)).len(), 60);
    }

    #[test]
    fn bad_names_say_what_is_wrong() {
        for (text, part) in [
            ("", "empty"),
            (" a", "blank"),
            ("a/b", "'/'"),
            ("a\nb", "'\\n'"),
        ] {
            let error = Name::parse("name", text).expect_err("must be refused");
            assert!(error.message().contains(part), "{text:?}: {error}");
        }
        let error = Name::parse("name", &"x".repeat(10_000)).expect_err("must be refused");
        assert_eq!(
            error.message(),
            "name: has 10000 characters, 100 at most are accepted"
        );
    }
}
