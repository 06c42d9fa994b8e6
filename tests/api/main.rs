//! The API from outside: a real master, plain HTTP requests, and what must hold for every route of its own description.

#[path = "../support/mod.rs"]
mod support;

mod access;
mod agent;
mod client;
mod console;
mod description;
mod editing;
mod idempotency;
mod live;
mod problems;
mod schedules;
mod sessions;
mod set_up;
