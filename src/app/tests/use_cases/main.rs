//! The use-cases through their public face, over the real SQLite stores, with a clock that the tests move and agents that they play.

mod accounts;
mod bed;
mod dispatching;
mod ends;
mod fleet;
mod places;
mod removals;
mod schedules;
mod storms;
