//! How the agent behaves towards a master that is scripted, in virtual time, and over real HTTP.

mod commands;
mod drain;
mod hands;
mod http;
mod leases;
mod link;
mod master;
mod outage;
mod policy;
mod polling;
mod relay;
mod scene;
mod server;
