//! Ids: plain integers, one type each so that they cannot be mixed up.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = std::num::ParseIntError;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }

        impl From<i64> for $name {
            fn from(value: i64) -> Self {
                Self(value)
            }
        }
    };
}

id!(
    /// A server that runs work. `0` is the master's own process.
    NodeId
);
id!(
    /// A place where backups are kept.
    TargetId
);
id!(
    /// What is backed up, from where to where, when, and how long it is kept.
    TaskId
);
id!(
    /// One run of one task.
    RecordId
);
id!(
    /// A restore, a verification, a copy or a deletion.
    OperationId
);
id!(
    /// What a queue carries to a node.
    CommandId
);
id!(
    /// A person who signs in.
    UserId
);
id!(
    /// A signed-in browser or terminal.
    SessionId
);
id!(
    /// A key for scripts.
    ApiKeyId
);
id!(
    /// A short question to a node whose answer somebody waits for.
    RequestId
);
id!(
    /// Something that happened, in order.
    EventId
);

impl NodeId {
    /// No node: of a task that names a pool, and of its runs until one takes them.
    pub const NONE: Self = Self(-1);

    /// The node inside the master's process.
    pub const LOCAL: Self = Self(0);

    /// True for the node inside the master's process.
    pub fn is_local(self) -> bool {
        self == Self::LOCAL
    }
}
