//! BackupX.
fn main() {}
