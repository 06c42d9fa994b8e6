//! Who asks: proven before any handler runs, and shown to handlers as the role that they need.

pub(crate) mod caller;
pub(crate) mod cookie;
pub(crate) mod credential;
pub(crate) mod origin;
pub(crate) mod tokens;
