//! After a run: one path for every event of the outbox, whoever made it.
