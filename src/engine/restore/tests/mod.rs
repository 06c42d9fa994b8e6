//! Restores as a person sees them: real trees on disk, packed in memory, put back beneath another folder.

mod bed;
mod fidelity;
mod hostile;
mod rules;
mod selection;
