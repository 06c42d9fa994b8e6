//! The nouns of BackupX and the rules that hold for them wherever they are stored or shown.

pub mod access;
pub mod account;
pub mod command;
pub mod duration;
pub mod entry;
pub mod event;
pub mod id;
pub mod key;
pub mod log;
pub mod manifest;
pub mod name;
pub mod node;
pub mod operation;
pub mod page;
pub mod progress;
pub mod protocol;
pub mod record;
pub mod report;
pub mod retention;
pub mod schedule;
pub mod secret;
pub mod target;
pub mod task;
pub mod time;
pub mod work;
