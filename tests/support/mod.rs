//! What the test binaries share: the built `backupx` as master, agent and command line, each in a temporary folder of its own.
#![allow(dead_code, reason = "each test binary uses a part of it")]

pub(crate) mod address;
pub(crate) mod agent;
pub(crate) mod cli;
pub(crate) mod function;
pub(crate) mod http;
pub(crate) mod master;
pub(crate) mod nginx;
pub(crate) mod node;
pub(crate) mod postgres;
pub(crate) mod process;
pub(crate) mod proxy;
pub(crate) mod redis;
pub(crate) mod schema;
pub(crate) mod servers;
pub(crate) mod stream;
pub(crate) mod trees;
pub(crate) mod wait;
