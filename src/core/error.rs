//! The one error that crosses crate borders: what kind of failure, which stable code, and a sentence for a person.

use std::error::Error as StdError;
use std::fmt;

/// What every fallible call of the inside returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// How a failure is answered, and whether a retry helps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The named thing does not exist, or the caller may not know that it does.
    NotFound,
    /// The thing is not in a state that allows this, or somebody else changed it first.
    Conflict,
    /// The input is wrong; `fields` says where.
    Invalid,
    /// Who asks is not known.
    Unauthenticated,
    /// Who asks is known and may not.
    Forbidden,
    /// Asked too often; try again later.
    TooManyRequests,
    /// Something outside did not answer; the same call may work later.
    Unavailable,
    /// A defect or a broken store.
    Internal,
}

/// One wrong field of an input.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct FieldError {
    /// The field's name as the caller wrote it, nested ones with dots: `retention.keepLast`.
    pub field: String,
    /// What is wrong and what is accepted.
    pub message: String,
}

/// A failure with its kind, a stable machine code (`task_not_found`), a sentence, and the chain of its causes.
///
/// The sentence and the code reach people and programs; the causes only reach the log.
pub struct Error {
    kind: ErrorKind,
    code: &'static str,
    message: String,
    fields: Vec<FieldError>,
    retry_after_secs: Option<u64>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    /// An error of `kind` with its stable `code` and its sentence (lower-case, names the thing with its value).
    pub fn new(kind: ErrorKind, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            kind,
            code,
            message: message.into(),
            fields: Vec::new(),
            retry_after_secs: None,
            source: None,
        }
    }

    /// The thing called `what` with this id or name does not exist; `code` ends in `_not_found`.
    pub fn not_found(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(ErrorKind::NotFound, code, message)
    }

    /// The state does not allow this.
    pub fn conflict(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Conflict, code, message)
    }

    /// The input as a whole is wrong.
    pub fn invalid(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Invalid, code, message)
    }

    /// One field of the input is wrong.
    pub fn field(field: impl Into<String>, message: impl Into<String>) -> Self {
        let message = message.into();
        let field = field.into();
        let mut error = Self::invalid("invalid_input", format!("{field}: {message}"));
        error.fields.push(FieldError { field, message });
        error
    }

    /// Several fields of the input are wrong. `fields` must not be empty.
    pub fn fields(fields: Vec<FieldError>) -> Self {
        let message = fields
            .iter()
            .map(|f| format!("{}: {}", f.field, f.message))
            .collect::<Vec<_>>()
            .join("; ");
        let mut error = Self::invalid("invalid_input", message);
        error.fields = fields;
        error
    }

    /// Nobody is signed in, or what was shown does not prove it.
    pub fn unauthenticated(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Unauthenticated, "unauthenticated", message)
    }

    /// The caller's role or the host's policy does not allow this.
    pub fn forbidden(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Forbidden, code, message)
    }

    /// Something outside did not answer in time or refused the connection.
    pub fn unavailable(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Unavailable, code, message)
    }

    /// A defect or a broken store. The message is logged; callers are told only that it happened.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Internal, "internal", message)
    }

    /// Adds the cause, which is logged and never answered.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Says when a retry makes sense.
    #[must_use]
    pub fn retry_after_secs(mut self, secs: u64) -> Self {
        self.retry_after_secs = Some(secs);
        self
    }

    /// How this failure is answered.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The stable code that programs may match on.
    pub fn code(&self) -> &'static str {
        self.code
    }

    /// The sentence for a person.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The wrong fields, empty when the failure is not about fields.
    pub fn field_errors(&self) -> &[FieldError] {
        &self.fields
    }

    /// Seconds after which a retry makes sense, where that is known.
    pub fn retry_after(&self) -> Option<u64> {
        self.retry_after_secs
    }

    /// True when the same call may succeed later without any change.
    pub fn is_retryable(&self) -> bool {
        matches!(
            self.kind,
            ErrorKind::Unavailable | ErrorKind::TooManyRequests
        )
    }

    /// The sentence and all its causes, for the log.
    pub fn chain(&self) -> String {
        let mut text = self.message.clone();
        let mut next = self.source.as_deref().map(|s| s as &dyn StdError);
        while let Some(cause) = next {
            text.push_str(": ");
            text.push_str(&cause.to_string());
            next = cause.source();
        }
        text
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {}: {}", self.kind, self.code, self.chain())
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source
            .as_deref()
            .map(|s| s as &(dyn StdError + 'static))
    }
}
