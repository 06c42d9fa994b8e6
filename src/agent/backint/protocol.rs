//! The lines of Backint: what a database asks, and how it is answered.
//!
//! A line is a keyword and parameters. A parameter may be quoted, and must be when it has spaces; `\"` is a quote inside, any other
//! backslash is itself. Lines that begin with no keyword are comments.

use backupx_core::domain::backint::Form;
use backupx_core::{Error, Result};

/// The version of the interface that is spoken.
pub const VERSION: (u32, u32) = (1, 50);
/// The first version whose answers tell when an object was made.
pub(super) const TELLS_TIME: (u32, u32) = (1, 50);
/// What is spoken with a database that does not say what it speaks.
const UNSAID: (u32, u32) = (1, 4);

/// What a call is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Function {
    /// Take objects.
    Backup,
    /// Hand objects back.
    Restore,
    /// Say what is there.
    Inquire,
    /// Remove objects.
    Delete,
}

impl Function {
    /// All functions.
    pub const ALL: [Self; 4] = [Self::Backup, Self::Restore, Self::Inquire, Self::Delete];

    /// Its name behind `-f`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Backup => "backup",
            Self::Restore => "restore",
            Self::Inquire => "inquire",
            Self::Delete => "delete",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Keyword {
    SoftwareId,
    Pipe,
    File,
    Ebid,
    Null,
}

impl Keyword {
    const ALL: [Self; 5] = [
        Self::SoftwareId,
        Self::Pipe,
        Self::File,
        Self::Ebid,
        Self::Null,
    ];

    fn as_str(self) -> &'static str {
        match self {
            Self::SoftwareId => "#SOFTWAREID",
            Self::Pipe => "#PIPE",
            Self::File => "#FILE",
            Self::Ebid => "#EBID",
            Self::Null => "#NULL",
        }
    }
}

/// An object to take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Handed {
    /// How it is handed over.
    pub form: Form,
    /// Its name: the path of the pipe or file.
    pub name: String,
}

/// An object to hand back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Its id as it was written; without one the newest of its name is meant.
    pub ebid: Option<String>,
    /// Its name.
    pub name: String,
    /// Where it is to be written, when that is not where it came from.
    pub to: Option<String>,
}

/// A question: the object of an id, those of a name, or all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The id as it was written.
    pub ebid: Option<String>,
    /// The name.
    pub name: Option<String>,
}

/// An object to remove.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unwanted {
    /// Its id as it was written.
    pub ebid: String,
    /// Its name.
    pub name: String,
}

/// What is asked of a function, in its order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Requests {
    /// Of [`Function::Backup`].
    Backup(Vec<Handed>),
    /// Of [`Function::Restore`].
    Restore(Vec<Wanted>),
    /// Of [`Function::Inquire`].
    Inquire(Vec<Asked>),
    /// Of [`Function::Delete`].
    Delete(Vec<Unwanted>),
}

impl Requests {
    fn none(function: Function) -> Self {
        match function {
            Function::Backup => Self::Backup(Vec::new()),
            Function::Restore => Self::Restore(Vec::new()),
            Function::Inquire => Self::Inquire(Vec::new()),
            Function::Delete => Self::Delete(Vec::new()),
        }
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        match self {
            Self::Backup(all) => all.len(),
            Self::Restore(all) => all.len(),
            Self::Inquire(all) => all.len(),
            Self::Delete(all) => all.len(),
        }
    }

    fn take(&mut self, keyword: Keyword, given: Vec<String>) -> Result<(), String> {
        let mut given = given.into_iter();
        let mut next = |what: &str| {
            given
                .next()
                .filter(|text| !text.is_empty())
                .ok_or_else(|| format!("lacks {what}: {} is not complete", keyword.as_str()))
        };
        let (an_id, a_name) = ("the id", "the object's name");
        match (self, keyword) {
            (Self::Backup(all), Keyword::Pipe) => all.push(Handed {
                form: Form::Pipe,
                name: next("the pipe's name")?,
            }),
            (Self::Backup(all), Keyword::File) => all.push(Handed {
                form: Form::File,
                name: next("the file's name")?,
            }),
            (Self::Restore(all), Keyword::Ebid) => all.push(Wanted {
                ebid: Some(next(an_id)?),
                name: next(a_name)?,
                to: given.next(),
            }),
            (Self::Restore(all), Keyword::Null) => all.push(Wanted {
                ebid: None,
                name: next(a_name)?,
                to: given.next(),
            }),
            (Self::Inquire(all), Keyword::Ebid) => all.push(Asked {
                ebid: Some(next(an_id)?),
                name: Some(next(a_name)?),
            }),
            (Self::Inquire(all), Keyword::Null) => all.push(Asked {
                ebid: None,
                name: given.next(),
            }),
            (Self::Delete(all), Keyword::Ebid) => all.push(Unwanted {
                ebid: next(an_id)?,
                name: next(a_name)?,
            }),
            (Self::Backup(_), Keyword::Ebid | Keyword::Null)
            | (Self::Restore(_) | Self::Inquire(_), Keyword::Pipe | Keyword::File)
            | (Self::Delete(_), Keyword::Pipe | Keyword::File | Keyword::Null) => {
                return Err(format!(
                    "has {}, which is no request of this function",
                    keyword.as_str()
                ));
            }
            (_, Keyword::SoftwareId) => {}
        }
        Ok(())
    }
}

/// A whole input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Input {
    /// The version of the interface that both sides know.
    pub version: (u32, u32),
    /// What is asked. Never nothing.
    pub requests: Requests,
}

impl Input {
    /// Understands the input of a call of `function`. `Invalid` (`bad_backint_input`) names the line that makes no sense: then nothing of
    /// it may be done.
    pub fn parse(function: Function, bytes: &[u8]) -> Result<Self> {
        let text = std::str::from_utf8(bytes).map_err(|error| {
            bad(format!(
                "it is no UTF-8 from byte {} on",
                error.valid_up_to()
            ))
        })?;
        let mut input = Self {
            version: UNSAID,
            requests: Requests::none(function),
        };
        for (number, line) in (1..).zip(text.lines()) {
            input
                .take(line)
                .map_err(|why| bad(format!("line {number} {why}")))?;
        }
        if input.requests.count() == 0 {
            return Err(bad(format!("it names nothing to {}", function.as_str())));
        }
        Ok(input)
    }

    fn take(&mut self, line: &str) -> Result<(), String> {
        let line = line.trim_start();
        let (word, rest) = line.split_at(line.find([' ', '\t']).unwrap_or(line.len()));
        let known = Keyword::ALL
            .into_iter()
            .find(|known| known.as_str() == word);
        let Some(keyword) = known else {
            return Ok(());
        };
        let given = parameters(rest)?;
        if keyword == Keyword::SoftwareId {
            self.version = given.first().map_or(UNSAID, |text| known_to_both(text));
        }
        self.requests.take(keyword, given)
    }
}

fn bad(why: String) -> Error {
    Error::invalid(
        "bad_backint_input",
        format!("the input file can't be understood: {why}"),
    )
}

/// The version in `backint 1.50`, as far as it is known here.
fn known_to_both(text: &str) -> (u32, u32) {
    let version = text.rsplit(' ').next().unwrap_or(text);
    let parts = version.split_once('.').map(|(major, minor)| {
        let minor: String = minor.chars().take_while(char::is_ascii_digit).collect();
        (major.parse().ok(), minor.parse().ok())
    });
    match parts {
        Some((Some(major), Some(minor))) => VERSION.min((major, minor)),
        _ => UNSAID,
    }
}

/// Parts a line behind its keyword into parameters.
fn parameters(text: &str) -> Result<Vec<String>, String> {
    let mut found = Vec::new();
    let mut rest = text.trim_matches([' ', '\t']);
    while !rest.is_empty() {
        let (parameter, behind) = match rest.strip_prefix('"') {
            Some(quoted) => quoted_parameter(quoted)?,
            None => rest.split_at(rest.find([' ', '\t']).unwrap_or(rest.len())),
        };
        if parameter.contains('\0') {
            return Err("has a zero byte in a name".to_owned());
        }
        found.push(parameter.replace("\\\"", "\""));
        rest = behind.trim_start_matches([' ', '\t']);
    }
    Ok(found)
}

/// What stands before the closing quote, and behind it.
fn quoted_parameter(text: &str) -> Result<(&str, &str), String> {
    let mut from = 0;
    while let Some(at) = text[from..].find('"').map(|at| from + at) {
        if text[..at].ends_with('\\') {
            from = at + 1;
            continue;
        }
        let behind = &text[at + 1..];
        if !behind.is_empty() && !behind.starts_with([' ', '\t']) {
            return Err("has text right behind a closing quote".to_owned());
        }
        return Ok((&text[..at], behind));
    }
    Err("has a quote that is not closed".to_owned())
}

/// A line of answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer<'a> {
    /// Who answers.
    Software((u32, u32)),
    /// Storage confirmed the object.
    Saved(&'a str, &'a str, u64),
    /// All of the object was written, as it was saved.
    Restored(&'a str, &'a str),
    /// There is such an object; when it was made, for those who understand that.
    Backup(&'a str, &'a str, Option<String>),
    /// It is gone.
    Deleted(&'a str, &'a str),
    /// There is none: id and name, as far as they were asked for.
    NotFound(Option<&'a str>, Option<&'a str>),
    /// It failed: id and name, as far as they are part of this function's answer.
    Failed(Option<&'a str>, Option<&'a str>),
}

impl Answer<'_> {
    /// The line, with its end.
    pub(super) fn line(&self) -> String {
        let (keyword, parameters): (_, Vec<Option<String>>) = match self {
            Self::Software(version) => (
                "#SOFTWAREID",
                vec![Some(quoted(&spoken(*version))), Some(quoted(&ourselves()))],
            ),
            Self::Saved(ebid, name, size) => (
                "#SAVED",
                vec![some(ebid), some(name), Some(size.to_string())],
            ),
            Self::Restored(ebid, name) => ("#RESTORED", vec![some(ebid), some(name)]),
            Self::Backup(ebid, name, made) => (
                "#BACKUP",
                vec![some(ebid), some(name), made.as_deref().map(quoted)],
            ),
            Self::Deleted(ebid, name) => ("#DELETED", vec![some(ebid), some(name)]),
            Self::NotFound(ebid, name) => ("#NOTFOUND", vec![ebid.map(quoted), name.map(quoted)]),
            Self::Failed(ebid, name) => ("#ERROR", vec![ebid.map(quoted), name.map(quoted)]),
        };
        let mut line = keyword.to_owned();
        for parameter in parameters.into_iter().flatten() {
            line.push(' ');
            line.push_str(&parameter);
        }
        line.push('\n');
        line
    }
}

/// A version of the interface, as it is said.
pub fn spoken((major, minor): (u32, u32)) -> String {
    format!("backint {major}.{minor:02}")
}

/// What this program is called.
pub fn ourselves() -> String {
    format!("BackupX {}", env!("CARGO_PKG_VERSION"))
}

/// A parameter as it stands in a line.
pub fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\\\""))
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "one parameter among optional ones"
)]
fn some(text: &str) -> Option<String> {
    Some(quoted(text))
}

#[cfg(test)]
mod tests;
