//! What the test binaries share: the built `backupx` as master, agent and command line, each in a temporary folder of its own.
#![allow(dead_code, reason = "each test binary uses a part of it")]

pub(crate) mod agent;
pub(crate) mod cli;
pub(crate) mod function;
pub(crate) mod gate;
pub(crate) mod master;
pub(crate) mod postgres;
pub(crate) mod process;
pub(crate) mod servers;
pub(crate) mod trees;
pub(crate) mod wait;
