//! Engines: which database it is, and the few words in which they differ.

/// Which database it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Engine {
    /// One file, one writer at a time.
    Sqlite,
}

impl Engine {
    /// How a transaction that writes begins. SQLite takes the writer's lock at once, so that it can't fail half-way for want of it.
    pub(crate) fn begin(self) -> &'static str {
        match self {
            Self::Sqlite => "BEGIN IMMEDIATE",
        }
    }
}
