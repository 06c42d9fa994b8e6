//! The use-cases through their public face, over the real SQLite stores, with a clock that the tests move and agents that they play.

mod accounts;
mod bed;
mod catching_up;
mod dispatching;
mod drills;
mod ends;
mod faults;
mod fleet;
mod followers;
mod guarded;
mod gusts;
mod places;
mod pools;
mod proofs;
mod removals;
mod schedules;
mod sources;
mod storms;
