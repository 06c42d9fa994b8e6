//! Relational state, queue, presence and signals on SQL databases.
