//! Time: one instant type, always UTC and always from the master's clock where it decides something.

use chrono::{DateTime, Utc};

/// An instant in UTC, stored and compared with microsecond precision.
pub type Timestamp = DateTime<Utc>;
