//! Retention: carrying out what the policy of a task decides about its copies.
