//! Moves bytes: source, archive, frames, seal, volumes, fan-out, and the way back.

pub mod archive;
pub mod restore;
pub mod stream;
